/* mem_fs_test.c - what only the simulator's volume can: numbers and times of choice, full
 * disks, gates, power cuts, copies. The rest is in tests/contract. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/mem.h"
#include "sim/mem_fs.h"

#define YEAR_NS INT64_C(31557600000000000)

static cs_mem_volume_t *volume;
static cs_fs_t *fs;

static void begin(cs_mem_config_t config, const cs_mem_gate_t *gate)
{
    config.umask = 022;
    volume = cs_mem_volume_new(&config);
    cr_assert_eq(cs_mem_user_mkdir(volume, cs_slice_text(".crdtsync")), CS_OK);
    cr_assert_eq(cs_mem_user_mkdir(volume, cs_slice_text(".crdtsync/tmp")), CS_OK);
    cs_mem_volume_flush(volume);
    cr_assert_eq(cs_mem_fs_open(volume, gate, &fs), CS_OK);
}

static void end(void)
{
    fs->ops->close_fs(&fs);
    cs_mem_volume_destroy(&volume);
}

static cs_slice_t p(const char *text)
{
    return cs_slice_text(text);
}

static cs_mem_fd_t *user_open(const char *path, unsigned flags)
{
    cs_mem_fd_t *fd = NULL;
    cr_assert_eq(cs_mem_user_open(volume, p(path), flags, 0666, &fd), CS_OK);
    return fd;
}

static void user_write(const char *path, const char *text)
{
    cs_mem_fd_t *fd = user_open(path, CS_MEM_O_WRITE | CS_MEM_O_CREATE | CS_MEM_O_TRUNC);
    cr_assert_eq(cs_mem_user_pwrite(fd, 0, text, strlen(text)), CS_OK);
    cs_mem_user_close(&fd);
}

static bool holds_in(cs_mem_volume_t *where, const char *path, const char *text)
{
    cs_mem_fd_t *fd = NULL;
    char data[64];
    size_t len = 0;
    if (cs_mem_user_open(where, p(path), 0, 0, &fd) != CS_OK) return false;
    cs_err_t err = cs_mem_user_pread(fd, 0, data, sizeof data, &len);
    cs_mem_user_close(&fd);
    return err == CS_OK && len == strlen(text) && memcmp(data, text, len) == 0;
}

static bool holds(const char *path, const char *text)
{
    return holds_in(volume, path, text);
}

static cs_stat_t stat_of(const char *path)
{
    cs_stat_t st = {0};
    cr_assert_eq(cs_mem_user_stat(volume, p(path), &st), CS_OK);
    return st;
}

/* --- numbers and times */

Test(mem_fs, numbers_are_used_again_lowest_first_if_so_configured)
{
    for (int reuse = 0; reuse < 2; reuse++) {
        begin((cs_mem_config_t){.reuse_inodes = reuse == 1}, NULL);
        user_write("a", "");
        user_write("b", "");
        user_write("c", "");
        uint64_t a = stat_of("a").print.ino, b = stat_of("b").print.ino;
        uint64_t c = stat_of("c").print.ino;
        cr_assert_eq(cs_mem_user_unlink(volume, p("b")), CS_OK);
        cr_assert_eq(cs_mem_user_unlink(volume, p("a")), CS_OK);
        user_write("d", "");
        user_write("e", "");
        user_write("f", "");
        cr_assert_eq(stat_of("d").print.ino, reuse == 1 ? a : c + 1);
        cr_assert_eq(stat_of("e").print.ino, reuse == 1 ? b : c + 2);
        cr_assert_gt(stat_of("f").print.ino, c);
        end();
    }
}

Test(mem_fs, a_number_is_free_when_the_last_name_and_descriptor_are_gone)
{
    begin((cs_mem_config_t){.reuse_inodes = true}, NULL);
    uint64_t bytes, inodes, before;
    cs_mem_volume_used(volume, &bytes, &before);
    user_write("a", "12345");
    uint64_t ino = stat_of("a").print.ino;
    cs_mem_fd_t *fd = user_open("a", 0);
    cr_assert_eq(cs_mem_user_link(volume, p("a"), p("b")), CS_OK);
    cr_assert_eq(cs_mem_user_unlink(volume, p("a")), CS_OK);
    cr_assert_eq(cs_mem_user_unlink(volume, p("b")), CS_OK);
    cs_mem_volume_used(volume, &bytes, &inodes);
    cr_assert_eq(bytes, 5);
    cr_assert_eq(inodes, before + 1);
    cs_mem_user_close(&fd);
    cs_mem_volume_used(volume, &bytes, &inodes);
    cr_assert_eq(bytes, 0);
    cr_assert_eq(inodes, before);
    user_write("c", "");
    cr_assert_eq(stat_of("c").print.ino, ino);
    end();
}

Test(mem_fs, times_are_cut_to_the_granularity_also_before_1970)
{
    const struct {
        int64_t step, now, kept;
    } cases[] = {
        {1, 1234567890123456789, 1234567890123456789},
        {1000000, 1234567890123456789, 1234567890123000000},
        {1000000000, 1234567890123456789, 1234567890000000000},
        {2000000000, 1234567891123456789, 1234567890000000000},
        {2000000000, -1, -2000000000},
        {1000000000, -1000000000, -1000000000},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        begin((cs_mem_config_t){.granularity_ns = cases[i].step}, NULL);
        cr_assert_eq(fs->features.mtime_step_ns, cases[i].step);
        cs_mem_volume_set_time(volume, cases[i].now);
        user_write("a", "x");
        cs_stat_t st = stat_of("a");
        cr_assert_eq(st.print.mtime_ns, cases[i].kept);
        cr_assert_eq(st.print.ctime_ns, cases[i].kept);
        cr_assert_eq(st.print.btime_ns, cases[i].kept);
        cs_mem_volume_set_time(volume, 10 * YEAR_NS);
        cr_assert_eq(cs_mem_user_utimens(volume, p("a"), cases[i].now), CS_OK);
        st = stat_of("a");
        cr_assert_eq(st.print.mtime_ns, cases[i].kept);
        cr_assert_geq(st.print.ctime_ns, 10 * YEAR_NS - cases[i].step);
        cs_mem_volume_set_time(volume, -10 * YEAR_NS);
        user_write("a", "y");
        cr_assert_lt(stat_of("a").print.mtime_ns, 0);
        end();
    }
}

Test(mem_fs, two_writes_within_a_step_look_alike)
{
    begin((cs_mem_config_t){.granularity_ns = 2000000000}, NULL);
    cs_mem_volume_set_time(volume, 2000000000);
    user_write("a", "x");
    cs_stat_t before = stat_of("a");
    cs_mem_volume_set_time(volume, 3999999999);
    user_write("a", "y");
    cs_stat_t after = stat_of("a");
    cr_assert(cs_print_eq(&before.print, &after.print));
    cs_mem_volume_set_time(volume, 4000000000);
    user_write("a", "z");
    after = stat_of("a");
    cr_assert_not(cs_print_eq_but_ctime(&before.print, &after.print));
    end();
}

Test(mem_fs, what_is_not_there_is_refused_as_fat_does)
{
    begin((cs_mem_config_t){.no_exchange = true,
                            .no_noreplace = true,
                            .no_symlinks = true,
                            .no_modes = true,
                            .no_btime = true,
                            .no_links = true},
          NULL);
    cr_assert_not(fs->features.exchange || fs->features.noreplace || fs->features.modes ||
                  fs->features.btime || fs->features.symlinks);
    user_write("a", "x");
    user_write("b", "x");
    cr_assert_eq(fs->ops->symlink(fs, p("t"), p("s")), CS_ERR_UNSUPPORTED);
    cr_assert_eq(fs->ops->link(fs, p("a"), p("c")), CS_ERR_UNSUPPORTED);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_EXCHANGE), CS_ERR_UNSUPPORTED);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("c"), CS_RENAME_NOREPLACE), CS_ERR_UNSUPPORTED);
    fs->features.exchange = fs->features.noreplace = true; /* the flags do not help */
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_EXCHANGE), CS_ERR_NAME);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("c"), CS_RENAME_NOREPLACE), CS_ERR_NAME);
    cr_assert_eq(stat_of("a").print.btime_ns, 0);
    cr_assert_eq(cs_mem_user_chmod(volume, p("a"), 0600), CS_OK);
    cr_assert_eq(stat_of("a").mode, 0755, "modes are what the mount says");
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("c"), CS_RENAME_REPLACE), CS_OK);
    end();
}

/* --- a full disk */

Test(mem_fs, a_full_disk_takes_what_fits_and_changes_nothing_else)
{
    begin((cs_mem_config_t){.capacity = 10}, NULL);
    user_write("a", "123456");
    cs_file_t *file = NULL;
    uint64_t free_bytes, total;
    cr_assert_eq(fs->ops->create(fs, p("b"), &file), CS_OK);
    cr_assert_eq(fs->ops->write(file, 0, "abcd", 4), CS_OK, "the last byte");
    cr_assert_eq(fs->ops->space(fs, &free_bytes, &total), CS_OK);
    cr_assert_eq(free_bytes, 0);
    cr_assert_eq(total, 10);
    cr_assert_eq(fs->ops->write(file, 4, "e", 1), CS_ERR_NOSPACE, "one more");
    cr_assert(holds("b", "abcd"));
    cr_assert_eq(fs->ops->write(file, 2, "CDE", 3), CS_ERR_NOSPACE);
    cr_assert(holds("b", "abCD"), "what fits, as a short write");
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("c"), CS_RENAME_NOREPLACE), CS_OK);
    cr_assert_eq(fs->ops->truncate(file, 100), CS_OK, "a hole takes no space");
    cr_assert_eq(fs->ops->truncate(file, 1), CS_OK);
    cr_assert_eq(fs->ops->write(file, 1, "xyz", 3), CS_OK);
    cr_assert_eq(fs->ops->truncate(file, (UINT64_C(16) << 40) + 1), CS_ERR_NOSPACE);
    cs_mem_volume_set_capacity(volume, 5, 1000);
    cr_assert_eq(fs->ops->space(fs, &free_bytes, &total), CS_OK);
    cr_assert_eq(free_bytes, 0);
    cr_assert_eq(fs->ops->write(file, 0, "X", 1), CS_OK, "in place");
    cs_mem_volume_set_capacity(volume, 11, 1000);
    cr_assert_eq(fs->ops->write(file, 4, "!", 1), CS_OK);
    fs->ops->close(&file);
    end();
}

Test(mem_fs, no_inode_left_makes_nothing)
{
    begin((cs_mem_config_t){.inodes = 4}, NULL); /* the root, two of ours */
    user_write("a", "x");
    cs_file_t *file = NULL;
    cs_stat_t st, before = stat_of("");
    cs_mem_volume_set_time(volume, 5);
    cr_assert_eq(fs->ops->create(fs, p("b"), &file), CS_ERR_NOSPACE);
    cr_assert_eq(fs->ops->mkdir(fs, p("b")), CS_ERR_NOSPACE);
    cr_assert_eq(fs->ops->symlink(fs, p("t"), p("b")), CS_ERR_NOSPACE);
    cr_assert_eq(fs->ops->stat(fs, p("b"), &st), CS_ERR_NOT_FOUND);
    cs_stat_t after = stat_of("");
    cr_assert(cs_print_eq(&before.print, &after.print));
    cr_assert_eq(fs->ops->link(fs, p("a"), p("b")), CS_OK);
    cr_assert_eq(cs_mem_user_unlink(volume, p("a")), CS_OK);
    cr_assert_eq(fs->ops->mkdir(fs, p("c")), CS_ERR_NOSPACE);
    cr_assert_eq(cs_mem_user_unlink(volume, p("b")), CS_OK);
    cr_assert_eq(fs->ops->mkdir(fs, p("c")), CS_OK);
    end();
}

/* --- mappings */

Test(mem_fs, a_mapping_shows_in_the_times_only_when_a_clean_page_gets_dirty)
{
    begin((cs_mem_config_t){0}, NULL);
    user_write("a", "123");
    cs_mem_fd_t *fd = user_open("a", CS_MEM_O_WRITE);
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_read(fs, p("a"), &file), CS_OK);
    cs_mem_volume_set_time(volume, 10);
    cr_assert_eq(cs_mem_user_poke(fd, 0, "x", 1), CS_OK);
    cr_assert_eq(stat_of("a").print.mtime_ns, 10);
    cs_mem_volume_set_time(volume, 20);
    cr_assert_eq(cs_mem_user_poke(fd, 0, "y", 1), CS_OK);
    cr_assert_eq(stat_of("a").print.mtime_ns, 10);
    cr_assert(holds("a", "y23"));
    fs->ops->settle(file);
    cr_assert_eq(cs_mem_user_poke(fd, 0, "z", 1), CS_OK);
    cr_assert_eq(stat_of("a").print.mtime_ns, 20);
    cs_mem_volume_set_time(volume, 30);
    cr_assert_eq(fs->ops->sync(fs, NULL, 0), CS_OK);
    cr_assert_eq(cs_mem_user_poke(fd, 2, "!", 1), CS_OK);
    cr_assert_eq(stat_of("a").print.mtime_ns, 30);
    cr_assert_eq(cs_mem_user_poke(fd, 3, "+", 1), CS_ERR_IO, "beyond the end");
    cr_assert(holds("a", "z2!"));
    fs->ops->close(&file);
    cs_mem_user_close(&fd);
    end();
}
