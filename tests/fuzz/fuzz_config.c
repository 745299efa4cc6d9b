/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration files.
 *
 * Holds: what is taken is within the limits that the engine relies on, and is the same when it is
 * read again; what is refused is refused in one sentence that names the file.
 */
#include "control/config/config.h"
#include "tests/fuzz/fuzz.h"

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

/* Numbers of both; texts lie elsewhere each time. */
static void check_same(const struct fg_config *a, const struct fg_config *b)
{
    FUZZ_CHECK(a->workers == b->workers && a->base_port == b->base_port &&
               a->partitions == b->partitions && a->log_budget == b->log_budget &&
               a->limit_orders == b->limit_orders && a->redis_timeout_ms == b->redis_timeout_ms);
    FUZZ_CHECK(memcmp(a->worker_cores, b->worker_cores, sizeof(a->worker_cores)) == 0);
    FUZZ_CHECK(strcmp(a->log_dir, b->log_dir) == 0);
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
    check_same(&config, &again);
    fg_config_free(&config);
    fg_config_free(&again);
    return 0;
}
