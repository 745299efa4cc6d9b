/* SPDX-License-Identifier: BSD-3-Clause */
/* What --help says of the commands on logs. docs/journal.md has examples. */
#include "control/journal_commands.h"

const char fg_journal_verify_manual[] =
    "Reads all segments in DIR past the page cache and checks what a start would check: that "
    "every\n"
    "frame is whole and follows the one before it, that every record can be applied to the state\n"
    "that the records before it made, and that the events of each sale are numbered without gaps.\n"
    "Beyond that it checks that the base of each segment says what the records before it said, "
    "and\n"
    "that at no record more units of an item are given than there are.\n"
    "\n"
    "A frame at the end that is not whole is no damage: it is what a crash leaves, or one that a\n"
    "running engine is writing. No lock is taken: an engine may run on DIR, or start meanwhile.\n";

const char fg_journal_dump_manual[] =
    "Prints the records of the log in DIR, one a line: LSN, segment, frame, epoch, then for an "
    "order\n"
    "event its sale, its id in the sale's stream and the fields of a stream's entry; for a "
    "control\n"
    "event its figures and its body. \"base\" marks what a segment's base repeats. With --json "
    "each\n"
    "line is a JSON object; figures of 64 bits are strings in it.\n"
    "\n"
    "All options that are given must fit a record for it to be printed. A control event has no "
    "buyer\n"
    "and no order. An unfinished frame at the end is not printed. No lock is taken.\n";

const char fg_journal_stat_manual[] =
    "Tells how the log in DIR is filled: for each segment its size and the part in use, its "
    "frames,\n"
    "records, epochs and wall times, and the order events of each sale in it; and for the whole "
    "log\n"
    "records by kind, frames by size (what one flush wrote) and each sale's range of sale_seq.\n"
    "It checks frames, not records: journal verify does. No lock is taken.\n";
