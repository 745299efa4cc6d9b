/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A capture as a file: pcapng (draft-ietf-opsawg-pcapng), little-endian, one section. Times are
 * nanoseconds since 1970. Errors of the output are the stream's own: ferror(). Any thread.
 */
#ifndef FG_CONTROL_CLI_CAPTURE_FILE_H
#define FG_CONTROL_CLI_CAPTURE_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct fg_pcapng_frame {
    uint64_t at_ns;
    uint32_t port;   /* place of its interface */
    uint32_t queue;  /* that it came or went by: the worker's */
    uint32_t length; /* on the wire */
    uint32_t kept;   /* bytes that there are */
    bool out;
    const char *comment; /* NULL: none */
    const uint8_t *bytes;
};

/* The section, told where it was made: each text may be NULL. */
void fg_pcapng_section(FILE *file, const char *hardware, const char *os, const char *application);
/* One more interface, of Ethernet; frames name it by its place: 0, 1 ... */
void fg_pcapng_interface(FILE *file, const char *name, uint32_t snap);
void fg_pcapng_frame(FILE *file, const struct fg_pcapng_frame *frame);

#endif
