/* fs_files_test.c - what the engine relies on where users have files open, and names change
 * under them: a descriptor follows the file and not its name. */
#include "contract/fs_fixture.h"

static bool reads(cs_file_t *file, const char *text)
{
    char data[64];
    size_t len = 0;
    cr_assert_eq(fs->ops->read(file, 0, data, sizeof data, &len), CS_OK);
    return len == strlen(text) && memcmp(data, text, len) == 0;
}

static cs_file_t *open_for_reading(const char *path)
{
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_read(fs, p(path), &file), CS_OK);
    return file;
}

PROMISE(fs_files, what_a_user_holds_open_is_written_wherever_it_was_moved)
{
    user_write("a", "one");
    hand_t hand = user_open("a", CS_MEM_O_WRITE);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p(".crdtsync/tmp/x"), CS_RENAME_NOREPLACE), CS_OK);
    put("a", "two");
    user_pwrite(hand, 0, "ONE!");
    cr_assert(holds(".crdtsync/tmp/x", "ONE!") && holds("a", "two"));
    user_close(hand);
}

PROMISE(fs_files, exchange_gives_what_a_user_writes_to_the_other_name)
{
    if (!fs->features.exchange) cr_skip_test("no RENAME_EXCHANGE on this file system");
    user_write("a", "old");
    put(".crdtsync/tmp/x", "new");
    cs_stat_t old = stat_of("a"), new = stat_of(".crdtsync/tmp/x");
    hand_t hand = user_open("a", CS_MEM_O_WRITE);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p(".crdtsync/tmp/x"), CS_RENAME_EXCHANGE), CS_OK);
    user_pwrite(hand, 0, "late");
    user_close(hand);
    cr_assert(holds("a", "new") && holds(".crdtsync/tmp/x", "late"));
    cs_stat_t now = stat_of("a"), away = stat_of(".crdtsync/tmp/x");
    cr_assert(cs_print_eq_but_ctime(&now.print, &new.print));
    cr_assert_eq(away.print.ino, old.print.ino);
}

PROMISE(fs_files, exchange_swaps_a_file_and_a_directory_with_all_below_it)
{
    if (!fs->features.exchange) cr_skip_test("no RENAME_EXCHANGE on this file system");
    user_write("d/below", "x");
    user_write("e/f", "file");
    cr_assert_eq(fs->ops->rename(fs, p("d"), p("e/f"), CS_RENAME_EXCHANGE), CS_OK);
    cr_assert(holds("d", "file") && holds("e/f/below", "x"));
    cr_assert_eq(fs->ops->rename(fs, p("e"), p("e/f"), CS_RENAME_EXCHANGE), CS_ERR_NAME);
    cr_assert_eq(fs->ops->rename(fs, p("e/f"), p("e"), CS_RENAME_EXCHANGE), CS_ERR_NAME);
}

PROMISE(fs_files, an_open_file_outlives_its_name_and_its_replacement)
{
    put("a", "first");
    cs_file_t *file = open_for_reading("a");
    cs_stat_t before, after;
    cr_assert_eq(fs->ops->fstat(file, &before), CS_OK);
    put("b", "second");
    cr_assert_eq(fs->ops->rename(fs, p("b"), p("a"), CS_RENAME_REPLACE), CS_OK);
    cr_assert(holds("a", "second"));
    cr_assert(reads(file, "first"));
    cr_assert_eq(fs->ops->fstat(file, &after), CS_OK);
    cr_assert_eq(after.nlink, 0);
    cr_assert_eq(after.print.ino, before.print.ino);
    fs->ops->close(&file);
}

PROMISE(fs_files, a_number_in_use_is_not_given_again)
{
    put("a", "x");
    cs_stat_t first = stat_of("a");
    cs_file_t *file = open_for_reading("a");
    cr_assert_eq(fs->ops->unlink(fs, p("a")), CS_OK);
    put("a", "y");
    cr_assert_neq(stat_of("a").print.ino, first.print.ino);
    fs->ops->close(&file);
}

PROMISE(fs_files, what_is_forgotten_is_there_all_the_same)
{
    char bytes[3];
    size_t len = 0;
    put("a", "xyz");
    cs_file_t *file = open_for_reading("a");
    fs->ops->forget(file, 0, UINT64_C(1) << 40);
    cr_assert_eq(fs->ops->read(file, 0, bytes, sizeof bytes, &len), CS_OK);
    cr_assert(len == 3 && memcmp(bytes, "xyz", 3) == 0);
    fs->ops->close(&file);
}

PROMISE(fs_files, in_use_while_somebody_has_it_open_for_writing)
{
    put("a", "x");
    cs_file_t *file = open_for_reading("a");
    cr_assert_not(fs->ops->in_use(file));
    hand_t reader = user_open("a", 0), writer = user_open("a", CS_MEM_O_WRITE);
    if (volume == NULL && !fs->ops->in_use(file)) cr_skip_test("this system does not tell");
    cr_assert(fs->ops->in_use(file));
    user_rename("a", "b");
    cr_assert(fs->ops->in_use(file));
    user_close(writer);
    cr_assert_not(fs->ops->in_use(file), "a reader does not count");
    user_close(reader);
    fs->ops->close(&file);
}

PROMISE(fs_files, appended_and_truncated_under_a_reader)
{
    user_write("a", "one");
    cs_file_t *file = open_for_reading("a");
    hand_t hand = user_open("a", CS_MEM_O_WRITE | CS_MEM_O_APPEND);
    user_pwrite(hand, 0, "+two");
    cr_assert(reads(file, "one+two"));
    user_close(hand);
    user_close(user_open("a", CS_MEM_O_WRITE | CS_MEM_O_TRUNC));
    cr_assert(reads(file, ""));
    fs->ops->close(&file);
}

PROMISE(fs_files, a_gap_reads_as_zeros)
{
    put("a", "x");
    cs_file_t *file = NULL;
    char data[8] = "garbage", expected[8] = {'x', 0, 0, 0, 'y', 0, 0, 0};
    size_t len = 0;
    cr_assert_eq(fs->ops->open_write(fs, p("a"), &file), CS_OK);
    cr_assert_eq(fs->ops->write(file, 4, "y", 1), CS_OK);
    cr_assert_eq(fs->ops->truncate(file, 8), CS_OK);
    cr_assert_eq(fs->ops->read(file, 0, data, 8, &len), CS_OK);
    cr_assert_eq(len, 8);
    cr_assert_arr_eq(data, expected, 8);
    cr_assert_eq(fs->ops->truncate(file, 2), CS_OK);
    cr_assert_eq(fs->ops->write(file, 4, "z", 1), CS_OK);
    cr_assert_eq(fs->ops->read(file, 0, data, 8, &len), CS_OK);
    cr_assert_arr_eq(data, "x\0\0\0z", 5);
    fs->ops->close(&file);
}

static cs_file_t *open_for_writing(const char *path)
{
    cs_file_t *file = NULL;
    cr_assert_eq(fs->ops->open_write(fs, p(path), &file), CS_OK);
    return file;
}

static uint64_t next_data(cs_file_t *file, uint64_t offset)
{
    uint64_t ret = 7;
    cr_assert_eq(fs->ops->next_data(file, offset, &ret), CS_OK);
    return ret;
}

PROMISE(fs_files, what_is_no_hole_is_told)
{
    const uint64_t size = 4u << 20;
    put("a", "x");
    cs_file_t *file = open_for_writing("a");
    cr_assert_eq(next_data(file, 0), 0);
    cr_assert_eq(fs->ops->truncate(file, size), CS_OK);
    cr_assert_eq(next_data(file, 0), 0);
    uint64_t at = next_data(file, size / 2);
    cr_assert(at == UINT64_MAX || at == size / 2, "there is nothing, or it does not tell");
    cr_assert_eq(fs->ops->write(file, size - 1, "y", 1), CS_OK);
    at = next_data(file, size / 2);
    cr_assert(at >= size / 2 && at < size);
    cr_assert_eq(next_data(file, size - 1), size - 1);
    fs->ops->close(&file);
}

PROMISE(fs_files, zeros_replace_what_was_there_and_nothing_else)
{
    enum { LEN = 100000 };
    put("a", "");
    cs_file_t *file = open_for_writing("a");
    uint8_t *bytes = cs_malloc(LEN), *expected = cs_malloc(LEN);
    memset(expected, 'x', LEN);
    cr_assert_eq(fs->ops->write(file, 0, expected, LEN), CS_OK);
    memset(expected + 999, 0, LEN - 1999);
    cr_assert_eq(fs->ops->write_zeros(file, 999, LEN - 1999), CS_OK);
    size_t len = 0;
    cr_assert_eq(fs->ops->read(file, 0, bytes, LEN, &len), CS_OK);
    cr_assert(len == LEN && memcmp(bytes, expected, LEN) == 0);
    cs_stat_t st;
    cr_assert_eq(fs->ops->fstat(file, &st), CS_OK);
    cr_assert_eq(st.print.size, LEN);
    cs_free(bytes);
    cs_free(expected);
    fs->ops->close(&file);
}

PROMISE(fs_files, shared_bytes_are_a_copy_to_whoever_changes_them)
{
    enum { LEN = 3 * 4096 + 100, AT = 8192 };
    if (!fs->features.shares) cr_skip_test("files have nothing in common on this file system");
    uint8_t *bytes = cs_malloc(LEN);
    for (size_t i = 0; i < LEN; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 251);
    }
    put("from", "");
    put("to", "before");
    cs_file_t *from = open_for_writing("from"), *to = open_for_writing("to");
    cr_assert_eq(fs->ops->write(from, 0, bytes, LEN), CS_OK);
    cr_assert_eq(fs->ops->truncate(to, AT + LEN), CS_OK);
    cr_assert_eq(fs->ops->share(to, AT + 50, from, 50, LEN - 50), CS_OK);
    cr_assert_eq(fs->ops->share(to, AT, from, 0, LEN + 1), CS_ERR_UNSUPPORTED);
    cr_assert_eq(fs->ops->write(from, 4096, "changed", 7), CS_OK);
    uint8_t found[LEN];
    size_t len = 0;
    cr_assert_eq(fs->ops->read(to, AT, found, LEN, &len), CS_OK);
    cr_assert(len == LEN && memcmp(found + 50, bytes + 50, LEN - 50) == 0);
    cr_assert_eq(fs->ops->read(to, 0, found, 8, &len), CS_OK);
    cr_assert_arr_eq(found, "before\0\0", 8);
    cs_free(bytes);
    fs->ops->close(&from);
    fs->ops->close(&to);
}

PROMISE(fs_files, only_a_file_that_is_open_for_writing_is_changed)
{
    put("a", "x");
    cs_file_t *file = open_for_reading("a");
    cr_assert_eq(fs->ops->write(file, 0, "y", 1), CS_ERR_IO);
    cr_assert_neq(fs->ops->truncate(file, 0), CS_OK);
    cr_assert_neq(fs->ops->write_zeros(file, 0, 1), CS_OK);
    cr_assert(reads(file, "x"));
    fs->ops->close(&file);
}

PROMISE(fs_files, directories_do_not_move_into_themselves_or_over_what_is_not_empty)
{
    user_write("d/e/f", "x");
    user_write("full/f", "x");
    user_mkdir("empty");
    const struct {
        const char *from, *to;
        cs_rename_mode_t mode;
        cs_err_t err;
    } cases[] = {
        {"d", "d/e/g", CS_RENAME_REPLACE, CS_ERR_NAME},
        {"d", "d/g", CS_RENAME_NOREPLACE, CS_ERR_NAME},
        {"d/e", "d", CS_RENAME_REPLACE, CS_ERR_NOT_EMPTY},
        {"d", "full", CS_RENAME_REPLACE, CS_ERR_NOT_EMPTY},
        {"full/f", "empty", CS_RENAME_REPLACE, CS_ERR_IS_DIR},
        {"empty", "full/f", CS_RENAME_REPLACE, CS_ERR_NOT_DIR},
        {"empty", "empty", CS_RENAME_REPLACE, CS_OK},
        {"empty", "empty", CS_RENAME_NOREPLACE, CS_ERR_EXISTS},
        {"none", "empty", CS_RENAME_REPLACE, CS_ERR_NOT_FOUND},
        {"d/.", "x", CS_RENAME_REPLACE, CS_ERR_BUSY},
        {"d", "empty", CS_RENAME_REPLACE, CS_OK},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        cr_assert_eq(fs->ops->rename(fs, p(cases[i].from), p(cases[i].to), cases[i].mode),
                     cases[i].err, "%zu", i);
    }
    cr_assert(holds("empty/e/f", "x") && holds("full/f", "x"));
}

PROMISE(fs_files, a_rename_between_two_names_of_a_file_does_nothing)
{
    put("a", "x");
    cr_assert_eq(fs->ops->link(fs, p("a"), p("b")), CS_OK);
    cr_assert_eq(fs->ops->rename(fs, p("a"), p("b"), CS_RENAME_REPLACE), CS_OK);
    cr_assert(holds("a", "x") && holds("b", "x"));
}

PROMISE(fs_files, a_rename_moves_ctime_but_not_mtime)
{
    user_write("a", "x");
    cs_stat_t before = stat_of("a"), after = before;
    if (volume != NULL) cs_mem_volume_set_time(volume, before.print.ctime_ns + 1000000);
    /* A kernel's clock for files stands still for some milliseconds. */
    for (int i = 0; i < 1000000 && after.print.ctime_ns == before.print.ctime_ns; i++) {
        const char *from = i % 2 == 0 ? "a" : "b", *to = i % 2 == 0 ? "b" : "a";
        cr_assert_eq(fs->ops->rename(fs, p(from), p(to), CS_RENAME_NOREPLACE), CS_OK);
        after = stat_of(to);
    }
    cr_assert(cs_print_eq_but_ctime(&before.print, &after.print));
    cr_assert_gt(after.print.ctime_ns, before.print.ctime_ns);
}

PROMISE(fs_files, a_target_of_4095_bytes_works_and_longer_or_empty_ones_are_refused)
{
    char target[4097];
    memset(target, 't', sizeof target);
    cs_buf_t read = {0};
    cr_assert_eq(fs->ops->symlink(fs, cs_slice(target, 4096), p("s")), CS_ERR_NAME);
    cr_assert_eq(fs->ops->symlink(fs, cs_slice(target, 0), p("s")), CS_ERR_NAME);
    cr_assert_eq(fs->ops->symlink(fs, cs_slice("a\0b", 3), p("s")), CS_ERR_NAME);
    cr_assert_eq(stat_err("s"), CS_ERR_NOT_FOUND);
    if (volume == NULL && fs->ops->symlink(fs, cs_slice(target, 4095), p("s")) != CS_OK) {
        cr_skip_test("this file system keeps shorter ones only");
    }
    if (volume != NULL) {
        cr_assert_eq(fs->ops->symlink(fs, cs_slice(target, 4095), p("s")), CS_OK);
    }
    cr_assert_eq(fs->ops->readlink(fs, p("s"), &read), CS_OK);
    cr_assert_eq(read.len, 4095);
    cs_buf_fini(&read);
}
