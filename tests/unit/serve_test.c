/* serve_test.c - what a peer is given: all that is here and right, nothing that is not. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "disk/apply.h"
#include "disk/part.h"
#include "disk/serve.h"
#include "support/hashed.h"

#define BYTES (3u << 20)

static test_hashed_t folder;
static cs_serve_t serve;
static uint8_t *bytes;

/* What came out. */
static struct {
    cs_buf_t record[64]; /* name, bytes */
    size_t records, payloads, missing, largest;
} out;

static void on_payload(void *arg, cs_buf_t *payload)
{
    bool with_names = *(bool *)arg;
    out.payloads++;
    if (payload->len > out.largest) out.largest = payload->len;
    cs_reader_t reader = cs_reader(cs_buf_slice(payload));
    while (cs_reader_left(&reader) > 0) {
        cs_buf_t *record = &out.record[out.records++];
        cs_buf_clear(record);
        if (with_names) cs_buf_put_slice(record, cs_read_bytes(&reader, CS_HASH_BYTES));
        uint32_t len = cs_read_u32(&reader);
        cs_buf_put_slice(record, cs_read_bytes(&reader, len));
        cr_assert(reader.err == CS_OK && out.records < 64);
    }
}

static void on_missing(void *arg, const cs_name_t *name)
{
    (void)arg;
    (void)name;
    out.missing++;
}

static bool names_in_payload;
static const cs_serve_sink_t sink = {&names_in_payload, on_payload, on_missing};

static void set_up(void)
{
    test_hashed_init(&folder);
    serve = (cs_serve_t){.fs = folder.fs, .table = folder.table, .rows = folder.view};
    bytes = test_random_bytes(21, BYTES);
    names_in_payload = true;
}

static void tear_down(void)
{
    for (size_t i = 0; i < 64; i++) {
        cs_buf_fini(&out.record[i]);
    }
    cs_free(bytes);
    test_hashed_fini(&folder);
}

TestSuite(serve, .init = set_up, .fini = tear_down);

static cs_name_t name_of(const cs_content_t *content)
{
    cs_name_t name;
    memcpy(name.b, content->hash, sizeof name.b);
    return name;
}

static bool record_is(size_t i, const cs_name_t *name, cs_slice_t expected)
{
    const cs_buf_t *record = &out.record[i];
    return record->len == CS_HASH_BYTES + expected.len &&
           memcmp(record->data, name->b, CS_HASH_BYTES) == 0 &&
           (expected.len == 0 ||
            memcmp(record->data + CS_HASH_BYTES, expected.data, expected.len) == 0);
}

Test(serve, small_contents_by_hash)
{
    cs_content_t file, empty;
    test_hashed_add(&folder, "a", cs_slice(bytes, 100), &file);
    test_hashed_add(&folder, "b", cs_slice(bytes, 0), &empty);
    cs_name_t names[] = {name_of(&empty), {{1, 2, 3}}, name_of(&file)};
    cs_serve_data(&serve, names, 3, NULL, &sink);
    cr_assert(out.records == 2 && out.missing == 1 && out.payloads == 1);
    cr_assert(record_is(0, &names[0], cs_slice(bytes, 0)));
    cr_assert(record_is(1, &names[2], cs_slice(bytes, 100)));
}

Test(serve, targets_of_symlinks)
{
    cs_content_t link;
    cs_content_of(folder.table, CS_KIND_SYMLINK, cs_slice_text("some/where"), &link);
    cs_fs_t *fs = folder.fs;
    cr_assert(fs->ops->symlink(fs, cs_slice_text("some/where"), cs_slice_text("link")) ==
              CS_OK);
    test_hashed_record(&folder, "link", &link);
    cs_name_t name = name_of(&link);
    cs_serve_data(&serve, &name, 1, NULL, &sink);
    cr_assert(out.records == 1 && record_is(0, &name, cs_slice_text("some/where")));
}

Test(serve, another_path_when_the_first_changed)
{
    cs_content_t file;
    test_hashed_add(&folder, "a", cs_slice(bytes, 100), &file);
    test_hashed_add(&folder, "b", cs_slice(bytes, 100), &file);
    cs_name_t name = name_of(&file);
    test_hashed_write(&folder, "a", cs_slice(bytes, 99));
    cs_serve_data(&serve, &name, 1, NULL, &sink);
    cr_assert(out.records == 1 && out.missing == 0);
    test_hashed_write(&folder, "b", cs_slice(bytes + 1, 100));
    cs_serve_data(&serve, &name, 1, NULL, &sink);
    cr_assert(out.records == 1 && out.missing == 1);
}

Test(serve, what_is_staged_only)
{
    cs_content_t content;
    cs_content_of(folder.table, CS_KIND_FILE, cs_slice(bytes, 500), &content);
    cs_buf_t path = {0};
    cs_staged_path(&content, &path);
    test_hashed_write(&folder, (const char *)path.data, cs_slice(bytes, 500));
    cs_buf_fini(&path);
    cs_name_t name = name_of(&content);
    cs_serve_data(&serve, &name, 1, NULL, &sink);
    cr_assert(out.records == 1 && record_is(0, &name, cs_slice(bytes, 500)));
}

/* MAP, then the root node, then all chunks, as a peer would ask. */
static void chunk_names(const cs_content_t *content, cs_name_t *ret, size_t *ret_count)
{
    cs_content_map_t map;
    cr_assert(cs_serve_map(&serve, content->hash, content->size, &map) == CS_OK);
    cr_assert(map.depth == 1);
    names_in_payload = false;
    cs_serve_nodes(&serve, &map.root, 1, &sink);
    cr_assert(out.records == 1 && out.missing == 0);
    names_in_payload = true;
    cs_reader_t reader = cs_reader(cs_buf_slice(&out.record[0]));
    out.records = out.payloads = out.largest = 0;
    for (*ret_count = 0; cs_reader_left(&reader) > 0; ++*ret_count) {
        cs_read_u32(&reader);
        cs_read_copy(&reader, ret[*ret_count].b, CS_HASH_BYTES);
    }
}

static void serve_chunks(const cs_name_t *names, size_t count)
{
    cs_serve_data(&serve, NULL, 0, &(cs_serve_chunks_t){.names = names, .count = count}, &sink);
}

/* Of a chunk that is here, which is the first record then. */
static size_t served_len(const cs_name_t *name)
{
    out.records = 0;
    serve_chunks(name, 1);
    cr_assert(out.records == 1 && out.missing == 0);
    return out.record[0].len - CS_HASH_BYTES;
}

Test(serve, a_large_file_from_its_root_to_its_bytes)
{
    cs_content_t content;
    test_hashed_add(&folder, "large", cs_slice(bytes, BYTES), &content);
    cs_name_t names[64];
    size_t count;
    chunk_names(&content, names, &count);
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = served_len(&names[i]);
        cr_assert(record_is(0, &names[i], cs_slice(bytes + total, len)));
        total += len;
    }
    cr_assert(total == BYTES);
}

Test(serve, answers_are_bounded)
{
    cs_content_t content;
    test_hashed_add(&folder, "large", cs_slice(bytes, BYTES), &content);
    cs_name_t names[64];
    size_t count;
    chunk_names(&content, names, &count);
    serve_chunks(names, count);
    cr_assert(out.missing > 0 && out.records + out.missing == count);
    uint64_t given = 0;
    for (size_t i = 0; i < out.records; i++) {
        given += out.record[i].len;
    }
    cr_assert(given <= CS_SERVE_BYTES_MAX && given > CS_SERVE_BYTES_MAX / 2);
}

Test(serve, many_small_contents_are_bundled)
{
    cs_name_t names[60];
    for (size_t i = 0; i < 60; i++) {
        char path[8] = {'f', (char)('a' + i / 10), (char)('a' + i % 10)};
        cs_content_t content;
        test_hashed_add(&folder, path, cs_slice(bytes + i, 20000), &content);
        names[i] = name_of(&content);
    }
    cs_serve_data(&serve, names, 60, NULL, &sink);
    cr_assert(out.records == 60 && out.missing == 0);
    cr_assert(out.payloads == 5 && out.largest <= CS_BUNDLE_BYTES);
}

Test(serve, nothing_of_a_file_that_changed)
{
    cs_content_t content;
    test_hashed_add(&folder, "large", cs_slice(bytes, BYTES), &content);
    cs_name_t names[64];
    size_t count;
    chunk_names(&content, names, &count);
    memset(bytes, 1, BYTES);
    test_hashed_write(&folder, "large", cs_slice(bytes, BYTES));
    serve_chunks(names, count);
    cr_assert(out.records == 0 && out.missing == count);
}

Test(serve, no_map_of_what_is_gone)
{
    cs_content_t content;
    cs_content_map_t map;
    test_hashed_add(&folder, "large", cs_slice(bytes, BYTES), &content);
    cr_assert(cs_serve_map(&serve, content.hash, BYTES + 1, &map) == CS_ERR_NOT_FOUND);
    test_hashed_write(&folder, "large", cs_slice(bytes, 10));
    cr_assert(cs_serve_map(&serve, content.hash, BYTES, &map) == CS_ERR_NOT_FOUND);
    content.hash[0] ^= 1;
    cr_assert(cs_serve_map(&serve, content.hash, BYTES, &map) == CS_ERR_NOT_FOUND);
}

/* Of the file that is being fetched only the second chunk has come. */
Test(serve, chunks_of_a_file_that_is_here_in_part)
{
    cs_content_t content;
    test_hashed_add(&folder, "large", cs_slice(bytes, BYTES), &content);
    cs_name_t names[64];
    size_t count;
    chunk_names(&content, names, &count);
    uint64_t offsets[2] = {0};
    uint32_t lens[2];
    for (size_t i = 0; i < 2; i++) {
        lens[i] = (uint32_t)served_len(&names[i]);
    }
    offsets[1] = lens[0];
    bool has_bytes;
    cr_assert(cs_part_open(folder.fs, &content, content.size, &has_bytes) == CS_OK);
    cs_slice_t second = cs_slice(bytes + offsets[1], lens[1]);
    cr_assert(cs_part_write(folder.fs, folder.table, &content, offsets[1], second) == CS_OK);
    test_hashed_write(&folder, "large", cs_slice(bytes + 1, 10));

    cs_serve_chunks_t part = {names, 2, &content, offsets, lens};
    out.records = out.missing = 0;
    cs_serve_data(&serve, NULL, 0, &part, &sink);
    cr_assert(out.records == 1 && out.missing == 1);
    cr_assert(record_is(0, &names[1], second));
    out.records = out.missing = 0;
    serve_chunks(names, 2);
    cr_assert(out.records == 0 && out.missing == 2, "nobody knows where they are");
}
