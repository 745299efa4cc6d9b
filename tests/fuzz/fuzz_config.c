/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration files.
 *
 * Holds: what is taken is within the limits that the engine relies on, and is the same when it is
 * read again, and when it was written by the tables and read again; what is refused is refused in
 * one sentence that names the file.
 */
#include "control/config/config.h"
#include "tests/fuzz/options_again.h"

static void check_config(const struct fg_config *config)
{
    FUZZ_CHECK(config->workers >= 1 && config->workers <= FG_WORKERS_MAX);
    FUZZ_CHECK(config->worker_cores_count == config->workers);
    FUZZ_CHECK(config->partitions >= 64 && (config->partitions & (config->partitions - 1)) == 0);
    FUZZ_CHECK(config->base_port % config->partitions == 0 &&
               config->base_port + config->partitions - 1 <= UINT16_MAX);
    FUZZ_CHECK(config->ports_count >= 1 && config->ports_count <= FG_PORTS_MAX);
    FUZZ_CHECK(config->node <= FG_NODE_MAX);
    FUZZ_CHECK((config->lane_records & (config->lane_records - 1)) == 0);
    FUZZ_CHECK(config->log_dir && config->log_segment % FG_BLOCK_BYTES == 0);
    FUZZ_CHECK(config->log_budget >= 3 * config->log_segment);
    FUZZ_CHECK(config->orders_per_buyer >= 1 && config->limit_parked >= 1);
}

/* Written as a file, and read again. A port of Redis is written where there is a host for it. */
static void check_written(const struct fg_config *config)
{
    static struct fg_config again;
    static char message[512];
    struct fg_config written = *config;
    char *text;

    if (!written.redis_host) {
        FUZZ_CHECK(written.redis_port == 6379);
        written.redis_port = 0;
    }
    text = again_text(&fg_config_options, &written);
    if (fg_config_load(&again, fuzz_file(text, strlen(text)), message, sizeof(message)) != 0) {
        fprintf(stderr, "does not hold: what was written is taken: %s\n%s", message, text);
        abort();
    }
    again_check_same(&fg_config_options, config, &again, text);
    fg_config_free(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fg_config config, again;
    static char message[512], second[512];
    const char *path = fuzz_file(data, size);

    memset(&config, 0, sizeof(config));
    memset(&again, 0, sizeof(again));
    int rc = fg_config_load(&config, path, message, sizeof(message));
    FUZZ_CHECK(fg_config_load(&again, path, second, sizeof(second)) == rc);
    if (rc != 0) {
        fuzz_check_sentence(message, sizeof(message));
        FUZZ_CHECK(strcmp(message, second) == 0);
        FUZZ_CHECK(strncmp(message, path, strlen(path)) == 0);
        return 0;
    }
    check_config(&config);
    again_check_same(&fg_config_options, &config, &again, "");
    check_written(&config);
    fg_config_free(&config);
    fg_config_free(&again);
    return 0;
}
