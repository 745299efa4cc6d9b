/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

struct fg_ip fg_ip_mask(unsigned bits)
{
    return (struct fg_ip){
        .high = bits == 0 ? 0 : UINT64_MAX << (bits < 64 ? 64 - bits : 0),
        .low = bits <= 64 ? 0 : UINT64_MAX << (FG_IP_BITS - bits),
    };
}

static bool read_address(const char *text, struct fg_ip *ip)
{
    struct in_addr v4;
    uint8_t v6[16];

    if (inet_pton(AF_INET, text, &v4) == 1) {
        *ip = fg_ip_of_v4(ntohl(v4.s_addr));
        return true;
    }
    if (inet_pton(AF_INET6, text, v6) != 1)
        return false;
    *ip = fg_ip_of_v6(v6);
    return true;
}

/* Plain digits, no sign, nothing behind them. */
static bool read_bits(const char *text, unsigned most, unsigned *bits)
{
    *bits = 0;
    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *bits = *bits * 10 + (unsigned)(*text - '0');
        if (*bits > most)
            return false;
    }
    return true;
}

bool fg_ip_parse(const char *text, struct fg_ip *ip, unsigned *bits, bool *whole)
{
    char address[INET6_ADDRSTRLEN];
    size_t length = strcspn(text, "/");
    unsigned before = strchr(text, ':') ? 0 : FG_IP_V4_BITS;

    if (length >= sizeof(address))
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    if (!read_address(address, ip))
        return false;
    *whole = text[length] == '\0';
    *bits = FG_IP_BITS - before;
    if (!*whole && !read_bits(text + length + 1, FG_IP_BITS - before, bits))
        return false;
    *bits += before;
    return true;
}

const char *fg_ip_text(struct fg_ip ip, char text[FG_IP_TEXT_MAX])
{
    uint8_t v6[16];
    struct in_addr v4 = {htonl((uint32_t)ip.low)};

    fg_ip_put_v6(ip, v6);
    /* Neither can fail: the family is known and the text has room. */
    if (fg_ip_is_v4(ip))
        inet_ntop(AF_INET, &v4, text, FG_IP_TEXT_MAX);
    else
        inet_ntop(AF_INET6, v6, text, FG_IP_TEXT_MAX);
    return text;
}

const char *fg_prefix_text(struct fg_ip ip, unsigned bits, char text[FG_IP_TEXT_MAX])
{
    bool v4 = fg_ip_is_v4(ip) && bits >= FG_IP_V4_BITS;

    fg_ip_text(ip, text);
    size_t used = strlen(text);
    snprintf(text + used, FG_IP_TEXT_MAX - used, "/%u", v4 ? bits - FG_IP_V4_BITS : bits);
    return text;
}
