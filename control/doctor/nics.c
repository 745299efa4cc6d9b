/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ports' devices. One that the machine is reached by is never taken: not the interface of a
 * default route, nor one below it (a bond's, a bridge's, a VLAN's).
 */
#include <dirent.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/doctor/doctor.h"
#include "dataplane/net/port.h"
#include "flashgate/exit_status.h"

#define NAME_MAX_BYTES 64
#define DEPTH_MAX      4 /* of interfaces on interfaces */

/* Has the interface itself a default route, of IPv4 or IPv6, in the main table? */
static bool has_default_route(const struct fg_doctor *doctor, const char *interface)
{
    char text[65536], name[NAME_MAX_BYTES], destination[40];
    unsigned bits;
    bool found = false;
    (void)fg_doctor_read(doctor, text, sizeof(text), "/proc/net/route");
    for (const char *line = text; line && !found; line = strchr(line, '\n'), line += line != NULL) {
        char mask[16];
        found = sscanf(line, "%63s %39s %*s %*s %*s %*s %*s %15s", name, destination, mask) == 3 &&
                strcmp(name, interface) == 0 && strcmp(destination, "00000000") == 0 &&
                strcmp(mask, "00000000") == 0;
    }
    (void)fg_doctor_read(doctor, text, sizeof(text), "/proc/net/ipv6_route");
    for (const char *line = text; line && !found; line = strchr(line, '\n'), line += line != NULL)
        found = sscanf(line, "%39s %x %*s %*s %*s %*s %*s %*s %*s %63s", destination, &bits,
                       name) == 3 &&
                strcmp(name, interface) == 0 && bits == 0 &&
                strspn(destination, "0") == strlen(destination);
    return found;
}

static bool carries_default_route(const struct fg_doctor *doctor, const char *interface,
                                  unsigned depth)
{
    char path[1024];
    bool found = has_default_route(doctor, interface);
    if (found || depth == DEPTH_MAX)
        return found;
    snprintf(path, sizeof(path), "%s/sys/class/net/%s", doctor->root, interface);
    DIR *dir = opendir(path);
    for (const struct dirent *entry; dir && !found && (entry = readdir(dir));)
        if (strncmp(entry->d_name, "upper_", 6) == 0)
            found = carries_default_route(doctor, entry->d_name + 6, depth + 1);
    if (dir)
        closedir(dir);
    return found;
}

/* The kernel is asked: /sys shows the network namespace that it was mounted in, perhaps another. */
static bool interface_exists(const struct fg_doctor *doctor, const char *interface)
{
    return *doctor->root ? fg_doctor_exists(doctor, "/sys/class/net/%s", interface)
                         : if_nametoindex(interface) != 0;
}

/* True: it must not be taken, and that is told. */
static bool refuse_default_route(struct fg_doctor *doctor, const char *device,
                                 const char *interface)
{
    if (!carries_default_route(doctor, interface, 0))
        return false;
    struct fg_doctor_finding *finding = fg_doctor_find(
        doctor, FG_DOCTOR_WRONG, "%s (%s) carries this machine's default route", device, interface);
    finding->refuses = FG_EXIT_NETWORK;
    fg_doctor_needs(finding, "another NIC: this one taken, nobody reaches the machine");
    fg_doctor_mend(finding, "dpdk-devbind.py --status-dev net lists them; correct ports.device");
    return true;
}

/* The kernel's interface of a PCI device; false: it has none. */
static bool interface_of(const struct fg_doctor *doctor, const char *address, char *name)
{
    char path[1024];
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/net", doctor->root, address);
    DIR *dir = opendir(path);
    bool found = false;
    for (const struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        found = entry->d_name[0] != '.';
        snprintf(name, NAME_MAX_BYTES, "%.63s", entry->d_name);
    }
    if (dir)
        closedir(dir);
    return found;
}

static void driver_of(const struct fg_doctor *doctor, const char *address, char driver[64])
{
    char path[1024], target[1024];
    snprintf(path, sizeof(path), "%s/sys/bus/pci/devices/%s/driver", doctor->root, address);
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    target[length < 0 ? 0 : length] = '\0';
    const char *slash = strrchr(target, '/');
    snprintf(driver, 64, "%.63s", slash ? slash + 1 : target);
}

static void check_pci(struct fg_doctor *doctor, const char *address)
{
    /* Drivers that hand a device to DPDK; mlx* share theirs with it. */
    static const char *const fit[] = {"vfio-pci", "uio_pci_generic", "igb_uio", "mlx5_core",
                                      "mlx4_core"};
    char driver[64], interface[NAME_MAX_BYTES];
    struct fg_doctor_finding *finding;
    if (!fg_doctor_exists(doctor, "/sys/bus/pci/devices/%s", address)) {
        finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "there is no PCI device %s", address);
        finding->refuses = FG_EXIT_NETWORK;
        fg_doctor_needs(finding, "a device of this machine");
        fg_doctor_mend(finding, "dpdk-devbind.py --status-dev net lists them; correct "
                                "ports.device");
        return;
    }
    if (interface_of(doctor, address, interface) &&
        refuse_default_route(doctor, address, interface))
        return;
    driver_of(doctor, address, driver);
    for (size_t i = 0; i < sizeof(fit) / sizeof(*fit); i++)
        if (strcmp(driver, fit[i]) == 0) {
            fg_doctor_find(doctor, FG_DOCTOR_OK, "%s is bound to %s", address, driver);
            return;
        }
    finding = fg_doctor_find(doctor, FG_DOCTOR_WRONG, "%s is bound to %s", address,
                             *driver ? driver : "no driver");
    finding->refuses = FG_EXIT_NETWORK;
    fg_doctor_needs(finding, "vfio-pci (or uio_pci_generic, igb_uio)");
    fg_doctor_mend(finding, "modprobe vfio-pci && dpdk-devbind.py --bind=vfio-pci %s", address);
}

/* A virtual device: those on a kernel interface have its name in iface=. */
static void check_vdev(struct fg_doctor *doctor, const char *device)
{
    static const char *const on_interface[] = {"net_af_packet", "net_af_xdp", "net_pcap"};
    char interface[NAME_MAX_BYTES];
    const char *argument = strstr(device, "iface=");
    bool on = false;
    for (size_t i = 0; i < sizeof(on_interface) / sizeof(*on_interface); i++)
        on |= strncmp(device, on_interface[i], strlen(on_interface[i])) == 0;
    if (on && argument) {
        argument += strlen("iface=");
        snprintf(interface, sizeof(interface), "%.*s", (int)strcspn(argument, ","), argument);
        if (refuse_default_route(doctor, device, interface))
            return;
        if (!interface_exists(doctor, interface)) {
            struct fg_doctor_finding *finding =
                fg_doctor_find(doctor, FG_DOCTOR_WRONG, "there is no interface %s", interface);
            finding->refuses = FG_EXIT_NETWORK;
            fg_doctor_needs(finding, "the interface that %s names", device);
            fg_doctor_mend(finding, "ip link lists them; correct ports.device");
            return;
        }
    }
    fg_doctor_find(doctor, FG_DOCTOR_OK, "%s is a virtual device", device);
}

void fg_doctor_nics(struct fg_doctor *doctor)
{
    for (unsigned i = 0; i < doctor->config->ports_count; i++) {
        const char *device = doctor->config->ports[i].device;
        char address[64];
        if (fg_port_is_vdev(device)) {
            check_vdev(doctor, device);
            continue;
        }
        int length = fg_port_name_bytes(device);
        bool domain = length > 8; /* 0000:3b:00.0, or without its domain */
        snprintf(address, sizeof(address), "%s%.*s", domain ? "" : "0000:", length, device);
        check_pci(doctor, address);
    }
}
