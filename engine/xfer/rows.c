/* rows.c - writing the rows of one file as it is hashed, and looking things up in them. */
#include "xfer/rows.h"

#include <string.h>

#include "base/mem.h"
#include "base/seal.h"
#include "xfer/rows_key.h"

/* A chunk whose leaf is not yet complete. */
typedef struct pending {
    cs_name_t name;
    uint64_t offset;
    uint32_t len;
} pending_t;

/* A node of this file, to be tied to its content at the end. */
typedef struct tie {
    uint8_t node[CS_ROW_NODE_BYTES];
    uint64_t offset;
} tie_t;

struct cs_content_rows {
    uint32_t folder;
    void *arg;
    void (*row)(void *arg, cs_slice_t key, cs_slice_t value);
    cs_content_sink_t sink;
    pending_t *chunk; /* of the current leaf */
    size_t chunks, chunk_cap;
    tie_t *tie;
    size_t ties, tie_cap;
    cs_content_t content; /* kind NONE: not hashed to the end */
    cs_content_map_t map;
    uint64_t zeros; /* so far */
    cs_buf_t key, value;
};

void cs_row_key(uint32_t folder, char table, const void *id, size_t len, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_u32_be(ret, folder);
    cs_buf_put_u8(ret, (uint8_t)table);
    cs_buf_put_u8(ret, '/');
    cs_buf_put(ret, id, len);
}

/* Seals rows->value and hands it out under rows->key. */
static void emit(cs_content_rows_t *rows)
{
    cs_seal_append(&rows->value, 0);
    rows->row(rows->arg, cs_buf_slice(&rows->key), cs_buf_slice(&rows->value));
    cs_buf_clear(&rows->value);
}

static void on_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    cs_content_rows_t *rows = arg;
    if (rows->chunks == rows->chunk_cap) {
        rows->chunk_cap = cs_grow(rows->chunk_cap, rows->chunks + 1);
        rows->chunk = cs_realloc_array(rows->chunk, rows->chunk_cap, sizeof rows->chunk[0]);
    }
    rows->chunk[rows->chunks++] = (pending_t){.name = *name, .offset = offset, .len = len};
}

static void add_tie(cs_content_rows_t *rows, const cs_name_t *node, uint64_t offset)
{
    if (rows->ties == rows->tie_cap) {
        rows->tie_cap = cs_grow(rows->tie_cap, rows->ties + 1);
        rows->tie = cs_realloc_array(rows->tie, rows->tie_cap, sizeof rows->tie[0]);
    }
    tie_t *tie = &rows->tie[rows->ties++];
    memcpy(tie->node, node->b, sizeof tie->node);
    tie->offset = offset;
}

/* The pending chunks are those of `leaf`: c/ rows. */
static void leaf_end(cs_content_rows_t *rows, const cs_name_t *leaf)
{
    uint64_t begin = rows->chunk[0].offset;
    for (size_t i = 0; i < rows->chunks; i++) {
        const pending_t *chunk = &rows->chunk[i];
        cs_row_key(rows->folder, 'c', chunk->name.b, CS_ROW_CHUNK_BYTES, &rows->key);
        cs_buf_put(&rows->key, leaf->b, CS_ROW_LEAF_BYTES);
        cs_buf_put(&rows->value, leaf->b, CS_ROW_NODE_BYTES);
        cs_buf_put_u32(&rows->value, (uint32_t)(chunk->offset - begin));
        cs_buf_put_u32(&rows->value, chunk->len);
        emit(rows);
    }
    rows->chunks = 0;
    add_tie(rows, leaf, begin);
}

static void on_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    cs_content_rows_t *rows = arg;
    cs_reader_t reader = cs_reader(bytes);
    bool leaf = cs_read_u32(&reader) != 0;
    if (leaf) {
        leaf_end(rows, name);
    } else {
        add_tie(rows, name, 0);
    }
    cs_content_rows_node(rows, name, bytes);
}

void cs_content_rows_node(cs_content_rows_t *rows, const cs_name_t *name, cs_slice_t bytes)
{
    cs_row_key(rows->folder, 'n', name->b, CS_ROW_NODE_BYTES, &rows->key);
    cs_buf_put_slice(&rows->value, bytes);
    emit(rows);
}

static void on_zeros(void *arg, uint32_t len)
{
    cs_content_rows_t *rows = arg;
    rows->zeros += len;
}

static void on_root(void *arg, const cs_content_t *content, const cs_name_t *root,
                    uint32_t depth)
{
    cs_content_rows_t *rows = arg;
    rows->content = *content;
    rows->map = (cs_content_map_t){
        .size = content->size, .root = *root, .depth = depth, .zeros = rows->zeros};
}

void cs_content_rows_end(cs_content_rows_t *rows)
{
    const cs_content_t *content = &rows->content;
    if (content->kind == CS_KIND_NONE || cs_content_is_small(content)) return;
    if (rows->map.depth == 0) leaf_end(rows, &rows->map.root);
    for (size_t i = 0; i < rows->ties; i++) {
        cs_row_key(rows->folder, 'l', rows->tie[i].node, CS_ROW_NODE_BYTES, &rows->key);
        cs_buf_put(&rows->key, content->hash, CS_ROW_CONTENT_BYTES);
        cs_buf_put(&rows->value, content->hash, sizeof content->hash);
        cs_buf_put_u64(&rows->value, rows->tie[i].offset);
        emit(rows);
    }
    cs_row_key(rows->folder, 'r', content->hash, CS_ROW_CONTENT_BYTES, &rows->key);
    cs_buf_put_u64(&rows->value, rows->map.size);
    cs_buf_put(&rows->value, rows->map.root.b, sizeof rows->map.root.b);
    cs_buf_put_u32(&rows->value, rows->map.depth);
    if (rows->map.zeros > 0) cs_buf_put_u64(&rows->value, rows->map.zeros);
    emit(rows);
}

cs_content_rows_t *cs_content_rows_new(uint32_t folder, void *arg,
                                       void (*row)(void *arg, cs_slice_t key, cs_slice_t value))
{
    cs_content_rows_t *rows = cs_calloc(1, sizeof *rows);
    rows->folder = folder;
    rows->arg = arg;
    rows->row = row;
    rows->sink = (cs_content_sink_t){
        .arg = rows, .chunk = on_chunk, .zeros = on_zeros, .node = on_node, .root = on_root};
    return rows;
}

void cs_content_rows_destroy(cs_content_rows_t **rows_p)
{
    cs_content_rows_t *rows = *rows_p;
    *rows_p = NULL;
    if (rows == NULL) return;
    cs_free(rows->chunk);
    cs_free(rows->tie);
    cs_buf_fini(&rows->key);
    cs_buf_fini(&rows->value);
    cs_free(rows);
}

const cs_content_sink_t *cs_content_rows_begin(cs_content_rows_t *rows)
{
    rows->chunks = 0;
    rows->ties = 0;
    rows->zeros = 0;
    rows->content.kind = CS_KIND_NONE;
    return &rows->sink;
}

/* --- reading */

/* *ret_payload points into `value`. */
static cs_err_t get(const cs_rows_view_t *view, char table, const void *id, size_t len,
                    cs_buf_t *value, cs_slice_t *ret_payload)
{
    if (view->store == NULL) return CS_ERR_NOT_FOUND;
    cs_buf_t key = {0};
    cs_row_key(view->folder, table, id, len, &key);
    cs_err_t err = cs_store_get(view->store, view->snapshot, cs_buf_slice(&key), value);
    cs_buf_fini(&key);
    return err == CS_OK ? cs_seal_check(cs_buf_slice(value), ret_payload) : err;
}

cs_err_t cs_rows_map(const cs_rows_view_t *view, const uint8_t hash[CS_HASH_BYTES],
                     cs_content_map_t *ret)
{
    cs_buf_t value = {0};
    cs_slice_t payload;
    cs_content_map_t map = {0};
    cs_err_t err = get(view, 'r', hash, CS_ROW_CONTENT_BYTES, &value, &payload);
    if (err == CS_OK) {
        cs_reader_t reader = cs_reader(payload);
        map.size = cs_read_u64(&reader);
        cs_read_copy(&reader, map.root.b, sizeof map.root.b);
        map.depth = cs_read_u32(&reader);
        if (cs_reader_left(&reader) > 0) map.zeros = cs_read_u64(&reader);
        err = cs_reader_end(&reader) == CS_OK ? CS_OK : CS_ERR_CORRUPT;
    }
    cs_buf_fini(&value);
    if (err == CS_OK) *ret = map;
    return err;
}

cs_err_t cs_rows_node(const cs_rows_view_t *view, const cs_name_t *name, cs_buf_t *ret)
{
    cs_slice_t payload;
    cs_err_t err = get(view, 'n', name->b, CS_ROW_NODE_BYTES, ret, &payload);
    if (err == CS_OK) {
        ret->len = payload.len; /* drops the seal */
    } else {
        cs_buf_clear(ret);
    }
    return err;
}

/* Calls each with what follows `id` in the key, and with the value; each returns false to stop.
 */
static cs_err_t walk(const cs_rows_view_t *view, char table, const void *id, size_t len,
                     void *arg, bool (*each)(void *arg, cs_slice_t rest, cs_slice_t value))
{
    if (view->store == NULL) return CS_OK;
    cs_buf_t prefix = {0};
    cs_row_key(view->folder, table, id, len, &prefix);
    cs_iter_t *iter = cs_store_iter(view->store, view->snapshot);
    for (cs_iter_seek(iter, cs_buf_slice(&prefix)); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        cs_slice_t rest = cs_slice(key.data + prefix.len, key.len - prefix.len);
        if (!each(arg, rest, cs_iter_value(iter))) break;
    }
    cs_err_t err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    cs_buf_fini(&prefix);
    return err;
}

typedef struct places {
    const cs_rows_view_t *view;
    void *arg;
    bool (*each)(void *arg, const cs_chunk_place_t *place);
    uint32_t in_leaf, len;
    bool go_on;
    cs_err_t err;
} places_t;

static bool place_in_content(void *arg, cs_slice_t rest, cs_slice_t value)
{
    places_t *places = arg;
    (void)rest;
    cs_slice_t payload;
    places->err = cs_seal_check(value, &payload);
    if (places->err != CS_OK) return false;
    cs_reader_t reader = cs_reader(payload);
    cs_chunk_place_t place = {.len = places->len};
    cs_read_copy(&reader, place.hash, sizeof place.hash);
    place.offset = cs_read_u64(&reader) + places->in_leaf;
    if (cs_reader_end(&reader) != CS_OK) places->err = CS_ERR_CORRUPT;
    places->go_on = places->err == CS_OK && places->each(places->arg, &place);
    return places->go_on;
}

static bool place_in_leaf(void *arg, cs_slice_t rest, cs_slice_t value)
{
    places_t *places = arg;
    (void)rest;
    cs_slice_t payload;
    places->err = cs_seal_check(value, &payload);
    if (places->err != CS_OK) return false;
    uint8_t leaf[CS_ROW_NODE_BYTES];
    cs_reader_t reader = cs_reader(payload);
    cs_read_copy(&reader, leaf, sizeof leaf);
    places->in_leaf = cs_read_u32(&reader);
    places->len = cs_read_u32(&reader);
    if (cs_reader_end(&reader) != CS_OK) places->err = CS_ERR_CORRUPT;
    if (places->err != CS_OK) return false;
    places->go_on = true;
    cs_err_t err = walk(places->view, 'l', leaf, sizeof leaf, places, place_in_content);
    if (places->err == CS_OK) places->err = err;
    return places->go_on && places->err == CS_OK;
}

cs_err_t cs_rows_places(const cs_rows_view_t *view, const cs_name_t *chunk, void *arg,
                        bool (*each)(void *arg, const cs_chunk_place_t *place))
{
    places_t places = {.view = view, .arg = arg, .each = each};
    cs_err_t err = walk(view, 'c', chunk->b, CS_ROW_CHUNK_BYTES, &places, place_in_leaf);
    return places.err != CS_OK ? places.err : err;
}

typedef struct paths {
    void *arg;
    bool (*each)(void *arg, cs_slice_t path);
} paths_t;

static bool path_of_row(void *arg, cs_slice_t rest, cs_slice_t value)
{
    paths_t *paths = arg;
    (void)value;
    return paths->each(paths->arg, rest);
}

cs_err_t cs_rows_paths(const cs_rows_view_t *view, const uint8_t hash[CS_HASH_BYTES], void *arg,
                       bool (*each)(void *arg, cs_slice_t path))
{
    paths_t paths = {.arg = arg, .each = each};
    return walk(view, 'h', hash, CS_ROW_CONTENT_BYTES, &paths, path_of_row);
}
