/* store_test.c - the promises of base/store.h, kept by LevelDB and by the simulator's model.
 *
 * PROMISE(name) defines one test for each implementation. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/mem.h"
#include "base/prng.h"
#include "io/leveldb_store.h"
#include "sim/mem_store.h"
#include "support/support.h"

/* Where a store lives, and the store that is open there. */
typedef struct place {
    const struct place_ops *ops;
    cs_store_t *store;
    tmp_t tmp; /* LevelDB */
    char path[sizeof(tmp_t) + 4];
    cs_mem_disk_t *disk; /* model */
} place_t;

typedef struct place_ops {
    void (*make)(place_t *place);
    cs_err_t (*open)(place_t *place, cs_store_t **ret_store);
    void (*break_writes)(place_t *place); /* the disk takes no more */
    void (*mend_writes)(place_t *place);
    void (*remove)(place_t *place);
} place_ops_t;

static void leveldb_make(place_t *place)
{
    place->tmp = tmp_new();
    snprintf(place->path, sizeof place->path, "%s/db", place->tmp.path);
}

static cs_err_t leveldb_open_at(place_t *place, cs_store_t **ret_store)
{
    cs_buf_t detail = {0};
    cs_err_t err = cs_leveldb_open(place->path, ret_store, &detail);
    cr_expect((err == CS_OK) == (detail.len == 0));
    cs_buf_fini(&detail);
    return err;
}

static void set_file_size_limit(rlim_t bytes)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void leveldb_break_writes(place_t *place)
{
    (void)place;
    set_file_size_limit(200); /* in the middle of a record of the log */
}

static void leveldb_mend_writes(place_t *place)
{
    (void)place;
    set_file_size_limit(RLIM_INFINITY);
}

static void leveldb_remove(place_t *place)
{
    tmp_remove(&place->tmp);
}

static void mem_make(place_t *place)
{
    place->disk = cs_mem_disk_new();
}

static cs_err_t mem_open_at(place_t *place, cs_store_t **ret_store)
{
    return cs_mem_store_open(place->disk, ret_store);
}

static void mem_break_writes(place_t *place)
{
    cs_mem_disk_fail_writes(place->disk, 0, CS_ERR_IO);
}

static void mem_mend_writes(place_t *place)
{
    (void)place; /* by closing */
}

static void mem_remove(place_t *place)
{
    cs_mem_disk_destroy(&place->disk);
}

static const place_ops_t leveldb_ops = {leveldb_make, leveldb_open_at, leveldb_break_writes,
                                        leveldb_mend_writes, leveldb_remove};
static const place_ops_t mem_ops = {mem_make, mem_open_at, mem_break_writes, mem_mend_writes,
                                    mem_remove};

static void run(const place_ops_t *ops, void (*promise)(place_t *place))
{
    place_t place = {.ops = ops};
    ops->make(&place);
    cr_assert_eq(ops->open(&place, &place.store), CS_OK);
    promise(&place);
    cs_store_close(&place.store);
    ops->remove(&place);
}

#define PROMISE(name)                 \
    static void name(place_t *place); \
    Test(leveldb_store, name)         \
    {                                 \
        run(&leveldb_ops, name);      \
    }                                 \
    Test(mem_store, name)             \
    {                                 \
        run(&mem_ops, name);          \
    }                                 \
    static void name(place_t *place)

static void reopen(place_t *place)
{
    cs_store_close(&place->store);
    cr_assert_eq(place->ops->open(place, &place->store), CS_OK);
}

static cs_err_t write_one(cs_store_t *store, cs_slice_t key, const cs_slice_t *value, bool sync)
{
    cs_batch_t batch = {0};
    if (value != NULL) {
        cs_batch_put(&batch, key, *value);
    } else {
        cs_batch_delete(&batch, key);
    }
    cs_err_t err = cs_store_write(store, &batch, sync);
    cs_batch_fini(&batch);
    return err;
}

static void put(cs_store_t *store, const char *key, const char *value)
{
    cs_slice_t bytes = cs_slice_text(value);
    cr_assert_eq(write_one(store, cs_slice_text(key), &bytes, true), CS_OK);
}

static void expect_value(cs_store_t *store, const cs_snapshot_t *snapshot, cs_slice_t key,
                         const cs_slice_t *want)
{
    cs_buf_t value = {0};
    cs_buf_put_u8(&value, 'x'); /* get clears what was there */
    cs_err_t err = cs_store_get(store, snapshot, key, &value);
    if (want != NULL) {
        cr_assert_eq(err, CS_OK, "%s", cs_err_name(err));
        cr_assert(cs_slice_eq(cs_buf_slice(&value), *want));
    } else {
        cr_assert_eq(err, CS_ERR_NOT_FOUND, "%s", cs_err_name(err));
        cr_assert_eq(value.len, 0);
    }
    cs_buf_fini(&value);
}

static void expect_text(cs_store_t *store, const cs_snapshot_t *snapshot, const char *key,
                        const char *want)
{
    cs_slice_t value = cs_slice_text(want != NULL ? want : "");
    expect_value(store, snapshot, cs_slice_text(key), want != NULL ? &value : NULL);
}

/* The rows from `from` on, as "k=v k=v ". */
static void expect_rows(cs_iter_t *iter, const char *from, const char *want)
{
    cs_buf_t rows = {0};
    for (cs_iter_seek(iter, cs_slice_text(from)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_buf_put_slice(&rows, cs_iter_key(iter));
        cs_buf_put_u8(&rows, '=');
        cs_buf_put_slice(&rows, cs_iter_value(iter));
        cs_buf_put_u8(&rows, ' ');
    }
    cr_assert_eq(cs_iter_err(iter), CS_OK);
    cs_buf_put_u8(&rows, '\0');
    cr_assert_str_eq((const char *)rows.data, want);
    cs_buf_fini(&rows);
}

static void expect_all_rows(place_t *place, const cs_snapshot_t *snapshot, const char *want)
{
    cs_iter_t *iter = cs_store_iter(place->store, snapshot);
    expect_rows(iter, "", want);
    cs_iter_destroy(&iter);
    cr_assert_null(iter);
}

PROMISE(missing_key_is_not_found)
{
    expect_text(place->store, NULL, "a", NULL);
    put(place->store, "ab", "1");
    expect_text(place->store, NULL, "a", NULL);
    expect_text(place->store, NULL, "abc", NULL);
    expect_text(place->store, NULL, "ab", "1");
}

PROMISE(last_operation_on_a_key_counts)
{
    put(place->store, "gone", "1");
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice_text("a"), cs_slice_text("1"));
    cs_batch_delete(&batch, cs_slice_text("a"));
    cs_batch_put(&batch, cs_slice_text("a"), cs_slice_text("2"));
    cs_batch_put(&batch, cs_slice_text("b"), cs_slice_text("3"));
    cs_batch_delete(&batch, cs_slice_text("b"));
    cs_batch_delete(&batch, cs_slice_text("gone"));
    cs_batch_delete(&batch, cs_slice_text("never there"));
    cr_assert_eq(cs_store_write(place->store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    expect_all_rows(place, NULL, "a=2 ");
}

PROMISE(empty_batch_changes_nothing)
{
    put(place->store, "a", "1");
    cs_batch_t batch = {0};
    cr_assert_eq(cs_store_write(place->store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    expect_all_rows(place, NULL, "a=1 ");
}

PROMISE(empty_keys_and_values_are_values)
{
    put(place->store, "", "1");
    put(place->store, "a", "");
    expect_text(place->store, NULL, "", "1");
    expect_text(place->store, NULL, "a", "");
    expect_all_rows(place, NULL, "=1 a= ");
}

PROMISE(keys_sort_as_unsigned_bytes)
{
    static const char *const keys[] = {"\xff\xff", "b",     "a",     "\xff",
                                       "aa",       "a\x80", "a\x7f", "\x01"};
    for (size_t i = 0; i < CS_COUNT_OF(keys); i++) {
        put(place->store, keys[i], "");
    }
    cs_slice_t value = cs_slice(NULL, 0);
    cr_assert_eq(write_one(place->store, cs_slice("a\0", 2), &value, true), CS_OK);

    static const cs_slice_t want[] = {
        {(const uint8_t *)"\x01", 1},     {(const uint8_t *)"a", 1},
        {(const uint8_t *)"a\0", 2},      {(const uint8_t *)"aa", 2},
        {(const uint8_t *)"a\x7f", 2},    {(const uint8_t *)"a\x80", 2},
        {(const uint8_t *)"b", 1},        {(const uint8_t *)"\xff", 1},
        {(const uint8_t *)"\xff\xff", 2},
    };
    cs_iter_t *iter = cs_store_iter(place->store, NULL);
    cs_iter_seek(iter, cs_slice(NULL, 0));
    for (size_t i = 0; i < CS_COUNT_OF(want); i++, cs_iter_next(iter)) {
        cr_assert(cs_iter_valid(iter));
        cr_assert(cs_slice_eq(cs_iter_key(iter), want[i]), "row %zu", i);
    }
    cr_assert_not(cs_iter_valid(iter));
    cr_assert_eq(cs_iter_err(iter), CS_OK);
    cs_iter_destroy(&iter);
}

PROMISE(seek_finds_the_first_key_not_below)
{
    put(place->store, "b", "1");
    put(place->store, "d", "2");
    cs_iter_t *iter = cs_store_iter(place->store, NULL);
    cr_assert_not(cs_iter_valid(iter), "valid before the first seek");
    expect_rows(iter, "c", "d=2 ");
    expect_rows(iter, "b", "b=1 d=2 ");
    expect_rows(iter, "d\x01", "");
    expect_rows(iter, "", "b=1 d=2 ");
    cs_iter_destroy(&iter);
}

PROMISE(snapshot_and_iterator_see_the_past)
{
    put(place->store, "a", "1");
    put(place->store, "b", "1");
    cs_snapshot_t *old = cs_store_snapshot(place->store);
    cs_iter_t *iter = cs_store_iter(place->store, NULL);
    put(place->store, "a", "2");
    put(place->store, "c", "2");
    cr_assert_eq(write_one(place->store, cs_slice_text("b"), NULL, true), CS_OK);
    cs_snapshot_t *newer = cs_store_snapshot(place->store);
    put(place->store, "a", "3");

    expect_rows(iter, "", "a=1 b=1 ");
    cs_iter_destroy(&iter);
    expect_all_rows(place, old, "a=1 b=1 ");
    expect_all_rows(place, newer, "a=2 c=2 ");
    expect_all_rows(place, NULL, "a=3 c=2 ");
    expect_text(place->store, old, "a", "1");
    expect_text(place->store, old, "c", NULL);
    expect_text(place->store, newer, "b", NULL);
    cs_store_release(place->store, &old);
    cr_assert_null(old);
    expect_all_rows(place, newer, "a=2 c=2 ");
    cs_store_release(place->store, &newer);
}

PROMISE(reopened_store_has_all_rows)
{
    put(place->store, "a", "1");
    cs_slice_t value = cs_slice_text("2");
    cr_assert_eq(write_one(place->store, cs_slice_text("b"), &value, false), CS_OK);
    reopen(place);
    expect_all_rows(place, NULL, "a=1 b=2 ");
    cr_assert_eq(write_one(place->store, cs_slice_text("a"), NULL, true), CS_OK);
    reopen(place);
    reopen(place);
    expect_all_rows(place, NULL, "b=2 ");
}

PROMISE(second_open_is_busy_and_harms_nothing)
{
    put(place->store, "a", "1");
    cs_store_t *second = NULL;
    cr_assert_eq(place->ops->open(place, &second), CS_ERR_BUSY);
    cr_assert_null(second);
    put(place->store, "b", "2");
    reopen(place);
    expect_all_rows(place, NULL, "a=1 b=2 ");
}

PROMISE(value_of_a_mebibyte_comes_back)
{
    size_t len = 1u << 20;
    uint8_t *bytes = cs_malloc(len);
    cs_prng_t prng;
    cs_prng_init(&prng, 1);
    cs_prng_fill(&prng, bytes, len);
    cs_slice_t value = cs_slice(bytes, len);
    cr_assert_eq(write_one(place->store, cs_slice_text("big"), &value, true), CS_OK);
    expect_value(place->store, NULL, cs_slice_text("big"), &value);
    reopen(place);
    expect_value(place->store, NULL, cs_slice_text("big"), &value);
    cs_free(bytes);
}

PROMISE(failed_write_leaves_nothing_and_ends_writing)
{
    put(place->store, "a", "1");
    char large[400];
    memset(large, 'x', sizeof large);
    cs_slice_t value = cs_slice(large, sizeof large);

    place->ops->break_writes(place);
    cs_err_t first = write_one(place->store, cs_slice_text("b"), &value, true);
    place->ops->mend_writes(place);
    cs_err_t later = write_one(place->store, cs_slice_text("c"), &value, true);

    cr_assert_eq(first, CS_ERR_IO, "%s", cs_err_name(first));
    cr_assert_eq(later, CS_ERR_IO, "a write went behind a torn one");
    expect_all_rows(place, NULL, "a=1 ");
    reopen(place);
    expect_all_rows(place, NULL, "a=1 ");
    put(place->store, "d", "4");
    reopen(place);
    expect_all_rows(place, NULL, "a=1 d=4 ");
}

/* A random history against an array indexed by key. */
enum { MODEL_KEYS = 64, MODEL_STEPS = 400 };

typedef struct model {
    uint32_t value[MODEL_KEYS]; /* 0: no such row */
} model_t;

static void expect_model(place_t *place, const cs_snapshot_t *snapshot, const model_t *model)
{
    cs_iter_t *iter = cs_store_iter(place->store, snapshot);
    cs_iter_seek(iter, cs_slice(NULL, 0));
    for (uint8_t key = 0; key < MODEL_KEYS; key++) {
        cs_slice_t want = cs_slice(&model->value[key], sizeof model->value[key]);
        bool exists = model->value[key] != 0;
        expect_value(place->store, snapshot, cs_slice(&key, 1), exists ? &want : NULL);
        if (!exists) continue;
        cr_assert(cs_iter_valid(iter));
        cr_assert(cs_slice_eq(cs_iter_key(iter), cs_slice(&key, 1)));
        cr_assert(cs_slice_eq(cs_iter_value(iter), want));
        cs_iter_next(iter);
    }
    cr_assert_not(cs_iter_valid(iter));
    cr_assert_eq(cs_iter_err(iter), CS_OK);
    cs_iter_destroy(&iter);
}

static void random_batch(place_t *place, cs_prng_t *prng, model_t *model, uint32_t step)
{
    cs_batch_t batch = {0};
    for (uint64_t n = cs_prng_below(prng, 12); n > 0; n--) {
        uint8_t key = (uint8_t)cs_prng_below(prng, MODEL_KEYS);
        model->value[key] = cs_prng_chance(prng, 1, 3) ? 0 : step;
        if (model->value[key] == 0) {
            cs_batch_delete(&batch, cs_slice(&key, 1));
        } else {
            cs_batch_put(&batch, cs_slice(&key, 1), cs_slice(&step, sizeof step));
        }
    }
    cr_assert_eq(cs_store_write(place->store, &batch, cs_prng_chance(prng, 1, 8)), CS_OK);
    cs_batch_fini(&batch);
}

PROMISE(random_history_equals_the_model)
{
    uint64_t seed = (uint64_t)time(NULL);
    fprintf(stderr, "seed %llu\n", (unsigned long long)seed);
    cs_prng_t prng;
    cs_prng_init(&prng, seed);
    model_t now = {0}, then = {0};
    cs_snapshot_t *snapshot = cs_store_snapshot(place->store);
    for (uint32_t step = 1; step <= MODEL_STEPS; step++) {
        random_batch(place, &prng, &now, step);
        if (cs_prng_chance(&prng, 1, 10)) {
            expect_model(place, snapshot, &then);
            expect_model(place, NULL, &now);
            cs_store_release(place->store, &snapshot);
            if (cs_prng_chance(&prng, 1, 4)) reopen(place);
            snapshot = cs_store_snapshot(place->store);
            then = now;
        }
    }
    expect_model(place, snapshot, &then);
    cs_store_release(place->store, &snapshot);
    reopen(place);
    expect_model(place, NULL, &now);
}
