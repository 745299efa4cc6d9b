/* SPDX-License-Identifier: BSD-3-Clause */
/* Key, client and hostile side of a run, from its options. */
#include <stdio.h>
#include <string.h>

#include "control/config/keys.h"
#include "flashgate/exit_status.h"
#include "perf/load/items.h"
#include "perf/load/load.h"

volatile sig_atomic_t load_interrupts;

int load_fail(struct load *load, int status, const char *sentence)
{
    snprintf(load->message, sizeof(load->message), "%s", sentence);
    return status;
}

int load_fail_to_write(struct load *load, const char *what, const char *path, int error)
{
    snprintf(load->message, sizeof(load->message), "%s %s cannot be written: %s", what, path,
             strerror(-error));
    return error;
}

static int read_key(struct load *load)
{
    const struct load_options *options = &load->options;
    struct fg_key_file *keys;
    int status = FG_EXIT_OK;

    if (!options->key_file)
        return FG_EXIT_OK;
    keys = fg_key_file_load(options->key_file, 0, NULL, load->message, sizeof(load->message));
    if (!keys)
        return FG_EXIT_CONFIG;
    int place = fg_keyring_find(&keys->ring, (uint16_t)options->key);
    if (place < 0) {
        snprintf(load->message, sizeof(load->message), "%s has no key %lu; choose one by --key",
                 options->key_file, options->key);
        status = FG_EXIT_CONFIG;
    } else {
        load->client.key_id = (uint16_t)options->key;
        memcpy(load->client.secret, keys->ring.keys[place].secret, FG_SECRET_BYTES);
    }
    fg_key_file_drop(keys);
    return status;
}

/* The profile's schedule; without memory of requests there is always one, unless it goes flat out.
 */
static int prepare_schedule(struct load *load)
{
    struct load_options *options = &load->options;
    const char *profile = options->profile ? options->profile : "flat";
    double duration_s = (double)options->duration;

    if (!options->profile && (!options->stateless || options->rate == 0))
        return FG_EXIT_OK;
    if (options->duration == 0 && options->rate > 0)
        duration_s = (double)options->requests / (double)options->rate;
    if (load_schedule_parse(&load->schedule, profile, options->rate, duration_s, load->message,
                            sizeof(load->message)) < 0)
        return FG_EXIT_USAGE;
    if (!options->stateless && load->schedule.requests > LOAD_REQUESTS_MAX) {
        snprintf(load->message, sizeof(load->message),
                 "--profile makes %lu requests, and %d are the most that can be remembered; give "
                 "less, or --stateless",
                 load->schedule.requests, LOAD_REQUESTS_MAX);
        return FG_EXIT_USAGE;
    }
    options->requests = load->schedule.requests;
    if (options->profile && options->duration == 0)
        options->timeout += load->schedule.length_ns / LOAD_SECOND_NS;
    return FG_EXIT_OK;
}

/* The client as the options want it. */
static int prepare_client(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_client *client = &load->client;
    struct load_mix *mix = &client->mix;

    *mix = (struct load_mix){
        .seed = options->seed,
        .buyers = (uint32_t)options->buyers,
        .batch = (uint32_t)options->batch,
        .double_click_permille = (uint32_t)options->double_click,
        .repeat_permille = (uint32_t)options->repeat,
        .confirm_percent = (uint32_t)options->confirm,
        .cancel_percent = (uint32_t)options->cancel,
        .choice = options->stateless ? LOAD_IN_TURN : LOAD_EVENLY,
        .exponent = options->buyer_zipf,
        .bots = (uint32_t)(options->buyers * options->bots / 1000),
        .bot_factor = (uint32_t)options->bot_factor,
    };
    if (options->buyer_zipf > 0)
        mix->choice = LOAD_BY_ZIPF;
    else if (options->bots > 0)
        mix->choice = LOAD_BOTS;
    /* The stateless generator only asks for the engine by it. */
    client->requests = options->stateless ? 1 : (uint32_t)options->requests;
    client->rate = options->rate;
    if (options->profile && !options->stateless)
        client->schedule = &load->schedule;
    client->window = options->window;
    client->resend_cap = options->resend_cap;
    client->think_ms = (uint32_t)options->think;
    int status = load_items_read(client, options, load->message, sizeof(load->message));
    if (status != FG_EXIT_OK)
        return status;
    if (load_weights_parse(&mix->quantities, options->quantity, FG_QUANTITY_MAX, load->message,
                           sizeof(load->message)) < 0)
        return FG_EXIT_USAGE;
    if (load_client_init(client) < 0)
        return load_fail(load, FG_EXIT_MEMORY,
                         "no memory for the requests; ask for fewer (--requests)");
    return FG_EXIT_OK;
}

/* What is sent without memory of it. */
static void prepare_stateless(struct load *load)
{
    const struct load_options *options = &load->options;

    load->effort.flat_out = !load_client_has_schedule(&load->client);
    if (!options->stateless)
        return;
    load->stateless = (struct load_stateless){
        .mix = &load->client.mix,
        .schedule = load->schedule.count > 0 ? &load->schedule : NULL,
        .requests = options->rate == 0 && !options->profile && options->duration > 0
                        ? UINT64_MAX
                        : options->requests,
        .echo = options->echo,
        .sample = (uint32_t)options->sample,
        .retries_permille = (uint32_t)options->retries,
        .key_id = load->client.key_id,
        .secret = load->client.secret,
        .pool_count = options->pool,
    };
    load->effort.flat_out = !load->stateless.schedule;
}

/* The hostile side, if it is wanted. */
static int prepare_hostile(struct load *load)
{
    const struct load_options *options = &load->options;
    struct load_hostile *hostile = &load->hostile;

    if (!options->hostile)
        return FG_EXIT_OK;
    *hostile = (struct load_hostile){
        .client = &load->client,
        .rate = options->hostile_rate,
        .slice_ns = options->hostile_slice * LOAD_MS,
        .first_port = (uint16_t)options->hostile_port,
        .hosts_mask = ~(uint32_t)fg_ip_mask(options->source_bits).low,
    };
    return load_hostile_parse(&hostile->kinds, options->hostile, load->message,
                              sizeof(load->message)) < 0
               ? FG_EXIT_USAGE
               : FG_EXIT_OK;
}

int load_set_up(struct load *load)
{
    int status = read_key(load);

    if (status == FG_EXIT_OK)
        status = prepare_schedule(load);
    if (status == FG_EXIT_OK)
        status = prepare_client(load);
    if (status == FG_EXIT_OK)
        prepare_stateless(load);
    return status == FG_EXIT_OK ? prepare_hostile(load) : status;
}

void load_unset(struct load *load)
{
    load_stateless_fini(&load->stateless);
    load_hostile_fini(&load->hostile);
    load_client_fini(&load->client);
    load_items_free(&load->client);
    load_mix_fini(&load->client.mix);
    load_weights_fini(&load->client.mix.quantities);
    explicit_bzero(load->client.secret, sizeof(load->client.secret));
}
