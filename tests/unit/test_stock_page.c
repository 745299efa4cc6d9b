/* SPDX-License-Identifier: BSD-3-Clause */
/* The stock page on a link that keeps what it is told: what is written, when, and after a loss. */
#include "tests/unit/fake_engine.h"

#include "control/figures/stock_page.h"

#define KEPT 64

/* The one hash that this Redis has; under the lock, as the page has a thread of its own. */
static struct {
    pthread_mutex_t lock;
    unsigned count, calls, connects, expiry_ms;
    enum fg_redis_answer answer, connect_answer;
    struct fg_redis_field kept[KEPT];
} redis = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum fg_redis_answer redis_connect(void *context)
{
    (void)context;
    pthread_mutex_lock(&redis.lock);
    redis.connects++;
    enum fg_redis_answer answer = redis.connect_answer;
    pthread_mutex_unlock(&redis.lock);
    return answer;
}

static struct fg_redis_field *find(const char *name)
{
    for (unsigned i = 0; i < redis.count; i++)
        if (strcmp(redis.kept[i].name, name) == 0)
            return &redis.kept[i];
    return NULL;
}

static enum fg_redis_answer redis_page(void *context, struct fg_redis_page *page)
{
    (void)context;
    pthread_mutex_lock(&redis.lock);
    enum fg_redis_answer answer = redis.answer;
    redis.calls++;
    redis.expiry_ms = page->expiry_ms;
    page->created = 0;
    for (unsigned i = 0; answer == FG_REDIS_OK && i < page->count; i++) {
        struct fg_redis_field *field = find(page->fields[i].name);
        if (!field) {
            assert_true(redis.count < KEPT);
            field = &redis.kept[redis.count++];
            page->created++;
        }
        *field = page->fields[i];
    }
    pthread_mutex_unlock(&redis.lock);
    return answer;
}

static const char *redis_error(void *context)
{
    (void)context;
    return "Redis says no";
}

static struct fg_redis_link fake = {
    .connect = redis_connect, .page = redis_page, .error = redis_error};

/* Has the hash this field with this value? Within three refreshes. */
static bool soon(const char *name, const char *value)
{
    for (unsigned tries = 0; tries < 350; tries++) {
        pthread_mutex_lock(&redis.lock);
        const struct fg_redis_field *field = find(name);
        bool same = field && strcmp(field->value, value) == 0;
        pthread_mutex_unlock(&redis.lock);
        if (same)
            return true;
        usleep(10000);
        fg_control_pulse(control);
    }
    return false;
}

static void wait_errors(uint64_t more_than)
{
    for (unsigned tries = 0;
         tries < 350 &&
         fg_count_read(&fg_stock_page_stats(engine->stock_page)->errors) <= more_than;
         tries++)
        usleep(10000);
}

static void set_answers(enum fg_redis_answer connect, enum fg_redis_answer answer)
{
    pthread_mutex_lock(&redis.lock);
    redis.connect_answer = connect;
    redis.answer = answer;
    pthread_mutex_unlock(&redis.lock);
}

static void lose_hash(void)
{
    pthread_mutex_lock(&redis.lock);
    redis.count = 0;
    pthread_mutex_unlock(&redis.lock);
}

static void a_sale_is_written_changed_and_mended(void **state)
{
    (void)state;
    assert_non_null(apply(SPRING SHOE(100) HAT));
    engine->control = control;
    assert_int_equal(fg_stock_page_start(engine, &fake, 20, message, sizeof(message)), 0);
    assert_true(soon("7", "100"));
    assert_true(soon("8", "50"));
    assert_true(soon("state", "scheduled"));
    assert_true(soon("epoch", "3"));
    assert_int_equal(redis.expiry_ms, FG_STOCK_PAGE_EXPIRY_MS);
    fg_stock_remove(&engine->stock, item(7)->slot, 3);
    assert_true(soon("7", "97"));
    lose_hash(); /* 8 did not change, and must be there again all the same */
    assert_true(soon("8", "50"));
    assert_true(soon("7", "97"));
    fg_stock_page_stop(engine);
    assert_null(engine->stock_page);
}

static void errors_are_counted_and_told_and_it_goes_on(void **state)
{
    (void)state;
    char error[64];
    assert_non_null(apply(SPRING SHOE(100) HAT));
    lose_hash();
    set_answers(FG_REDIS_LOST, FG_REDIS_OK);
    engine->control = control;
    assert_int_equal(fg_stock_page_start(engine, &fake, 20, message, sizeof(message)), 0);
    wait_errors(0);
    fg_stock_page_last_error(engine->stock_page, error, sizeof(error));
    assert_string_equal(error, "Redis says no");
    set_answers(FG_REDIS_OK, FG_REDIS_OK);
    assert_true(soon("7", "100"));
    fg_stock_page_stop(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_sale_is_written_changed_and_mended, start, stop),
        cmocka_unit_test_setup_teardown(errors_are_counted_and_told_and_it_goes_on, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, release_reply);
}
