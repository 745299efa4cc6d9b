/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the metrics page is listened for. */
#ifndef FG_CONTROL_METRICS_ADDRESS_H
#define FG_CONTROL_METRICS_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

struct fg_metrics_address {
    const char *path; /* of a Unix socket, within the text; NULL: TCP */
    union {
        struct sockaddr any;
        struct sockaddr_in ipv4;
        struct sockaddr_in6 ipv6;
    } tcp;
    socklen_t length;
    bool loopback; /* only this machine reaches it */
};

/* "192.0.2.1:9464", "[::1]:9464" or "unix:/run/x.sock". 0 or -EINVAL. Any thread. */
int fg_metrics_address_parse(const char *text, struct fg_metrics_address *address);

#endif
