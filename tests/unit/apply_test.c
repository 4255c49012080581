/* apply_test.c - steps are performed. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/scene.h"

static scene_t scene;

static void setup(void)
{
    scene_open(&scene);
}

static void teardown(void)
{
    scene_close(&scene);
}

TestSuite(apply, .init = setup, .fini = teardown);

Test(apply, a_new_file_gets_its_name_mode_and_mtime)
{
    scene_stage(&scene, "one");
    scene_pass_tick(&scene); /* so that the print vouches */
    scene_write(&scene, "a/b/c", "one")->item.attr.mode = 0640;
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "a/b/c", "one"));
    cs_stat_t st = scene_stat(&scene, "a/b/c");
    cr_assert_eq(st.mode, 0640);
    cr_assert_eq(st.print.mtime_ns, scene.steps.item[0].item.mtime_ns);
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].print));
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].item.print));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

static size_t calls_to_apply(const cs_dress_t *dress)
{
    cs_content_t content = scene_content(&scene, "one");
    cr_assert_eq(cs_stage_small(scene.real, &content, cs_slice_text("one"), dress), CS_OK);
    scene_pass_tick(&scene);
    scene.spy.calls = 0;
    scene_apply_all(&scene);
    size_t calls = scene.spy.calls;
    const cs_item_t *item = &scene.steps.item[0].item;
    cs_stat_t st = scene_stat(&scene, "a");
    cr_assert(scene_holds(&scene, "a", "one"));
    cr_assert_eq(st.mode, item->attr.mode);
    cr_assert_eq(st.print.mtime_ns, item->mtime_ns);
    cr_assert(cs_print_eq(&st.print, &item->print));
    return calls;
}

Test(apply, a_file_that_was_dressed_when_it_was_staged_is_not_opened_again)
{
    const cs_item_t *item = &scene_write(&scene, "a", "one")->item;
    cs_dress_t dress = {item->attr.mode, item->mtime_ns};
    size_t dressed = calls_to_apply(&dress);
    teardown();
    setup();
    scene_write(&scene, "a", "one");
    size_t naked = calls_to_apply(NULL);
    cr_assert_geq(naked, dressed + 3, "open, set_meta, fstat; %zu and %zu", naked, dressed);
}

Test(apply, a_dress_that_is_not_right_any_more_is_changed)
{
    const cs_item_t *item = &scene_write(&scene, "a", "one")->item;
    cs_dress_t dress[] = {{0600, item->mtime_ns}, {item->attr.mode, item->mtime_ns + 1}};
    calls_to_apply(&dress[0]);
    teardown();
    setup();
    scene_write(&scene, "a", "one");
    calls_to_apply(&dress[1]);
}

/* It may have to be copied for another path, or read after a crash. */
Test(apply, a_mode_that_forbids_to_read_comes_with_the_name)
{
    scene_write(&scene, "a", "one")->item.attr.mode = 0040;
    cs_content_t content = scene_content(&scene, "one");
    cs_dress_t dress = {0040, 1};
    cs_buf_t path = {0};
    cs_staged_path(&content, &path);
    cr_assert_eq(cs_stage_small(scene.real, &content, cs_slice_text("one"), &dress), CS_OK);
    cr_assert_eq(scene_stat(&scene, (const char *)path.data).mode, 0600);
    cs_buf_fini(&path);
    scene_apply_all(&scene);
    cr_assert_eq(scene_stat(&scene, "a").mode, 0040);
}

Test(apply, exec_policy_subtracts_the_umask)
{
    scene.config.modes = CS_MODES_EXEC;
    scene.spy.fs.umask = 077;
    scene_stage(&scene, "x");
    scene_write(&scene, "x", "x")->item.attr.mode = 0755;
    scene_apply_all(&scene);
    cr_assert_eq(scene_stat(&scene, "x").mode, 0700);
}

Test(apply, a_replaced_file_goes_to_the_trash)
{
    scene_file(&scene, "f", "old");
    scene_stage(&scene, "new");
    scene_write(&scene, "f", "new");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "f", "new"));
    cr_assert(scene_in_trash(&scene, "old"));
}

Test(apply, one_staged_content_serves_several_paths)
{
    scene_stage(&scene, "same");
    scene_write(&scene, "a", "same");
    scene_write(&scene, "b", "same")->item.attr.mode = 0600;
    scene_write(&scene, "c", "same");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "a", "same") && scene_holds(&scene, "b", "same") &&
              scene_holds(&scene, "c", "same"));
    cr_assert_eq(scene_stat(&scene, "b").mode, 0600);
    cr_assert_eq(scene_stat(&scene, "a").nlink, 1);
}

typedef struct looking {
    bool asked, answer;
} looking_t;

static bool go(void *arg)
{
    looking_t *looking = arg;
    cr_assert_not(looking->asked);
    looking->asked = true;
    cr_expect_eq(scene.spy.syncs, 1);
    cr_expect(scene_holds(&scene, "f", "old"), "no name has changed");
    return looking->answer;
}

Test(apply, names_wait_for_a_word_when_all_is_flushed)
{
    for (int answer = 0; answer < 2; answer++) {
        looking_t looking = {.answer = answer == 1};
        scene_file(&scene, "f", "old");
        scene_stage(&scene, "new");
        scene_write(&scene, "f", "new");
        scene.config.go = go;
        scene.config.go_arg = &looking;
        cs_err_t err = cs_apply(&scene.config, &scene.steps);
        cr_expect_eq(err, looking.answer ? CS_OK : CS_ERR_AGAIN);
        cr_expect(looking.asked);
        cr_expect(scene_holds(&scene, "f", looking.answer ? "new" : "old"));
        cr_expect_eq(scene_in_trash(&scene, "old"), looking.answer);
        if (answer == 0) cr_expect_eq(scene_count(&scene, ".crdtsync/trash"), 0);
        teardown();
        setup();
    }
}

/* Names that a power cut in the middle of two writes, a move and a deletion could undo. */
static size_t names_at_risk(cs_durability_t durability)
{
    scene.config.durability = durability;
    scene_file(&scene, "from", "moved");
    scene_file(&scene, "gone", "gone");
    scene_stage(&scene, "one");
    scene_stage(&scene, "two");
    scene_write(&scene, "a", "one");
    scene_write(&scene, "b", "two");
    scene_move(&scene, "from", "to");
    scene_delete(&scene, "gone");
    scene_apply_all(&scene);
    return scene.spy.names_max;
}

Test(apply, a_group_is_flushed_before_names_change_and_after)
{
    cr_assert_eq(names_at_risk(CS_DURABILITY_GROUP), 4);
    cr_assert_eq(scene.spy.syncs, 2);
    cr_assert_eq(scene.spy.names, 0);
}

Test(apply, strict_flushes_each_name_before_the_next)
{
    cr_assert_eq(names_at_risk(CS_DURABILITY_STRICT), 1);
    cr_assert_eq(scene.spy.names, 0);
}

Test(apply, without_durability_nothing_is_flushed)
{
    cr_assert_eq(names_at_risk(CS_DURABILITY_NONE), 4);
    cr_assert_eq(scene.spy.syncs, 0);
}

Test(apply, a_local_copy_is_verified)
{
    scene_file(&scene, "from", "text");
    scene_copy(&scene, "from", "to");
    cs_step_t *bad = scene_copy(&scene, "from", "bad");
    bad->item.content = scene_content(&scene, "other");
    scene_apply(&scene);
    cr_assert_eq(scene.steps.item[0].err, CS_OK);
    cr_assert_eq(scene.steps.item[1].err, CS_ERR_AGAIN);
    cr_assert(scene_holds(&scene, "to", "text"));
    cr_assert(scene_holds(&scene, "from", "text"));
    cr_assert_not(scene_has(&scene, "bad"));
    cr_assert_eq(scene_count(&scene, ".crdtsync/tmp"), 0);
}

Test(apply, what_was_not_staged_is_not_found)
{
    scene_write(&scene, "a", "nowhere");
    scene_apply(&scene);
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_NOT_FOUND);
    cr_assert_not(scene_has(&scene, "a"));
}

Test(apply, symbolic_links_are_written_copied_and_replaced)
{
    scene_file(&scene, "old", "-> /gone");
    scene_file(&scene, "file", "bytes");
    scene_stage(&scene, "-> a/b");
    scene_write(&scene, "old", "-> a/b");
    scene_write(&scene, "file", "-> a/b");
    scene_write(&scene, "new", "-> a/b");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "old", "-> a/b"));
    cr_assert(scene_holds(&scene, "file", "-> a/b"));
    cr_assert(scene_holds(&scene, "new", "-> a/b"));
    cr_assert(scene_in_trash(&scene, "-> /gone"));
    cr_assert(scene_in_trash(&scene, "bytes"));
}

Test(apply, a_deleted_file_goes_to_the_trash)
{
    scene_file(&scene, "d/f", "old");
    scene_delete(&scene, "d/f");
    scene_rmdir(&scene, "d");
    scene_apply_all(&scene);
    cr_assert_not(scene_has(&scene, "d"));
    cr_assert(scene_in_trash(&scene, "old"));
}

Test(apply, a_directory_that_is_not_empty_stays)
{
    scene_file(&scene, "d/ignored", "i");
    scene_rmdir(&scene, "d");
    scene_rmdir(&scene, "never");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "d/ignored", "i"));
}

Test(apply, a_move_keeps_the_inode_and_takes_the_new_mode)
{
    scene_file(&scene, "a", "text");
    scene_age(&scene, "a");
    uint64_t ino = scene_stat(&scene, "a").print.ino;
    scene_move(&scene, "a", "new/b")->item.attr.mode = 0755;
    scene_apply_all(&scene);
    cr_assert_not(scene_has(&scene, "a"));
    cr_assert(scene_holds(&scene, "new/b", "text"));
    cs_stat_t st = scene_stat(&scene, "new/b");
    cr_assert_eq(st.print.ino, ino);
    cr_assert_eq(st.mode, 0755);
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].print));
    cr_assert_eq(scene_count(&scene, ".crdtsync/trash"), 0);
}

Test(apply, a_move_over_a_file_puts_that_into_the_trash)
{
    scene_file(&scene, "a", "moved");
    scene_file(&scene, "b", "under");
    scene_move(&scene, "a", "b");
    scene_apply_all(&scene);
    cr_assert_not(scene_has(&scene, "a"));
    cr_assert(scene_holds(&scene, "b", "moved"));
    cr_assert(scene_in_trash(&scene, "under"));
}

Test(apply, a_file_moves_into_a_directory_of_its_own_name)
{
    scene_file(&scene, "p", "text");
    scene_move(&scene, "p", "p/x");
    scene_mkdir(&scene, "p/empty");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "p/x", "text"));
    cr_assert(scene_has(&scene, "p/empty"));
}

Test(apply, a_file_replaces_the_directory_it_was_in)
{
    scene_file(&scene, "d/x", "text");
    scene_file(&scene, "d/y", "gone");
    scene_move(&scene, "d/x", "d");
    scene_delete(&scene, "d/y");
    scene_rmdir(&scene, "d");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "d", "text"));
    cr_assert(scene_in_trash(&scene, "gone"));
}

Test(apply, a_file_that_cannot_replace_its_directory_goes_back)
{
    scene_file(&scene, "d/x", "text");
    scene_file(&scene, "d/ignored", "i");
    scene_move(&scene, "d/x", "d");
    scene_rmdir(&scene, "d");
    scene_apply(&scene);
    cr_assert_eq(scene.steps.item[0].err, CS_ERR_IS_DIR);
    cr_assert(scene_holds(&scene, "d/x", "text"));
    cr_assert(scene_holds(&scene, "d/ignored", "i"));
}

Test(apply, two_files_swap_their_bytes_by_copies)
{
    scene_file(&scene, "a", "A");
    scene_file(&scene, "b", "B");
    scene_copy(&scene, "b", "a");
    scene_copy(&scene, "a", "b");
    scene_apply_all(&scene);
    cr_assert(scene_holds(&scene, "a", "B"));
    cr_assert(scene_holds(&scene, "b", "A"));
}

Test(apply, a_whole_directory_is_renamed_as_one)
{
    scene_file(&scene, "D/1", "one");
    scene_file(&scene, "D/s/2", "two");
    uint64_t ino = scene_stat(&scene, "D/s").print.ino;
    scene_move(&scene, "D/1", "x/E/1");
    scene_move(&scene, "D/s/2", "x/E/s/2");
    scene_rmdir(&scene, "D/s");
    scene_rmdir(&scene, "D");
    scene_apply_all(&scene);
    cr_assert_not(scene_has(&scene, "D"));
    cr_assert(scene_holds(&scene, "x/E/1", "one"));
    cr_assert(scene_holds(&scene, "x/E/s/2", "two"));
    cr_assert_eq(scene_stat(&scene, "x/E/s").print.ino, ino);
}

Test(apply, a_directory_with_more_in_it_is_not_renamed)
{
    scene_file(&scene, "D/1", "one");
    scene_file(&scene, "D/s/2", "two");
    scene_file(&scene, "D/ignored", "i");
    uint64_t ino = scene_stat(&scene, "D/s").print.ino,
             outer = scene_stat(&scene, "D").print.ino;
    scene_move(&scene, "D/1", "E/1");
    scene_move(&scene, "D/s/2", "E/s/2");
    scene_rmdir(&scene, "D/s");
    scene_rmdir(&scene, "D");
    scene_apply_all(&scene);
    cr_assert_eq(scene_stat(&scene, "D").print.ino, outer);
    cr_assert(scene_holds(&scene, "D/ignored", "i"));
    cr_assert(scene_holds(&scene, "E/s/2", "two"));
    cr_assert_eq(scene_stat(&scene, "E/s").print.ino, ino, "the inner one is");
}

Test(apply, a_directory_that_stays_displayed_is_not_renamed)
{
    scene_file(&scene, "D/1", "one");
    uint64_t ino = scene_stat(&scene, "D").print.ino;
    scene_move(&scene, "D/1", "E/1");
    scene_apply_all(&scene);
    cr_assert_eq(scene_stat(&scene, "D").print.ino, ino);
    cr_assert(scene_holds(&scene, "E/1", "one"));
}

Test(apply, a_mode_alone_changes_in_place)
{
    scene_file(&scene, "f", "text");
    scene_age(&scene, "f");
    uint64_t ino = scene_stat(&scene, "f").print.ino;
    scene_chmod(&scene, "f", 0700);
    scene_apply_all(&scene);
    cs_stat_t st = scene_stat(&scene, "f");
    cr_assert_eq(st.mode, 0700);
    cr_assert_eq(st.print.ino, ino);
    cr_assert(cs_print_eq(&st.print, &scene.steps.item[0].print));
}

/* Within a tick of the clock a write would not show. The machine may be slower than that. */
Test(apply, a_name_as_new_as_the_bytes_is_not_vouched_for)
{
    bool vouched = true;
    for (unsigned i = 0; i < 50 && vouched; i++) {
        char path[16];
        snprintf(path, sizeof path, "fresh%u", i);
        scene_stage(&scene, "bytes");
        scene_file(&scene, "clock", "now");
        int64_t now_ns = scene_stat(&scene, "clock").print.mtime_ns;
        cs_step_t *step = scene_write(&scene, path, "bytes");
        step->item.mtime_ns = now_ns + CS_TICK_NS / 2;
        scene_apply_all(&scene);
        const cs_print_t *print = &scene.steps.item[scene.steps.len - 1].print;
        cs_stat_t st = scene_stat(&scene, path);
        cr_assert(cs_print_eq_but_ctime(&st.print, print));
        vouched = print->ctime_ns != 0;
    }
    cr_assert_not(vouched);
}
