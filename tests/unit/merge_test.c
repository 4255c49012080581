/* merge_test.c - two sorted sets of digests, one read from rows, one told page by page. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "base/seal.h"
#include "recon/merge.h"
#include "sim/mem_store.h"
#include "support/seed.h"

#define FOLDER 3u

static cs_store_t *store;

static void set_up(void)
{
    store = cs_mem_store_new();
}

static void tear_down(void)
{
    cs_store_close(&store);
}

/* Digest and bucket of the number i: sorted as the numbers are, and telling them apart. */
static void number_bytes(uint64_t i, uint8_t ret[16])
{
    memset(ret, 0, 16);
    for (unsigned k = 0; k < 8; k++)
        ret[7 - k] = (uint8_t)(i >> (8 * k));
}

static uint64_t number_of(const uint8_t bytes[16])
{
    uint64_t i = 0;
    for (unsigned k = 0; k < 8; k++)
        i = i << 8 | bytes[k];
    return i;
}

static void put_row(uint32_t folder, char letter, uint64_t i, cs_slice_t payload)
{
    cs_buf_t key = {0}, value = {0};
    uint8_t bytes[16];
    number_bytes(i, bytes);
    cs_buf_put_u32_be(&key, folder);
    cs_buf_put_u8(&key, (uint8_t)letter);
    cs_buf_put_u8(&key, '/');
    cs_buf_put(&key, bytes, sizeof bytes);
    cs_buf_put_slice(&value, payload);
    cs_seal_append(&value, 0);
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_buf_slice(&key), cs_buf_slice(&value));
    cr_assert_eq(cs_store_write(store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

static void put_mine(uint64_t i)
{
    uint8_t bucket[16];
    number_bytes(~i, bucket);
    put_row(FOLDER, 'd', i, cs_slice(bucket, sizeof bucket));
}

static cs_view_t view_of_store(void)
{
    return (cs_view_t){.store = store, .snapshot = NULL, .folder = FOLDER};
}

static cs_err_t feed(cs_merge_t *merge, const uint64_t *numbers, size_t count, bool last)
{
    cs_buf_t page = {0};
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[16];
        number_bytes(numbers[i], bytes);
        cs_buf_put(&page, bytes, sizeof bytes);
    }
    cs_err_t err = cs_merge_list(merge, cs_buf_slice(&page), last);
    cs_buf_fini(&page);
    return err;
}

static void expect(cs_merge_t *merge, cs_diff_t what, uint64_t number)
{
    cs_diff_t got;
    cs_diff_item_t item;
    cr_assert_eq(cs_merge_next(merge, &got, &item), CS_OK);
    cr_assert_eq(got, what);
    if (what == CS_DIFF_MORE || what == CS_DIFF_END) return;
    cr_assert_eq(number_of(item.item), number);
    if (what == CS_DIFF_MINE) cr_assert_eq(number_of(item.bucket.b), ~number);
}

TestSuite(merge, .init = set_up, .fini = tear_down);

Test(merge, yields_both_sides_in_order_and_skips_what_both_have)
{
    put_mine(1);
    put_mine(4);
    put_mine(5);
    put_row(FOLDER + 1, 'd', 2, cs_slice_text("another folder"));
    put_row(FOLDER, 'e', 2, cs_slice_text("another table"));
    cs_view_t view = view_of_store();
    cs_merge_t *merge = cs_merge_new(&view);
    cr_assert_eq(cs_merge_resume(merge).len, 0);
    expect(merge, CS_DIFF_MORE, 0);
    cr_assert_eq(feed(merge, (uint64_t[]){2, 4}, 2, false), CS_OK);
    expect(merge, CS_DIFF_MINE, 1);
    expect(merge, CS_DIFF_THEIRS, 2);
    expect(merge, CS_DIFF_MORE, 0);
    cr_assert_eq(number_of(cs_merge_resume(merge).data), 4);
    cr_assert_eq(feed(merge, (uint64_t[]){9}, 1, true), CS_OK);
    expect(merge, CS_DIFF_MINE, 5);
    expect(merge, CS_DIFF_THEIRS, 9);
    expect(merge, CS_DIFF_END, 0);
    expect(merge, CS_DIFF_END, 0);
    cs_merge_destroy(&merge);
}

Test(merge, refuses_lists_that_are_not_ascending_or_not_asked_for)
{
    cs_view_t view = view_of_store();
    cs_merge_t *merge = cs_merge_new(&view);
    cr_assert_eq(feed(merge, (uint64_t[]){3, 3}, 2, true), CS_ERR_MALFORMED);
    cr_assert_eq(feed(merge, (uint64_t[]){3, 2}, 2, true), CS_ERR_MALFORMED);
    cr_assert_eq(feed(merge, NULL, 0, false), CS_ERR_MALFORMED, "it would never end");
    cr_assert_eq(feed(merge, (uint64_t[]){3}, 1, false), CS_OK);
    cr_assert_eq(feed(merge, (uint64_t[]){4}, 1, false), CS_ERR_MALFORMED, "not used up yet");
    expect(merge, CS_DIFF_THEIRS, 3);
    cr_assert_eq(feed(merge, (uint64_t[]){3}, 1, true), CS_ERR_MALFORMED, "3 again");
    cr_assert_eq(feed(merge, NULL, 0, true), CS_OK);
    expect(merge, CS_DIFF_END, 0);
    cr_assert_eq(feed(merge, NULL, 0, true), CS_ERR_MALFORMED, "it had ended");
    cs_merge_destroy(&merge);
}

Test(merge, a_row_with_a_wrong_seal_is_corrupt)
{
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice("\0\0\0\3d/0123456789abcdef", 22),
                 cs_slice_text("unsealed bytes"));
    cr_assert_eq(cs_store_write(store, &batch, true), CS_OK);
    cs_batch_fini(&batch);
    cs_view_t view = view_of_store();
    cs_merge_t *merge = cs_merge_new(&view);
    cs_diff_t what;
    cs_diff_item_t item;
    cr_assert_eq(cs_merge_next(merge, &what, &item), CS_ERR_CORRUPT);
    cs_merge_destroy(&merge);
}

Test(view, lists_pages_that_go_on_where_the_last_one_ended, .init = set_up, .fini = tear_down)
{
    for (uint64_t i = 1; i <= 5; i++)
        put_mine(i);
    cs_view_t view = view_of_store();
    cs_buf_t page = {0};
    uint8_t after[16];
    bool last;
    cr_assert_eq(cs_view_list(&view, cs_slice(NULL, 0), 3, &page, &last), CS_OK);
    cr_assert(page.len == 48 && !last && number_of(page.data) == 1);
    number_bytes(3, after);
    cr_assert_eq(cs_view_list(&view, cs_slice(after, 16), 2, &page, &last), CS_OK);
    cr_assert(page.len == 32 && last && number_of(page.data) == 4);
    number_bytes(5, after);
    cr_assert_eq(cs_view_list(&view, cs_slice(after, 16), 2, &page, &last), CS_OK);
    cr_assert(page.len == 0 && last);
    cs_buf_fini(&page);
}

/* Random sets, random pages, against the plain definition. */
Test(merge, agrees_with_set_difference)
{
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("merge"));
    for (int round = 0; round < 200; round++) {
        bool mine[64] = {0}, theirs[64] = {0}, seen[64] = {0};
        cs_store_close(&store);
        store = cs_mem_store_new();
        for (uint64_t i = 0; i < 64; i++) {
            mine[i] = cs_prng_chance(&prng, 1, 2);
            theirs[i] = cs_prng_chance(&prng, 1, 2);
            if (mine[i]) put_mine(i);
        }
        cs_view_t view = view_of_store();
        cs_merge_t *merge = cs_merge_new(&view);
        cs_diff_t what;
        cs_diff_item_t item;
        uint64_t next = 0;
        do {
            cr_assert_eq(cs_merge_next(merge, &what, &item), CS_OK);
            if (what == CS_DIFF_MORE) {
                uint64_t page[64];
                size_t count = 0, want = 1 + cs_prng_below(&prng, 9);
                for (; next < 64 && count < want; next++) {
                    if (theirs[next]) page[count++] = next;
                }
                cr_assert_eq(feed(merge, page, count, next == 64), CS_OK);
            } else if (what != CS_DIFF_END) {
                uint64_t i = number_of(item.item);
                cr_assert(mine[i] != theirs[i] && mine[i] == (what == CS_DIFF_MINE));
                cr_assert_not(seen[i]);
                seen[i] = true;
            }
        } while (what != CS_DIFF_END);
        for (int i = 0; i < 64; i++)
            cr_assert_eq(seen[i], mine[i] != theirs[i]);
        cs_merge_destroy(&merge);
    }
}
