/* verify_test.c - a damaged index is told from a good one, row by row. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "crdt/replica_i.h"
#include "sim/mem_store.h"
#include "support/peer.h"

#define FOLDER 7u

typedef struct fixture {
    cs_mem_disk_t *disk;
    cs_peer_t peer;
    cs_keys_t keys;
    char told[512]; /* path: problem, one a line */
} fixture_t;

static void begin(fixture_t *f)
{
    cs_open_result_t opened;
    memset(f, 0, sizeof *f);
    f->disk = cs_mem_disk_new();
    cs_replica_config_t config = {.folder = FOLDER, .fresh_rid = 0x11};
    cs_keys_derive(&config.keys, (const uint8_t *)"a secret of thirty-two bytes ...");
    f->keys = config.keys;
    cr_assert_eq(cs_mem_store_open(f->disk, &f->peer.store), CS_OK);
    config.store = f->peer.store;
    cr_assert_eq(cs_replica_open(&config, &f->peer.replica, &opened), CS_OK);
    const char *const paths[] = {"a", "d/b", "d/c"};
    for (size_t i = 0; i < CS_COUNT_OF(paths); i++) {
        cs_content_t content = cs_tree_text(CS_KIND_FILE, paths[i]);
        cs_tree_write(&f->peer.tree, paths[i], &content, -1);
    }
    cs_peer_scan(&f->peer);
    cs_peer_catch_up(&f->peer);
    cs_peer_persist(&f->peer, false);
}

static void end(fixture_t *f)
{
    cs_replica_destroy(&f->peer.replica);
    cs_store_close(&f->peer.store);
    cs_tree_fini(&f->peer.tree);
    cs_mem_disk_destroy(&f->disk);
}

static void on_problem(void *arg, cs_slice_t path, const char *text)
{
    fixture_t *f = arg;
    size_t len = strlen(f->told);
    snprintf(f->told + len, sizeof f->told - len, "%.*s: %s\n", (int)path.len,
             (const char *)path.data, text);
}

static void verify(fixture_t *f, const char *part)
{
    f->told[0] = '\0';
    cs_snapshot_t *snapshot = cs_store_snapshot(f->peer.store);
    const cs_verify_t config = {.store = f->peer.store,
                                .snapshot = snapshot,
                                .folder = FOLDER,
                                .keys = &f->keys,
                                .arg = f,
                                .problem = on_problem};
    cr_assert_eq(cs_replica_verify(&config), CS_OK);
    cs_store_release(f->peer.store, &snapshot);
    if (part == NULL) {
        cr_assert_str_eq(f->told, "");
    } else {
        cr_assert_not_null(strstr(f->told, part), "no '%s' in: %s", part, f->told);
    }
}

/* The n-th row of a table: rewritten with a flipped byte, or deleted. */
static void damage(fixture_t *f, char prefix, uint32_t n, bool delete)
{
    cs_buf_t key = {0}, value = {0};
    cs_batch_t batch = {0};
    cs_buf_put_u32_be(&key, FOLDER);
    cs_buf_put_u8(&key, (uint8_t)prefix);
    cs_buf_put_u8(&key, '/');
    cs_iter_t *iter = cs_store_iter(f->peer.store, NULL);
    cs_iter_seek(iter, cs_buf_slice(&key));
    for (uint32_t i = 0; i < n; i++) {
        cs_iter_next(iter);
    }
    cr_assert(cs_iter_valid(iter) &&
              cs_slice_has_prefix(cs_iter_key(iter), cs_buf_slice(&key)));
    cs_buf_put_slice(&value, cs_iter_value(iter));
    if (delete) {
        cs_batch_delete(&batch, cs_iter_key(iter));
    } else {
        value.data[value.len / 2] ^= 1;
        cs_batch_put(&batch, cs_iter_key(iter), cs_buf_slice(&value));
    }
    cs_iter_destroy(&iter);
    cr_assert_eq(cs_store_write(f->peer.store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

Test(verify, finds_nothing_where_all_is_well)
{
    fixture_t f;
    begin(&f);
    verify(&f, NULL);
    end(&f);
}

Test(verify, finds_an_entry_that_is_damaged)
{
    fixture_t f;
    begin(&f);
    damage(&f, 'e', 1, false);
    verify(&f, "of the index cannot be read");
    verify(&f, ".: the digest is not that of the entries");
    end(&f);
}

Test(verify, finds_an_entry_that_is_lost)
{
    fixture_t f;
    begin(&f);
    damage(&f, 'e', 0, true);
    verify(&f, ".: the digest is not that of the entries");
    verify(&f, ".: the table of digests lists what is not there");
    end(&f);
}

Test(verify, finds_rows_that_were_derived_and_are_lost)
{
    fixture_t f;
    begin(&f);
    damage(&f, 'd', 0, true);
    verify(&f, ": the table of digests does not list it");
    damage(&f, 'p', 1, true);
    verify(&f, "d/b: the index of paths does not list it");
    end(&f);
}

/* As when a row comes back that was deleted: a directory of nothing stays for ever. */
Test(verify, finds_rows_that_were_derived_from_nothing)
{
    fixture_t f;
    begin(&f);
    cs_buf_t key = {0};
    cs_batch_t batch = {0};
    cs_buf_put_u32_be(&key, FOLDER);
    cs_buf_put(&key, "p/gone/file", 12); /* with its NUL */
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice(NULL, 0));
    cr_assert_eq(cs_store_write(f.peer.store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    verify(&f, ".: the index of paths lists what is not there");
    end(&f);
}

Test(verify, finds_a_base_row_and_a_record_that_are_damaged)
{
    fixture_t f;
    begin(&f);
    damage(&f, 'b', 2, false);
    verify(&f, "d/c: its row of the base table cannot be read");
    damage(&f, 'm', 0, false);
    verify(&f, ".: the record of the digest cannot be read");
    end(&f);
}

Test(verify, finds_symbols_that_are_not_those_of_the_entries)
{
    fixture_t f;
    begin(&f);
    cs_replica_keep_symbols(f.peer.replica);
    cs_peer_persist(&f.peer, false);
    verify(&f, NULL);
    f.peer.replica->symbols_kept = false;
    f.peer.replica->prefix.symbols.at[3].check ^= 1;
    cs_replica_keep_symbols(f.peer.replica);
    cs_peer_persist(&f.peer, false);
    verify(&f, ".: the symbols kept are not those of the entries");
    end(&f);
}
