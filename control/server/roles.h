/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who may do what on the control socket: the kernel says who is on the other end, the
 * configuration's control.roles which role that user or a group of theirs has.
 *
 * Names are looked up once, at start: a look-up may ask another machine, and the control thread
 * never waits for one. One thread: control.
 */
#ifndef FG_CONTROL_ROLES_H
#define FG_CONTROL_ROLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fg_config;

/* X(NAME, text, help): each may also do what those before it may. */
#define FG_ROLES(X)                                                                                \
    X(NONE, "none", "nothing")                                                                     \
    X(OBSERVER, "observer", "sees everything, changes nothing")                                    \
    X(OPERATOR, "operator", "runs sales: applies, opens, pauses, closes, changes stock, orders")   \
    X(OWNER, "owner", "what cannot be taken back: archives, rebuilds, drains, the kill switch")

enum fg_role {
#define X(name, text, help) FG_ROLE_##name,
    FG_ROLES(X)
#undef X
        FG_ROLE_COUNT
};

/* One user or one group, and what they may. */
struct fg_role_rule {
    enum fg_role role;
    bool group;
    uint32_t id;
    char *name; /* as the configuration has it; NULL: it has the number */
};

struct fg_roles {
    struct fg_role_rule *rules;
    unsigned count;
    gid_t socket_group; /* control.group; (gid_t)-1: the engine's own */
};

/*
 * Looks up what the configuration names. Where it names nobody, root and the engine's own user are
 * owners, and nobody else has a role. FG_EXIT_OK; or another status with a sentence, and then there
 * is nothing to free: a name that is not known is FG_EXIT_CONFIG.
 */
int fg_roles_resolve(struct fg_roles *roles, const struct fg_config *config, char *message,
                     size_t size);
void fg_roles_free(struct fg_roles *roles);

/* The greatest role that any rule gives. `groups` has the peer's supplementary ones. */
enum fg_role fg_role_of(const struct fg_roles *roles, uid_t uid, gid_t gid, const gid_t *groups,
                        size_t groups_count);

/* "operator" */
const char *fg_role_name(enum fg_role role);

/* Name of a user, if the configuration has it; NULL if it is not known here. */
const char *fg_roles_user(const struct fg_roles *roles, uid_t uid);

#endif
