/* SPDX-License-Identifier: BSD-3-Clause */
#include "control/server/roles.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/config/config.h"
#include "control/text.h"
#include "flashgate/exit_status.h"

static const char *const NAMES[FG_ROLE_COUNT] = {
#define X(name, text, help) [FG_ROLE_##name] = (text),
    FG_ROLES(X)
#undef X
};

const char *fg_role_name(enum fg_role role)
{
    return NAMES[role];
}

/* The number of a user or group, by name or as digits. False: errno says why, 0 that there is none.
 */
static bool look_up(bool group, const char *name, uint32_t *id)
{
    uint64_t value;
    errno = 0;
    const struct group *gr = group ? getgrnam(name) : NULL;
    const struct passwd *pw = group ? NULL : getpwnam(name);
    if (gr)
        *id = gr->gr_gid;
    else if (pw)
        *id = pw->pw_uid;
    else if (name[0] >= '0' && name[0] <= '9' && fg_u64_parse(name, &value) && value < UINT32_MAX)
        *id = (uint32_t)value;
    else
        return false;
    return true;
}

static int refuse(char *message, size_t size, const char *option, bool group, const char *name)
{
    const char *what = group ? "group" : "user";
    if (errno != 0 && errno != ENOENT && errno != ESRCH)
        snprintf(message, size, "%s: the %s \"%s\" could not be looked up: %s", option, what, name,
                 strerror(errno));
    else
        snprintf(message, size,
                 "%s: there is no %s \"%s\" on this machine; add the %s, or take the name out",
                 option, what, name, what);
    return FG_EXIT_CONFIG;
}

/* Adds a rule for each name. */
static int add_rules(struct fg_roles *roles, enum fg_role role, bool group, char *const *names,
                     unsigned count, char *message, size_t size)
{
    for (unsigned i = 0; i < count; i++) {
        struct fg_role_rule *rule = &roles->rules[roles->count];
        *rule = (struct fg_role_rule){.role = role, .group = group};
        if (!look_up(group, names[i], &rule->id))
            return refuse(message, size, group ? "control.roles.groups" : "control.roles.users",
                          group, names[i]);
        rule->name = strdup(names[i]);
        if (!rule->name) {
            snprintf(message, size, "control.roles: memory is short");
            return FG_EXIT_MEMORY;
        }
        roles->count++;
    }
    return FG_EXIT_OK;
}

static int add_all(struct fg_roles *roles, const struct fg_config *config, char *message,
                   size_t size)
{
    bool owned = false;
    for (unsigned i = 0; i < config->control_roles_count; i++) {
        const struct fg_role_config *given = &config->control_roles[i];
        enum fg_role role = (enum fg_role)(FG_ROLE_OBSERVER + given->place);
        int status = add_rules(roles, role, false, given->users, given->users_count, message, size);
        if (status == FG_EXIT_OK)
            status =
                add_rules(roles, role, true, given->groups, given->groups_count, message, size);
        if (status != FG_EXIT_OK)
            return status;
        owned |= role == FG_ROLE_OWNER;
    }
    if (owned)
        return FG_EXIT_OK;
    snprintf(message, size,
             "control.roles: nobody is owner; add one, for example {role: owner, users: [root]}");
    return FG_EXIT_CONFIG;
}

int fg_roles_resolve(struct fg_roles *roles, const struct fg_config *config, char *message,
                     size_t size)
{
    size_t room = 1;
    int status = FG_EXIT_OK;
    *roles = (struct fg_roles){.socket_group = (gid_t)-1};
    for (unsigned i = 0; i < config->control_roles_count; i++)
        room += config->control_roles[i].users_count + config->control_roles[i].groups_count;
    roles->rules = calloc(room, sizeof(*roles->rules));
    if (!roles->rules) {
        snprintf(message, size, "control.roles: memory is short");
        return FG_EXIT_MEMORY;
    }
    if (config->control_group && !look_up(true, config->control_group, &roles->socket_group))
        status = refuse(message, size, "control.group", true, config->control_group);
    else if (config->control_roles_count > 0)
        status = add_all(roles, config, message, size);
    if (status != FG_EXIT_OK)
        fg_roles_free(roles);
    return status;
}

void fg_roles_free(struct fg_roles *roles)
{
    for (unsigned i = 0; i < roles->count; i++)
        free(roles->rules[i].name);
    free(roles->rules);
    *roles = (struct fg_roles){.socket_group = (gid_t)-1};
}

static bool applies(const struct fg_role_rule *rule, uid_t uid, gid_t gid, const gid_t *groups,
                    size_t groups_count)
{
    if (!rule->group)
        return rule->id == uid;
    if (rule->id == gid)
        return true;
    for (size_t i = 0; i < groups_count; i++)
        if (rule->id == groups[i])
            return true;
    return false;
}

enum fg_role fg_role_of(const struct fg_roles *roles, uid_t uid, gid_t gid, const gid_t *groups,
                        size_t groups_count)
{
    if (roles->count == 0)
        return uid == 0 || uid == geteuid() ? FG_ROLE_OWNER : FG_ROLE_NONE;
    enum fg_role role = FG_ROLE_NONE;
    for (unsigned i = 0; i < roles->count; i++)
        if (roles->rules[i].role > role &&
            applies(&roles->rules[i], uid, gid, groups, groups_count))
            role = roles->rules[i].role;
    return role;
}

const char *fg_roles_user(const struct fg_roles *roles, uid_t uid)
{
    for (unsigned i = 0; i < roles->count; i++)
        if (!roles->rules[i].group && roles->rules[i].id == uid)
            return roles->rules[i].name;
    return uid == 0 ? "root" : NULL;
}
