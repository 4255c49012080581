/* replica_scan_test.c - from what the disk shows to operations: pairing, refusals, rows. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "support/peer.h"

static cs_sighting_t saw(cs_seen_kind_t what, const char *path, const char *text, uint64_t ino,
                         uint64_t size)
{
    cs_sighting_t sighting = {.what = what, .path = cs_slice_text(path), .mode = 0644};
    sighting.content = cs_tree_text(CS_KIND_FILE, text);
    sighting.content.size = size;
    sighting.print = (cs_print_t){.dev = 1, .ino = ino, .size = size};
    return sighting;
}

static cs_scan_result_t scan(cs_replica_t *r, const cs_sighting_t *seen, size_t len)
{
    cs_scan_result_t result;
    bool stage_now;
    cs_replica_scan_begin(r, NULL, NULL);
    for (size_t i = 0; i < len; i++)
        cr_assert_eq(cs_replica_scan_add(r, &seen[i], &stage_now), CS_OK);
    cr_assert_eq(cs_replica_scan_commit(r, &result), CS_OK);
    return result;
}

static bool shows(cs_replica_t *r, const char *path, const char *text)
{
    cs_items_t items = {0};
    bool found = false;
    cr_assert_eq(cs_replica_project(r, cs_slice_text(path), &items), CS_OK);
    for (uint32_t i = 0; i < items.len; i++) {
        const cs_item_t *item = &items.item[i];
        if (strcmp(item->path->data, path) == 0)
            found = strcmp((const char *)item->content.hash, text) == 0;
    }
    cs_items_fini(&items);
    return found;
}

Test(replica_scan, equal_bytes_of_some_size_are_a_rename)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    cs_sighting_t first[] = {saw(CS_SAW_APPEARED, "a", "big", 1, 2000),
                             saw(CS_SAW_APPEARED, "s", "small", 2, 10)};
    scan(p.replica, first, 2);
    cs_sighting_t then[] = {
        saw(CS_SAW_VANISHED, "a", "", 0, 0), saw(CS_SAW_APPEARED, "d/a", "big", 11, 2000),
        saw(CS_SAW_VANISHED, "s", "", 0, 0), saw(CS_SAW_APPEARED, "d/s", "small", 12, 10)};
    cs_scan_result_t result = scan(p.replica, then, 4);
    cr_expect_eq(result.moved, 1); /* the small one is deleted and made anew */
    cr_expect_eq(result.added, 1);
    cr_expect_eq(result.removed, 1);
    cr_expect(shows(p.replica, "d/a", "big"));
    cr_expect(shows(p.replica, "d/s", "small"));
    cs_peer_fini(&p);
}

Test(replica_scan, ambiguous_renames_follow_the_basename)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    cs_sighting_t first[] = {saw(CS_SAW_APPEARED, "a/x", "big", 1, 2000),
                             saw(CS_SAW_APPEARED, "a/y", "big", 2, 2000),
                             saw(CS_SAW_APPEARED, "a/z", "big", 3, 2000)};
    scan(p.replica, first, 3);
    cs_bucket_t bucket_y;
    cs_bucket_of(&p.replica->keys, cs_slice_text("a/y"), &bucket_y);
    cs_sighting_t then[] = {saw(CS_SAW_VANISHED, "a/x", "", 0, 0),
                            saw(CS_SAW_VANISHED, "a/y", "", 0, 0),
                            saw(CS_SAW_APPEARED, "b/y", "big", 12, 2000),
                            saw(CS_SAW_APPEARED, "b/n", "big", 13, 2000)};
    cs_scan_result_t result = scan(p.replica, then, 4);
    cr_expect_eq(result.moved, 2);
    cs_item_t row = {0};
    cr_assert_eq(cs_replica_base(p.replica, cs_slice_text("b/y"), &row), CS_OK);
    cr_expect_eq(memcmp(&row.back[0].bucket, &bucket_y, sizeof bucket_y), 0,
                 "y became another file");
    cs_item_fini(&row);
    cs_peer_fini(&p);
}

Test(replica_scan, the_inode_decides_before_the_bytes)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    cs_sighting_t first[] = {saw(CS_SAW_APPEARED, "a", "big", 1, 2000),
                             saw(CS_SAW_APPEARED, "b", "big", 2, 2000)};
    scan(p.replica, first, 2);
    cs_bucket_t bucket_b;
    cs_bucket_of(&p.replica->keys, cs_slice_text("b"), &bucket_b);
    cs_sighting_t then[] = {saw(CS_SAW_VANISHED, "a", "", 0, 0),
                            saw(CS_SAW_VANISHED, "b", "", 0, 0),
                            saw(CS_SAW_APPEARED, "x/a", "big", 2, 2000)};
    cs_scan_result_t result = scan(p.replica, then, 3);
    cr_expect_eq(result.moved, 1);
    cr_expect_eq(result.removed, 1);
    cs_item_t row = {0};
    cr_assert_eq(cs_replica_base(p.replica, cs_slice_text("x/a"), &row), CS_OK);
    cr_expect_eq(memcmp(&row.back[0].bucket, &bucket_b, sizeof bucket_b), 0);
    cs_item_fini(&row);
    cs_peer_fini(&p);
}

Test(replica_scan, another_print_alone_is_no_operation)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    cs_sighting_t first = saw(CS_SAW_APPEARED, "a", "bytes", 1, 5),
                  then = saw(CS_SAW_TOUCHED, "a", "", 9, 5);
    scan(p.replica, &first, 1);
    uint64_t ctr = p.replica->state.ctr;
    scan(p.replica, &then, 1);
    cr_expect_eq(p.replica->state.ctr, ctr);
    cs_item_t row = {0};
    cr_assert_eq(cs_replica_base(p.replica, cs_slice_text("a"), &row), CS_OK);
    cr_expect_eq(row.print.ino, 9);
    cr_expect_eq(row.attr.mode, 0644);
    cr_expect_eq(row.content.size, 5);
    cs_item_fini(&row);
    cs_peer_fini(&p);
}

static int refusals;
static cs_err_t refusal;

static void refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)arg;
    (void)path;
    refusals++;
    refusal = err;
}

Test(replica_scan, a_name_beyond_the_bounds_is_refused_and_the_rest_goes_on)
{
    cs_peer_t p;
    char name[300];
    cs_scan_result_t result;
    bool stage_now;
    memset(name, 'n', 256);
    name[256] = '\0';
    cs_peer_init(&p, 1, NULL);
    cs_replica_scan_begin(p.replica, refused, NULL);
    cs_sighting_t bad = saw(CS_SAW_APPEARED, name, "x", 1, 1),
                  good = saw(CS_SAW_APPEARED, "good", "y", 2, 1);
    cr_assert_eq(cs_replica_scan_add(p.replica, &bad, &stage_now), CS_OK);
    cr_assert_eq(cs_replica_scan_add(p.replica, &good, &stage_now), CS_OK);
    cr_assert_eq(cs_replica_scan_commit(p.replica, &result), CS_OK);
    cr_expect_eq(refusals, 1);
    cr_expect_eq(refusal, CS_ERR_LIMIT);
    cr_expect_eq(result.added, 1);
    cs_peer_fini(&p);
}

/* An entry that holds as many versions as it may: its file can be neither changed nor lost. */
Test(replica_scan, too_many_versions_are_refused)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    cs_sighting_t first = saw(CS_SAW_APPEARED, "a", "mine", 1, 4);
    scan(p.replica, &first, 1);
    cs_bucket_t bucket;
    cs_bucket_of(&p.replica->keys, cs_slice_text("a"), &bucket);
    cs_entry_t many, joined;
    cs_entry_init(&many, &bucket);
    cs_entry_init(&joined, &bucket);
    for (uint32_t i = 1; i < CS_DOTS_MAX - 2; i++) {
        char text[16];
        snprintf(text, sizeof text, "v%u", i);
        cs_kval_t k = {.dot = {2, i},
                       .lin = {2, i},
                       .gen = 1,
                       .content = cs_tree_text(CS_KIND_FILE, text),
                       .path = cs_str_from("a")};
        cr_assert_eq(cs_entry_add_k(&many, &k), CS_OK);
    }
    cs_join_result_t result;
    cr_assert_eq(cs_replica_join(p.replica, &many, NULL, &joined, &result), CS_OK);
    cs_sighting_t edit = saw(CS_SAW_MODIFIED, "a", "edited", 1, 6);
    bool stage_now;
    cs_scan_result_t scanned;
    cs_replica_scan_begin(p.replica, refused, NULL);
    cr_assert_eq(cs_replica_scan_add(p.replica, &edit, &stage_now), CS_OK);
    cr_assert_eq(cs_replica_scan_commit(p.replica, &scanned), CS_OK);
    cr_expect_eq(refusals, 1);
    cr_expect_eq(scanned.changed, 0);
    cs_item_t row = {0};
    cr_assert_eq(cs_replica_base(p.replica, cs_slice_text("a"), &row), CS_OK);
    cr_expect_str_eq((const char *)row.content.hash, "mine"); /* the next scan tries again */
    cs_item_fini(&row);
    cs_entry_fini(&many);
    cs_entry_fini(&joined);
    cs_peer_fini(&p);
}

Test(replica_scan, an_abandoned_scan_leaves_nothing)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    cs_sighting_t first = saw(CS_SAW_APPEARED, "a", "bytes", 1, 5),
                  then = saw(CS_SAW_VANISHED, "a", "", 0, 0);
    scan(p.replica, &first, 1);
    uint64_t ctr = p.replica->state.ctr;
    bool stage_now;
    cs_replica_scan_begin(p.replica, NULL, NULL);
    cr_assert_eq(cs_replica_scan_add(p.replica, &then, &stage_now), CS_OK);
    cs_replica_scan_abort(p.replica);
    cr_expect_eq(p.replica->state.ctr, ctr);
    cr_expect(shows(p.replica, "a", "bytes"));
    cs_peer_fini(&p);
}

Test(replica_scan, exec_folders_see_one_bit_on_both_sides)
{
    cs_peer_t p;
    cs_peer_init(&p, 1, NULL);
    p.replica->modes = CS_MODES_EXEC;
    cs_sighting_t first = saw(CS_SAW_APPEARED, "a", "bytes", 1, 5);
    scan(p.replica, &first, 1);
    cs_replica_scan_begin(p.replica, NULL, NULL);
    cs_sighting_t odd = saw(CS_SAW_CHMODDED, "a", "", 1, 5);
    odd.mode = 0600; /* the same to such a folder */
    uint64_t ctr = p.replica->state.ctr;
    scan(p.replica, &odd, 1);
    cr_expect_eq(p.replica->state.ctr, ctr);
    odd.mode = 0755;
    cr_expect_eq(scan(p.replica, &odd, 1).chmodded, 1);
    cs_peer_fini(&p);
}

/* A has p, which B has replaced; A knows, and has not got the bytes. Meanwhile A's user takes
 * his file to q, which a scan sees that looks at nothing else. */
static void take_away(cs_peer_t *a, cs_peer_t *b, bool replaced, uint64_t ino)
{
    cs_peer_init(a, 1, NULL);
    cs_peer_init(b, 2, NULL);
    scan(a->replica, (cs_sighting_t[]){saw(CS_SAW_APPEARED, "p", "old", 19, 10)}, 1);
    cs_peer_exchange(a, b, true);
    cs_peer_catch_up(b);
    if (replaced)
        scan(b->replica, (cs_sighting_t[]){saw(CS_SAW_MODIFIED, "p", "new", 7, 10)}, 1);
    cs_peer_exchange(a, b, true);
    scan(a->replica, (cs_sighting_t[]){saw(CS_SAW_APPEARED, "q", "old", ino, 10)}, 1);
    cr_assert(shows(a->replica, "q", "old"));
}

/* q is gone, and p is as `at_p` says, or not looked at. */
static cs_scan_result_t bring_back(cs_peer_t *a, const cs_sighting_t *at_p)
{
    cs_sighting_t seen[] = {saw(CS_SAW_VANISHED, "q", "", 0, 0),
                            at_p != NULL ? *at_p : seen[0]};
    return scan(a->replica, seen, at_p != NULL ? 2 : 1);
}

static void end_both(cs_peer_t *a, cs_peer_t *b)
{
    cs_peer_fini(a);
    cs_peer_fini(b);
}

Test(replica_scan, a_file_that_is_back_where_it_stood_for_bytes_to_come_has_moved)
{
    cs_sighting_t touched = saw(CS_SAW_TOUCHED, "p", "", 19, 10);
    cs_sighting_t other_mode = saw(CS_SAW_CHMODDED, "p", "", 19, 10);
    touched.print.ctime_ns = other_mode.print.ctime_ns = 5;
    const cs_sighting_t *const at_p[] = {NULL, &touched, &other_mode};
    for (size_t i = 0; i < CS_COUNT_OF(at_p); i++) {
        cs_peer_t a, b;
        take_away(&a, &b, true, 19);
        cs_scan_result_t result = bring_back(&a, at_p[i]);
        cr_expect_eq(result.moved, 1, "case %zu", i);
        cr_expect_eq(result.removed, 0, "case %zu", i);
        cr_expect(shows(a.replica, "p", "old"), "case %zu", i);
        cs_item_t row = {0};
        cr_assert_eq(cs_replica_base(a.replica, cs_slice_text("p"), &row), CS_OK);
        cr_expect_eq(row.print.ino, 19);
        cr_expect_eq(row.print.ctime_ns, at_p[i] != NULL ? 5 : 0);
        cs_item_fini(&row);
        cs_buf_t picture = {0};
        cs_peer_picture(&a, &picture);
        cs_buf_put_u8(&picture, 0);
        cr_expect_not_null(strstr((const char *)picture.data, "p.conflict-"), "case %zu", i);
        cs_buf_fini(&picture);
        end_both(&a, &b);
    }
}

Test(replica_scan, bytes_that_are_saved_again_where_others_are_wanted_are_new)
{
    cs_sighting_t again = saw(CS_SAW_TOUCHED, "p", "", 19, 10);
    for (int written = 0; written < 2; written++) {
        cs_peer_t a, b;
        take_away(&a, &b, true, 20); /* a copy, to another place */
        again.mtime_ns = again.print.mtime_ns = again.print.ctime_ns = 5;
        if (written == 0)
            again.mtime_ns = again.print.mtime_ns = 0; /* renamed there and back */
        cs_scan_result_t result = scan(a.replica, &again, 1);
        cr_expect_eq(result.added, (uint64_t)written);
        bring_back(&a, NULL); /* he keeps the one at p */
        cs_peer_exchange(&a, &b, true);
        cs_buf_t picture = {0};
        cs_peer_picture(&b, &picture);
        cs_buf_put_u8(&picture, 0);
        bool both = strstr((const char *)picture.data, "p.conflict-") != NULL;
        cr_expect_eq(both, written == 1, "%s", (const char *)picture.data);
        cs_buf_fini(&picture);
        end_both(&a, &b);
    }
}

/* What makes it outdated arrives while the scan goes on. */
Test(replica_scan, a_scan_that_bytes_overtake_sees_what_is_back_all_the_same)
{
    cs_peer_t a, b;
    cs_scan_result_t result;
    bool stage_now;
    cs_sighting_t gone = saw(CS_SAW_VANISHED, "q", "", 0, 0);
    take_away(&a, &b, false, 19);
    scan(b.replica, (cs_sighting_t[]){saw(CS_SAW_MODIFIED, "p", "new", 7, 10)}, 1);
    cs_replica_scan_begin(a.replica, NULL, NULL);
    cr_assert_eq(cs_replica_scan_add(a.replica, &gone, &stage_now), CS_OK);
    cs_peer_exchange(&a, &b, true);
    cr_assert_eq(cs_replica_scan_commit(a.replica, &result), CS_OK);
    cr_expect_eq(result.moved, 1);
    cr_expect(shows(a.replica, "p", "old"));
    end_both(&a, &b);
}

Test(replica_scan, a_file_that_appears_elsewhere_has_moved_there)
{
    cs_peer_t a, b;
    take_away(&a, &b, true, 19);
    cs_sighting_t seen[] = {saw(CS_SAW_VANISHED, "q", "", 0, 0),
                            saw(CS_SAW_APPEARED, "z", "old", 19, 10)};
    cs_scan_result_t result = scan(a.replica, seen, 2); /* of these two alone */
    cr_expect_eq(result.moved, 1);
    cr_expect_eq(result.added, 0);
    cr_expect(shows(a.replica, "z", "old"));
    cr_expect(shows(a.replica, "p", "new"));
    end_both(&a, &b);
}

Test(replica_scan, a_file_that_is_not_back_is_removed)
{
    cs_sighting_t gone = saw(CS_SAW_VANISHED, "p", "", 0, 0);
    cs_sighting_t written = saw(CS_SAW_MODIFIED, "p", "his", 19, 10);
    const cs_sighting_t *const at_p[] = {&gone, &written};
    for (size_t i = 0; i < CS_COUNT_OF(at_p); i++) {
        cs_peer_t a, b;
        take_away(&a, &b, true, 19);
        cr_expect_eq(bring_back(&a, at_p[i]).moved, 0, "case %zu", i);
        cr_expect_not(shows(a.replica, "q", "old"), "case %zu", i);
        cr_expect_not(shows(a.replica, "p", "old"), "case %zu", i);
        end_both(&a, &b);
    }
}

Test(replica_scan, another_file_with_the_bytes_that_stand_elsewhere_is_removed)
{
    cs_peer_t a, b;
    cs_sighting_t touched = saw(CS_SAW_TOUCHED, "p", "", 19, 10);
    take_away(&a, &b, true, 20); /* a copy */
    cr_expect_eq(bring_back(&a, &touched).removed, 1);
    cr_expect(shows(a.replica, "p", "new"));
    end_both(&a, &b);
    take_away(&a, &b, false, 19); /* nothing else is wanted at p */
    cr_expect_eq(bring_back(&a, &touched).removed, 1);
    cr_expect(shows(a.replica, "p", "old"));
    end_both(&a, &b);
}
