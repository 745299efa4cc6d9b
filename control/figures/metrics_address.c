/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/figures/metrics_address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PATH_MAX_BYTES 107 /* of sockaddr_un, with its closing zero */

static bool parse_port(const char *text, in_port_t *port)
{
    char *end;
    if (*text < '1' || *text > '9')
        return false;
    unsigned long value = strtoul(text, &end, 10);
    *port = htons((uint16_t)value);
    return *end == '\0' && value <= 65535;
}

static int parse_ipv4(const char *host, in_port_t port, struct fg_metrics_address *address)
{
    struct sockaddr_in *in = &address->tcp.ipv4;
    in->sin_family = AF_INET;
    in->sin_port = port;
    address->length = sizeof(*in);
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
        return -EINVAL;
    address->loopback = ntohl(in->sin_addr.s_addr) >> 24 == 127;
    return 0;
}

static int parse_ipv6(const char *host, in_port_t port, struct fg_metrics_address *address)
{
    struct sockaddr_in6 *in = &address->tcp.ipv6;
    in->sin6_family = AF_INET6;
    in->sin6_port = port;
    address->length = sizeof(*in);
    if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1)
        return -EINVAL;
    address->loopback = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
    return 0;
}

int fg_metrics_address_parse(const char *text, struct fg_metrics_address *address)
{
    static const char unix_prefix[] = "unix:";
    char host[INET6_ADDRSTRLEN + 2];
    in_port_t port;

    memset(address, 0, sizeof(*address));
    if (strncmp(text, unix_prefix, strlen(unix_prefix)) == 0) {
        address->path = text + strlen(unix_prefix);
        address->loopback = true;
        size_t length = strlen(address->path);
        return length > 0 && length <= PATH_MAX_BYTES ? 0 : -EINVAL;
    }
    const char *colon = strrchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    if (length == 0 || length >= sizeof(host) || !parse_port(colon + 1, &port))
        return -EINVAL;
    memcpy(host, text, length);
    host[length] = '\0';
    if (host[0] != '[')
        return parse_ipv4(host, port, address);
    if (host[length - 1] != ']')
        return -EINVAL;
    host[length - 1] = '\0';
    return parse_ipv6(host + 1, port, address);
}
