/* workset.c - overlay tables: reading, changing, staging. Cursors are in cursor.c. */
#include "crdt/workset.h"

#include <string.h>

#include "base/mem.h"
#include "base/seal.h"

enum { NODE_FREE, NODE_DIRTY, NODE_STAGED, NODE_CLEAN };

static void list_push(cs_list_t *list, cs_onode_t *node)
{
    node->before = list->last;
    node->after = NULL;
    if (list->last != NULL) {
        list->last->after = node;
    } else {
        list->first = node;
    }
    list->last = node;
    list->len++;
}

static void list_take(cs_list_t *list, cs_onode_t *node)
{
    if (node->before != NULL) {
        node->before->after = node->after;
    } else {
        list->first = node->after;
    }
    if (node->after != NULL) {
        node->after->before = node->before;
    } else {
        list->last = node->before;
    }
    list->len--;
}

static cs_list_t *list_of(cs_workset_t *ws, uint8_t state)
{
    if (state == NODE_DIRTY) return &ws->dirty;
    return state == NODE_STAGED ? &ws->staged : &ws->clean;
}

static void set_state(cs_workset_t *ws, cs_onode_t *node, uint8_t state)
{
    if (ws->store == NULL || node->state == state) return;
    if (node->state != NODE_FREE) list_take(list_of(ws, node->state), node);
    node->state = state;
    if (state != NODE_FREE) list_push(list_of(ws, state), node);
}

static void drop_value(cs_workset_t *ws, cs_onode_t *node)
{
    if (node->value == NULL) return;
    ws->types[node->table].drop(node->value);
    node->value = NULL;
}

static void forget(cs_workset_t *ws, cs_onode_t *node)
{
    set_state(ws, node, NODE_FREE);
    drop_value(ws, node);
    cs_omap_remove(&ws->map[node->table], node);
}

void cs_workset_init(cs_workset_t *ws, cs_store_t *store, uint32_t folder,
                     const cs_table_type_t *types, void *arg)
{
    *ws = (cs_workset_t){.store = store, .folder = folder, .types = types, .arg = arg};
}

void cs_workset_fini(cs_workset_t *ws)
{
    cs_cursors_close(ws);
    for (int t = 0; t < CS_TABLE_COUNT; t++) {
        cs_omap_fini(&ws->map[t], ws->types[t].drop);
    }
    cs_buf_fini(&ws->key);
    cs_buf_fini(&ws->value);
    memset(ws, 0, sizeof *ws);
}

void cs_workset_key(const cs_workset_t *ws, char prefix, cs_slice_t key, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_put_u32_be(ret, ws->folder);
    cs_buf_put_u8(ret, (uint8_t)prefix);
    cs_buf_put_u8(ret, '/');
    cs_buf_put_slice(ret, key);
}

/* CS_OK: ws->value holds the row's payload in *ret. */
static cs_err_t fetch(cs_workset_t *ws, cs_table_t table, cs_slice_t key, cs_slice_t *ret)
{
    if (ws->store == NULL || ws->fault != CS_OK) return CS_ERR_NOT_FOUND;
    cs_workset_key(ws, ws->types[table].prefix, key, &ws->key);
    cs_err_t err = cs_store_get(ws->store, NULL, cs_buf_slice(&ws->key), &ws->value);
    if (err == CS_ERR_NOT_FOUND) return err;
    *ret = cs_buf_slice(&ws->value);
    if (err == CS_OK && ws->types[table].decode != NULL) err = cs_seal_check(*ret, ret);
    if (err != CS_OK) ws->fault = err;
    return err;
}

/* The row of the store, decoded and kept. */
static cs_onode_t *load(cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    cs_slice_t payload;
    if (fetch(ws, table, key, &payload) != CS_OK) return NULL;
    void *value = ws->types[table].decode(ws->arg, key, payload);
    if (value == NULL) {
        ws->fault = CS_ERR_CORRUPT;
        return NULL;
    }
    bool is_new;
    cs_onode_t *node = cs_omap_insert(&ws->map[table], key, &is_new);
    node->table = (uint8_t)table;
    node->present = true;
    node->value = value;
    set_state(ws, node, NODE_CLEAN);
    return node;
}

cs_onode_t *cs_workset_node(cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    cs_onode_t *node = cs_omap_find(&ws->map[table], key);
    if (node != NULL) return node->present ? node : NULL;
    return ws->store == NULL ? NULL : load(ws, table, key);
}

void *cs_workset_get(cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    cs_onode_t *node = cs_workset_node(ws, table, key);
    return node == NULL ? NULL : node->value;
}

bool cs_workset_has(cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    cs_onode_t *node = cs_omap_find(&ws->map[table], key);
    if (node != NULL) return node->present;
    cs_slice_t payload;
    return fetch(ws, table, key, &payload) == CS_OK;
}

cs_onode_t *cs_workset_put(cs_workset_t *ws, cs_table_t table, cs_slice_t key, void *value)
{
    bool is_new;
    cs_onode_t *node = cs_omap_insert(&ws->map[table], key, &is_new);
    if (node->value != value) drop_value(ws, node);
    node->table = (uint8_t)table;
    node->present = true;
    node->value = value;
    set_state(ws, node, NODE_DIRTY);
    return node;
}

void cs_workset_put_new(cs_workset_t *ws, cs_table_t table, cs_slice_t key, void *value)
{
    bool is_known = cs_omap_find(&ws->map[table], key) != NULL;
    cs_workset_put(ws, table, key, value)->born = !is_known;
}

void cs_workset_changed(cs_workset_t *ws, cs_onode_t *node)
{
    set_state(ws, node, NODE_DIRTY);
}

void cs_workset_delete(cs_workset_t *ws, cs_table_t table, cs_slice_t key)
{
    bool is_new;
    cs_onode_t *node = NULL;
    if (ws->store == NULL) {
        node = cs_omap_find(&ws->map[table], key);
        if (node != NULL) forget(ws, node);
        return;
    }
    node = cs_omap_insert(&ws->map[table], key, &is_new);
    if (node->born) {
        forget(ws, node);
        return;
    }
    drop_value(ws, node);
    node->table = (uint8_t)table;
    node->present = false;
    set_state(ws, node, NODE_DIRTY);
}

void cs_workset_delete_all(cs_workset_t *ws, cs_table_t table)
{
    cs_buf_t keys = {0}; /* u32 length, key; collected first: no cursor over a changing table */
    cs_cursor_t cursor;
    cs_cursor_init(&cursor, ws, table);
    for (cs_cursor_seek(&cursor, cs_slice(NULL, 0)); cursor.valid; cs_cursor_next(&cursor)) {
        cs_buf_put_u32(&keys, (uint32_t)cursor.key.len);
        cs_buf_put_slice(&keys, cursor.key);
    }
    cs_cursor_fini(&cursor);
    cs_reader_t reader = cs_reader(cs_buf_slice(&keys));
    while (cs_reader_left(&reader) > 0) {
        uint32_t len = cs_read_u32(&reader);
        cs_workset_delete(ws, table, cs_read_bytes(&reader, len));
    }
    cs_buf_fini(&keys);
}

bool cs_workset_is_dirty(const cs_workset_t *ws)
{
    return ws->dirty.len > 0;
}

void cs_workset_stage(cs_workset_t *ws, cs_batch_t *batch)
{
    uint64_t stage = ++ws->stage_next;
    while (ws->dirty.first != NULL) {
        cs_onode_t *node = ws->dirty.first;
        const cs_table_type_t *type = &ws->types[node->table];
        cs_workset_key(ws, type->prefix, cs_onode_key(node), &ws->key);
        if (node->present) {
            cs_buf_clear(&ws->value);
            if (type->encode != NULL) {
                type->encode(ws->arg, node, &ws->value);
                cs_seal_append(&ws->value, 0);
            }
            cs_batch_put(batch, cs_buf_slice(&ws->key), cs_buf_slice(&ws->value));
        } else {
            cs_batch_delete(batch, cs_buf_slice(&ws->key));
        }
        node->epoch = stage;
        node->born = false;
        set_state(ws, node, NODE_STAGED);
    }
}

void cs_workset_durable(cs_workset_t *ws)
{
    CS_ASSERT(ws->stage_done < ws->stage_next);
    ws->stage_done++;
    cs_cursors_close(ws);
    while (ws->staged.first != NULL && ws->staged.first->epoch <= ws->stage_done) {
        cs_onode_t *node = ws->staged.first;
        if (node->present && ws->types[node->table].keep) {
            set_state(ws, node, NODE_CLEAN);
        } else {
            forget(ws, node);
        }
    }
}

void cs_workset_trim(cs_workset_t *ws, uint32_t keep_max)
{
    while (ws->clean.len > keep_max) {
        forget(ws, ws->clean.first);
    }
}
