/* SPDX-License-Identifier: BSD-3-Clause */
/* The options of a network port. */
#include "control/config/config_check.h"

static int check_address(const struct fg_option_scope *scope, const struct fg_port_config *port)
{
    uint32_t address = (uint32_t)port->address.low;
    uint32_t below = ~(uint32_t)fg_ip_mask(port->prefix_bits).low;
    uint8_t first = (uint8_t)(address >> 24);
    if (first == 0 || first == 127 || first >= 224)
        return fg_option_refuse(scope, "address",
                                "is no address of one host, wanted one that gateways can send to");
    if (below > 1 && ((address & below) == 0 || (address & below) == below))
        return fg_option_refuse(scope, "address",
                                "is the network's own or its broadcast address, wanted a host's");
    return 0;
}

static int check_address6(const struct fg_option_scope *scope, const struct fg_port_config *port)
{
    struct fg_ip address = port->address6, mask = fg_ip_mask(port->prefix6_bits);
    /* ::/96 has the unspecified and the loopback address in it; ff00::/8 are groups. */
    if (address.high >> 56 == 0xff ||
        (address.high == 0 && (address.low >> 32 == 0 || address.low >> 32 == 0xffff)))
        return fg_option_refuse(scope, "address6",
                                "is no address of one host, wanted one that gateways can send to");
    /* RFC 4291 2.6.1; on a link of two there is none (RFC 6164). */
    if (port->prefix6_bits < FG_IP_BITS - 1 && fg_ip_same(fg_ip_masked(address, mask), address))
        return fg_option_refuse(scope, "address6",
                                "is any router's of its network, wanted a host's");
    return 0;
}

static int check_port(const struct fg_option_scope *scope, void *target)
{
    const struct fg_port_config *port = target;
    bool given = fg_option_given(scope, "address"), given6 = fg_option_given(scope, "address6");
    if (!given && !given6)
        return fg_option_refuse(scope, "address",
                                "is missing, and address6, too; wanted one of them or both");
    if (given && check_address(scope, port) != 0)
        return -1;
    return given6 ? check_address6(scope, port) : 0;
}

static const struct fg_option PORT_OPTIONS[] = {
    {.name = "device",
     .kind = FG_OPTION_TEXT,
     FG_OPTION_FIELD(struct fg_port_config, device),
     .min = 1,
     .max = 1000,
     .required = true,
     .example = "net_vhost0,iface=/run/flashgate/vhost.sock",
     .help =
         "A DPDK device: a PCI address (0000:3b:00.0) or a virtual device as EAL's --vdev takes "
         "it."},
    {.name = "address",
     .kind = FG_OPTION_ADDRESS,
     FG_OPTION_FIELD(struct fg_port_config, address),
     .second = offsetof(struct fg_port_config, prefix_bits),
     .family = 4,
     .other_family = "address6",
     .suggested = true,
     .example = "192.0.2.10/24",
     .help = "The engine's IPv4 address on this port, with the length of the network's prefix. The "
             "kernel must not have it. A port has this, address6 or both."},
    {.name = "address6",
     .kind = FG_OPTION_ADDRESS,
     FG_OPTION_FIELD(struct fg_port_config, address6),
     .second = offsetof(struct fg_port_config, prefix6_bits),
     .family = 6,
     .other_family = "address",
     .example = "2001:db8::10/64",
     .help = "The engine's IPv6 address on this port, with the length of the network's prefix. The "
             "kernel must not have it."},
};

const struct fg_option_table fg_config_port_table = {
    PORT_OPTIONS, COUNT(PORT_OPTIONS), "a table of device, and address or address6", check_port};
