/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fuzz targets share: taking an input apart, copies of exactly their size (so that the
 * sanitizer sees one byte too many), files of its bytes, and checks that end the run.
 *
 * Every target is one function of the input's bytes alone: no clock, no chance, nothing kept from
 * one input to the next that the next could see.
 */
#ifndef FG_TESTS_FUZZ_H
#define FG_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* What must hold whatever the input is. */
#define FUZZ_CHECK(condition)                                                                      \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* What is left of an input. Beyond its end everything is zero. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline uint64_t fuzz_take(struct fuzz_input *input, unsigned bytes)
{
    uint64_t value = 0;
    size_t n = bytes < input->left ? bytes : input->left;

    if (n > 0)
        memcpy(&value, input->at, n);
    input->at += n;
    input->left -= n;
    return value;
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
    return (uint8_t)fuzz_take(input, 1);
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
    return (uint16_t)fuzz_take(input, 2);
}

static inline uint32_t fuzz_u32(struct fuzz_input *input)
{
    return (uint32_t)fuzz_take(input, 4);
}

static inline uint64_t fuzz_u64(struct fuzz_input *input)
{
    return fuzz_take(input, 8);
}

/* The next bytes, at most `most` of them; *length is how many there were. */
static inline const uint8_t *fuzz_bytes(struct fuzz_input *input, size_t most, size_t *length)
{
    const uint8_t *bytes = input->at;

    *length = most < input->left ? most : input->left;
    input->at += *length;
    input->left -= *length;
    return bytes;
}

/* Up to `end`, which is passed over, or to the end of the input. */
static inline const uint8_t *fuzz_until(struct fuzz_input *input, uint8_t end, size_t *length)
{
    const uint8_t *found = input->left ? memchr(input->at, end, input->left) : NULL;
    const uint8_t *bytes =
        fuzz_bytes(input, found ? (size_t)(found - input->at) : input->left, length);

    (void)fuzz_u8(input);
    return bytes;
}

/* An allocation of exactly these bytes: a read beyond them is seen. Freed by the caller. */
static inline void *fuzz_copy(const void *data, size_t length)
{
    uint8_t *copy = malloc(length);

    if (!copy)
        abort();
    if (length > 0)
        memcpy(copy, data, length);
    return copy;
}

#define FUZZ_FILES 4

/* The descriptor of a file in memory, mode 0600, made once. */
static inline int fuzz_descriptor(unsigned which)
{
    static int files[FUZZ_FILES];

    if (files[which] == 0) {
        files[which] = memfd_create("fuzz", MFD_CLOEXEC);
        if (files[which] <= 0 || fchmod(files[which], 0600) != 0)
            abort();
    }
    return files[which];
}

/* One of these files; each call gives it other bytes. Its path. */
static inline const char *fuzz_file_of(unsigned which, const void *data, size_t length)
{
    static char paths[FUZZ_FILES][64];
    int file = fuzz_descriptor(which);

    snprintf(paths[which], sizeof(paths[which]), "/proc/self/fd/%d", file);
    if (ftruncate(file, 0) != 0 || pwrite(file, data, length, 0) != (ssize_t)length)
        abort();
    return paths[which];
}

/* The first of them. */
static inline const char *fuzz_file(const void *data, size_t length)
{
    return fuzz_file_of(0, data, length);
}

/* A sentence for people: not empty, in one line. */
static inline void fuzz_check_sentence(const char *text, size_t size)
{
    FUZZ_CHECK(memchr(text, '\0', size) != NULL);
    FUZZ_CHECK(text[0] != '\0');
    for (; *text; text++)
        FUZZ_CHECK((unsigned char)*text >= 0x20 && *text != 0x7f);
}

#endif
