/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that operators write: YAML read into a struct, driven by tables of options.
 *
 * A table describes one YAML mapping: for each name its kind, unit, range, default, help and the
 * field it fills. Tables nest (sections, and lists of either scalars or tables). The same tables
 * make the parser, the commented reference file and the list of options, so that these never
 * disagree.
 *
 * YAML is taken in a plain dress: one document, no anchors, aliases or tags, no name twice or
 * unknown. Every refusal is one sentence, "FILE:LINE:COLUMN: name: what was found, what is wanted".
 *
 * Any thread; no state but the arguments.
 */
#ifndef FG_CONTROL_OPTIONS_H
#define FG_CONTROL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "dataplane/ip.h"

#define FG_OPTIONS_FILE_MAX (8u << 20) /* bytes: a sale of the most items takes about 2 MiB */
#define FG_OPTIONS_MAX      32         /* options in one table */

enum fg_option_kind {
    FG_OPTION_INTEGER,  /* plain digits; int or unsigned of 1, 2, 4 or 8 bytes */
    FG_OPTION_SIZE,     /* bytes, or with KiB, MiB, GiB, TiB */
    FG_OPTION_DURATION, /* milliseconds, or with ms, s, m, h, d */
    FG_OPTION_TIME,     /* RFC 3339 with zone, or "+30s" from now; uint64_t, wall clock ns; whether
                         * it was from now, uint8_t, at `second` unless that is 0 */
    FG_OPTION_BOOL,     /* true or false; 1 byte */
    FG_OPTION_CHOICE,   /* one of `choices`; its place there, as int of 1, 2 or 4 bytes */
    FG_OPTION_TEXT,     /* char *, allocated; min..max bytes, printable */
    FG_OPTION_LABEL,    /* char[size], printable UTF-8, not empty */
    FG_OPTION_NAME,     /* char[size], characters A-Z a-z 0-9 . _ -, not empty */
    FG_OPTION_HEX,      /* uint8_t[size], written as 2 * size hex digits */
    FG_OPTION_ADDRESS,  /* struct fg_ip; bits of its prefix, of 128, uint8_t, at `second` */
    FG_OPTION_SECTION,  /* a table of its own, over the struct at `offset` */
    FG_OPTION_LIST,     /* of `element`; number of elements, unsigned, at `second` */
};

struct fg_option_table;

struct fg_option {
    const char *name;
    enum fg_option_kind kind;
    uint32_t size;  /* of the field; LIST: of one element */
    size_t offset;  /* of the field in the table's struct */
    size_t second;  /* see the kinds that have one */
    int64_t min;    /* numbers: least value; TEXT: bytes; LIST: elements */
    int64_t max;    /* greatest */
    int64_t factor; /* numbers: the value is a multiple of it; 0: any */
    bool power_of_two;
    bool required;
    bool live;      /* may change while the engine runs; else it is read at start */
    bool suggested; /* neither required nor defaulted, but shown in force in the reference */
    bool allocated; /* LIST: the field is a pointer to an array that grows, else an array */
    bool takes_all; /* LIST: the word "all" may stand for it; bool at `all` */
    bool host;      /* ADDRESS: without "/bits" it is one address; bits below the prefix are 0 */
    uint8_t family; /* ADDRESS: 4 or 6; 0: either */
    const char *other_family; /* ADDRESS: the option of the other one, for messages; NULL: none */
    size_t all;
    const char *unit;                    /* of an INTEGER, for people */
    const char *standard;                /* the default, as it would be written; NULL: none */
    const char *example;                 /* for the reference, where there is no default */
    const char *zero;                    /* what a number's or time's 0 is, for people; NULL: 0 */
    const char *help;                    /* sentences */
    const char *const *choices;          /* CHOICE: NULL-terminated */
    const struct fg_option_table *table; /* SECTION */
    const struct fg_option *element;     /* LIST: its name is NULL */
};

#define FG_OPTION_FIELD(type, field)                                                               \
    .offset = offsetof(type, field), .size = sizeof(((type *)0)->field)

struct fg_option_scope;

struct fg_option_table {
    const struct fg_option *options;
    unsigned count; /* at most FG_OPTIONS_MAX */
    const char *help;
    /* What fields say about each other, after all of them are set; NULL: nothing. 0, or -1 after
     * fg_option_refuse(). */
    int (*check)(const struct fg_option_scope *scope, void *target);
};

struct fg_options_input {
    const char *source; /* names the text in messages */
    const char *text;
    size_t length;
    uint64_t now_ns;   /* what relative times count from */
    bool confidential; /* messages never repeat what was found; parser memory is wiped */
    void *context;     /* for the checks */
    char *message;     /* of `size` bytes: the sentence of a refusal */
    size_t size;
};

/* Reads the text into `target`, a zeroed struct: all defaults, then what is written. 0, or -1 with
 * a message; then, too, fg_options_free() frees what `target` holds. */
int fg_options_read(const struct fg_option_table *table, void *target,
                    const struct fg_options_input *input);
void fg_options_free(const struct fg_option_table *table, void *target);

/* Reads a whole file for fg_options_read(): at most FG_OPTIONS_FILE_MAX bytes of a regular file.
 * `private_file`: others than its owner may have no right to it. NULL with a message; else the text
 * and a terminating zero, which the caller frees. */
char *fg_options_file(const char *path, bool private_file, size_t *length, char *message,
                      size_t size);

/* The same of any other regular file, of at most `most` bytes. */
char *fg_options_large_file(const char *path, size_t most, size_t *length, char *message,
                            size_t size);

/* The first line of a private file, without its end. NULL with a message; else freed by
 * fg_password_free, which takes NULL and leaves nothing of it in memory. */
char *fg_password_read(const char *path, char *message, size_t size);
void fg_password_free(char *password);

/* --- For the checks of tables --- */

/* Says what is wrong with option `name` of this table, at the line that gave it. Returns -1. */
int fg_option_refuse(const struct fg_option_scope *scope, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Was the option written (or left to its default)? */
bool fg_option_given(const struct fg_option_scope *scope, const char *name);
const struct fg_options_input *fg_option_input(const struct fg_option_scope *scope);

/* --- Values (option_values.c, option_numbers.c) --- */

/* Sets a scalar option's field from text. 0, or -1 with `why`: the rest of a sentence that begins
 * with what was found ("is out of range, wanted 1 to 64"). Lists and sections are no scalars. */
int fg_option_set(const struct fg_option *option, const char *text, size_t length, uint64_t now_ns,
                  void *target, char *why, size_t size);

/* What is wanted, in words: "1 to 64", "true or false". Returns `text`. */
const char *fg_option_wanted(const struct fg_option *option, char *text, size_t size);

/* The greatest unit that divides it: "10m". Returns `text`. */
const char *fg_option_number_text(enum fg_option_kind kind, int64_t value, char *text, size_t size);

/* Is there no control character in it? Is it of A-Z a-z 0-9 . _ - alone, and not empty? */
bool fg_printable(const char *text, size_t length);
bool fg_name_valid(const char *text, size_t length);
/* What somebody asked for, in a sentence for people: as it is, or "(not printable)". */
const char *fg_in_print(const char *text);

/* --- Fields as text (option_write.c) --- */

#define FG_OPTION_TEXT_MAX 1024 /* of any scalar but TEXT, which may be longer and is cut */

/* The value of a number, time, bool or choice. */
uint64_t fg_option_number(const struct fg_option *option, const void *target);
/* Puts one option's value where another target has its own. Scalars without an allocation. */
void fg_option_copy(const struct fg_option *option, void *to, const void *from);
bool fg_option_same(const struct fg_option *option, const void *a, const void *b);

/* A scalar as YAML that fg_option_set() reads back the same; times are in UTC, but one that is from
 * now is "+30s". Returns `text`. */
const char *fg_option_yaml(const struct fg_option *option, const void *target, char *text,
                           size_t size);
/* A scalar for people, with its unit, and in words where it is 0. Returns `text`. */
const char *fg_option_shown(const struct fg_option *option, const void *target, char *text,
                            size_t size);

/* --- For people (option_help.c) --- */

/* Prints text as comment lines, broken between words. */
void fg_option_comment(FILE *out, int indent, const char *text);
/* Kind and range: "whole number of cores, 1 to 64". Returns `text`. */
const char *fg_option_kind_text(const struct fg_option *option, char *text, size_t size);

/* A whole file with every option, its help and its default, and a list of all options. */
void fg_options_reference(const struct fg_option_table *table, FILE *out);
void fg_options_describe(const struct fg_option_table *table, FILE *out);
/* As a part of a manual page (scdoc). `spans`: it tells which options are read at start only. */
void fg_options_manual(const struct fg_option_table *table, bool spans, FILE *out);

#endif
