/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists in a running engine: loaded anew, shared by catalogues, refused with nothing changed. */
#include <fcntl.h>
#include <sys/file.h>

#include "tests/unit/fake_commands.h"
#include "tests/unit/fake_engine.h"

#include "control/text.h"
#include "dataplane/memory.h"

static char files[FG_LIST_COUNT][64];

/* --- memory, in the place of the library's --- */

static int memory_left = -1; /* pieces that can still be had; negative: any number */

void *fg_memory_zeroed(uint64_t count, size_t size)
{
    size_t bytes = (count * size + FG_MEMORY_ALIGNMENT - 1) & ~(FG_MEMORY_ALIGNMENT - 1);
    if (memory_left == 0)
        return NULL;
    if (memory_left > 0)
        memory_left--;
    void *memory = aligned_alloc(FG_MEMORY_ALIGNMENT, bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *fg_memory_large(uint64_t count, size_t size)
{
    return fg_memory_zeroed(count, size);
}

/* --- files --- */

static void write_list(enum fg_list list, const char *text)
{
    FILE *file = fopen(files[list], "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static int start_listed(void **state)
{
    (void)state;
    memset(&log_, 0, sizeof(log_));
    atomic_store(&log_.stats.room_bytes, 1 << 30);
    create_engine();
    for (enum fg_list list = 0; list < FG_LIST_COUNT; list++) {
        snprintf(files[list], sizeof(files[list]), "%s/%s", directory, fg_list_name(list));
        engine->config.list_files[list] = files[list];
        write_list(list, "");
    }
    write_list(FG_LIST_BLOCK_BUYERS, BUYER "\n");
    create_control();
    serve();
    return 0;
}

static int stop_listed(void **state)
{
    for (enum fg_list list = 0; list < FG_LIST_COUNT; list++)
        (void)unlink(files[list]);
    return stop(state);
}

static const char *listed(const char *who)
{
    const json_t *result = call("lists.check", json_pack("{s:s}", "who", who));
    assert_non_null(result);
    return json_string_value(json_object_get(result, "listed"));
}

static json_int_t entries(const json_t *shown, enum fg_list list)
{
    return number(json_array_get(json_object_get(shown, "lists"), list), "entries");
}

static void a_start_reads_the_files(void **state)
{
    (void)state;
    uint8_t buyer[FG_BUYER_BYTES];
    assert_true(fg_buyer_parse(BUYER, buyer));
    assert_non_null(engine->catalogue->lists);
    assert_int_equal(fg_lists_buyer(engine->catalogue->lists, buyer), FG_LISTED_BLOCKED);
    const json_t *shown = call("lists.show", json_object());
    assert_int_equal(entries(shown, FG_LIST_BLOCK_BUYERS), 1);
    assert_int_equal(entries(shown, FG_LIST_ALLOW_SOURCES), 0);
    assert_true(json_is_null(json_object_get(shown, "by")));
    assert_int_equal(log_.count, 0);
    assert_int_equal(atomic_load(&engine->list_figures.entries[FG_LIST_BLOCK_BUYERS]), 1);
}

static void a_reload_is_in_force_and_on_record(void **state)
{
    (void)state;
    const struct fg_lists *before = engine->catalogue->lists;
    uint64_t revision = engine->catalogue->revision;
    write_list(FG_LIST_BLOCK_BUYERS, "ffffffffffffffffffffffffffffffff\n");
    write_list(FG_LIST_BLOCK_SOURCES, "10.0.0.0/8\n2001:db8::/32\n10.0.0.0/8\n");
    write_list(FG_LIST_ALLOW_SOURCES, "10.1.0.0/16\n");
    assert_string_equal(listed(BUYER), "blocked");
    const json_t *shown = call("lists.reload", json_object());
    assert_non_null(shown);
    assert_int_equal(entries(shown, FG_LIST_BLOCK_SOURCES), 2);
    assert_int_equal(number(json_object_get(shown, "by"), "uid"), 1001);
    assert_all_seen();
    assert_ptr_not_equal(engine->catalogue->lists, before);
    assert_int_equal(engine->catalogue->revision, revision);
    assert_string_equal(listed(BUYER), "no");
    assert_string_equal(listed("ffffffff-ffff-ffff-ffff-ffffffffffff"), "blocked");
    assert_string_equal(listed("10.2.0.1"), "blocked");
    assert_string_equal(listed("10.1.0.1"), "allowed");
    assert_string_equal(listed("2001:db8::1"), "blocked");
    assert_true(fg_lists_source_blocked(engine->catalogue->lists, fg_ip_of_v4(0x0a020001)));
    assert_false(fg_lists_source_blocked(engine->catalogue->lists, fg_ip_of_v4(0x0a010001)));

    assert_int_equal(log_.count, 1);
    assert_int_equal(log_.events[0].event.kind, FG_EVENT_ACT);
    assert_int_equal(log_.events[0].event.uid, 1001);
    assert_true(log_.events[0].seen); /* published first */
    json_t *record = json_loads(log_.events[0].body, 0, NULL);
    const json_t *list = json_object_get(record, "block_sources");
    assert_string_equal(json_string_value(json_object_get(record, "method")), "lists.reload");
    assert_int_equal(number(list, "entries"), 2);
    /* as sha256sum has it of that text */
    assert_string_equal(json_string_value(json_object_get(list, "sha256")),
                        control->listing->files[FG_LIST_BLOCK_SOURCES].digest);
    assert_int_equal(strlen(control->listing->files[FG_LIST_BLOCK_SOURCES].digest), 64);
    json_decref(record);

    /* Nobody is listed any more: workers are not even asked to look. */
    write_list(FG_LIST_BLOCK_BUYERS, "");
    write_list(FG_LIST_BLOCK_SOURCES, "");
    assert_non_null(call("lists.reload", json_object()));
    assert_null(engine->catalogue->lists);
}

/* The digest that sha256sum prints, of a text whose digest is in FIPS 180-4's examples. */
static void the_digest_is_that_of_the_file(void **state)
{
    (void)state;
    write_list(FG_LIST_BLOCK_SOURCES, "# abc");
    assert_non_null(call("lists.reload", json_object()));
    char command[256], printed[FG_LISTING_DIGEST] = "";
    snprintf(command, sizeof(command), "sha256sum %s", files[FG_LIST_BLOCK_SOURCES]);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(printed, sizeof(printed), pipe));
    pclose(pipe);
    assert_string_equal(control->listing->files[FG_LIST_BLOCK_SOURCES].digest, printed);
}

static void other_changes_share_the_lists(void **state)
{
    (void)state;
    const struct fg_lists *before = engine->catalogue->lists;
    const struct fg_catalogue *catalogue = engine->catalogue;
    assert_non_null(apply(SPRING SHOE(100) HAT));
    assert_non_null(of_sale("sale.open", "spring"));
    assert_non_null(of_sale("sale.pause", "spring"));
    assert_non_null(call("engine.pause", json_object()));
    assert_ptr_not_equal(engine->catalogue, catalogue);
    assert_ptr_equal(engine->catalogue->lists, before);
    assert_ptr_equal(engine->catalogue->lists, control->listing->lists);
    assert_int_equal(control->listing->shared.holders, 2); /* control, and one catalogue */
}

static void a_wrong_file_changes_nothing(void **state)
{
    (void)state;
    const struct fg_listing *before = control->listing;
    const struct fg_catalogue *catalogue = engine->catalogue;
    write_list(FG_LIST_BLOCK_BUYERS, "ffffffffffffffffffffffffffffffff\n");
    write_list(FG_LIST_ALLOW_SOURCES, "# so\n  10.0.0.0/40\n");
    assert_null(call("lists.reload", json_object()));
    assert_error(FG_RPC_REFUSED, "allow_sources:2:3: \"10.0.0.0/40\" is no source");
    unlink(files[FG_LIST_ALLOW_SOURCES]);
    assert_null(call("lists.reload", json_object()));
    assert_error(FG_RPC_REFUSED, "allow_sources: could not be opened");
    assert_error(FG_RPC_REFUSED, "No such file or directory; make it, and empty for as long as "
                                 "nobody is on the list; the lists in force stay");
    assert_ptr_equal(control->listing, before);
    assert_ptr_equal(engine->catalogue, catalogue);
    assert_int_equal(log_.count, 0);
    assert_string_equal(listed(BUYER), "blocked");
    assert_null(call("lists.check", json_pack("{s:s}", "who", "10.0.0.0/8")));
    assert_error(FG_RPC_PARAMS, "neither a buyer");
}

/* As long as somebody appends to a file, it is not read by halves. */
static void a_file_that_is_being_written_is_not_read(void **state)
{
    (void)state;
    write_list(FG_LIST_BLOCK_BUYERS, "ffffffffffffffffffffffffffffffff\n");
    int fd = open(files[FG_LIST_BLOCK_BUYERS], O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_null(call("lists.reload", json_object()));
    assert_error(FG_RPC_REFUSED, "block_buyers: is being written; try again when that is done");
    assert_string_equal(listed(BUYER), "blocked");
    close(fd);
    assert_non_null(call("lists.reload", json_object()));
    assert_string_equal(listed(BUYER), "no");
}

/* Whichever piece of memory cannot be had: the lists in force stay, and the next reload is whole.
 */
static void where_memory_is_short_the_old_lists_stay(void **state)
{
    (void)state;
    const struct fg_listing *before = control->listing;
    const struct fg_catalogue *catalogue = engine->catalogue;
    int pieces = 0;
    write_list(FG_LIST_BLOCK_BUYERS, "ffffffffffffffffffffffffffffffff\n");
    write_list(FG_LIST_BLOCK_SOURCES, "10.0.0.0/8\n2001:db8::/32\n");
    for (memory_left = 0; !call("lists.reload", json_object()); memory_left = ++pieces) {
        memory_left = -1;
        assert_error(FG_RPC_REFUSED, "memory is short for the lists; the lists in force stay");
        assert_ptr_equal(control->listing, before);
        assert_ptr_equal(engine->catalogue, catalogue);
        assert_int_equal(before->shared.holders, 2);
        assert_int_equal(log_.count, 0);
        assert_string_equal(listed(BUYER), "blocked");
        assert_true(pieces < 100);
    }
    memory_left = -1;
    assert_true(pieces >= 5); /* the lists, lines, buyers, ladders ... */
    assert_ptr_not_equal(control->listing, before);
    assert_string_equal(listed(BUYER), "no");
    assert_string_equal(listed("10.0.0.1"), "blocked");
    assert_int_equal(log_.count, 1);
}

static void lists_that_cannot_be_recorded_are_in_force(void **state)
{
    (void)state;
    write_list(FG_LIST_BLOCK_BUYERS, "ffffffffffffffffffffffffffffffff\n");
    log_.full = true;
    assert_null(call("lists.reload", json_object()));
    assert_error(FG_RPC_TIME_LIMIT, "the lists are in force, but not on record");
    assert_string_equal(listed(BUYER), "no");
    log_.full = false;
}

/* Who may only look may not change them. */
static void an_observer_cannot_reload(void **state)
{
    (void)state;
    caller.rank = FG_ROLE_OBSERVER;
    assert_null(call("lists.reload", json_object()));
    assert_error(FG_RPC_FORBIDDEN, "operator");
    assert_non_null(call("lists.show", json_object()));
    caller.rank = FG_ROLE_OWNER;
}

static void a_start_with_a_wrong_file_is_refused(void **state)
{
    (void)state;
    struct fg_control *other;
    int status;
    write_list(FG_LIST_BLOCK_BUYERS, "nobody\n");
    other = fg_control_create(engine, &status, message, sizeof(message));
    assert_null(other);
    assert_int_equal(status, FG_EXIT_CONFIG);
    assert_non_null(strstr(message, "block_buyers:1:1: \"nobody\" is no buyer"));
}

int main(void)
{
#define LISTED(name) cmocka_unit_test_setup_teardown(name, start_listed, stop_listed)
    const struct CMUnitTest tests[] = {
        LISTED(a_start_reads_the_files),
        LISTED(a_reload_is_in_force_and_on_record),
        LISTED(the_digest_is_that_of_the_file),
        LISTED(other_changes_share_the_lists),
        LISTED(where_memory_is_short_the_old_lists_stay),
        LISTED(a_wrong_file_changes_nothing),
        LISTED(a_file_that_is_being_written_is_not_read),
        LISTED(lists_that_cannot_be_recorded_are_in_force),
        LISTED(an_observer_cannot_reload),
        LISTED(a_start_with_a_wrong_file_is_refused),
    };
    return cmocka_run_group_tests_name("lists_methods", tests, NULL, release_reply);
}
