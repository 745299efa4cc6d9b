/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/config/config_check.h"
#include "control/config/ops.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config/config.h"

#define REDIS_PORT 6379

/* "host:port", the port after the last colon. */
static bool is_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end;
    if (!colon || colon == text || colon[1] < '1' || colon[1] > '9')
        return false;
    unsigned long port = strtoul(colon + 1, &end, 10);
    return *end == '\0' && port <= 65535;
}

static int check_sentinels(const struct fg_option_scope *scope, const struct fg_config *config)
{
    for (unsigned i = 0; i < config->redis_sentinels_count; i++)
        if (!is_address(config->redis_sentinels[i]))
            return fg_option_refuse(scope, "sentinels", "%s is not host:port, port 1 to 65535",
                                    config->redis_sentinels[i]);
    if (config->redis_sentinels_count && !config->redis_master)
        return fg_option_refuse(scope, "sentinels",
                                "need master, the name they know the server by");
    if (!config->redis_sentinels_count && config->redis_master)
        return fg_option_refuse(scope, "master", "needs sentinels");
    if (!config->redis_sentinels_count && config->redis_sentinel_password_file)
        return fg_option_refuse(scope, "sentinel_password_file", "needs sentinels");
    return 0;
}

int fg_config_check_redis(const struct fg_option_scope *scope, void *target)
{
    const struct fg_config *config = target;
    if (config->redis_sentinels_count && (config->redis_socket || config->redis_host))
        return fg_option_refuse(scope, "sentinels",
                                "stand beside %s, wanted one of socket, host and sentinels",
                                config->redis_socket ? "socket" : "host");
    if (config->redis_socket && config->redis_host)
        return fg_option_refuse(scope, "host",
                                "stands beside socket, wanted one of socket, host and sentinels");
    if (check_sentinels(scope, config) != 0)
        return -1;
    if (config->redis_user && !config->redis_password_file)
        return fg_option_refuse(scope, "user", "needs password_file");
    if (fg_option_given(scope, "port") && !config->redis_host)
        return fg_option_refuse(scope, "port", "needs host");
    return 0;
}

static int check_eal(const struct fg_option_scope *scope, const struct fg_config *config)
{
    static const struct {
        const char *argument, *instead;
    } ours[] = {
        {"--file-prefix", "file_prefix"}, {"--vdev", "ports"},    {"--lcores", "worker_cores"},
        {"-l", "worker_cores"},           {"-c", "worker_cores"},
    };
    for (unsigned i = 0; i < config->eal_count; i++)
        for (size_t j = 0; j < COUNT(ours); j++) {
            size_t length = strlen(ours[j].argument);
            char after = strncmp(config->eal[i], ours[j].argument, length) == 0
                             ? config->eal[i][length]
                             : 'x';
            if (after == '\0' || after == '=')
                return fg_option_refuse(scope, "eal", "%s is not given here but by %s",
                                        ours[j].argument, ours[j].instead);
        }
    return 0;
}

/* Zero is none. */
static bool same_address(struct fg_ip one, struct fg_ip other)
{
    return !fg_ip_is_zero(one) && fg_ip_same(one, other);
}

static int check_ports(const struct fg_option_scope *scope, const struct fg_config *config)
{
    for (unsigned i = 0; i < config->ports_count; i++)
        for (unsigned j = 0; j < i; j++) {
            if (strcmp(config->ports[i].device, config->ports[j].device) == 0)
                return fg_option_refuse(scope, "ports", "device %s stands twice",
                                        config->ports[i].device);
            if (same_address(config->ports[i].address, config->ports[j].address) ||
                same_address(config->ports[i].address6, config->ports[j].address6))
                return fg_option_refuse(scope, "ports", "two ports have the same address");
        }
    uint64_t descriptors =
        (uint64_t)config->ports_count * (config->rx_descriptors + config->tx_descriptors);
    uint64_t parked = config->limit_parked;
    uint64_t needed = parked + (descriptors > parked ? descriptors : parked);
    if (config->mbufs < needed)
        return fg_option_refuse(scope, "mbufs",
                                "%u are too few: the descriptors of %u ports take %llu and "
                                "limits.parked up to half of all; wanted at least %llu",
                                config->mbufs, config->ports_count, (unsigned long long)descriptors,
                                (unsigned long long)needed);
    return 0;
}

/* A multiple of partitions, which divide 65536, leaves room for all of them below it. */
static int check_protocol(const struct fg_option_scope *scope, struct fg_config *config)
{
    uint32_t beyond = config->base_port % config->partitions;
    if (beyond != 0) {
        uint32_t below = config->base_port - beyond;
        return fg_option_refuse(scope, "base_port",
                                "%u is not a multiple of partitions (%u), wanted %u for one",
                                config->base_port, config->partitions,
                                below < PORT_FIRST ? below + config->partitions : below);
    }
    if (!config->key_file && !config->unsigned_allowed)
        return fg_option_refuse(scope, "key_file",
                                "is missing, so every datagram would be dropped; name a key file "
                                "(or, to rehearse, set unsigned_allowed: true)");
    if (config->unsigned_ops_count > 0 && !config->unsigned_allowed)
        return fg_option_refuse(scope, "unsigned_ops",
                                "says nothing without unsigned_allowed: true");
    config->unsigned_ops = fg_ops_of(config->unsigned_op_places, config->unsigned_ops_count);
    return 0;
}

/* The default: cores 1, 2, 3 ..., so that core 0 is left to the other threads. */
static void choose_worker_cores(struct fg_config *config)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    unsigned cores = online > 0 ? (unsigned)online : 1;
    unsigned first = config->workers < cores ? 1 : 0;
    for (unsigned w = 0; w < config->workers; w++)
        config->worker_cores[w] = (int)((w + first) % cores);
    config->worker_cores_count = config->workers;
}

int fg_config_check_all(const struct fg_option_scope *scope, void *target)
{
    struct fg_config *config = target;
    if (!fg_option_given(scope, "worker_cores"))
        choose_worker_cores(config);
    if (config->worker_cores_count != config->workers)
        return fg_option_refuse(scope, "worker_cores", "%u cores for %u workers, wanted one each",
                                config->worker_cores_count, config->workers);
    if (config->redis_port == 0)
        config->redis_port = REDIS_PORT;
    if (check_eal(scope, config) != 0 || check_ports(scope, config) != 0)
        return -1;
    return check_protocol(scope, config);
}
