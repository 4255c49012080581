/* leveldb_deleted_test.c - what was deleted stays deleted, whoever holds snapshots meanwhile.
 *
 * LevelDB 1.23 keeps the row and its deletion both while a snapshot lies between them. If they
 * come to lie in two tables of one level, a compaction from above may take the deletion alone
 * and drop it, and the row is there again. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "io/leveldb_internal.h"

#define ROWS  60000u /* two versions of them fill some tables: 64 B a key, and no value */
#define BATCH 500u
#define STEP  500u /* from one row that comes later to the next */

static cs_store_t *store;
static char dir[64];

static void setup(void)
{
    cs_buf_t detail = {0};
    snprintf(dir, sizeof dir, "/tmp/crdtsync-test-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    cr_assert_eq(cs_leveldb_open(dir, &store, &detail), CS_OK);
    cs_buf_fini(&detail);
}

static void teardown(void)
{
    char command[128];
    cs_store_close(&store);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    cr_assert_eq(system(command), 0);
}

TestSuite(leveldb_deleted, .init = setup, .fini = teardown);

/* In the order of rows. Most of it is a hash, so that keys have little in common, and they are
 * of many lengths, so that tables end anywhere. */
static cs_slice_t key_of(unsigned row, const char *tail, char ret[80])
{
    uint8_t hash[28] = {0};
    cs_slice_t part = cs_slice(&row, sizeof row);
    cs_hash(hash, sizeof hash, hash, 0, &part, 1);
    int len = snprintf(ret, 80, "%06u", row);
    cs_hex(ret + len, hash, sizeof hash - hash[0] % 16);
    strcat(ret, tail);
    return cs_slice_text(ret);
}

static void change(bool put)
{
    char key[80];
    for (unsigned i = 0; i < ROWS; i += BATCH) {
        cs_batch_t batch = {0};
        for (unsigned row = i; row < i + BATCH; row++) {
            if (put) {
                cs_batch_put(&batch, key_of(row, "", key), cs_slice(NULL, 0));
            } else {
                cs_batch_delete(&batch, key_of(row, "", key));
            }
        }
        cr_assert_eq(cs_store_write(store, &batch, false), CS_OK);
        cs_batch_fini(&batch);
    }
}

static void compact(cs_slice_t from, cs_slice_t to)
{
    leveldb_compact_range(((cs_ldb_t *)store)->db, (const char *)from.data, from.len,
                          (const char *)to.data, to.len);
}

/* A row beside one that was deleted: the tables around it are made anew. */
static void add_beside(unsigned row)
{
    char key[80];
    cs_batch_t batch = {0};
    cs_slice_t beside = key_of(row, "beside", key);
    cs_batch_put(&batch, beside, cs_slice(NULL, 0));
    cr_assert_eq(cs_store_write(store, &batch, false), CS_OK);
    cs_batch_fini(&batch);
    compact(beside, beside);
}

static unsigned count(const cs_snapshot_t *snapshot)
{
    unsigned rows = 0;
    cs_iter_t *iter = cs_store_iter(store, snapshot);
    for (cs_iter_seek(iter, cs_slice_text("")); cs_iter_valid(iter); cs_iter_next(iter))
        rows++;
    cr_assert_eq(cs_iter_err(iter), CS_OK);
    cs_iter_destroy(&iter);
    return rows;
}

Test(leveldb_deleted, stays_deleted_after_a_snapshot_from_before)
{
    cs_slice_t first = cs_slice_text("0"), end = cs_slice_text("9");
    change(true);
    compact(first, end);
    cs_snapshot_t *before = cs_store_snapshot(store);
    change(false);
    compact(first, end);
    cr_assert_eq(count(before), ROWS);
    cr_assert_eq(count(NULL), 0);
    cs_store_release(store, &before);
    for (unsigned row = 0; row < ROWS; row += STEP)
        add_beside(row);
    cr_assert_eq(count(NULL), ROWS / STEP);
}
