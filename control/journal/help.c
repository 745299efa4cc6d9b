/* SPDX-License-Identifier: BSD-3-Clause */
/* What --help says of the commands on logs. docs/journal.md has examples. */
#include "control/journal/commands.h"

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

const char fg_journal_copy_manual[] =
    "Copies the log in DIR into TO, which must be empty or missing. An engine may be writing DIR: "
    "the\n"
    "copy then ends with the last frame that was whole when the end was reached, so every order "
    "that\n"
    "was acknowledged before the command began is in it. Segments are made at their full size, put "
    "on\n"
    "the disk and read back. TO is locked meanwhile; a copy that was cut short is no log to an "
    "engine,\n"
    "and the next copy into TO removes it.\n"
    "\n"
    "An engine that is started on a copy begins a new epoch there. The copy and the log that it "
    "was\n"
    "made of are then two logs: never let engines serve from both. To move an engine to another\n"
    "machine use takeover, which also shuts the first one out of Redis.\n";

const char fg_takeover_manual[] =
    "Run on the machine that is to serve from now on, with the configuration of its engine. FROM "
    "is\n"
    "the log directory of the engine that is to be replaced, as this machine sees it: a disk that "
    "was\n"
    "moved, a mounted export, or a copy made by hand. In this order it\n"
    "\n"
    "  read    reads FROM for its sales and its epoch;\n"
    "  fence   fences each sale's stream in Redis, so that the old engine delivers nothing more "
    "and\n"
    "          stops with status 10 when it next asks Redis, within about a second;\n"
    "  copy    copies FROM into log.directory, which must be empty or missing;\n"
    "  epoch   uses up the fence's epoch in the copy.\n"
    "\n"
    "Start the engine then: it has the epoch after the fence's. What failed can be run again. What "
    "the\n"
    "old engine still acknowledged after the copy, because it could not reach Redis or had not "
    "asked\n"
    "it yet, is not in the copy: stop the old engine before, if it can be reached, and see that "
    "nothing\n"
    "starts it again. docs/journal.md tells what is guaranteed and what is not.\n"
    "\n"
    "Where Redis cannot be asked, nothing is done, unless --without-fence is given. Then nothing "
    "keeps\n"
    "an old engine that still runs from selling the same units and writing to the same streams.\n";
