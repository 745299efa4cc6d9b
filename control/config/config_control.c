/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration's options of who may use the control socket. */
#include "control/config/config_check.h"
#include "control/server/roles.h"

#define ROLE(field)    FG_OPTION_FIELD(struct fg_role_config, field)
#define NAME_BYTES     255 /* of a user or group */
#define ROLE_NAMES_MAX 256

/* Without "none", which nobody needs to be given. */
static const char *const ROLE_NAMES[] = {
#define X(name, text, help) [FG_ROLE_##name] = (text),
    FG_ROLES(X)
#undef X
        NULL};

static const struct fg_option NAME_ELEMENT = {
    .kind = FG_OPTION_TEXT, .size = sizeof(char *), .min = 1, .max = NAME_BYTES};

#define NAMES_OPTION(word, shown, of, text)                                                        \
    {                                                                                              \
        .name = #word, .kind = FG_OPTION_LIST, .offset = offsetof(struct fg_role_config, word),    \
        .second = offsetof(struct fg_role_config, word##_count), .size = sizeof(char *),           \
        .allocated = true, .max = ROLE_NAMES_MAX, .element = &NAME_ELEMENT, .suggested = shown,    \
        .example = of, .help = text                                                                \
    }

static const struct fg_option ROLE_OPTIONS[] = {
    {.name = "role",
     .kind = FG_OPTION_CHOICE,
     ROLE(place),
     .choices = ROLE_NAMES + 1,
     .required = true,
     .example = "owner",
     .help = "What they may: an observer sees everything, an operator runs sales, an owner also "
             "does what cannot be taken back."},
    NAMES_OPTION(users, true, "[root]", "Users that have it, by name or number."),
    NAMES_OPTION(groups, false, "[adm]", "Groups whose members have it, by name or number."),
};

static int check_role(const struct fg_option_scope *scope, void *target)
{
    const struct fg_role_config *role = target;
    return role->users_count + role->groups_count > 0
               ? 0
               : fg_option_refuse(scope, "role", "is given to nobody, wanted users or groups");
}

static const struct fg_option_table ROLE_TABLE = {ROLE_OPTIONS, COUNT(ROLE_OPTIONS),
                                                  "a table of role, users and groups", check_role};

static const struct fg_option ROLE_ELEMENT = {.kind = FG_OPTION_SECTION, .table = &ROLE_TABLE};

static const struct fg_option CONTROL_OPTIONS[] = {
    {.name = "socket",
     .kind = FG_OPTION_TEXT,
     FIELD(control_socket),
     .min = 1,
     .max = SOCKET_BYTES,
     .required = true,
     .example = "/run/flashgate/control.sock",
     .help = "Unix socket on which flashgatectl finds the engine; made with mode 0660."},
    {.name = "group",
     .kind = FG_OPTION_TEXT,
     FIELD(control_group),
     .min = 1,
     .max = 255,
     .example = "adm",
     .help = "Group of the socket's file: only its members (and root, and the engine's user) can "
             "connect. If it is not given: the group that the engine runs with."},
    {.name = "roles",
     .kind = FG_OPTION_LIST,
     .offset = OFFSET(control_roles),
     .second = OFFSET(control_roles_count),
     .size = sizeof(struct fg_role_config),
     .allocated = true,
     .suggested = true,
     .max = 32,
     .element = &ROLE_ELEMENT,
     .help =
         "Who may do what. The kernel says who is connected; the greatest role that fits holds, "
         "and who is not named may do nothing, not even root or the engine's own user, which "
         "needs no role to serve. Without this list these two are owners."},
};
const struct fg_option_table fg_config_control_table = {CONTROL_OPTIONS, COUNT(CONTROL_OPTIONS),
                                                        "a table with the socket", NULL};
