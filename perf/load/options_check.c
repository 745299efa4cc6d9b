/* SPDX-License-Identifier: BSD-3-Clause */
/* What the options say about each other. */
#include <stdio.h>

#include "perf/load/client.h"
#include "perf/load/hostile.h"
#include "perf/load/option_rows.h"

/* Is the engine where frames reach it? */
static bool check_addresses(const struct load_options *options, char *message, size_t size)
{
    struct fg_ip mask = fg_ip_mask(options->source_bits);
    const char *wrong = NULL;

    if (fg_ip_same(options->source, options->target))
        wrong = "--source is the engine's address; give one of its own";
    else if (!fg_ip_same(fg_ip_masked(options->source, mask), fg_ip_masked(options->target, mask)))
        wrong = "--target is not in the prefix of --source; there is no gateway, so put both into "
                "one network";
    else if (options->hostile && !fg_ip_is_v4(options->source))
        wrong = "--hostile builds IPv4 frames only; give --source and --target of IPv4";
    if (wrong)
        snprintf(message, size, "%s", wrong);
    return !wrong;
}

/* What options say about each other. */
static bool check_hostile(const struct load_options *options, char *message, size_t size)
{
    if (options->hostile && !options->key_file) {
        snprintf(message, size, "--hostile needs --key-file: some of it is rightly signed");
        return false;
    }
    if (options->hostile && options->source_port - options->hostile_port < LOAD_HOSTILE_COUNT) {
        snprintf(message, size,
                 "--source-port %lu is one of the %d ports from --hostile-port on; give another",
                 options->source_port, LOAD_HOSTILE_COUNT);
        return false;
    }
    return true;
}

/* A profile by name is stretched over --duration and up to --rate; a list has its own. */
static bool check_profile(const struct load_options *options, char *message, size_t size)
{
    bool named = load_schedule_is_named(options->profile);

    if (named && (options->rate == 0 || options->duration == 0))
        snprintf(message, size, "--profile %.20s needs --rate and --duration", options->profile);
    else if (!named && options->duration > 0)
        snprintf(message, size, "--profile with points has its own duration; leave --duration out");
    else
        return true;
    return false;
}

/* Who asks, and what is remembered of it. */
static bool check_stateless(const struct load_options *options, char *message, size_t size)
{
    const char *wrong = NULL;

    if (options->buyer_zipf > 0 && options->bots > 0)
        wrong = "--buyer-zipf and --bots both say who asks; give one of them";
    else if (!options->stateless && (options->pool > 0 || options->retries > 0))
        wrong = "--pool and --retries belong to --stateless";
    else if (!options->stateless && options->echo)
        wrong = "--echo belongs to --stateless";
    else if (options->echo && options->retries > 0)
        wrong = "--echo admits no order: leave --retries out";
    else if (options->echo && !fg_ip_is_v4(options->source))
        wrong = "--echo knows frames of IPv4 only; give --source and --target of IPv4";
    else if (options->stateless && (options->history || options->hostile))
        wrong = "--stateless remembers no request: leave --history and --hostile out";
    else if (options->stateless && (options->double_click > 0 || options->repeat > 0))
        wrong = "--stateless asks nothing twice at once or later; give --retries";
    if (wrong)
        snprintf(message, size, "%s", wrong);
    return !wrong;
}

/* How many requests a duration makes, and how long their answers are waited for. */
static bool settle_duration(struct load_options *options, char *message, size_t size)
{
    if (options->profile && !check_profile(options, message, size))
        return false;
    if (options->duration == 0)
        return true;
    if (options->stateless || options->profile) {
        options->timeout += options->duration;
        return true;
    }
    if (options->rate == 0) {
        snprintf(message, size, "--duration needs a schedule; give --rate");
        return false;
    }
    if (options->duration > LOAD_REQUESTS_MAX / options->rate) {
        snprintf(message, size,
                 "--duration %lu at --rate %lu makes more than %d requests; give less",
                 options->duration, options->rate, LOAD_REQUESTS_MAX);
        return false;
    }
    options->requests = options->duration * options->rate;
    options->timeout += options->duration;
    return true;
}

bool load_options_check(struct load_options *options, bool confirm_given, char *message,
                        size_t size)
{
    const char *missing = !options->port                   ? "--port"
                          : fg_ip_is_zero(options->source) ? "--source"
                          : fg_ip_is_zero(options->target) ? "--target"
                                                           : NULL;

    if (missing) {
        snprintf(message, size, "%s is missing; --help explains it", missing);
        return false;
    }
    if (!options->items && !options->sale) {
        snprintf(message, size, "nothing to ask for; give --sale FILE or --items ID:WEIGHT,...");
        return false;
    }
    if (options->history && !options->sale) {
        snprintf(message, size,
                 "--history needs --sale FILE: the checker must know stock and limits");
        return false;
    }
    if (!check_addresses(options, message, size) || !check_hostile(options, message, size) ||
        !check_stateless(options, message, size) || !settle_duration(options, message, size))
        return false;
    if (!confirm_given && options->cancel + options->leave <= 100)
        options->confirm = 100 - options->cancel - options->leave;
    if (options->confirm + options->cancel + options->leave != 100) {
        snprintf(message, size, "--confirm, --cancel and --leave make %lu percent; make it 100",
                 options->confirm + options->cancel + options->leave);
        return false;
    }
    return true;
}
