/* SPDX-License-Identifier: BSD-3-Clause */
/* An engine that nobody has but its control, with a key file that a test writes. */
#ifndef KEYS_FIXTURE_H
#define KEYS_FIXTURE_H

#include "tests/unit/fake_engine.h"

#include <sys/stat.h>

#include "control/key_figures.h"

#define ONE                   "5ec2e75ec2e75ec2e75ec2e75ec2e701"
#define TWO                   "5ec2e75ec2e75ec2e75ec2e75ec2e702"
#define THREE                 "5ec2e75ec2e75ec2e75ec2e75ec2e703"
#define MARK                  "5ec2e75ec2e7" /* in every secret */
#define KEY(id, secret, more) "  - {id: " #id ", secret: " secret ", ops: [ORDER, QUERY]" more "}\n"

static char path[64];

static void write_keys(const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static int begin(void **state)
{
    (void)state;
    memset(&log_, 0, sizeof(log_));
    atomic_store(&log_.stats.room_bytes, 1 << 30);
    create_engine();
    snprintf(path, sizeof(path), "%s/keys.yaml", directory);
    write_keys("keys:\n" KEY(1, ONE, "") KEY(2, TWO, ", sales: [spring]"));
    engine->config.key_file = path;
    engine->config.unsigned_allowed = false;
    for (unsigned w = 0; w < WORKERS; w++)
        engine->workers[w]->keys = fg_key_watch_create();
    create_control();
    serve();
    return 0;
}

static int end(void **state)
{
    unlink(path);
    for (unsigned w = 0; w < WORKERS; w++)
        free(engine->workers[w]->keys);
    return stop(state);
}

static json_t *reload(bool confirmed)
{
    return call("keys.reload", confirmed ? json_pack("{s:b}", "confirmed", true) : json_object());
}

static json_t *reload_of(const char *text)
{
    write_keys(text);
    return reload(false);
}

#endif
