/* fs_test.c - what every implementation of disk/fs.h promises: files, paths, the folder. */
#include "contract/fs_fixture.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>

PROMISE(fs, a_written_file_reads_back_and_has_its_stat)
{
    put("a", "hello");
    cr_assert(holds("a", "hello"));
    cs_stat_t st = stat_of("a");
    cr_assert_eq(st.type, CS_NODE_FILE);
    cr_assert_eq(st.mode, 0600);
    cr_assert_eq(st.nlink, 1);
    cr_assert_eq(st.print.size, 5);
    cr_assert_neq(st.print.ino, 0);
    cr_assert_neq(st.print.mtime_ns, 0);
}

PROMISE(fs, create_never_overwrites)
{
    put("a", "one");
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->create(fs, p("a"), &file), CS_ERR_EXISTS);
    user_symlink("nowhere", "link");
    cr_assert_eq(fs->ops->create(fs, p("link"), &file), CS_ERR_EXISTS);
    cr_assert_null(file);
    cr_assert(holds("a", "one"));
}

PROMISE(fs, reads_and_writes_at_an_offset_and_stops_at_the_end)
{
    put("a", "0123456789");
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_write(fs, p("a"), &file), CS_OK);
    cr_assert_eq(fs->ops->write(file, 8, "xyz", 3), CS_OK);
    char data[8];
    size_t len = 99;
    cr_assert_eq(fs->ops->read(file, 6, data, sizeof data, &len), CS_OK);
    cr_assert_eq(len, 5);
    cr_assert_arr_eq(data, "67xyz", 5);
    cr_assert_eq(fs->ops->read(file, 11, data, sizeof data, &len), CS_OK);
    cr_assert_eq(len, 0);
    cr_assert_eq(fs->ops->truncate(file, 2), CS_OK);
    cs_stat_t st;
    cr_assert_eq(fs->ops->fstat(file, &st), CS_OK);
    cr_assert_eq(st.print.size, 2);
    fs->ops->close(&file);
    cr_assert_eq(fs->ops->open_write(fs, p("missing"), &file), CS_ERR_NOT_FOUND);
}

PROMISE(fs, set_meta_sets_mode_and_mtime_to_the_nanosecond)
{
    put("a", "x");
    const int64_t times[] = {1234567890123456789, -1, -2000000001, 0};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        cs_file_t *file = NULL;
        cr_assert_eq(fs->ops->open_write(fs, p("a"), &file), CS_OK);
        cr_assert_eq(fs->ops->set_meta(file, 0754, times[i]), CS_OK);
        fs->ops->close(&file);
        cs_stat_t st = stat_of("a");
        cr_assert_eq(st.mode, 0754);
        cr_assert_eq(st.print.mtime_ns, times[i]);
    }
}

PROMISE(fs, a_symbolic_link_is_never_followed_at_any_component)
{
    user_write("real/f", "secret");
    user_symlink("real", "in");
    user_symlink("/etc", "out");
    user_symlink("real/f", "file");
    cs_file_t *file = NULL;
    cs_listing_t list = {0};
    cr_assert_eq(fs->ops->open_read(fs, p("in/f"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->open_read(fs, p("out/passwd"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->open_read(fs, p("file"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->open_write(fs, p("file"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->create(fs, p("out/new"), &file), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->list(fs, p("in"), &list), CS_ERR_ESCAPES);
    cr_assert_eq(stat_err("in/f"), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->mkdir(fs, p("in/d")), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->unlink(fs, p("in/f")), CS_ERR_ESCAPES);
    cr_assert_eq(fs->ops->rename(fs, p("real/f"), p("out/f"), CS_RENAME_NOREPLACE),
                 CS_ERR_ESCAPES);
    cr_assert_eq(stat_of("in").type, CS_NODE_SYMLINK);
    cr_assert(holds("real/f", "secret"));
}

PROMISE(fs, dot_dot_does_not_leave_the_folder)
{
    cs_file_t *file = NULL;
    cr_assert_neq(fs->ops->open_read(fs, p("../../../../etc/passwd"), &file), CS_OK);
    cr_assert_neq(fs->ops->open_read(fs, p("/etc/passwd"), &file), CS_OK);
}

/* Of another device, or of this one: the latter is a mount all the same. */
Test(fs, what_is_mounted_inside_is_not_of_the_folder, .init = setup, .fini = teardown)
{
    cs_test_write(dir, "in/deep/f", "under it");
    cs_test_write(dir, "other/deep/f", "bound");
    cs_test_write(dir, "file", "under it");
    cs_test_write(dir, "bound", "bound");
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        cr_skip_test("not allowed to mount");
    }
    cr_assert_eq(fs->ops->refresh(fs), CS_OK); /* into the new namespace */
    for (int round = 0; round < 2; round++) {
        char in[512];
        snprintf(in, sizeof in, "%s", at("in"));
        cr_assert_eq(round == 0 ? mount("none", in, "tmpfs", 0, NULL)
                                : mount(at("other"), in, NULL, MS_BIND, NULL),
                     0);
        cs_file_t *file = NULL;
        cs_listing_t list = {0};
        cr_expect_eq(stat_err("in/deep/f"), CS_ERR_CROSS_DEVICE);
        cr_expect_eq(stat_err("in/none"), CS_ERR_CROSS_DEVICE, "it is not known to be missing");
        cr_expect_eq(fs->ops->open_read(fs, p("in/deep/f"), &file), CS_ERR_CROSS_DEVICE);
        cr_expect_eq(fs->ops->list(fs, p("in"), &list), CS_ERR_CROSS_DEVICE);
        cr_expect_eq(fs->ops->mkdir(fs, p("in/new")), CS_ERR_CROSS_DEVICE);
        cr_expect_eq(fs->ops->unlink(fs, p("in/deep/f")), CS_ERR_CROSS_DEVICE);
        cr_expect_eq(fs->ops->rename(fs, p("file"), p("in/f"), CS_RENAME_NOREPLACE),
                     CS_ERR_CROSS_DEVICE);
        cr_assert_eq(umount(in), 0);
    }
    char file_path[512];
    snprintf(file_path, sizeof file_path, "%s", at("file"));
    cr_assert_eq(mount(at("bound"), file_path, NULL, MS_BIND, NULL), 0);
    cs_file_t *file = NULL;
    cr_expect_eq(fs->ops->open_read(fs, p("file"), &file), CS_ERR_CROSS_DEVICE);
    cr_assert_eq(umount(file_path), 0);
    cr_assert(holds("in/deep/f", "under it"));
    cr_assert(holds("file", "under it"));
}

PROMISE(fs, symlinks_read_back_bytewise)
{
    cr_assert_eq(fs->ops->symlink(fs, p("../tar\xff get"), p("s")), CS_OK);
    cr_assert_eq(fs->ops->symlink(fs, p("x"), p("s")), CS_ERR_EXISTS);
    cs_buf_t target = {0};
    cr_assert_eq(fs->ops->readlink(fs, p("s"), &target), CS_OK);
    cr_assert(cs_slice_eq(cs_buf_slice(&target), p("../tar\xff get")));
    put("f", "");
    cr_assert_eq(fs->ops->readlink(fs, p("f"), &target), CS_ERR_CHANGED);
    cs_buf_fini(&target);
}

PROMISE(fs, list_names_everything_once_with_its_type)
{
    put("f", "1");
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_OK);
    put("d/below", "1");
    cr_assert_eq(fs->ops->symlink(fs, p("f"), p("s")), CS_OK);
    user_fifo("p");
    cs_listing_t list = {0};
    cr_assert_eq(fs->ops->list(fs, p(""), &list), CS_OK);
    cr_assert_eq(list.len, 5); /* and .crdtsync */
    unsigned seen = 0;
    for (size_t i = 0; i < list.len; i++) {
        cr_assert_eq(list.item[i].err, CS_OK);
        cs_node_type_t type = list.item[i].stat.type;
        const char *name = list.item[i].name->data;
        if (strcmp(name, "f") == 0 && type == CS_NODE_FILE) seen |= 1;
        if (strcmp(name, "d") == 0 && type == CS_NODE_DIR) seen |= 2;
        if (strcmp(name, "s") == 0 && type == CS_NODE_SYMLINK) seen |= 4;
        if (strcmp(name, "p") == 0 && type == CS_NODE_FIFO) seen |= 8;
    }
    cr_assert_eq(seen, 15);
    cr_assert_eq(fs->ops->list(fs, p("f"), &list), CS_ERR_NOT_DIR);
    cr_assert_eq(fs->ops->list(fs, p("none"), &list), CS_ERR_NOT_FOUND);
    cs_listing_fini(&list);
}

PROMISE(fs, a_directory_larger_than_one_read_is_listed_whole)
{
    char name[240];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "%0200d", i);
        user_write(name, "");
    }
    cs_listing_t list = {0};
    cr_assert_eq(fs->ops->list(fs, p(""), &list), CS_OK);
    cr_assert_eq(list.len, 1001);
    cs_listing_fini(&list);
}

PROMISE(fs, only_regular_files_are_opened)
{
    cs_file_t *file = NULL;
    user_fifo("p");
    cr_assert_eq(fs->ops->mkdir(fs, p("d")), CS_OK);
    cr_assert_eq(fs->ops->open_read(fs, p("p"), &file), CS_ERR_UNSUPPORTED);
    cr_assert_eq(fs->ops->open_read(fs, p("d"), &file), CS_ERR_IS_DIR);
    cr_assert_eq(fs->ops->open_read(fs, p("none"), &file), CS_ERR_NOT_FOUND);
    cr_assert_null(file);
}

PROMISE(fs, a_path_of_4096_bytes_works_and_longer_ones_are_refused)
{
    char path[CS_PATH_MAX + 2];
    size_t len = 0;
    while (len + 200 < CS_PATH_MAX) {
        memset(path + len, 'd', 199);
        len += 199;
        path[len] = '\0';
        cr_assert_eq(fs->ops->mkdir(fs, p(path)), CS_OK);
        path[len++] = '/';
    }
    memset(path + len, 'f', CS_PATH_MAX - len);
    path[CS_PATH_MAX] = '\0';
    put(path, "deep");
    cr_assert(holds(path, "deep"));
    cr_assert_eq(stat_of(path).print.size, 4);
    path[CS_PATH_MAX] = 'f';
    path[CS_PATH_MAX + 1] = '\0';
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_read(fs, p(path), &file), CS_ERR_NAME);
    path[CS_PATH_MAX] = '\0';
    cr_assert_eq(fs->ops->unlink(fs, p(path)), CS_OK);
    while ((len = cs_path_parent(p(path)).len) > 0) {
        path[len] = '\0';
        cr_assert_eq(fs->ops->rmdir(fs, p(path)), CS_OK);
    }
}

PROMISE(fs, a_name_of_255_bytes_works_and_256_are_refused)
{
    char name[CS_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[CS_NAME_MAX] = '\0';
    put(name, "x");
    cr_assert(holds(name, "x"));
    name[CS_NAME_MAX] = 'n';
    name[CS_NAME_MAX + 1] = '\0';
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->create(fs, p(name), &file), CS_ERR_NAME);
    cr_assert_eq(stat_err(name), CS_ERR_NAME);
}

PROMISE(fs, names_that_are_not_utf8_work)
{
    put("caf\xe9 \n\x01", "x");
    cr_assert(holds("caf\xe9 \n\x01", "x"));
}

PROMISE(fs, a_file_as_a_parent_is_not_a_directory)
{
    put("f", "x");
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->create(fs, p("f/g"), &file), CS_ERR_NOT_DIR);
    cr_assert_eq(stat_err("f/g"), CS_ERR_NOT_DIR);
    cr_assert_eq(fs->ops->mkdir(fs, p("f/g")), CS_ERR_NOT_DIR);
}

PROMISE(fs, the_root_can_be_seen_but_not_removed)
{
    cr_assert_eq(stat_of("").type, CS_NODE_DIR);
    cr_assert_neq(fs->ops->rmdir(fs, p("")), CS_OK);
}

Test(fs, what_may_not_be_read_is_denied, .init = setup, .fini = teardown)
{
    if (geteuid() != 0) cr_skip("needs root to become another user");
    put("a", "x");
    chmod(dir, 0755);
    cr_assert_eq(seteuid(65534), 0);
    cs_file_t *file = NULL;
    cs_err_t err = fs->ops->open_read(fs, p("a"), &file);
    cs_err_t made = fs->ops->mkdir(fs, p("d"));
    cr_assert_eq(seteuid(0), 0);
    prctl(PR_SET_DUMPABLE, 1); /* LeakSanitizer attaches to the process at its end */
    cr_assert_eq(err, CS_ERR_DENIED);
    cr_assert_eq(made, CS_ERR_DENIED);
}

PROMISE(fs, features_are_probed_without_leaving_anything)
{
    cs_listing_t list = {0};
    cr_assert_eq(fs->ops->list(fs, p(".crdtsync/tmp"), &list), CS_OK);
    cr_assert_eq(list.len, 0);
    cs_listing_fini(&list);
    cr_assert_gt(fs->features.mtime_step_ns, 0);
    cr_assert(fs->features.modes);
    cr_assert(fs->features.symlinks);
    cr_assert_eq(fs->umask, 022);
}

PROMISE(fs, features_are_probed_when_the_private_directory_is_made)
{
    cs_fs_features_t known = fs->features;
    fs->ops->close_fs(&fs);
    user_rmdir(".crdtsync/tmp");
    open_fs();
    cr_assert_not(fs->features.modes);
    cr_assert_eq(fs->ops->mkdir(fs, p(".crdtsync/tmp")), CS_OK);
    cr_assert_eq(fs->features.modes, known.modes);
    cr_assert_eq(fs->features.exchange, known.exchange);
    cr_assert_eq(fs->features.mtime_step_ns, known.mtime_step_ns);
    cr_assert_eq(fs->features.mapped_times, known.mapped_times);
}

Test(fs, refresh_finds_what_stands_at_the_roots_path_now, .init = setup, .fini = teardown)
{
    char away[256];
    snprintf(away, sizeof away, "%s.away", dir);
    put("old", "x");
    cr_assert_eq(rename(dir, away), 0);
    cr_assert_eq(fs->ops->refresh(fs), CS_ERR_NOT_FOUND);
    cr_assert(holds("old", "x"));
    cr_assert_eq(mkdir(dir, 0755), 0);
    cr_assert_eq(fs->ops->refresh(fs), CS_OK);
    cr_assert_eq(stat_err("old"), CS_ERR_NOT_FOUND);
    put("new", "x");
    cr_assert_eq(rmdir(dir), -1);
    char *old = cs_memdup(away, strlen(away) + 1);
    cs_test_dir_remove(&old);
}

PROMISE(fs, sync_and_space_answer)
{
    uint64_t free_bytes = 0, total = 0;
    cr_assert_eq(fs->ops->sync(fs, NULL, 0), CS_OK);
    const cs_slice_t few[] = {p("a"), p("d"), p("d/f"), p(""), p("link"), p("nothing here")};
    cr_assert_eq(fs->ops->sync(fs, few, CS_COUNT_OF(few)), CS_OK);
    cr_assert_eq(fs->ops->space(fs, &free_bytes, &total), CS_OK);
    cr_assert_gt(total, 0);
    cr_assert_leq(free_bytes, total);
}

/* The model's own way of the same two: there is no other user, and no mv. */
Test(fs_model, what_may_not_be_read_is_denied, .fini = teardown_model)
{
    setup_model_as((cs_mem_config_t){.unprivileged = true});
    put("a", "x");
    put("b", "x");
    user_write("d/f", "x");
    cr_assert_eq(cs_mem_user_chmod(volume, p("a"), 0200), CS_OK);
    cr_assert_eq(cs_mem_user_chmod(volume, p("b"), 0400), CS_OK);
    cr_assert_eq(cs_mem_user_chmod(volume, p("d"), 0500), CS_OK);
    cs_file_t *file = NULL;
    cs_listing_t list = {0};
    cr_assert_eq(fs->ops->open_read(fs, p("a"), &file), CS_ERR_DENIED);
    cr_assert_eq(fs->ops->open_write(fs, p("b"), &file), CS_ERR_DENIED);
    cr_assert_eq(fs->ops->mkdir(fs, p("d/e")), CS_ERR_DENIED);
    cr_assert_eq(fs->ops->unlink(fs, p("d/f")), CS_ERR_DENIED);
    cr_assert_eq(fs->ops->rename(fs, p("d/f"), p("f"), CS_RENAME_REPLACE), CS_ERR_DENIED);
    cr_assert(holds("d/f", "x"));
    cr_assert_eq(fs->ops->mkdir(fs, p("e")), CS_OK);
    cr_assert_eq(fs->ops->rename(fs, p("d"), p("e/d"), CS_RENAME_REPLACE), CS_ERR_DENIED);
    cr_assert_eq(fs->ops->rename(fs, p("d"), p("moved"), CS_RENAME_REPLACE), CS_OK);
    cr_assert_eq(fs->ops->rename(fs, p("moved"), p("d"), CS_RENAME_REPLACE), CS_OK);
    cr_assert_eq(cs_mem_user_chmod(volume, p("d"), 0400), CS_OK);
    cr_assert_eq(stat_err("d/f"), CS_ERR_DENIED);
    cr_assert_eq(fs->ops->list(fs, p("d"), &list), CS_OK);
    cr_assert_eq(list.item[0].err, CS_ERR_DENIED);
    cr_assert_eq(cs_mem_user_chmod(volume, p("d"), 0300), CS_OK);
    cr_assert_eq(fs->ops->list(fs, p("d"), &list), CS_ERR_DENIED);
    cs_listing_fini(&list);
}

Test(fs_model, refresh_finds_what_stands_at_the_roots_path_now, .init = setup_model,
     .fini = teardown_model)
{
    put("old", "x");
    uint64_t device = stat_of("").print.dev;
    cs_mem_volume_unmount(volume, false);
    cr_assert_eq(fs->ops->refresh(fs), CS_ERR_NOT_FOUND);
    cr_assert(holds("old", "x"), "the old one stays in use");
    cs_mem_volume_unmount(volume, true);
    cr_assert_eq(fs->ops->refresh(fs), CS_OK);
    cr_assert_eq(stat_err("old"), CS_ERR_NOT_FOUND);
    cr_assert_neq(stat_of("").print.dev, device);
    put("new", "x");
    cs_mem_volume_mount(volume);
    cr_assert(holds("new", "x"), "until it is refreshed");
    cr_assert_eq(fs->ops->refresh(fs), CS_OK);
    cr_assert_eq(stat_err("new"), CS_ERR_NOT_FOUND);
    cr_assert(holds("old", "x"));
    cr_assert_eq(stat_of("").print.dev, device);
}

Test(fs_open, a_missing_root_or_a_file_is_an_error)
{
    cs_fs_t *none = NULL;
    cr_assert_eq(cs_fs_linux_open("/nonexistent/folder", &none), CS_ERR_NOT_FOUND);
    cr_assert_eq(cs_fs_linux_open("/etc/passwd", &none), CS_ERR_NOT_DIR);
    cr_assert_null(none);
}
