/* mem_fs_power_test.c - what a power cut leaves of the simulator's volume, and what copies and
 * walks show. Random histories are in tests/props/fs_crash_test.c. */
#include "support/gated.h"

#define LOSES_ALL \
    3 /* a draw of the volume that keeps no operation of one that is not flushed */

/* Which of the states that one text can be in, over many cuts, was seen. */
static unsigned outcomes(void (*act)(void), const char *path, const char *const *texts)
{
    unsigned seen = 0;
    for (uint64_t random = 0; random < 400; random++) {
        begin((cs_mem_config_t){.power_cuts = true});
        act();
        cs_mem_volume_crash(volume, random);
        unsigned state = 0;
        while (texts[state] != NULL && !holds(path, texts[state])) {
            state++;
        }
        cr_assert(texts[state] != NULL || !exists(path), "%s", path);
        seen |= 1u << state;
        end();
    }
    return seen;
}

static void save_without_sync(void)
{
    put("tmp", "old");
    cr_assert_eq(fs->ops->rename(fs, p("tmp"), p("a"), CS_RENAME_REPLACE), CS_OK);
    cr_assert_eq(fs->ops->sync(fs, NULL, 0), CS_OK);
    put("tmp", "new");
    cr_assert_eq(fs->ops->rename(fs, p("tmp"), p("a"), CS_RENAME_REPLACE), CS_OK);
}

static void save_with_sync(void)
{
    put("tmp", "new");
    cr_assert_eq(fs->ops->sync(fs, NULL, 0), CS_OK);
    cr_assert_eq(fs->ops->rename(fs, p("tmp"), p("a"), CS_RENAME_REPLACE), CS_OK);
}

static void save_with_sync_of(const char *path)
{
    const cs_slice_t paths[] = {cs_slice_text(path)};
    put("tmp", "new");
    put("other", "new");
    cr_assert_eq(fs->ops->sync(fs, paths, 1), CS_OK);
    cr_assert_eq(fs->ops->rename(fs, p("tmp"), p("a"), CS_RENAME_REPLACE), CS_OK);
}

static void save_with_sync_of_it(void)
{
    save_with_sync_of("tmp");
}

static void save_with_sync_of_another(void)
{
    save_with_sync_of("other");
}

static void save_with_sync_of_what_is_gone(void)
{
    save_with_sync_of("nothing here");
}

Test(mem_fs_power, a_flush_of_one_file_keeps_its_bytes_alone)
{
    static const char *const texts[] = {"new", "", NULL};
    cr_assert_eq(outcomes(save_with_sync_of_it, "a", texts) & ~(1u << 2), 1u);
    cr_assert_eq(outcomes(save_with_sync_of_what_is_gone, "a", texts) & ~(1u << 2), 1u,
                 "then all is flushed");
    bool torn = false;
    for (uint64_t random = 0; random < 400 && !torn; random++) {
        begin((cs_mem_config_t){.power_cuts = true});
        save_with_sync_of_another();
        cs_mem_volume_crash(volume, random);
        torn = exists("a") && !holds("a", "new");
        end();
    }
    cr_assert(torn);
}

Test(mem_fs_power, a_rename_without_a_flush_may_lead_to_an_empty_or_torn_file)
{
    const char possible[5][4] = {"old", "new", "\0\0\0", "n\0\0", "ne\0"};
    unsigned seen = 0;
    for (uint64_t random = 0; random < 400; random++) {
        begin((cs_mem_config_t){.power_cuts = true});
        save_without_sync();
        cs_mem_volume_crash(volume, random);
        cs_mem_fd_t *fd = NULL;
        char data[4] = {0};
        size_t len;
        cr_assert_eq(cs_mem_user_open(volume, p("a"), 0, 0, &fd), CS_OK, "old or new, always");
        cr_assert_eq(cs_mem_user_pread(fd, 0, data, 4, &len), CS_OK);
        cs_mem_user_close(&fd);
        cr_assert_eq(len, 3, "the size is of the journal");
        unsigned state = 0;
        while (state < 5 && memcmp(data, possible[state], 3) != 0) {
            state++;
        }
        cr_assert_lt(state, 5);
        seen |= 1u << state;
        end();
    }
    cr_assert_eq(seen, 31, "each of them");
}

Test(mem_fs_power, what_was_flushed_before_the_rename_is_there_or_not_at_all)
{
    const char *texts[] = {"new", NULL};
    cr_assert_eq(outcomes(save_with_sync, "a", texts), 3, "in some cuts there, in some not");
    const char *tmp[] = {"new", NULL};
    cr_assert_eq(outcomes(save_with_sync, "tmp", tmp), 3);
}

static void fsync_of_one_file(void)
{
    put("other", "x");
    put("a", "new");
    cs_mem_fd_t *fd = NULL;
    cr_assert_eq(cs_mem_user_open(volume, p("a"), CS_MEM_O_WRITE, 0, &fd), CS_OK);
    cr_assert_eq(cs_mem_user_fsync(fd), CS_OK);
    cs_mem_user_close(&fd);
}

Test(mem_fs_power, fsync_keeps_the_file_and_all_names_before_it_but_not_other_bytes)
{
    const char *texts[] = {"new", NULL};
    cr_assert_eq(outcomes(fsync_of_one_file, "a", texts), 1);
    unsigned lost = 0;
    for (uint64_t random = 0; random < 100; random++) {
        begin((cs_mem_config_t){.power_cuts = true});
        fsync_of_one_file();
        cs_mem_volume_crash(volume, random);
        cr_assert(exists("other"));
        if (!holds("other", "x")) lost++;
        end();
    }
    cr_assert(lost > 0 && lost < 100);
}

Test(mem_fs_power, without_power_cuts_nothing_is_lost)
{
    for (uint64_t random = 0; random < 50; random++) {
        begin((cs_mem_config_t){0});
        save_without_sync();
        cs_mem_volume_crash(volume, random);
        cr_assert(holds("a", "new"));
        end();
    }
}

Test(mem_fs, a_copy_has_all_and_lives_on_its_own)
{
    begin((cs_mem_config_t){.power_cuts = true, .reuse_inodes = true});
    put("a", "one");
    cr_assert_eq(fs->ops->link(fs, p("a"), p("b")), CS_OK);
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_OK);
    put("d/f", "two");
    cs_file_t *held = create("gone");
    cr_assert_eq(fs->ops->unlink(fs, p("gone")), CS_OK);
    cs_mem_volume_t *copy = cs_mem_volume_copy(volume);
    cs_mem_fd_t *fd = NULL;
    cr_assert_eq(cs_mem_user_open(copy, p("b"), CS_MEM_O_WRITE, 0, &fd), CS_OK);
    cr_assert_eq(cs_mem_user_pwrite(fd, 0, "ONE", 3), CS_OK);
    cs_mem_user_close(&fd);
    cr_assert(holds_in(copy, "a", "ONE"), "two names of one file");
    cr_assert(holds("a", "one") && holds("b", "one"));
    cr_assert_eq(fs->ops->unlink(fs, p("d/f")), CS_OK);
    cs_mem_volume_crash(copy, 0);
    cr_assert(holds_in(copy, "d/f", "two"), "durable but for what came after");
    cs_stat_t here, there;
    cr_assert_eq(cs_mem_user_stat(volume, p("d"), &here), CS_OK);
    cr_assert_eq(cs_mem_user_stat(copy, p("d"), &there), CS_OK);
    cr_assert_eq(here.print.ino, there.print.ino);
    cs_mem_volume_set_device(copy, 77);
    cr_assert_eq(cs_mem_user_stat(copy, p("d"), &there), CS_OK);
    cr_assert_eq(there.print.dev, 77);
    fs->ops->close(&held);
    cs_mem_volume_destroy(&copy);
    end();
}

static void add_path(void *arg, const cs_mem_item_t *item)
{
    cs_buf_t *log = arg;
    cs_buf_put_slice(log, item->path);
    cs_buf_put_u8(log, '=');
    cs_buf_put_slice(log, item->bytes);
    cs_buf_put_u8(log, ' ');
}

Test(mem_fs, a_walk_is_in_the_order_of_the_paths_bytes)
{
    begin((cs_mem_config_t){0});
    const char *dirs[] = {"a", "a.b", "a0", "e"};
    for (size_t i = 0; i < CS_COUNT_OF(dirs); i++) {
        cr_assert_eq(fs->ops->mkdir(fs, p(dirs[i])), CS_OK);
    }
    put("a/f", "1");
    put("a.b/f", "2");
    put("a0/f", "3");
    put("a-", "4");
    put("a.c", "5");
    cr_assert_eq(fs->ops->symlink(fs, p("to"), p("a/s")), CS_OK);
    cs_buf_t log = {0};
    cs_mem_volume_walk(volume, add_path, &log);
    cs_buf_put_u8(&log, 0);
    cr_assert_str_eq((const char *)log.data,
                     ".crdtsync= .crdtsync/tmp= a= a-=4 a.b= a.b/f=2 a.c=5 a/f=1 a/s=to "
                     "a0= a0/f=3 e= ");
    cs_buf_fini(&log);
    end();
}

Test(mem_fs, a_sync_of_the_bare_mount_point_flushes_nothing_of_the_volume)
{
    begin((cs_mem_config_t){.power_cuts = true});
    put("a", "x");
    cs_mem_volume_unmount(volume, true);
    cs_fs_t *other = NULL;
    cr_assert_eq(cs_mem_fs_open(volume, NULL, &other), CS_OK);
    cr_assert_eq(other->ops->sync(other, NULL, 0), CS_OK);
    other->ops->close_fs(&other);
    cs_mem_volume_mount(volume);
    cs_mem_volume_crash(volume, LOSES_ALL);
    cr_assert_not(exists("a"));
    cs_mem_volume_unmount(volume, false);
    cr_assert_eq(cs_mem_fs_open(volume, NULL, &other), CS_ERR_NOT_FOUND);
    end();
}
