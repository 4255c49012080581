/* mem_fs_gate_test.c - what can happen to a process at its calls on the simulator's volume. */
#include "support/gated.h"

Test(mem_fs_gate, is_asked_before_each_call_but_close)
{
    begin((cs_mem_config_t){0});
    char data[4];
    size_t len;
    put("a", "xyz");
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_read(fs, p("a"), &file), CS_OK);
    cr_assert_eq(fs->ops->read(file, 1, data, 4, &len), CS_OK);
    cr_assert_not(fs->ops->in_use(file));
    fs->ops->settle(file);
    fs->ops->close(&file);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_NOREPLACE), CS_OK);
    cr_assert_eq(fs->ops->sync(fs, NULL, 0), CS_OK);
    cs_buf_put_u8(&watch.log, 0);
    cr_assert_str_eq((const char *)watch.log.data, "create a  0+0\n"
                                                   "write a  0+3\n"
                                                   "open_read a  0+0\n"
                                                   "read a  1+4\n"
                                                   "in_use a  0+0\n"
                                                   "settle a  0+0\n"
                                                   "rename a b 0+0\n"
                                                   "sync   0+0\n");
    end();
}

Test(mem_fs_gate, what_it_refuses_is_not_done)
{
    begin((cs_mem_config_t){0});
    put("a", "x");
    cs_file_t *file = NULL;
    cs_listing_t list = {0};
    uint64_t number;
    cs_stat_t st, expect = {0};
    cs_buf_t target = {0};
    cr_assert_eq(cs_mem_user_stat(volume, p("a"), &expect), CS_OK);
    watch.err = CS_ERR_IO;
#define REFUSED(call)           \
    watch.at = watch.asked + 1; \
    cr_assert_eq(call, CS_ERR_IO, #call)
    REFUSED(fs->ops->create(fs, p("b"), &file));
    REFUSED(fs->ops->open_read(fs, p("a"), &file));
    REFUSED(fs->ops->open_write(fs, p("a"), &file));
    REFUSED(fs->ops->stat(fs, p("a"), &st));
    REFUSED(fs->ops->list(fs, p(""), &list));
    REFUSED(fs->ops->readlink(fs, p("a"), &target));
    REFUSED(fs->ops->mkdir(fs, p("b")));
    REFUSED(fs->ops->rmdir(fs, p(".crdtsync/tmp")));
    REFUSED(fs->ops->unlink(fs, p("a")));
    REFUSED(fs->ops->link(fs, p("a"), p("b")));
    REFUSED(fs->ops->symlink(fs, p("t"), p("b")));
    REFUSED(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_REPLACE));
    REFUSED(fs->ops->chmod(fs, p("a"), &expect.print, 0, &st));
    REFUSED(fs->ops->sync(fs, NULL, 0));
    REFUSED(fs->ops->space(fs, &number, &number));
    REFUSED(fs->ops->refresh(fs));
    cr_assert_eq(fs->ops->open_write(fs, p("a"), &file), CS_OK);
    REFUSED(fs->ops->write(file, 0, "y", 1));
    REFUSED(fs->ops->truncate(file, 0));
    REFUSED(fs->ops->set_meta(file, 0, 7));
    REFUSED(fs->ops->fstat(file, &st));
    watch.at = watch.asked + 1;
    cr_assert_not(fs->ops->in_use(file), "we have it open for writing, but it cannot tell");
#undef REFUSED
    fs->ops->close(&file);
    cr_assert(holds("a", "x"));
    cr_assert(exists(".crdtsync/tmp"));
    cr_assert_not(exists("b"));
    cs_stat_t after;
    cr_assert_eq(cs_mem_user_stat(volume, p("a"), &after), CS_OK);
    cr_assert(cs_print_eq(&expect.print, &after.print));
    cr_assert_eq(after.mode, expect.mode);
    end();
}

Test(mem_fs_gate, a_torn_write_leaves_its_first_bytes)
{
    begin((cs_mem_config_t){0});
    put("a", "......");
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_write(fs, p("a"), &file), CS_OK);
    watch.at = watch.asked + 1;
    watch.torn = 2;
    watch.err = CS_ERR_NOSPACE;
    cr_assert_eq(fs->ops->write(file, 1, "1234", 4), CS_ERR_NOSPACE);
    cr_assert(holds("a", ".12..."));
    cr_assert_eq(fs->ops->write(file, 1, "1234", 4), CS_OK);
    fs->ops->close(&file);
    end();
}

Test(mem_fs_gate, the_dead_ask_no_more_and_close_their_files)
{
    begin((cs_mem_config_t){0});
    cs_file_t *file = create("a");
    watch.at = watch.asked + 1;
    watch.err = CS_ERR_IO;
    watch.torn = 1;
    watch.dead = true;
    cr_assert_eq(fs->ops->write(file, 0, "xyz", 3), CS_ERR_IO);
    unsigned asked = watch.asked;
    cs_stat_t st;
    cr_assert_eq(fs->ops->stat(fs, p("a"), &st), CS_ERR_IO);
    cr_assert_eq(fs->ops->write(file, 0, "xyz", 3), CS_ERR_IO);
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_ERR_IO);
    cr_assert_eq(watch.asked, asked);
    fs->ops->close(&file);
    cr_assert_null(file);
    cr_assert(holds("a", "x"), "a crash of the process alone loses nothing that was done");
    cr_assert_not(exists("d"));
    end();
}

static void swap_the_file(void)
{
    cr_assert_eq(cs_mem_user_rename(volume, p("a"), p("c"), CS_RENAME_REPLACE), CS_OK);
    cs_mem_fd_t *fd = NULL;
    cr_assert_eq(cs_mem_user_open(volume, p("a"), CS_MEM_O_CREATE | CS_MEM_O_WRITE, 0644, &fd),
                 CS_OK);
    cs_mem_user_close(&fd);
}

Test(mem_fs_gate, a_user_acts_between_the_two_calls_of_a_rename_by_link)
{
    begin((cs_mem_config_t){.no_noreplace = true});
    put("a", "x");
    watch.at = watch.asked + 2; /* rename, then unlink */
    watch.act = swap_the_file;
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_NOREPLACE), CS_OK);
    cr_assert(holds("b", "x") && holds("c", "x"));
    cr_assert_not(exists("a"), "whatever has the name by then is unlinked, as on Linux");
    end();
}

static void cut_power(void)
{
    cs_mem_volume_crash(volume, 1);
}

Test(mem_fs_gate, a_power_cut_in_it_ends_the_process)
{
    begin((cs_mem_config_t){.power_cuts = true});
    cs_file_t *file = create("a");
    watch.at = watch.asked + 1;
    watch.act = cut_power;
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_ERR_IO);
    unsigned asked = watch.asked;
    cr_assert_eq(fs->ops->write(file, 0, "x", 1), CS_ERR_IO);
    cr_assert_eq(watch.asked, asked);
    fs->ops->close(&file);
    cr_assert_not(exists("d"));
    end();
}
