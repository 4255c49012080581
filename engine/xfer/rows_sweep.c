/* rows_sweep.c - removes what no content on disk refers to any more: l/ and r/ without a path,
 * c/ and n/ without an l/ (those that lose it in this pass go in the next one). */
#include <string.h>

#include "base/seal.h"
#include "xfer/rows.h"
#include "xfer/rows_key.h"

static const char tables[] = "clnr";

typedef struct sweep {
    const cs_rows_view_t *view;
    cs_iter_t *probe;
    cs_buf_t key;
    cs_batch_t *batch;
} sweep_t;

static bool any_row(sweep_t *sweep, char table, const uint8_t *id, size_t len)
{
    cs_row_key(sweep->view->folder, table, id, len, &sweep->key);
    cs_iter_seek(sweep->probe, cs_buf_slice(&sweep->key));
    return cs_iter_valid(sweep->probe) &&
           cs_slice_has_prefix(cs_iter_key(sweep->probe), cs_buf_slice(&sweep->key));
}

/* id: the key without its head. */
static bool serves(sweep_t *sweep, char table, cs_slice_t id, cs_slice_t value)
{
    switch (table) {
    case 'c':
        return value.len >= CS_ROW_NODE_BYTES &&
               any_row(sweep, 'l', value.data, CS_ROW_NODE_BYTES);
    case 'l':
        return id.len == CS_ROW_NODE_BYTES + CS_ROW_CONTENT_BYTES &&
               any_row(sweep, 'h', id.data + CS_ROW_NODE_BYTES, CS_ROW_CONTENT_BYTES);
    case 'n':
        return id.len == CS_ROW_NODE_BYTES && any_row(sweep, 'l', id.data, id.len);
    default: /* 'r' */
        return id.len == CS_ROW_CONTENT_BYTES && any_row(sweep, 'h', id.data, id.len);
    }
}

/* Up to `max` rows of a table from `from` on; returns how many were looked at, *ret_end: table
 * done, else the cursor stands at the next row. */
static size_t sweep_table(sweep_t *sweep, cs_iter_t *iter, char table, size_t max,
                          cs_buf_t *cursor, bool *ret_end)
{
    cs_buf_t prefix = {0};
    cs_row_key(sweep->view->folder, table, NULL, 0, &prefix);
    size_t seen = 0;
    cs_slice_t from = cursor->len > 0 ? cs_buf_slice(cursor) : cs_buf_slice(&prefix);
    *ret_end = true;
    for (cs_iter_seek(iter, from); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        if (seen == max) {
            cs_buf_clear(cursor);
            cs_buf_put_slice(cursor, key);
            *ret_end = false;
            break;
        }
        seen++;
        cs_slice_t id = cs_slice(key.data + prefix.len, key.len - prefix.len);
        if (!serves(sweep, table, id, cs_iter_value(iter))) cs_batch_delete(sweep->batch, key);
    }
    cs_buf_fini(&prefix);
    return seen;
}

cs_err_t cs_rows_sweep(const cs_rows_view_t *view, size_t max, cs_buf_t *cursor,
                       cs_batch_t *batch)
{
    CS_ASSERT(max > 0);
    sweep_t sweep = {.view = view, .batch = batch};
    sweep.probe = cs_store_iter(view->store, view->snapshot);
    cs_iter_t *iter = cs_store_iter(view->store, view->snapshot);
    const char *table = tables;
    if (cursor->len >= CS_ROW_HEAD_BYTES) table = strchr(tables, cursor->data[4]);
    CS_ASSERT(table != NULL && *table != '\0');
    bool end = true;
    while (end && *table != '\0' && max > 0) {
        max -= sweep_table(&sweep, iter, *table, max, cursor, &end);
        if (!end) break;
        table++;
        cs_row_key(view->folder, *table, NULL, 0, cursor); /* of no table: not used */
    }
    if (end && *table == '\0') cs_buf_clear(cursor);
    cs_err_t err = cs_iter_err(iter);
    if (err == CS_OK) err = cs_iter_err(sweep.probe);
    cs_iter_destroy(&iter);
    cs_iter_destroy(&sweep.probe);
    cs_buf_fini(&sweep.key);
    return err;
}
