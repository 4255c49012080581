/* dirty_test.c - which paths are handed over, and when. Time is a number here. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "node/dirty.h"

/* The paths of a batch with spaces between; "-": nothing is due; "*": everything. */
static const char *take(cs_dirty_t *dirty, uint64_t now_ms)
{
    static char text[1024];
    cs_dirty_batch_t batch;
    text[0] = '\0';
    if (!cs_dirty_take(dirty, now_ms, &batch)) return "-";
    if (batch.all) return "*";
    for (size_t i = 0; i < batch.count; i++) {
        size_t len = strlen(text);
        snprintf(text + len, sizeof text - len, "%s%s", i > 0 ? " " : "", batch.path[i]->data);
    }
    cs_dirty_batch_fini(&batch);
    return text;
}

static void add(cs_dirty_t *dirty, const char *path, cs_dirty_kind_t kind, uint64_t now_ms)
{
    cs_dirty_add(dirty, cs_slice_text(path), kind, false, now_ms);
}

static void create(cs_dirty_t *dirty, const char *path, cs_dirty_kind_t kind, uint64_t now_ms)
{
    cs_dirty_add(dirty, cs_slice_text(path), kind, true, now_ms);
}

static void move(cs_dirty_t *dirty, const char *from, const char *to, uint64_t now_ms)
{
    cs_dirty_move(dirty, cs_slice_text(from), cs_slice_text(to), now_ms);
}

Test(dirty, nothing_is_due_when_nothing_happened)
{
    cs_dirty_t *dirty = cs_dirty_new();
    cr_assert_eq(cs_dirty_due(dirty), UINT64_MAX);
    cr_assert_str_eq(take(dirty, 1000), "-");
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_closed_file_is_due_at_once_with_its_company)
{
    cs_dirty_t *dirty = cs_dirty_new();
    add(dirty, "b", CS_DIRTY_DONE, 1000);
    add(dirty, "a", CS_DIRTY_DONE, 1001);
    cr_assert_str_eq(take(dirty, 1001), "-");
    cr_assert_leq(cs_dirty_due(dirty), 1000 + CS_DIRTY_TOGETHER_MS);
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_TOGETHER_MS), "a b");
    cr_assert_eq(cs_dirty_due(dirty), UINT64_MAX);
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_file_being_written_waits_until_it_is_closed)
{
    cs_dirty_t *dirty = cs_dirty_new();
    for (uint64_t now = 1000; now < 1500; now += 50) {
        add(dirty, "f", CS_DIRTY_WRITING, now);
        cr_assert_str_eq(take(dirty, now), "-");
    }
    add(dirty, "f", CS_DIRTY_DONE, 1500);
    /* It waits for long already: the close does not make it wait longer. */
    cr_assert_str_eq(take(dirty, 1500 + CS_DIRTY_TOGETHER_MS), "f");
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_file_left_open_goes_when_it_is_quiet)
{
    cs_dirty_t *dirty = cs_dirty_new();
    add(dirty, "f", CS_DIRTY_WRITING, 1000);
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_QUIET_MS - 2), "-");
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_QUIET_MS), "f");
    cs_dirty_destroy(&dirty);
}

/* Hand-overs of a path that sees an event every `step` ms for `span` ms; the last wait. */
static size_t storm(cs_dirty_kind_t kind, uint64_t step, uint64_t span, uint64_t *ret_last_wait)
{
    cs_dirty_t *dirty = cs_dirty_new();
    size_t count = 0;
    uint64_t now = 1000, end = now + span;
    for (; now < end; now++) {
        if (now % step == 0) add(dirty, "f", kind, now);
        if (strcmp(take(dirty, now), "-") != 0) count++;
    }
    for (; strcmp(take(dirty, now), "f") != 0; now++) {
        cr_assert_lt(now, end + 60000, "what came last is never handed over");
    }
    *ret_last_wait = now - end;
    cs_dirty_destroy(&dirty);
    return count;
}

Test(dirty, a_file_saved_all_the_time_goes_at_a_bounded_rate)
{
    uint64_t last;
    size_t count = storm(CS_DIRTY_DONE, 10, 60000, &last);
    cr_assert_leq(count, 60000 / CS_DIRTY_REST_MAX_MS + 8);
    cr_assert_geq(count, 60000 / CS_DIRTY_REST_MAX_MS / 2);
    cr_assert_leq(last, CS_DIRTY_REST_MAX_MS);
}

Test(dirty, events_without_a_pause_do_not_put_it_off_for_ever)
{
    uint64_t last;
    cr_assert_geq(storm(CS_DIRTY_DONE, 1, 10000, &last), 10u);
    cr_assert_geq(storm(CS_DIRTY_GONE, 1, 10000, &last), 10u);
}

Test(dirty, a_file_written_without_end_goes_ever_more_rarely)
{
    uint64_t last;
    size_t count = storm(CS_DIRTY_WRITING, 10, 120000, &last);
    /* After 1, 2, 4, 8, 16 seconds, then every 30. */
    cr_assert_geq(count, 6u);
    cr_assert_leq(count, 9u);
    cr_assert_leq(last, CS_DIRTY_QUIET_MS);
}

Test(dirty, saves_of_a_person_never_wait)
{
    cs_dirty_t *dirty = cs_dirty_new();
    for (uint64_t now = 1000; now < 20000; now += CS_DIRTY_REST_MS + 20) {
        add(dirty, "f", CS_DIRTY_DONE, now);
        cr_assert_str_eq(take(dirty, now + CS_DIRTY_TOGETHER_MS), "f", "at %d", (int)now);
    }
    cs_dirty_destroy(&dirty);
}

Test(dirty, both_names_of_a_rename_go_together)
{
    cs_dirty_t *dirty = cs_dirty_new();
    move(dirty, "old", "new", 1000);
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_TOGETHER_MS), "-");
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_GONE_MS), "new old");
    cs_dirty_destroy(&dirty);
}

Test(dirty, both_names_go_together_even_if_one_has_to_rest)
{
    cs_dirty_t *dirty = cs_dirty_new();
    add(dirty, "new", CS_DIRTY_DONE, 1000);
    cr_assert_str_eq(take(dirty, 1002), "new");
    add(dirty, "new", CS_DIRTY_DONE, 1003);
    cr_assert_str_eq(take(dirty, 1002 + CS_DIRTY_REST_MS), "new");
    move(dirty, "old", "new", 1053);
    for (uint64_t now = 1053; now < 1052 + 2 * CS_DIRTY_REST_MS - 2; now++) {
        cr_assert_str_eq(take(dirty, now), "-", "at %d", (int)now);
    }
    cr_assert_str_eq(take(dirty, 1052 + 2 * CS_DIRTY_REST_MS), "new old");
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_save_by_a_new_file_and_a_rename_is_due_at_once)
{
    cs_dirty_t *dirty = cs_dirty_new();
    create(dirty, ".f.tmp", CS_DIRTY_WRITING, 1000);
    add(dirty, ".f.tmp", CS_DIRTY_DONE, 1000);
    move(dirty, ".f.tmp", "f", 1001);
    cr_assert_str_eq(take(dirty, 1001 + CS_DIRTY_TOGETHER_MS), ".f.tmp f");
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_name_that_comes_back_soon_was_never_gone)
{
    cs_dirty_t *dirty = cs_dirty_new();
    add(dirty, "f", CS_DIRTY_GONE, 1000); /* moved to f~, which is one more path */
    create(dirty, "f", CS_DIRTY_WRITING, 1005);
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_GONE_MS), "-");
    add(dirty, "f", CS_DIRTY_DONE, 1040);
    cr_assert_str_eq(take(dirty, 1040 + CS_DIRTY_TOGETHER_MS), "f");
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_new_directory_is_told_of_by_what_comes_into_it)
{
    cs_dirty_t *dirty = cs_dirty_new();
    create(dirty, "d", CS_DIRTY_MADE, 1000);
    create(dirty, "e", CS_DIRTY_MADE, 1000);
    create(dirty, "d/f", CS_DIRTY_WRITING, 1001);
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_TOGETHER_MS), "e");
    add(dirty, "d/f", CS_DIRTY_DONE, 1003);
    cr_assert_str_eq(take(dirty, 1005), "d/f");
    cs_dirty_destroy(&dirty);
}

static void fill(cs_dirty_t *dirty, const char *dir, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char path[64];
        snprintf(path, sizeof path, "%s/%06zu", dir, i);
        add(dirty, path, CS_DIRTY_DONE, 1000);
    }
}

Test(dirty, as_many_paths_as_the_limit_are_kept_by_name)
{
    cs_dirty_t *dirty = cs_dirty_new();
    cs_dirty_batch_t batch;
    fill(dirty, "a/b", CS_DIRTY_MAX);
    cr_assert_eq(cs_dirty_count(dirty), CS_DIRTY_MAX);
    cr_assert(cs_dirty_take(dirty, 2000, &batch));
    cr_assert_eq(batch.count, CS_DIRTY_MAX);
    cs_dirty_batch_fini(&batch);
    cs_dirty_destroy(&dirty);
}

Test(dirty, one_path_more_makes_directories_of_all)
{
    cs_dirty_t *dirty = cs_dirty_new();
    fill(dirty, "a/b", CS_DIRTY_MAX - 10);
    fill(dirty, "a/c", 11);
    cr_assert_eq(cs_dirty_count(dirty), 2u);
    fill(dirty, "a/b", 100); /* stands for what is below */
    cr_assert_eq(cs_dirty_count(dirty), 2u);
    cr_assert_str_eq(take(dirty, 2000), "a/b a/c");
    cs_dirty_destroy(&dirty);
}

Test(dirty, too_many_in_the_root_are_everything)
{
    cs_dirty_t *dirty = cs_dirty_new();
    for (size_t i = 0; i <= CS_DIRTY_MAX; i++) {
        char path[64];
        snprintf(path, sizeof path, "%06zu", i);
        add(dirty, path, CS_DIRTY_DONE, 1000);
    }
    add(dirty, "later", CS_DIRTY_DONE, 1001);
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_QUIET_MS), "*");
    cr_assert_eq(cs_dirty_due(dirty), UINT64_MAX);
    add(dirty, "f", CS_DIRTY_DONE, 1200);
    cr_assert_str_eq(take(dirty, 1202), "f");
    cs_dirty_destroy(&dirty);
}

Test(dirty, lost_events_are_everything_and_not_put_off_by_more)
{
    cs_dirty_t *dirty = cs_dirty_new();
    add(dirty, "f", CS_DIRTY_DONE, 1000);
    for (uint64_t now = 1000; now < 1000 + CS_DIRTY_QUIET_MS; now += 10) {
        cs_dirty_add_all(dirty, now);
    }
    cr_assert_str_eq(take(dirty, 1000 + CS_DIRTY_QUIET_MS), "*");
    cr_assert_str_eq(take(dirty, 5000), "-");
    cs_dirty_destroy(&dirty);
}

Test(dirty, a_rest_holds_back_everything)
{
    cs_dirty_t *dirty = cs_dirty_new();
    add(dirty, "f", CS_DIRTY_DONE, 1000);
    cs_dirty_rest_until(dirty, 1300);
    cr_assert_eq(cs_dirty_due(dirty), 1300u);
    cr_assert_str_eq(take(dirty, 1299), "-");
    cr_assert_str_eq(take(dirty, 1300), "f");
    cs_dirty_destroy(&dirty);
}

Test(dirty, memory_of_what_was_handed_over_is_bounded)
{
    cs_dirty_t *dirty = cs_dirty_new();
    for (uint64_t round = 0; round < 100; round++) {
        cs_dirty_batch_t batch;
        for (size_t i = 0; i < CS_DIRTY_MAX; i++) {
            char path[64];
            snprintf(path, sizeof path, "d/%d-%zu", (int)round, i);
            add(dirty, path, CS_DIRTY_DONE, 1000 + round);
        }
        cr_assert(cs_dirty_take(dirty, 1000 + round + CS_DIRTY_TOGETHER_MS, &batch));
        cs_dirty_batch_fini(&batch);
        cr_assert_leq(cs_dirty_memory(dirty), CS_DIRTY_RESTING_MAX);
    }
    cs_dirty_destroy(&dirty);
}
