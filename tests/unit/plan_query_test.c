/* plan_query_test.c - what a plan asks and leaves alone, and how much it takes on. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/folder.h"
#include "support/site.h"

static sites_t sites;
static site_t *a, *b;

static void setup(void)
{
    sites_open(&sites, 2);
    a = &sites.site[0];
    b = &sites.site[1];
}

static void teardown(void)
{
    sites_close(&sites);
}

TestSuite(plan_query, .init = setup, .fini = teardown);

static bool staged_all(void *arg, const cs_content_t *content)
{
    (void)arg;
    (void)content;
    return true;
}

static void count_need(void *arg, const cs_item_t *item)
{
    (void)item;
    ++*(size_t *)arg;
}

static bool staged_none(void *arg, const cs_content_t *content)
{
    (void)arg;
    (void)content;
    return false;
}

static bool starts_with_x(void *arg, cs_slice_t path)
{
    (void)arg;
    return path.len > 0 && path.data[0] == 'x';
}

Test(plan_query, ignored_and_busy_paths_are_left_alone)
{
    site_write(a, "f", "text");
    site_write(a, "x", "text 2");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_plan_query_t query = {.staged = staged_all, .need = count_need};
    for (int i = 0; i < 2; i++) {
        cs_steps_t steps = {0};
        cs_buf_t cursor = {0};
        query.ignored = i == 0 ? starts_with_x : NULL;
        query.busy = i == 1 ? starts_with_x : NULL;
        cr_assert_eq(cs_plan(b->peer.replica, &query, 100, &cursor, &steps), CS_OK);
        cr_assert_eq(steps.len, 1);
        cr_assert_str_eq(steps.item[0].item.path->data, "f");
        cr_assert_eq(cursor.len, 0);
        cs_steps_fini(&steps);
        cs_buf_fini(&cursor);
    }
}

Test(plan_query, a_content_is_asked_for_once)
{
    site_write(a, "f", "same");
    site_write(a, "g", "same");
    site_write(a, "h", "other");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    size_t needs = 0;
    cs_plan_query_t query = {.arg = &needs, .staged = staged_none, .need = count_need};
    cs_steps_t steps = {0};
    cs_buf_t cursor = {0};
    cr_assert_eq(cs_plan(b->peer.replica, &query, 100, &cursor, &steps), CS_OK);
    cr_assert_eq(steps.len, 0);
    cr_assert_eq(needs, 2);
    cs_buf_fini(&cursor);
}

static void park(void *arg, const cs_item_t *item)
{
    cs_replica_park(arg, cs_slice_str(item->path));
}

static bool staged_wide(void *arg, const cs_content_t *content)
{
    (void)arg;
    return content->size == strlen("that came");
}

Test(plan_query, what_is_looked_at_by_name_is_parked_only_if_it_waits_again)
{
    site_write(a, "came", "that came");
    site_write(a, "gone", "not this");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_replica_t *replica = b->peer.replica;
    cs_plan_query_t query = {.arg = replica, .staged = staged_none, .need = park};
    cs_steps_t steps = {0};
    cs_buf_t todo = {0};
    cr_assert_eq(cs_plan(replica, &query, 100, &todo, &steps), CS_OK);
    cr_assert_not(cs_replica_todo(replica, cs_slice_text(""), &todo));
    cs_str_t *paths[] = {cs_str_from("came"), cs_str_from("gone")};
    size_t looked = 0;
    query.staged = staged_wide;
    cr_assert_eq(cs_plan_paths(replica, &query, paths, CS_COUNT_OF(paths), &looked, &steps),
                 CS_OK);
    cr_assert_eq(looked, CS_COUNT_OF(paths));
    cr_assert_eq(steps.len, 1);
    cr_assert(cs_replica_todo(replica, cs_slice_text(""), &todo));
    cr_assert(cs_slice_eq(cs_buf_slice(&todo), cs_slice_text("came")));
    cr_assert_not(cs_replica_todo(replica, cs_slice_text("came."), &todo),
                  "the other one, too");
    cs_str_unref(&paths[0]);
    cs_str_unref(&paths[1]);
    cs_steps_fini(&steps);
    cs_buf_fini(&todo);
}

Test(plan_query, a_plan_goes_on_from_its_cursor)
{
    for (int i = 0; i < 10; i++) {
        char name[8], text[16];
        snprintf(name, sizeof name, "f%d", i);
        snprintf(text, sizeof text, "text %d", i);
        site_write(a, name, text);
    }
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_plan_query_t query = {.staged = staged_all, .need = count_need};
    cs_buf_t cursor = {0};
    size_t steps_seen = 0, plans = 0;
    do {
        cs_steps_t steps = {0};
        cr_assert_eq(cs_plan(b->peer.replica, &query, 3, &cursor, &steps), CS_OK);
        steps_seen += steps.len;
        plans++;
        cs_steps_fini(&steps);
    } while (cursor.len > 0);
    cr_assert_eq(steps_seen, 10);
    cr_assert_eq(plans, 4);
    cs_buf_fini(&cursor);
}

static size_t needs_of(size_t needs_max, cs_buf_t *cursor)
{
    size_t needs = 0;
    cs_plan_query_t query = {
        .arg = &needs, .staged = staged_none, .need = count_need, .needs_max = needs_max};
    cs_steps_t steps = {0};
    cr_assert_eq(cs_plan(b->peer.replica, &query, 100, cursor, &steps), CS_OK);
    cr_assert_eq(steps.len, 0);
    return needs;
}

Test(plan_query, a_plan_asks_for_so_many_contents_and_no_more)
{
    site_write(a, "f", "text");
    site_write(a, "g", "text 2");
    site_write(a, "h", "text 3");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_buf_t cursor = {0};
    cr_assert_eq(needs_of(3, &cursor), 3);
    cs_buf_clear(&cursor);
    cr_assert_eq(needs_of(2, &cursor), 2);
    cr_assert_gt(cursor.len, 0);
    cr_assert_eq(needs_of(2, &cursor), 1, "it goes on where it ended");
    cr_assert_eq(cursor.len, 0);
    cr_assert_eq(needs_of(0, &cursor), 3, "no bound");
    cs_buf_fini(&cursor);
}

/* Bytes that are to be shown at a busy path stay where they are, though their path is wanted no
 * more. */
Test(plan_query, a_file_is_not_deleted_while_its_new_place_is_busy)
{
    site_write(a, "f", "text");
    sites_settle(&sites);
    cs_test_rename(a->dir, "f", "x");
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_plan_query_t query = {.staged = staged_none, .need = count_need, .busy = starts_with_x};
    cs_steps_t steps = {0};
    cs_buf_t cursor = {0};
    cr_assert_eq(cs_plan(b->peer.replica, &query, 100, &cursor, &steps), CS_OK);
    cr_assert_eq(steps.len, 0);
    cs_buf_fini(&cursor);
}

static size_t plan_once(cs_buf_t *cursor)
{
    cs_plan_query_t query = {.staged = staged_all, .need = count_need};
    cs_steps_t steps = {0};
    cr_assert_eq(cs_plan(b->peer.replica, &query, SIZE_MAX, cursor, &steps), CS_OK);
    size_t len = steps.len;
    cs_steps_fini(&steps);
    return len;
}

Test(plan_query, a_plan_has_so_many_steps_and_no_more)
{
    for (unsigned i = 0; i <= CS_GROUP_FILES_MAX; i++) {
        char name[16], text[16];
        snprintf(name, sizeof name, "f%04u", i);
        snprintf(text, sizeof text, "text %u", i);
        site_write(a, name, text);
    }
    site_scan(a);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_buf_t cursor = {0};
    cr_assert_eq(plan_once(&cursor), CS_GROUP_FILES_MAX);
    cr_assert_gt(cursor.len, 0);
    cr_assert_eq(plan_once(&cursor), 1);
    cr_assert_eq(cursor.len, 0);
    cs_buf_fini(&cursor);
}

/* A content of any size is one step, however large. */
Test(plan_query, a_plan_has_so_many_bytes_and_one_step_more)
{
    bool stage_now;
    cs_scan_result_t result;
    cs_replica_scan_begin(a->peer.replica, NULL, NULL);
    for (uint8_t i = 0; i < 4; i++) {
        char name[] = {'f', (char)('0' + i), '\0'};
        cs_sighting_t sighting = {.what = CS_SAW_APPEARED,
                                  .path = cs_slice_text(name),
                                  .content = {.kind = CS_KIND_FILE,
                                              .hash = {i, 1},
                                              .size = CS_GROUP_BYTES_MAX / 2 + (i == 3)},
                                  .mode = 0644};
        cr_assert_eq(cs_replica_scan_add(a->peer.replica, &sighting, &stage_now), CS_OK);
    }
    cr_assert_eq(cs_replica_scan_commit(a->peer.replica, &result), CS_OK);
    cs_peer_exchange(&a->peer, &b->peer, true);
    cs_buf_t cursor = {0};
    cr_assert_eq(plan_once(&cursor), 2, "exactly the bound");
    cr_assert_eq(plan_once(&cursor), 2, "one byte beyond");
    cs_buf_fini(&cursor);
}
