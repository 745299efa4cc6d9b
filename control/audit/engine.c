/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The running engine's books against the log's (I5): for every item, what is on sale must be what
 * was put on sale less what orders have.
 *
 * Orders come in meanwhile, so a picture of the engine (its count of records, and every item's
 * figures) is taken before and after the log is read on. If both are the same, nothing was written
 * between them, and the log as read is the log of that moment. A difference is believed only if it
 * stays: a return is in the log a moment before its units are on sale.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "control/audit/audit.h"
#include "control/cli/client.h"

#define QUIET_TRIES   40       /* pairs of pictures */
#define QUIET_WAIT_NS 50000000 /* between them: two seconds in all */
#define BELIEVE       5        /* quiet pairs in a row that differ */

static int call(struct audit *audit, const char *method, json_t *params, json_t **result)
{
    return fg_client_call(audit->call->options[FG_CLI_SOCKET], method, params, result,
                          audit->message, sizeof(audit->message));
}

/* Is the log that the engine writes the one that is audited? What cannot be looked at is believed.
 */
static int check_log(struct audit *audit, const json_t *status)
{
    const char *dir =
        json_string_value(json_object_get(json_object_get(status, "journal"), "log_dir"));
    struct stat ours, theirs;

    if (!dir || stat(audit->dir, &ours) != 0 || stat(dir, &theirs) != 0 ||
        (ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino))
        return FG_EXIT_OK;
    snprintf(audit->message, sizeof(audit->message),
             "the engine at %s writes another log, %s; audit that one, or leave --socket out",
             audit->call->options[FG_CLI_SOCKET], dir);
    return FG_EXIT_USAGE;
}

/* The engine's figures: {"records": n, "sales": [as sale show tells them]}. An exit status. */
static int take_picture(struct audit *audit, json_t **picture)
{
    json_t *status, *sale;
    size_t i;
    int rc = call(audit, "status", NULL, &status);
    if (rc != FG_EXIT_OK)
        return rc;
    rc = check_log(audit, status);
    json_t *sales = json_array();
    json_array_foreach(json_object_get(status, "sales"), i, sale)
    {
        json_t *shown;
        if (rc == FG_EXIT_OK)
            rc = call(audit, "sale.show", json_pack("{s:O}", "name", json_object_get(sale, "name")),
                      &shown);
        if (rc == FG_EXIT_OK)
            json_array_append_new(sales, shown);
    }
    *picture =
        json_pack("{s:O?,s:o}", "records",
                  json_object_get(json_object_get(status, "journal"), "records"), "sales", sales);
    json_decref(status);
    if (rc != FG_EXIT_OK || !*picture) {
        json_decref(*picture);
        *picture = NULL;
    }
    return rc;
}

/* --- comparing --- */

/* Tells every difference, or only counts them (`tell` false). */
struct comparison {
    struct audit *audit;
    const int64_t *given; /* by place of the item in the book */
    bool tell;
    uint64_t items, differences;
};

static void compare_item(struct comparison *comparison, const char *sale, const json_t *shown,
                         uint32_t place)
{
    const struct fg_log_book *book = &comparison->audit->book;
    json_int_t supply = book->now[place].stock, given = comparison->given[place];
    json_int_t stock = json_integer_value(json_object_get(shown, "stock"));
    json_int_t available = json_integer_value(json_object_get(shown, "available"));

    comparison->items++;
    if (stock == supply && available == supply - given)
        return;
    comparison->differences++;
    if (comparison->tell)
        fg_found(&comparison->audit->findings, FG_CHECK_ENGINE_DIFFERS,
                 "sale %s, item %" PRIu32 ": the log has a supply of %lld and %lld units with "
                 "orders, so %lld on sale; the engine has a supply of %lld and %lld on sale",
                 sale, book->items[place].id, (long long)supply, (long long)given,
                 (long long)(supply - given), (long long)stock, (long long)available);
}

static void compare_sale(struct comparison *comparison, const json_t *shown)
{
    const struct fg_log_book *book = &comparison->audit->book;
    const char *name = json_string_value(json_object_get(shown, "name"));
    int place = name ? fg_log_book_sale(book, name) : -1;
    json_t *item;
    size_t i;

    if (place < 0 || !book->sales[place].defined) {
        comparison->differences++;
        if (comparison->tell)
            fg_found(&comparison->audit->findings, FG_CHECK_ENGINE_DIFFERS,
                     "sale %s: the engine has it, and the log does not know it", name ? name : "?");
        return;
    }
    if (book->streams[place].passed.sale_seq > 0)
        return; /* LOG_FORGOTTEN says it all */
    json_array_foreach(json_object_get(shown, "items"), i, item)
    {
        uint32_t at =
            fg_log_book_item(book, (uint32_t)json_integer_value(json_object_get(item, "id")));
        if (at != UINT32_MAX)
            compare_item(comparison, name, item, at);
    }
}

/* How many figures differ. */
static uint64_t compare(struct audit *audit, const json_t *picture, const int64_t *given, bool tell)
{
    struct comparison comparison = {.audit = audit, .given = given, .tell = tell};
    json_t *sale;
    size_t i;

    json_array_foreach(json_object_get(picture, "sales"), i, sale) compare_sale(&comparison, sale);
    audit->engine_items = comparison.items;
    return comparison.differences;
}

/* One pair of pictures with the log read between them. *quiet: they agree; *differ: figures that
 * the log has not so. */
static int try_once(struct audit *audit, bool tell, bool *quiet, uint64_t *differ)
{
    json_t *before = NULL, *after = NULL;
    int64_t *given = NULL;
    int status = take_picture(audit, &before);

    if (status == FG_EXIT_OK)
        status = audit_read_log(audit);
    if (status == FG_EXIT_OK)
        status = take_picture(audit, &after);
    *quiet = status == FG_EXIT_OK && json_equal(before, after);
    if (*quiet) {
        given = calloc(audit->book.items_count + 1, sizeof(*given));
        if (given) {
            fg_log_book_given(&audit->book, given);
            *differ = compare(audit, after, given, tell);
        } else {
            snprintf(audit->message, sizeof(audit->message), "memory is short");
            status = FG_EXIT_MEMORY;
        }
    }
    free(given);
    json_decref(before);
    json_decref(after);
    return status;
}

int audit_engine(struct audit *audit)
{
    int differing = 0;

    for (int tries = 0; tries < QUIET_TRIES; tries++) {
        bool quiet;
        uint64_t differ = 0;
        int status = try_once(audit, differing == BELIEVE - 1, &quiet, &differ);
        if (status != FG_EXIT_OK)
            return status;
        audit->quiet |= quiet && (differ == 0 || differing == BELIEVE - 1);
        if (audit->quiet)
            return FG_EXIT_OK;
        differing = quiet ? differing + 1 : 0;
        nanosleep(&(struct timespec){.tv_nsec = QUIET_WAIT_NS}, NULL);
    }
    return FG_EXIT_OK;
}
