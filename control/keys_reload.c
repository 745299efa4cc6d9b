/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/keys_reload.h"

#include "control/aside.h"

struct reading {
    const struct fg_control *control;
    struct fg_key_file *keys;
    char *message;
    size_t size;
};

static void read_file(void *arg)
{
    struct reading *reading = arg;
    const struct fg_config *config = &reading->control->engine->config;
    reading->keys = fg_key_file_load(config->key_file, fg_config_unsigned_ops(config),
                                     reading->control->keys, reading->message, reading->size);
}

struct fg_key_file *fg_keys_read(struct fg_control *control, char *message, size_t size)
{
    struct reading reading = {.control = control, .message = message, .size = size};
    fg_control_aside(control, true, read_file, &reading);
    return reading.keys;
}

void fg_keys_put(struct fg_control *control, struct fg_key_file *keys)
{
    struct fg_key_file *before = control->keys;
    fg_key_shares_renew(&control->key_shares, &before->ring, &keys->ring, control->engine);
    control->keys = keys;
    fg_key_file_drop(before); /* the catalogue in force holds it yet */
    fg_change_begin_reissue(control);
}
