/* SPDX-License-Identifier: BSD-3-Clause */
/* Who may do what on the control socket. */
#ifndef FG_CONTROL_ROLES_H
#define FG_CONTROL_ROLES_H

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

#endif
