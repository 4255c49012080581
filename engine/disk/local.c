/* local.c - from names over rows to paths to verified bytes. */
#include "disk/local.h"

#include <string.h>

#include "base/limits.h"
#include "base/mutation.h"
#include "disk/apply.h"

/* Copies and versions tried before giving up: each costs an open and a read. */
#define TRIES_MAX 8u

void cs_local_init(cs_local_t *local, cs_fs_t *fs, const cs_chunker_table_t *table,
                   const cs_rows_view_t *rows)
{
    *local = (cs_local_t){.fs = fs, .table = table, .rows = rows};
}

static void close_file(cs_local_t *local)
{
    if (local->file != NULL) local->fs->ops->close(&local->file);
    local->file = NULL;
}

void cs_local_fini(cs_local_t *local)
{
    close_file(local);
    cs_buf_fini(&local->path);
}

static cs_err_t open_path(cs_local_t *local, cs_slice_t path)
{
    if (local->file == NULL || !cs_slice_eq(cs_buf_slice(&local->path), path)) {
        close_file(local);
        cs_err_t err = local->fs->ops->open_read(local->fs, path, &local->file);
        if (err != CS_OK) return err;
        cs_buf_clear(&local->path);
        cs_buf_put_slice(&local->path, path);
    }
    return CS_OK;
}

/* Calls `try_path` for the paths of a content, and its staged file, until it returns true. */
typedef struct search {
    cs_local_t *local;
    const uint8_t *hash;   /* of the content */
    const cs_name_t *name; /* of the chunk */
    uint64_t offset, size;
    uint32_t len;
    unsigned tries;
    bool done;
    bool (*try_path)(struct search *search, cs_slice_t path);
    cs_buf_t *ret;
    size_t ret_from; /* what is found begins there in ret */
} search_t;

static cs_slice_t found(const search_t *search)
{
    return cs_slice(search->ret->data + search->ret_from, search->ret->len - search->ret_from);
}

static void found_none(search_t *search)
{
    search->ret->len = search->ret_from;
}

/* Up to `len` bytes of `path`. */
static cs_err_t read_at(search_t *search, cs_slice_t path, uint64_t offset, size_t len)
{
    cs_local_t *local = search->local;
    cs_buf_t *ret = search->ret;
    found_none(search);
    cs_err_t err = open_path(local, path);
    if (err != CS_OK) return err;
    size_t got = 0;
    local->offset = offset;
    cs_buf_reserve(ret, len);
    err = local->file->ops->read(local->file, offset, ret->data + ret->len, len, &got);
    if (err == CS_OK) ret->len += got;
    return err;
}

static search_t search_for(cs_local_t *local, bool (*try_path)(search_t *, cs_slice_t),
                           cs_buf_t *ret)
{
    return (search_t){.local = local, .try_path = try_path, .ret = ret, .ret_from = ret->len};
}

static bool on_path(void *arg, cs_slice_t path)
{
    search_t *search = arg;
    search->done = search->try_path(search, path);
    return !search->done && ++search->tries < TRIES_MAX;
}

static cs_err_t search_content(search_t *search)
{
    cs_local_t *local = search->local;
    cs_err_t err = cs_rows_paths(local->rows, search->hash, search, on_path);
    if (err != CS_OK || search->done) return err;
    cs_content_t content = {.kind = CS_KIND_FILE};
    memcpy(content.hash, search->hash, sizeof content.hash);
    cs_buf_t staged = {0};
    cs_staged_path(&content, &staged);
    search->done = search->try_path(search, cs_buf_slice(&staged));
    cs_buf_fini(&staged);
    return CS_OK;
}

/* --- chunks */

static bool try_chunk(search_t *search, cs_slice_t path)
{
    cs_name_t name;
    cs_err_t err = read_at(search, path, search->offset, search->len);
    if (err != CS_OK || found(search).len != search->len) return false;
    cs_chunk_name(search->local->table, found(search), &name);
    return cs_name_eq(&name, search->name) || CS_MUT(LOCAL_BLIND);
}

typedef struct chunk_search {
    search_t search;
    cs_err_t err;
} chunk_search_t;

static bool is_inside(cs_local_t *local, const cs_chunk_place_t *place)
{
    if (local->size == 0 || memcmp(local->sized, place->hash, sizeof local->sized) != 0) {
        cs_content_map_t map;
        if (cs_rows_map(local->rows, place->hash, &map) != CS_OK) return false;
        memcpy(local->sized, place->hash, sizeof local->sized);
        local->size = map.size;
    }
    return place->offset + place->len < local->size;
}

static bool on_place(void *arg, const cs_chunk_place_t *place)
{
    chunk_search_t *chunk = arg;
    if (place->len > CS_CHUNK_MAX) return true;
    chunk->search.hash = place->hash;
    chunk->search.offset = place->offset;
    chunk->search.len = place->len;
    chunk->err = search_content(&chunk->search);
    if (chunk->search.done) chunk->search.local->cut = is_inside(chunk->search.local, place);
    return chunk->err == CS_OK && !chunk->search.done && chunk->search.tries < TRIES_MAX;
}

cs_err_t cs_local_chunk(cs_local_t *local, const cs_name_t *name, cs_buf_t *ret)
{
    chunk_search_t chunk = {.search = search_for(local, try_chunk, ret)};
    chunk.search.name = name;
    cs_err_t err = cs_rows_places(local->rows, name, &chunk, on_place);
    if (err == CS_OK) err = chunk.err;
    if (err == CS_OK && !chunk.search.done) err = CS_ERR_NOT_FOUND;
    if (err != CS_OK) found_none(&chunk.search);
    return err;
}

/* --- small contents */

static bool is_content(const search_t *search, cs_kind_t kind)
{
    cs_content_t content;
    cs_content_of(search->local->table, kind, found(search), &content);
    return memcmp(content.hash, search->hash, CS_HASH_BYTES) == 0;
}

static bool try_small(search_t *search, cs_slice_t path)
{
    cs_fs_t *fs = search->local->fs;
    cs_err_t err = read_at(search, path, 0, CS_CHUNK_MIN);
    if (err == CS_OK) {
        return found(search).len < CS_CHUNK_MIN && is_content(search, CS_KIND_FILE);
    }
    cs_buf_t target = {0};
    err = fs->ops->readlink(fs, path, &target);
    if (err == CS_OK) cs_buf_put_slice(search->ret, cs_buf_slice(&target));
    cs_buf_fini(&target);
    return err == CS_OK && is_content(search, CS_KIND_SYMLINK);
}

cs_err_t cs_local_small(cs_local_t *local, const uint8_t hash[CS_HASH_BYTES], cs_buf_t *ret)
{
    search_t search = search_for(local, try_small, ret);
    search.hash = hash;
    cs_err_t err = search_content(&search);
    if (err == CS_OK && !search.done) err = CS_ERR_NOT_FOUND;
    if (err != CS_OK) found_none(&search);
    return err;
}

static bool try_size(search_t *search, cs_slice_t path)
{
    cs_fs_t *fs = search->local->fs;
    cs_stat_t stat;
    return fs->ops->stat(fs, path, &stat) == CS_OK && stat.type == CS_NODE_FILE &&
           stat.print.size == search->size;
}

bool cs_local_has(cs_local_t *local, const uint8_t hash[CS_HASH_BYTES], uint64_t size)
{
    search_t search = {.local = local, .hash = hash, .size = size, .try_path = try_size};
    return search_content(&search) == CS_OK && search.done;
}
