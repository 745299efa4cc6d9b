/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/cli/capture_file.h"

#include <string.h>

#define BLOCK_SECTION   0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_FRAME     6u
#define BYTE_ORDER      0x1a2b3c4du
#define ETHERNET        1 /* LINKTYPE_ETHERNET */
#define TEXT_MAX        UINT16_MAX

enum { /* options: of any block, of a section, of an interface, of a frame */
       OPTION_END = 0,
       OPTION_COMMENT = 1,
       SECTION_HARDWARE = 2,
       SECTION_OS = 3,
       SECTION_APPLICATION = 4,
       INTERFACE_NAME = 2,
       INTERFACE_RESOLUTION = 9,
       FRAME_FLAGS = 2,
       FRAME_QUEUE = 6,
};
#define FLAGS_IN      1u
#define FLAGS_OUT     2u
#define RESOLUTION_NS 9 /* 10 to the power of minus 9 */

static void put16(FILE *file, unsigned value)
{
    const uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
    fwrite(bytes, 1, sizeof(bytes), file);
}

static void put32(FILE *file, uint32_t value)
{
    put16(file, value & 0xffff);
    put16(file, value >> 16);
}

/* Blocks and options are of whole units of four bytes. */
static uint32_t padded(size_t length)
{
    return (uint32_t)(length + 3) / 4 * 4;
}

static void put_bytes(FILE *file, const void *bytes, size_t length)
{
    fwrite(bytes, 1, length, file);
    fwrite("\0\0\0", 1, padded(length) - length, file);
}

static size_t text_length(const char *text)
{
    return text ? strnlen(text, TEXT_MAX) : 0;
}

static uint32_t option_size(const char *text)
{
    return text ? 4 + padded(text_length(text)) : 0;
}

static void put_option(FILE *file, unsigned option, const void *value, size_t length)
{
    put16(file, option);
    put16(file, (unsigned)length);
    put_bytes(file, value, length);
}

static void put_text(FILE *file, unsigned option, const char *text)
{
    if (text)
        put_option(file, option, text, text_length(text));
}

static void put_number(FILE *file, unsigned option, uint32_t value)
{
    put16(file, option);
    put16(file, sizeof(value));
    put32(file, value);
}

static void put_end(FILE *file, uint32_t size)
{
    put32(file, OPTION_END);
    put32(file, size);
}

void fg_pcapng_section(FILE *file, const char *hardware, const char *os, const char *application)
{
    uint32_t size = 24 + option_size(hardware) + option_size(os) + option_size(application) + 8;
    put32(file, BLOCK_SECTION);
    put32(file, size);
    put32(file, BYTE_ORDER);
    put16(file, 1); /* version 1.0 */
    put16(file, 0);
    put32(file, UINT32_MAX); /* how long the section is: not told */
    put32(file, UINT32_MAX);
    put_text(file, SECTION_HARDWARE, hardware);
    put_text(file, SECTION_OS, os);
    put_text(file, SECTION_APPLICATION, application);
    put_end(file, size);
}

void fg_pcapng_interface(FILE *file, const char *name, uint32_t snap)
{
    static const uint8_t resolution = RESOLUTION_NS;
    uint32_t size = 16 + option_size(name) + 8 + 8;
    put32(file, BLOCK_INTERFACE);
    put32(file, size);
    put16(file, ETHERNET);
    put16(file, 0);
    put32(file, snap);
    put_text(file, INTERFACE_NAME, name);
    put_option(file, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
    put_end(file, size);
}

void fg_pcapng_frame(FILE *file, const struct fg_pcapng_frame *frame)
{
    uint32_t size = 28 + padded(frame->kept) + option_size(frame->comment) + 8 + 8 + 8;
    put32(file, BLOCK_FRAME);
    put32(file, size);
    put32(file, frame->port);
    put32(file, (uint32_t)(frame->at_ns >> 32));
    put32(file, (uint32_t)frame->at_ns);
    put32(file, frame->kept);
    put32(file, frame->length);
    put_bytes(file, frame->bytes, frame->kept);
    put_text(file, OPTION_COMMENT, frame->comment);
    put_number(file, FRAME_FLAGS, frame->out ? FLAGS_OUT : FLAGS_IN);
    put_number(file, FRAME_QUEUE, frame->queue);
    put_end(file, size);
}
