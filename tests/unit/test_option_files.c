/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole files by tables of options: their shape, their bytes, what is secret in them, and files
 * that are none. */
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/options_fixture.h"

static void test_shapes(void **state)
{
    (void)state;
    refused("worker: 3", "f:1:1: worker: unknown, did you mean workers?");
    refused_with("speed: 3", "f:1:1: speed: unknown, wanted one of: workers, core, bytes");
    refused_with("\"a\\nb\": 3", "f:1:1: \"a?b\": unknown");
    refused("inner: {path: p, hihg: 3}", "f:1:18: inner.hihg: unknown, did you mean high?");
    refused("workers: 3\nflag: true\nworkers: 3",
            "f:1:1: workers: stands here and again at line 3");
    refused("workers:", "f:1:9: workers: found nothing, wanted 1 to 64");
    refused("text: null", "f:1:7: text: found nothing, wanted text of 1 to 20 bytes");
    refused("text: ~", "f:1:7: text: found nothing, wanted text of 1 to 20 bytes");
    refused("workers: [1]", "f:1:10: workers: found a list, wanted 1 to 64");
    refused("workers: {a: 1}", "f:1:10: workers: found a table, wanted 1 to 64");
    refused("inner: 3", "f:1:8: inner: found a single value, wanted a table");
    refused("inner:", "f:1:7: inner.path: is missing. Where it is.");
    refused("inner: {low: 3}", "f:1:8: inner.path: is missing. Where it is.");
    refused("inner: {path: p, low: 11}", "f:1:18: inner.low: 11 is above high (10)");
    refused("inner: {path: p, high: 0}", "f:1:8: inner.low: 1 is above high (0)");
    refused("[a]: 3", "f:1:1: found a list or table where a name should be");
}

static void refused_whole(const char *bytes, size_t length, const char *wanted)
{
    struct sample sample;
    char message[512];
    int result = read_bytes(&sample, bytes, length, false, message, sizeof(message));
    fg_options_free(&TABLE, &sample);
    if (result == 0 || !strstr(message, wanted))
        print_error("%.*s -> %s\n", (int)length, bytes, result ? message : "accepted");
    assert_int_equal(result, -1);
    assert_non_null(strstr(message, wanted));
}

static void test_documents(void **state)
{
    (void)state;
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"", "f:1:1: found nothing, wanted a table of samples"},
        {"# only a comment\n", "f:1:1: found nothing, wanted a table of samples"},
        {"---\n", "found nothing, wanted a table of samples"},
        {"- a\n", "f:1:1: found something else than a table, wanted a table of samples"},
        {"flag: true\n", "f:1:1: inner.path: is missing. Where it is."},
        {"inner: {path: p}\n---\nflag: true\n", "f:2:1: found a second document, wanted one"},
        {"inner: {path: p}\n...\nflag", "f:3:1: is not valid YAML"},
        {"text: &a b\n", "f:1:7: an anchor (&) is not taken"},
        {"text: &a b\nlabel: *a\n", "an anchor (&) is not taken"},
        {"label: *a\n", "f:1:8: an alias (*) is not taken"},
        {"text: !!str 5\n", "f:1:7: a tag (!) is not taken"},
        {"inner: !x {path: p}\n", "f:1:8: a tag (!) is not taken"},
        {"&a text: b\n", "f:1:1: an anchor (&) is not taken"},
        {"<<: {path: p}\n", "f:1:1: <<: unknown"},
        {"inner: {path: p\n", "is not valid YAML"},
        {"text: 'open\n", "is not valid YAML"},
        {"\tflag: true\n", "f:1:1: is not valid YAML"},
        {"text: a: b\n", "f:1:8: is not valid YAML"},
        {"flag: \"true\"\n workers: 3\n", "f:2:2: is not valid YAML"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        refused_whole(cases[i].text, strlen(cases[i].text), cases[i].wanted);
    refused_whole("flag: tr\xff\n", 10, "f:1:9: is not text");
    refused_whole("flag: true\ntext: a\x01\n", 20, "f:2:8: is not text");
    refused_whole("flag:\0true", 10, "f:1:6: is not text");
    refused_whole("\xff\xfe"
                  "a\0:\0",
                  6, "f:1:1: is not text"); /* UTF-16 */
}

/* Deep nesting is refused where it begins, whatever follows. */
static void test_depth_and_size(void **state)
{
    (void)state;
    size_t length = FG_OPTIONS_FILE_MAX;
    char *text = malloc(length + 1);
    assert_non_null(text);
    memset(text, '[', length + 1);
    refused_whole(text, 100000, "f:1:1: found something else than a table");
    memset(text, ' ', length + 1);
    memcpy(text, "flag: true\ninner: {path: p}\n", 28);
    struct sample sample;
    char message[512];
    assert_int_equal(read_bytes(&sample, text, length, false, message, sizeof(message)), 0);
    fg_options_free(&TABLE, &sample);
    refused_whole(text, length + 1, "has 8388609 bytes, wanted at most 8388608");
    memcpy(text, "words: ", 7);
    memset(text + 7, '[', 5000);
    refused_whole(text, 5007, "f:1:9: words: found a list, wanted text");
    free(text);
}

/* Long things are cut in messages, never inside a character. */
static void test_long_values(void **state)
{
    (void)state;
    refused_with("mode: 0123456789012345678901234567890123456789012345678901234567890",
                 "mode: \"012345678901234567890123456789012345678901234567...\" is not known");
    refused_with("mode: 01234567890123456789012345678901234567890123456ää",
                 "mode: \"01234567890123456789012345678901234567890123456...\" is not known");
    struct sample sample;
    char small[12];
    assert_int_equal(read_bytes(&sample, "mode: spin", 10, false, small, sizeof(small)), -1);
    assert_string_equal(small, "f:1:7: mode");
    fg_options_free(&TABLE, &sample);
}

static void test_confidential(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "secret: hunter2",  "hunter2: 3",        "workers: hunter2", "text: \"hunter2\\x07\"",
        "mode: hunter2",    "at: hunter2",       "[hunter2, 3]",     "text: hunter2: 3",
        "hunter2",          "text: [hunter2",    "text: 'hunter2",   "cores: [hunter2]",
        "address: hunter2", "source: hunter2/3",
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct sample sample;
        char message[512];
        size_t length = strlen(texts[i]);
        assert_int_equal(read_bytes(&sample, texts[i], length, true, message, sizeof(message)), -1);
        fg_options_free(&TABLE, &sample);
        assert_null(strstr(message, "hunter2"));
    }
    struct sample sample;
    char message[512];
    assert_int_equal(read_bytes(&sample, "source: 10.9.8.7/8", 18, true, message, sizeof(message)),
                     -1);
    assert_non_null(strstr(message, "the value"));
    fg_options_free(&TABLE, &sample);
}

/* Every cut and every changed byte of a rich file is either read or refused with a sentence. */
static void test_broken_files(void **state)
{
    (void)state;
    static const char rich[] =
        "workers: 4\ncore: -1\nbytes: 64MiB\nwait: 5m\nat: 2026-11-27T20:00:00.5+01:00\n"
        "flag: true\nmode: poll\ntext: \"a b\"\nlabel: 'x'\nname: ab\nsecret: 00ff00ff\n"
        "address: 192.0.2.10/24\nsource: 10.0.0.0/8\ninner: {path: p, low: 2}\n"
        "cores: [1, 2]\nwords:\n  - one\n  - two\npairs:\n  - id: 1\n    note: n\n  - id: 2\n";
    static const char bytes[] = "\0\n :-[]{}\"'&*!#|>%@`,?~\x80\xff\t9a";
    struct sample sample;
    char message[512], copy[sizeof(rich)];
    assert_int_equal(read_bytes(&sample, rich, sizeof(rich) - 1, false, message, sizeof(message)),
                     0);
    fg_options_free(&TABLE, &sample);
    for (size_t cut = 0; cut < sizeof(rich) - 1; cut++) {
        read_bytes(&sample, rich, cut, false, message, sizeof(message));
        fg_options_free(&TABLE, &sample);
    }
    for (size_t at = 0; at < sizeof(rich) - 1; at++)
        for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
            memcpy(copy, rich, sizeof(rich));
            copy[at] = bytes[i];
            read_bytes(&sample, copy, sizeof(rich) - 1, i % 2, message, sizeof(message));
            fg_options_free(&TABLE, &sample);
        }
}

static void test_files(void **state)
{
    (void)state;
    char dir[] = "/tmp/test-options-XXXXXX", path[64], message[256];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/f", dir);
    size_t length = 0;
    assert_null(fg_options_file(path, false, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "could not be opened: No such file"));
    assert_null(fg_options_file(dir, false, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "is not a regular file"));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("hello", file);
    fclose(file);
    assert_int_equal(chmod(path, 0640), 0);
    assert_null(fg_options_file(path, true, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "its mode is 0640, wanted 0600"));
    assert_int_equal(chmod(path, 0600), 0);
    char *text = fg_options_file(path, true, &length, message, sizeof(message));
    assert_string_equal(text, "hello");
    assert_int_equal(length, 5);
    free(text);
    assert_int_equal(truncate(path, FG_OPTIONS_FILE_MAX + 1), 0);
    assert_null(fg_options_file(path, false, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "has 8388609 bytes, wanted at most 8388608"));
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0); /* without a writer: must not wait for one */
    assert_null(fg_options_file(path, false, &length, message, sizeof(message)));
    unlink(path);
    rmdir(dir);
}

/* A password is the first line of a private file. While somebody holds a file's lock to write it,
 * it is not read; whoever else reads it does not matter. */
static void test_passwords_and_locks(void **state)
{
    (void)state;
    char path[] = "/tmp/fg-password-XXXXXX", message[256];
    size_t length;
    int file = mkstemp(path), reader = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0 && reader >= 0);
    assert_int_equal(write(file, "s3cret\r\nmore\n", 14), 14);
    assert_int_equal(flock(reader, LOCK_SH), 0);
    char *password = fg_password_read(path, message, sizeof(message));
    assert_string_equal(password, "s3cret");
    fg_password_free(password);
    fg_password_free(NULL);
    assert_int_equal(flock(reader, LOCK_UN), 0);
    assert_int_equal(flock(file, LOCK_EX), 0);
    assert_null(fg_options_large_file(path, 100, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "is being written; try again when that is done"));
    assert_int_equal(flock(file, LOCK_UN), 0);
    assert_null(fg_options_large_file(path, 13, &length, message, sizeof(message)));
    assert_non_null(strstr(message, "has 14 bytes, wanted at most 13"));
    assert_int_equal(fchmod(file, 0640), 0);
    assert_null(fg_password_read(path, message, sizeof(message)));
    assert_non_null(strstr(message, "its mode is 0640, wanted 0600"));
    close(reader);
    close(file);
    unlink(path);
    assert_null(fg_password_read(path, message, sizeof(message)));
    assert_non_null(strstr(message, "could not be opened"));
}

/* The manual's part names every option once, with its section's name before it; only where it is
 * asked for does it tell which are read at start. */
static void test_manual(void **state)
{
    (void)state;
    for (unsigned spans = 0; spans < 2; spans++) {
        char *text = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&text, &size);
        fg_options_manual(&TABLE, spans, out);
        fclose(out);
        assert_non_null(strstr(text, "*workers*\n\tHow many\\. \\["));
        assert_non_null(strstr(text, "*inner\\.path*\n\tWhere it is\\. \\["));
        assert_non_null(strstr(text, "\\; required"));
        assert_int_equal(!!strstr(text, "\\; at start\\]"), spans);
        const char *pairs = strstr(text, "*pairs\\[\\]*\n");
        assert_non_null(pairs);
        assert_non_null(strstr(pairs, "Its number\\. \\["));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),         cmocka_unit_test(test_documents),
        cmocka_unit_test(test_depth_and_size), cmocka_unit_test(test_long_values),
        cmocka_unit_test(test_confidential),   cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_files),          cmocka_unit_test(test_passwords_and_locks),
        cmocka_unit_test(test_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
