/* mem_store_test.c - the failures that the model of a disk can show. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/mem_store.h"
#include "sim/mem_tree.h"

static cs_store_t *reopen(cs_mem_disk_t *disk, cs_store_t *store)
{
    cs_store_close(&store);
    cr_assert_eq(cs_mem_store_open(disk, &store), CS_OK);
    return store;
}

static cs_err_t put(cs_store_t *store, const char *key, bool sync)
{
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice_text(key), cs_slice_text(key));
    cs_err_t err = cs_store_write(store, &batch, sync);
    cs_batch_fini(&batch);
    return err;
}

static bool has(cs_store_t *store, const char *key)
{
    cs_buf_t value = {0};
    cs_err_t err = cs_store_get(store, NULL, cs_slice_text(key), &value);
    cs_buf_fini(&value);
    return err == CS_OK;
}

Test(mem_store, crash_keeps_the_synced_and_a_prefix_of_the_rest)
{
    for (uint64_t random = 0; random < 8; random++) {
        cs_mem_disk_t *disk = cs_mem_disk_new();
        cs_store_t *store = reopen(disk, NULL);
        cr_assert_eq(put(store, "a", false), CS_OK);
        cr_assert_eq(put(store, "b", true), CS_OK);
        cr_assert_eq(put(store, "c", false), CS_OK);
        cr_assert_eq(put(store, "d", false), CS_OK);
        cr_assert_eq(put(store, "e", false), CS_OK);

        cs_mem_disk_crash(disk, random);
        cr_assert_eq(put(store, "f", true), CS_ERR_IO, "a dead store took a write");
        store = reopen(disk, store);
        cr_assert(has(store, "a") && has(store, "b"));
        cr_assert_eq(has(store, "c"), random % 4 >= 1);
        cr_assert_eq(has(store, "d"), random % 4 >= 2);
        cr_assert_eq(has(store, "e"), random % 4 >= 3);
        cr_assert_not(has(store, "f"));

        cs_mem_disk_crash(disk, 0);
        store = reopen(disk, store);
        cr_assert_eq(has(store, "c"), random % 4 >= 1, "what survived a crash was lost later");
        cs_store_close(&store);
        cs_mem_disk_destroy(&disk);
    }
}

Test(mem_store, close_loses_nothing)
{
    cs_mem_disk_t *disk = cs_mem_disk_new();
    cs_store_t *store = reopen(disk, NULL);
    cr_assert_eq(put(store, "a", false), CS_OK);
    store = reopen(disk, store);
    cr_assert(has(store, "a"));
    cs_store_close(&store);
    cs_mem_disk_destroy(&disk);
}

Test(mem_store, copy_has_the_durable_state_and_lives_on_its_own)
{
    cs_mem_disk_t *disk = cs_mem_disk_new();
    cs_store_t *store = reopen(disk, NULL);
    cr_assert_eq(put(store, "a", true), CS_OK);
    cr_assert_eq(put(store, "b", false), CS_OK);
    cs_mem_disk_t *copy = cs_mem_disk_copy(disk);
    cr_assert_eq(put(store, "c", true), CS_OK);

    cs_store_t *other = reopen(copy, NULL);
    cr_assert(has(other, "a"));
    cr_assert_not(has(other, "b") || has(other, "c"));
    cr_assert_eq(put(other, "d", true), CS_OK);
    cr_assert(has(store, "b") && has(store, "c"));
    cr_assert_not(has(store, "d"));
    cs_store_close(&other);
    cs_store_close(&store);
    cs_mem_disk_destroy(&copy);
    cs_mem_disk_destroy(&disk);
}

Test(mem_store, lost_rows_are_gone_with_their_prefix_only)
{
    cs_mem_disk_t *disk = cs_mem_disk_new();
    cs_store_t *store = reopen(disk, NULL);
    static const char *const keys[] = {"d", "e", "e/1", "e/2", "f"};
    for (size_t i = 0; i < CS_COUNT_OF(keys); i++) {
        cr_assert_eq(put(store, keys[i], i != 3), CS_OK);
    }
    cs_snapshot_t *before = cs_store_snapshot(store);
    cs_mem_disk_lose_prefix(disk, cs_slice_text("e/"));
    cr_assert(has(store, "d") && has(store, "e") && has(store, "f"));
    cr_assert_not(has(store, "e/1") || has(store, "e/2"));

    cs_buf_t value = {0};
    cr_assert_eq(cs_store_get(store, before, cs_slice_text("e/1"), &value), CS_OK);
    cs_buf_fini(&value);
    cs_store_release(store, &before);
    cs_mem_disk_crash(disk, 0);
    store = reopen(disk, store);
    cr_assert_not(has(store, "e/1") || has(store, "e/2"), "a crash brought lost rows back");
    cs_store_close(&store);
    cs_mem_disk_destroy(&disk);
}

Test(mem_store, armed_failure_waits_its_turn_and_ends_with_the_store)
{
    cs_mem_disk_t *disk = cs_mem_disk_new();
    cs_store_t *store = reopen(disk, NULL);
    cs_mem_disk_fail_writes(disk, 1, CS_ERR_NOSPACE);
    cr_assert_eq(put(store, "a", true), CS_OK);
    cr_assert_eq(put(store, "b", true), CS_ERR_NOSPACE);
    cr_assert_eq(put(store, "c", true), CS_ERR_NOSPACE);
    store = reopen(disk, store);
    cr_assert_eq(put(store, "c", true), CS_OK);
    cr_assert(has(store, "a") && has(store, "c"));
    cr_assert_not(has(store, "b"));
    cs_store_close(&store);
    cs_mem_disk_destroy(&disk);
}

Test(mem_store, old_versions_of_a_tree_do_not_change)
{
    enum { VERSIONS = 50, KEYS = 200 };
    cs_mem_node_t *versions[VERSIONS];
    cs_mem_node_t *tree = NULL;
    char key[16];
    for (int version = 0; version < VERSIONS; version++) {
        for (int i = version % 3; i < KEYS; i += 3) {
            int len = snprintf(key, sizeof key, "%d", i);
            cs_mem_tree_put(&tree, cs_slice(key, (size_t)len),
                            cs_slice(&version, sizeof version));
        }
        int len = snprintf(key, sizeof key, "%d", version * 7 % KEYS);
        cs_mem_tree_delete(&tree, cs_slice(key, (size_t)len));
        versions[version] = cs_mem_tree_ref(tree);
    }
    for (int version = 0; version < VERSIONS; version++) {
        cs_mem_walk_t walk;
        cs_mem_walk_init(&walk, versions[version]);
        int newest = -1;
        for (cs_mem_walk_seek(&walk, cs_slice(NULL, 0)); cs_mem_walk_valid(&walk);
             cs_mem_walk_next(&walk)) {
            int value;
            memcpy(&value, cs_mem_walk_value(&walk).data, sizeof value);
            if (value > newest) newest = value;
        }
        cr_assert_eq(newest, version);
        cs_mem_walk_fini(&walk);
        cs_mem_tree_unref(&versions[version]);
    }
    cs_mem_tree_unref(&tree);
}
