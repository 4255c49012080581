/* part_test.c - partial files on a real file system. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "disk/apply.h"
#include "disk/part.h"
#include "support/hashed.h"

#define BYTES (3u << 20)

static test_hashed_t folder;
static uint8_t *bytes;
static cs_content_t content;
static cs_part_chunks_t chunks;

static void on_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    cs_part_chunks_t *list = arg;
    list->names[list->count] = *name;
    list->offsets[list->count] = offset;
    list->lens[list->count++] = len;
}

/* The chunks of `bytes`. */
static void list_chunks(cs_slice_t whole)
{
    chunks.count = 0;
    cs_content_sink_t sink = {.arg = &chunks, .chunk = on_chunk};
    cs_content_hasher_t *hasher = cs_content_hasher_new(folder.table);
    cs_content_hasher_begin(hasher, &sink);
    cs_content_hasher_update(hasher, whole);
    cs_content_hasher_end(hasher, &content);
    cs_content_hasher_destroy(&hasher);
}

static void set_up(void)
{
    test_hashed_init(&folder);
    bytes = test_random_bytes(11, BYTES);
    chunks.names = cs_calloc(64, sizeof chunks.names[0]);
    chunks.offsets = cs_calloc(64, sizeof chunks.offsets[0]);
    chunks.lens = cs_calloc(64, sizeof chunks.lens[0]);
    list_chunks(cs_slice(bytes, BYTES));
}

static void tear_down(void)
{
    cs_free(chunks.names);
    cs_free(chunks.offsets);
    cs_free(chunks.lens);
    cs_free(bytes);
    test_hashed_fini(&folder);
}

TestSuite(part, .init = set_up, .fini = tear_down);

static bool open_part(void)
{
    bool has_bytes = false;
    cr_assert(cs_part_open(folder.fs, &content, content.size, &has_bytes) == CS_OK);
    return has_bytes;
}

static size_t fill(const cs_rows_view_t *view)
{
    size_t found = 99;
    cs_err_t err = cs_part_fill(folder.fs, folder.table, view, &content, &chunks, &found);
    cr_assert(err == CS_OK);
    return found;
}

static void write_chunk(size_t i)
{
    cs_slice_t part = cs_slice(bytes + chunks.offsets[i], chunks.lens[i]);
    cr_assert(cs_part_write(folder.fs, folder.table, &content, chunks.offsets[i], part) ==
              CS_OK);
}

/* What was not asked of it is written to the partial file. */
static void damage(uint64_t offset, cs_slice_t with)
{
    cs_buf_t path = {0};
    cs_file_t *file = NULL;
    cs_staged_path(&content, &path);
    cs_buf_printf(&path, ".part");
    cr_assert(folder.fs->ops->open_write(folder.fs, cs_buf_slice(&path), &file) == CS_OK);
    cr_assert(file->ops->write(file, offset, with.data, with.len) == CS_OK);
    folder.fs->ops->close(&file);
    cs_buf_fini(&path);
}

static cs_err_t finish(void)
{
    return cs_part_finish(folder.fs, &content, true);
}

static bool staged_is_right(void)
{
    cs_buf_t path = {0};
    cs_staged_path(&content, &path);
    bool right = test_hashed_is(&folder, (const char *)path.data, cs_slice(bytes, BYTES));
    cs_buf_fini(&path);
    return right;
}

static const cs_rows_view_t no_rows = {0};

Test(part, written_chunks_become_a_staged_file)
{
    cr_assert(!open_part());
    for (size_t i = chunks.count; i-- > 0;) {
        write_chunk(i);
    }
    cr_assert(finish() == CS_OK);
    cr_assert(staged_is_right());
    bool has_bytes;
    cs_slice_t first = cs_slice(bytes, chunks.lens[0]);
    cr_assert(cs_part_write(folder.fs, folder.table, &content, 0, first) == CS_ERR_NOT_FOUND);
    cr_assert(cs_part_open(folder.fs, &content, content.size, &has_bytes) == CS_OK &&
              has_bytes);
}

Test(part, what_was_written_is_found_after_a_restart)
{
    cr_assert(!open_part());
    cr_assert(fill(&no_rows) == 0);
    write_chunk(1);
    write_chunk(4);
    uint64_t first = chunks.offsets[1], second = chunks.offsets[4];
    cr_assert(open_part());
    cr_assert(fill(&no_rows) == 2);
    cr_assert(chunks.offsets[0] == first && chunks.offsets[1] == second);
    for (size_t i = 2; i < chunks.count; i++) {
        write_chunk(i);
    }
    cr_assert(finish() == CS_OK);
    cr_assert(staged_is_right());
}

static cs_err_t read_chunk(size_t i, uint64_t offset)
{
    cs_buf_t got = {0};
    cs_part_place_t place = {&chunks.names[i], offset, chunks.lens[i]};
    cs_err_t err = cs_part_read(folder.fs, folder.table, &content, &place, &got);
    cs_slice_t right = cs_slice(bytes + chunks.offsets[i], chunks.lens[i]);
    if (err == CS_OK) cr_assert(cs_slice_eq(cs_buf_slice(&got), right));
    cs_buf_fini(&got);
    return err;
}

Test(part, others_get_what_is_right_of_it)
{
    cr_assert(read_chunk(1, chunks.offsets[1]) == CS_ERR_NOT_FOUND, "there is no such file");
    cr_assert(!open_part());
    cr_assert(read_chunk(1, chunks.offsets[1]) == CS_ERR_NOT_FOUND, "a hole");
    write_chunk(1);
    cr_assert(read_chunk(1, chunks.offsets[1]) == CS_OK);
    cr_assert(read_chunk(1, chunks.offsets[1] + 1) == CS_ERR_NOT_FOUND);
    cr_assert(read_chunk(1, content.size) == CS_ERR_NOT_FOUND, "behind its end");
    cr_assert(finish() == CS_OK);
    cr_assert(read_chunk(1, chunks.offsets[1]) == CS_OK, "it waits for its name");
}

Test(part, a_damaged_chunk_is_not_taken_for_right)
{
    cr_assert(!open_part());
    write_chunk(0);
    damage(5, cs_slice("x", 1));
    cr_assert(fill(&no_rows) == 0);
}

Test(part, chunks_come_from_other_files_of_the_folder)
{
    cs_content_t other;
    uint8_t *edited = cs_memdup(bytes, BYTES);
    edited[BYTES / 2] ^= 1; /* one chunk differs */
    test_hashed_add(&folder, "other", cs_slice(edited, BYTES), &other);
    cs_free(edited);
    cr_assert(!open_part());
    cr_assert(fill(&folder.view) == chunks.count - 1);
    write_chunk(chunks.count - 1); /* the only one that is not in front */
    cr_assert(finish() == CS_OK);
    cr_assert(staged_is_right());
}

Test(part, a_local_file_that_changed_since_is_no_source)
{
    cs_content_t other;
    test_hashed_add(&folder, "other", cs_slice(bytes, BYTES), &other);
    uint8_t *edited = test_random_bytes(12, BYTES);
    test_hashed_write(&folder, "other", cs_slice(edited, BYTES));
    cs_free(edited);
    cr_assert(!open_part());
    cr_assert(fill(&folder.view) == 0);
}

Test(part, holes_are_chunks_of_zeros)
{
    memset(bytes, 0, BYTES);
    list_chunks(cs_slice(bytes, BYTES));
    cr_assert(chunks.count == 3 && chunks.lens[0] == CS_CHUNK_MAX);
    cr_assert(!open_part());
    cr_assert(fill(&no_rows) == 3);
    cr_assert(finish() == CS_OK);
    cr_assert(staged_is_right());
}

Test(part, what_is_not_proved_is_removed_at_the_end)
{
    cr_assert(!open_part());
    write_chunk(0);
    cr_assert(cs_part_finish(folder.fs, &content, false) == CS_ERR_MISMATCH);
    cr_assert(!staged_is_right());
    cr_assert(!open_part()); /* a new one */
}

/* Who made a list may have cut the bytes as he liked, and named the pieces rightly. */
Test(part, chunks_that_no_scan_would_cut_are_refused)
{
    uint32_t len = chunks.lens[0];
    cs_slice_t both = cs_slice(bytes, chunks.lens[0] + chunks.lens[1]);
    cr_assert(!open_part());
    cr_assert(cs_part_write(folder.fs, folder.table, &content, 0, cs_slice(bytes, len - 1)) ==
              CS_ERR_MISMATCH);
    cr_assert(cs_part_write(folder.fs, folder.table, &content, 0, both) == CS_ERR_MISMATCH);
    size_t last = chunks.count - 1;
    write_chunk(last); /* the end of the file is an end */
    cr_assert(fill(&no_rows) == 1);

    chunks.lens[0] = len - 1; /* among them in the partial file, and in another one */
    chunks.offsets[0] = 0;
    cs_chunk_name(folder.table, cs_slice(bytes, len - 1), &chunks.names[0]);
    chunks.count = 1;
    damage(0, cs_slice(bytes, len - 1));
    size_t found;
    cr_assert(cs_part_fill(folder.fs, folder.table, &no_rows, &content, &chunks, &found) ==
              CS_ERR_MISMATCH);
}

/* It has its name in another file, whose end it was. */
Test(part, the_end_of_another_file_is_no_chunk_inside)
{
    cs_content_t other;
    size_t len = chunks.offsets[2] + chunks.lens[2] - 1;
    test_hashed_add(&folder, "other", cs_slice(bytes, len), &other);
    cr_assert(!open_part());
    cr_assert(fill(&folder.view) == 2);
    list_chunks(cs_slice(bytes, BYTES));
    chunks.lens[2]--;
    cs_slice_t end = cs_slice(bytes + chunks.offsets[2], chunks.lens[2]);
    cs_chunk_name(folder.table, end, &chunks.names[2]);
    chunks.count = 3;
    size_t found;
    cr_assert(cs_part_fill(folder.fs, folder.table, &folder.view, &content, &chunks, &found) ==
              CS_ERR_MISMATCH);
}

Test(part, discard_leaves_nothing)
{
    cr_assert(!open_part());
    cr_assert(cs_part_discard(folder.fs, &content) == CS_OK);
    cr_assert(cs_part_discard(folder.fs, &content) == CS_OK);
    cr_assert(!open_part());
    for (size_t i = 0; i < chunks.count; i++) {
        write_chunk(i);
    }
    cr_assert(finish() == CS_OK);
    cr_assert(cs_part_discard(folder.fs, &content) == CS_OK);
    cr_assert(!staged_is_right());
}

Test(part, a_file_larger_than_the_disk_is_refused)
{
    cs_content_t huge = content;
    huge.size = UINT64_C(1) << 60;
    bool has_bytes;
    cr_assert(cs_part_open(folder.fs, &huge, huge.size, &has_bytes) == CS_ERR_NOSPACE);
    cr_assert(!open_part());
}

Test(part, holes_need_no_space)
{
    cs_content_t huge = content;
    huge.size = UINT64_C(1) << 42; /* as large as ext4 lets a file be, nearly */
    bool has_bytes;
    cr_assert(cs_part_open(folder.fs, &huge, 1000, &has_bytes) == CS_OK);
    cr_assert(cs_part_discard(folder.fs, &huge) == CS_OK);
}

/* Bytes that the disk keeps for the partial file. */
static uint64_t allocated(void)
{
    cs_buf_t path = {0}, full = {0};
    struct stat st;
    cs_staged_path(&content, &path);
    cs_buf_printf(&full, "%s/%s.part", folder.dir, (const char *)path.data);
    cr_assert(stat((const char *)full.data, &st) == 0);
    cs_buf_fini(&path);
    cs_buf_fini(&full);
    return (uint64_t)st.st_blocks * 512;
}

Test(part, zeros_become_holes_and_what_was_there_before_is_gone)
{
    memset(bytes, 0, BYTES);
    memset(bytes + 5000, 'x', 100);
    memset(bytes + (2u << 20), 'y', 70000);
    list_chunks(cs_slice(bytes, BYTES));
    cr_assert(!open_part());
    uint8_t *others = test_random_bytes(12, BYTES);
    damage(0, cs_slice(others, BYTES));
    cs_free(others);
    cr_assert(allocated() >= BYTES);
    for (size_t i = 0; i < chunks.count; i++) {
        write_chunk(i);
    }
    cr_assert(allocated() <= (512u << 10), "%llu bytes", (unsigned long long)allocated());
    cr_assert(finish() == CS_OK);
    cr_assert(staged_is_right());
}

Test(part, a_small_disk_is_filled_but_for_a_part_of_it)
{
    const uint64_t mib = UINT64_C(1) << 20;
    cr_assert(cs_part_fits(20 * mib, 63 * mib, 64 * mib));
    cr_assert(!cs_part_fits(62 * mib, 63 * mib, 64 * mib));
    cr_assert(!cs_part_fits(1, 3 * mib, 64 * mib));
    cr_assert(cs_part_fits(1, 65 * mib, 65536 * mib));
    cr_assert(!cs_part_fits(1, 63 * mib, 65536 * mib));
}
