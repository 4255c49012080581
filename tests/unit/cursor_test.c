/* cursor_test.c - cursors over an overlay and a store see what a plain list of rows would, and
 * say what stands behind their part of it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "crdt/workset.h"
#include "sim/mem_store.h"
#include "support/seed.h"

#define KEYS  40u
#define STEPS 4000u

static const cs_table_type_t types[CS_TABLE_COUNT] = {
    {.prefix = 'e'}, {.prefix = 'd'}, {.prefix = 't'}, {.prefix = 'p'},
    {.prefix = 'b'}, {.prefix = 'h'}, {.prefix = 'w'}, {.prefix = 'g'}};

static char name[KEYS][8]; /* sorted */
static bool there[KEYS];
static cs_store_t *store;
static cs_workset_t ws;

static void set_up(void)
{
    store = cs_mem_store_new();
    cs_workset_init(&ws, store, 7, types, NULL);
    for (uint32_t i = 0; i < KEYS; i++) {
        static const char *const tails[] = {"", "-", "-b", "/x", "/y", "0", "a", "~"};
        snprintf(name[i], sizeof name[i], "%c%s", (char)('a' + i / 8), tails[i % 8]);
        there[i] = false;
    }
}

static void tear_down(void)
{
    cs_workset_fini(&ws);
    cs_store_close(&store);
}

TestSuite(cursor, .init = set_up, .fini = tear_down);

static cs_slice_t key(uint32_t i)
{
    return cs_slice_text(name[i]);
}

/* The first row at or behind `i`; KEYS: none. */
static uint32_t next_row(uint32_t i)
{
    while (i < KEYS && !there[i])
        i++;
    return i;
}

static void check(uint32_t from, cs_slice_t within)
{
    cs_cursor_t cursor;
    uint32_t want = next_row(from);
    cs_cursor_init(&cursor, &ws, CS_T_PATH);
    cs_cursor_seek_within(&cursor, key(from), within);
    for (; cursor.valid; cs_cursor_next(&cursor), want = next_row(want + 1)) {
        cr_assert_lt(want, KEYS);
        cr_assert(cs_slice_eq(cursor.key, key(want)), "%.*s is not %s", (int)cursor.key.len,
                  (const char *)cursor.key.data, name[want]);
    }
    if (want < KEYS) cr_assert_not(cs_slice_has_prefix(key(want), within));
    if (cursor.beyond_known && want == KEYS) cr_assert_null(cursor.beyond.data);
    if (cursor.beyond_known && want < KEYS) cr_assert(cs_slice_eq(cursor.beyond, key(want)));
    cs_cursor_fini(&cursor);
}

static void stage(bool durable)
{
    cs_batch_t batch = {0};
    if (!cs_workset_is_dirty(&ws)) return;
    cs_workset_stage(&ws, &batch);
    cr_assert(cs_store_write(store, &batch, true) == CS_OK);
    cs_batch_fini(&batch);
    while (durable && ws.stage_done < ws.stage_next)
        cs_workset_durable(&ws);
}

Test(cursor, agrees_with_a_list)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("cursor"));
    for (uint32_t step = 0; step < STEPS; step++) {
        uint32_t i = (uint32_t)cs_prng_below(&prng, KEYS);
        there[i] = cs_prng_chance(&prng, 1, 2);
        if (there[i] && !cs_workset_has(&ws, CS_T_PATH, key(i)))
            cs_workset_put_new(&ws, CS_T_PATH, key(i), NULL);
        else if (there[i])
            cs_workset_put(&ws, CS_T_PATH, key(i), NULL);
        else
            cs_workset_delete(&ws, CS_T_PATH, key(i));
        if (cs_prng_chance(&prng, 1, 9)) stage(cs_prng_chance(&prng, 1, 2));
        uint32_t from = (uint32_t)cs_prng_below(&prng, KEYS);
        check(from, cs_slice_text(""));
        check(from, key(from));
    }
}

Test(cursor, tells_what_stands_behind)
{
    cs_cursor_t cursor;
    cs_workset_put(&ws, CS_T_PATH, key(0), NULL); /* a */
    cs_workset_put(&ws, CS_T_PATH, key(8), NULL); /* b */
    stage(true);
    cs_cursor_init(&cursor, &ws, CS_T_PATH);
    cs_cursor_seek_within(&cursor, key(0), key(0));
    cr_assert(cursor.valid);
    cs_cursor_next(&cursor);
    cr_assert(!cursor.valid && cursor.beyond_known);
    cr_assert(cs_slice_eq(cursor.beyond, key(8)), "stored");
    cs_cursor_fini(&cursor);

    cs_workset_delete(&ws, CS_T_PATH, key(8));
    cs_cursor_seek_within(&cursor, key(0), key(0));
    cs_cursor_next(&cursor);
    cr_assert(!cursor.valid && !cursor.beyond_known, "behind the deleted row, who knows");
    cs_cursor_fini(&cursor);
}

Test(cursor, a_row_that_came_and_went_leaves_no_trace)
{
    cs_workset_put_new(&ws, CS_T_PATH, key(0), NULL);
    cs_workset_put(&ws, CS_T_PATH, key(0), NULL);
    cs_workset_delete(&ws, CS_T_PATH, key(0));
    cr_assert_not(cs_workset_is_dirty(&ws));

    cs_workset_put_new(&ws, CS_T_PATH, key(0), NULL);
    stage(false); /* on its way */
    cs_workset_delete(&ws, CS_T_PATH, key(0));
    cr_assert(cs_workset_is_dirty(&ws));
    stage(true);
    cr_assert_not(cs_workset_any(&ws, CS_T_PATH, cs_slice_text("")));
}
