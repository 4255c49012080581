/* part.c - partial files: each call opens the file anew, so nothing is held between orders. */
#include "disk/part.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "disk/apply.h"
#include "disk/local.h"

/* Left free on the disk when a new file is begun, for everybody else: bytes, but on a small
 * file system no more than one part of so many. */
#define SPACE_RESERVE (64ull << 20)
#define SPACE_PARTS   20u

static void path_of(const cs_content_t *content, cs_buf_t *ret)
{
    cs_staged_path(content, ret);
    cs_buf_printf(ret, ".part");
}

static cs_err_t open_part(cs_fs_t *fs, const cs_content_t *content, cs_file_t **ret)
{
    cs_buf_t path = {0};
    path_of(content, &path);
    cs_err_t err = fs->ops->open_write(fs, cs_buf_slice(&path), ret);
    cs_buf_fini(&path);
    return err;
}

/* From the partial to the staged name, or back. */
static cs_err_t rename_part(cs_fs_t *fs, const cs_content_t *content, bool to_staged)
{
    cs_buf_t part = {0}, staged = {0};
    path_of(content, &part);
    cs_staged_path(content, &staged);
    const cs_buf_t *from = to_staged ? &part : &staged, *to = to_staged ? &staged : &part;
    cs_err_t err = fs->ops->rename(fs, cs_buf_slice(from), cs_buf_slice(to), CS_RENAME_REPLACE);
    cs_buf_fini(&part);
    cs_buf_fini(&staged);
    return err;
}

/* path is freed. */
static cs_err_t unlink_if_there(cs_fs_t *fs, cs_buf_t *path)
{
    cs_err_t err = fs->ops->unlink(fs, cs_buf_slice(path));
    cs_buf_fini(path);
    return err == CS_ERR_NOT_FOUND ? CS_OK : err;
}

static cs_err_t unlink_part(cs_fs_t *fs, const cs_content_t *content)
{
    cs_buf_t path = {0};
    path_of(content, &path);
    return unlink_if_there(fs, &path);
}

static cs_err_t unlink_staged(cs_fs_t *fs, const cs_content_t *content)
{
    cs_buf_t path = {0};
    cs_staged_path(content, &path);
    return unlink_if_there(fs, &path);
}

bool cs_part_fits(uint64_t size, uint64_t free_bytes, uint64_t total)
{
    uint64_t reserve =
        total / SPACE_PARTS < SPACE_RESERVE ? total / SPACE_PARTS : SPACE_RESERVE;
    return free_bytes >= reserve && free_bytes - reserve >= size;
}

static cs_err_t create_part(cs_fs_t *fs, const cs_content_t *content, uint64_t need)
{
    uint64_t free_bytes = 0, total = 0;
    cs_err_t err = fs->ops->space(fs, &free_bytes, &total);
    if (err != CS_OK) return err;
    if (!cs_part_fits(need, free_bytes, total)) return CS_ERR_NOSPACE;
    cs_buf_t path = {0};
    cs_file_t *file = NULL;
    path_of(content, &path);
    err = fs->ops->create(fs, cs_buf_slice(&path), &file);
    cs_buf_fini(&path);
    if (err != CS_OK) return err;
    err = fs->ops->truncate(file, content->size);
    fs->ops->close(&file);
    if (err == CS_OK) return CS_OK;
    cs_err_t undone = unlink_part(fs, content);
    (void)undone; /* the first failure is the one to tell */
    return err;
}

cs_err_t cs_part_open(cs_fs_t *fs, const cs_content_t *content, uint64_t need,
                      bool *ret_has_bytes)
{
    cs_file_t *file = NULL;
    cs_err_t err = open_part(fs, content, &file);
    if (err == CS_ERR_NOT_FOUND) { /* complete once, and not known to be any more */
        err = rename_part(fs, content, false);
        if (err == CS_OK) err = open_part(fs, content, &file);
    }
    bool has_bytes = err == CS_OK;
    if (err == CS_ERR_NOT_FOUND) {
        err = create_part(fs, content, need);
    } else if (err == CS_OK) {
        err = fs->ops->truncate(file, content->size);
        fs->ops->close(&file);
    }
    if (err == CS_OK) *ret_has_bytes = has_bytes;
    return err;
}

/* bytes: the chunk that belongs at `offset`. */
static cs_err_t check_cut(const cs_chunker_table_t *table, const cs_content_t *content,
                          uint64_t offset, cs_slice_t bytes)
{
    bool last = offset + bytes.len == content->size;
    return cs_chunk_is_whole(table, bytes, last) ? CS_OK : CS_ERR_MISMATCH;
}

cs_err_t cs_part_write(cs_fs_t *fs, const cs_chunker_table_t *table,
                       const cs_content_t *content, uint64_t offset, cs_slice_t bytes)
{
    CS_ASSERT(offset <= content->size && bytes.len <= content->size - offset);
    cs_file_t *file = NULL;
    cs_err_t err = check_cut(table, content, offset, bytes);
    if (err == CS_OK) err = open_part(fs, content, &file);
    if (err != CS_OK) return err;
    err = cs_file_put(file, offset, bytes);
    fs->ops->close(&file);
    return err;
}

static cs_err_t open_to_read(cs_fs_t *fs, const cs_content_t *content, cs_file_t **ret)
{
    cs_buf_t path = {0};
    path_of(content, &path);
    cs_err_t err = fs->ops->open_read(fs, cs_buf_slice(&path), ret);
    if (err == CS_ERR_NOT_FOUND) {
        cs_staged_path(content, &path);
        err = fs->ops->open_read(fs, cs_buf_slice(&path), ret);
    }
    cs_buf_fini(&path);
    return err;
}

cs_err_t cs_part_read(cs_fs_t *fs, const cs_chunker_table_t *table, const cs_content_t *content,
                      const cs_part_place_t *place, cs_buf_t *ret)
{
    cs_file_t *file = NULL;
    if (open_to_read(fs, content, &file) != CS_OK) return CS_ERR_NOT_FOUND;
    size_t got = 0;
    cs_buf_reserve(ret, place->len);
    uint8_t *bytes = ret->data + ret->len;
    cs_err_t err = file->ops->read(file, place->offset, bytes, place->len, &got);
    fs->ops->close(&file);
    if (err != CS_OK || got != place->len) return CS_ERR_NOT_FOUND;
    cs_name_t found;
    cs_chunk_name(table, cs_slice(bytes, got), &found);
    if (!cs_name_eq(&found, place->name)) return CS_ERR_NOT_FOUND;
    ret->len += got;
    return CS_OK;
}

/* --- filling from what is here */

/* Read first to tell a hole: bytes. */
#define HOLE_PROBE 4096u

typedef struct fill {
    cs_file_t *file;
    const cs_chunker_table_t *table;
    const cs_content_t *content;
    cs_local_t local;
    cs_buf_t bytes, shared;
    bool shares;        /* the file system can */
    uint32_t zeros_len; /* of the chunk that is cut from many zeros; 0: not known yet */
    cs_name_t zeros;
} fill_t;

/* ret is replaced. */
static cs_err_t read_part(fill_t *fill, uint64_t offset, size_t len, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_reserve(ret, len);
    return fill->file->ops->read(fill->file, offset, ret->data, len, &ret->len);
}

/* Nearly every such chunk is as long as can be; most files have none, and need not know. */
static bool is_zeros_name(fill_t *fill, const cs_name_t *chunk, uint32_t len)
{
    if (len != CS_CHUNK_MAX) return false;
    if (fill->zeros_len == 0) fill->zeros_len = cs_zeros_chunk(fill->table, &fill->zeros);
    return len == fill->zeros_len && cs_name_eq(&fill->zeros, chunk);
}

/* fill->bytes: as above. */
static cs_err_t check_found(const fill_t *fill, uint64_t offset)
{
    return check_cut(fill->table, fill->content, offset, cs_buf_slice(&fill->bytes));
}

/* Up to where there are zeros that need not be read. A block whose beginning belongs to the
 * chunk before is looked at as far as it goes: to read on would make the kernel fill with zeros
 * what it holds of the hole behind it, as much as it reads ahead. */
static cs_err_t zeros_until(fill_t *fill, uint64_t offset, uint64_t *ret)
{
    uint64_t block = (offset + CS_BLOCK_BYTES - 1) / CS_BLOCK_BYTES * CS_BLOCK_BYTES;
    uint64_t data_at = 0;
    *ret = offset;
    if (block >= fill->content->size) return CS_OK;
    cs_err_t err = fill->file->ops->next_data(fill->file, block, &data_at);
    if (err != CS_OK || data_at == block) return err;
    if (block > offset) {
        err = read_part(fill, offset, (size_t)(block - offset), &fill->bytes);
        if (err != CS_OK || !cs_bytes_are_zero(cs_buf_slice(&fill->bytes))) return err;
    }
    *ret = data_at;
    return CS_OK;
}

/* Are the bytes in the partial file those of the chunk? Most of a new file is holes, which
 * would take long to read and hash: what begins with zeros is only looked at if the chunk
 * should. A chunk that does so without being all zeros may be fetched once more after a
 * restart. */
static cs_err_t is_right(fill_t *fill, const cs_name_t *chunk, uint64_t offset, uint32_t len,
                         bool *ret)
{
    *ret = false;
    uint64_t data_at = 0;
    cs_err_t err = zeros_until(fill, offset, &data_at);
    if (err != CS_OK) return err;
    if (data_at > offset) {
        bool wanted = is_zeros_name(fill, chunk, len);
        *ret = wanted && data_at - offset >= len;
        if (*ret || !wanted) return CS_OK;
    }
    err = read_part(fill, offset, len < HOLE_PROBE ? len : HOLE_PROBE, &fill->bytes);
    if (err != CS_OK) return err;
    bool zeros = cs_bytes_are_zero(cs_buf_slice(&fill->bytes));
    if (zeros && !is_zeros_name(fill, chunk, len)) return CS_OK;
    err = read_part(fill, offset, len, &fill->bytes);
    if (err != CS_OK || fill->bytes.len != len) return err;
    if (zeros) {
        *ret = cs_bytes_are_zero(cs_buf_slice(&fill->bytes));
        return CS_OK;
    }
    cs_name_t name;
    cs_chunk_name(fill->table, cs_buf_slice(&fill->bytes), &name);
    *ret = cs_name_eq(&name, chunk);
    return *ret ? check_found(fill, offset) : CS_OK;
}

/* Most often the new version of a large file is made of the old one, which goes to the trash:
 * what is cached of that makes way for what is written. */
#define FORGET_MIN (64u << 20) /* bytes of the new one */

/* Puts fill->bytes, just read from fill->local, there. Where the disk can keep one copy of them
 * for both files, it does, if they are still the same. */
static cs_err_t put_found(fill_t *fill, uint64_t offset)
{
    cs_slice_t bytes = cs_buf_slice(&fill->bytes);
    cs_file_t *file = fill->file;
    if (!fill->shares || bytes.len < CS_SHARE_MIN) return cs_file_put(file, offset, bytes);
    cs_err_t err =
        file->ops->share(file, offset, fill->local.file, fill->local.offset, bytes.len);
    if (err == CS_OK) err = read_part(fill, offset, bytes.len, &fill->shared);
    if (err == CS_OK && cs_slice_eq(cs_buf_slice(&fill->shared), bytes)) return CS_OK;
    return cs_file_put(file, offset, bytes);
}

static cs_err_t fill_chunk(fill_t *fill, const cs_name_t *chunk, uint64_t offset, uint32_t len,
                           bool *ret)
{
    CS_ASSERT(len <= CS_CHUNK_MAX);
    cs_err_t err = is_right(fill, chunk, offset, len, ret);
    if (err != CS_OK || *ret) return err;
    cs_buf_clear(&fill->bytes);
    if (cs_local_chunk(&fill->local, chunk, &fill->bytes) != CS_OK) return CS_OK;
    if (fill->bytes.len != len) return CS_OK;
    if (!fill->local.cut) err = check_found(fill, offset); /* else it was, when it was cut */
    if (err == CS_OK) err = put_found(fill, offset);
    *ret = err == CS_OK;
    if (*ret && fill->content->size >= FORGET_MIN) {
        cs_file_t *from = fill->local.file;
        from->ops->forget(from, fill->local.offset, len);
    }
    return err;
}

static void swap_chunks(cs_part_chunks_t *chunks, size_t a, size_t b)
{
    cs_name_t name = chunks->names[a];
    uint64_t offset = chunks->offsets[a];
    uint32_t len = chunks->lens[a];
    chunks->names[a] = chunks->names[b];
    chunks->offsets[a] = chunks->offsets[b];
    chunks->lens[a] = chunks->lens[b];
    chunks->names[b] = name;
    chunks->offsets[b] = offset;
    chunks->lens[b] = len;
}

cs_err_t cs_part_fill(cs_fs_t *fs, const cs_chunker_table_t *table, const cs_rows_view_t *view,
                      const cs_content_t *content, cs_part_chunks_t *chunks, size_t *ret_found)
{
    fill_t fill = {.table = table, .content = content, .shares = fs->features.shares};
    cs_err_t err = open_part(fs, content, &fill.file);
    if (err != CS_OK) return err;
    cs_local_init(&fill.local, fs, table, view);
    size_t found = 0;
    for (size_t i = 0; i < chunks->count && err == CS_OK; i++) {
        bool right = false;
        err = fill_chunk(&fill, &chunks->names[i], chunks->offsets[i], chunks->lens[i], &right);
        if (right) swap_chunks(chunks, found++, i);
    }
    cs_local_fini(&fill.local);
    cs_buf_fini(&fill.bytes);
    cs_buf_fini(&fill.shared);
    fs->ops->close(&fill.file);
    if (err == CS_OK) *ret_found = found;
    return err;
}

/* --- the end */

cs_err_t cs_part_finish(cs_fs_t *fs, const cs_content_t *content, bool proved)
{
    if (proved) return rename_part(fs, content, true);
    cs_err_t err = unlink_part(fs, content);
    return err == CS_OK ? CS_ERR_MISMATCH : err;
}

cs_err_t cs_part_discard(cs_fs_t *fs, const cs_content_t *content)
{
    cs_err_t part = unlink_part(fs, content);
    cs_err_t staged = unlink_staged(fs, content);
    return part != CS_OK ? part : staged;
}
