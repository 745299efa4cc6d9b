/* SPDX-License-Identifier: BSD-3-Clause */
/* Roles: names of the configuration, who has which, and what the methods make of it. */
#include "tests/unit/fake_engine.h"

#include <grp.h>
#include <pwd.h>

#include "control/methods/methods.h"

static char *names_of[][2] = {
    {"nobody", NULL}, {"daemon", "4242"}, {"no.such.user", NULL}, {"root", NULL}, {"adm", "sys"}};

static struct fg_role_config given(enum fg_role role, char **users, unsigned users_count,
                                   char **groups, unsigned groups_count)
{
    return (struct fg_role_config){.place = role - FG_ROLE_OBSERVER,
                                   .users = users,
                                   .users_count = users_count,
                                   .groups = groups,
                                   .groups_count = groups_count};
}

static uid_t user(const char *name)
{
    const struct passwd *entry = getpwnam(name);
    assert_non_null(entry);
    return entry->pw_uid;
}

static gid_t group(const char *name)
{
    const struct group *entry = getgrnam(name);
    assert_non_null(entry);
    return entry->gr_gid;
}

static void without_roles_root_and_the_engines_user_own(void **state)
{
    (void)state;
    struct fg_config config = {0};
    struct fg_roles roles;
    assert_int_equal(fg_roles_resolve(&roles, &config, message, sizeof(message)), FG_EXIT_OK);
    assert_int_equal(fg_role_of(&roles, 0, 0, NULL, 0), FG_ROLE_OWNER);
    assert_int_equal(fg_role_of(&roles, geteuid(), 1, NULL, 0), FG_ROLE_OWNER);
    assert_int_equal(fg_role_of(&roles, geteuid() + 1234, 0, NULL, 0), FG_ROLE_NONE);
    assert_int_equal(roles.socket_group, (gid_t)-1);
    assert_string_equal(fg_roles_user(&roles, 0), "root");
    fg_roles_free(&roles);
}

static void users_and_groups_get_the_greatest_role_they_are_given(void **state)
{
    (void)state;
    struct fg_role_config list[] = {
        given(FG_ROLE_OWNER, names_of[0], 1, NULL, 0),
        given(FG_ROLE_OPERATOR, names_of[1], 2, &names_of[4][0], 1),
        given(FG_ROLE_OBSERVER, names_of[0], 1, &names_of[4][1], 1),
    };
    char adm[] = "adm";
    struct fg_config config = {
        .control_roles = list, .control_roles_count = 3, .control_group = adm};
    struct fg_roles roles;
    assert_int_equal(fg_roles_resolve(&roles, &config, message, sizeof(message)), FG_EXIT_OK);
    gid_t others[] = {77777, group("sys"), 88888}, both[] = {group("sys"), group("adm")};
    assert_int_equal(roles.socket_group, group("adm"));
    assert_int_equal(fg_role_of(&roles, user("nobody"), 1, NULL, 0), FG_ROLE_OWNER);
    assert_int_equal(fg_role_of(&roles, user("daemon"), 1, NULL, 0), FG_ROLE_OPERATOR);
    assert_int_equal(fg_role_of(&roles, 4242, 1, NULL, 0), FG_ROLE_OPERATOR);
    assert_int_equal(fg_role_of(&roles, 5555, group("adm"), NULL, 0), FG_ROLE_OPERATOR);
    assert_int_equal(fg_role_of(&roles, 5555, 1, others, 3), FG_ROLE_OBSERVER);
    assert_int_equal(fg_role_of(&roles, 5555, 1, both, 2), FG_ROLE_OPERATOR);
    assert_int_equal(fg_role_of(&roles, 5555, 1, others, 1), FG_ROLE_NONE);
    /* Who is not named has no role, neither root nor the engine's own user. */
    assert_int_equal(fg_role_of(&roles, geteuid(), 1, NULL, 0), FG_ROLE_NONE);
    assert_int_equal(fg_role_of(&roles, 0, 0, NULL, 0), FG_ROLE_NONE);
    assert_string_equal(fg_roles_user(&roles, user("daemon")), "daemon");
    assert_null(fg_roles_user(&roles, 5555));
    fg_roles_free(&roles);
}

static void a_name_that_is_not_known_refuses_the_start(void **state)
{
    (void)state;
    struct fg_role_config list[] = {given(FG_ROLE_OWNER, names_of[3], 1, NULL, 0),
                                    given(FG_ROLE_OBSERVER, names_of[2], 1, NULL, 0)};
    struct fg_config config = {.control_roles = list, .control_roles_count = 2};
    struct fg_roles roles;
    assert_int_equal(fg_roles_resolve(&roles, &config, message, sizeof(message)), FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "control.roles.users: there is no user \"no.such.user\""));
    list[1] = given(FG_ROLE_OBSERVER, NULL, 0, names_of[2], 1);
    assert_int_equal(fg_roles_resolve(&roles, &config, message, sizeof(message)), FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "control.roles.groups: there is no group \"no.such.user\""));
    config.control_roles_count = 1;
    config.control_group = names_of[2][0];
    assert_int_equal(fg_roles_resolve(&roles, &config, message, sizeof(message)), FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "control.group: there is no group \"no.such.user\""));
    assert_int_equal(roles.count, 0);
}

static void somebody_must_be_owner(void **state)
{
    (void)state;
    struct fg_role_config list[] = {given(FG_ROLE_OPERATOR, names_of[3], 1, NULL, 0)};
    struct fg_config config = {.control_roles = list, .control_roles_count = 1};
    struct fg_roles roles;
    assert_int_equal(fg_roles_resolve(&roles, &config, message, sizeof(message)), FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "nobody is owner"));
}

/* Every method of the table, for every role, with parameters that none takes. */
static void a_role_is_looked_at_before_anything_else(void **state)
{
    (void)state;
    char wanted[64];
    assert_true(fg_methods_count > 5);
    for (unsigned i = 0; i < fg_methods_count; i++) {
        assert_in_range(fg_methods[i].role, FG_ROLE_OBSERVER, FG_ROLE_OWNER);
        for (caller.rank = FG_ROLE_NONE; caller.rank <= FG_ROLE_OWNER; caller.rank++) {
            assert_null(call(fg_methods[i].name, json_pack("{s:i}", "no such parameter", 1)));
            if (caller.rank >= fg_methods[i].role) {
                assert_error(FG_RPC_PARAMS, "no such parameter");
                continue;
            }
            snprintf(wanted, sizeof(wanted), "%s needs the role %s; uid 1001 has %s",
                     fg_methods[i].name, fg_role_name(fg_methods[i].role),
                     caller.rank ? fg_role_name((enum fg_role)caller.rank) : "no role");
            assert_error(FG_RPC_FORBIDDEN, wanted);
            assert_error(FG_RPC_FORBIDDEN, "control.roles");
        }
    }
    caller.rank = FG_ROLE_OWNER;
    assert_int_equal(log_.count, 0);
}

static void an_observer_sees_and_an_operator_sells(void **state)
{
    (void)state;
    caller.rank = FG_ROLE_OBSERVER;
    assert_non_null(call("status", json_object()));
    assert_null(apply(SPRING SHOE(100)));
    assert_error(FG_RPC_FORBIDDEN, "sale.apply needs the role operator");
    caller.rank = FG_ROLE_OPERATOR;
    assert_non_null(apply(SPRING SHOE(100)));
    assert_non_null(of_sale("sale.open", "spring"));
    assert_non_null(of_sale("sale.close", "spring"));
    assert_null(of_sale("sale.archive", "spring"));
    assert_error(FG_RPC_FORBIDDEN, "sale.archive needs the role owner; uid 1001 has operator");
    caller.rank = FG_ROLE_OWNER;
    assert_non_null(of_sale("sale.archive", "spring"));
}

static json_t *engine_is(const char *method)
{
    return call(method, json_pack("{s:b}", "confirmed", 1));
}

/* A pause is an operator's to end; the rest of the ways to stop an engine are not. */
static void what_an_owner_stopped_an_owner_sets_going(void **state)
{
    (void)state;
    static const char *const stops[] = {"engine.kill", "engine.drain"};
    static const char *const words[] = {"an engine that is killed needs the role owner",
                                        "an engine that is draining needs the role owner"};
    for (unsigned i = 0; i < 2; i++) {
        caller.rank = FG_ROLE_OWNER;
        assert_non_null(engine_is(stops[i]));
        unsigned events = log_.count;
        caller.rank = FG_ROLE_OPERATOR;
        assert_null(call("engine.resume", json_object()));
        assert_error(FG_RPC_FORBIDDEN, words[i]);
        assert_null(
            call("engine.pause", json_object())); /* that would let CONFIRM through, or ORDER be */
        assert_error(FG_RPC_FORBIDDEN, words[i]);
        assert_int_equal(log_.count, events);
        caller.rank = FG_ROLE_OWNER;
        assert_non_null(call("engine.resume", json_object()));
    }
    caller.rank = FG_ROLE_OPERATOR;
    assert_non_null(call("engine.pause", json_object()));
    assert_non_null(call("engine.resume", json_object()));
    caller.rank = FG_ROLE_OWNER;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_roles_root_and_the_engines_user_own),
        cmocka_unit_test(users_and_groups_get_the_greatest_role_they_are_given),
        cmocka_unit_test(a_name_that_is_not_known_refuses_the_start),
        cmocka_unit_test(somebody_must_be_owner),
        TEST(a_role_is_looked_at_before_anything_else),
        TEST(an_observer_sees_and_an_operator_sells),
        TEST(what_an_owner_stopped_an_owner_sets_going),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
