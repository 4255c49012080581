/* store.c - packed batches, and calls through the table of an implementation. */
#include "base/store.h"

enum { OP_PUT = 1, OP_DELETE = 2 };

static void put_string(cs_buf_t *buf, cs_slice_t string)
{
    cs_buf_put_varint(buf, string.len);
    cs_buf_put_slice(buf, string);
}

static cs_slice_t read_string(cs_reader_t *reader)
{
    return cs_read_bytes(reader, cs_read_varint(reader));
}

void cs_batch_put(cs_batch_t *batch, cs_slice_t key, cs_slice_t value)
{
    cs_buf_put_u8(&batch->ops, OP_PUT);
    put_string(&batch->ops, key);
    put_string(&batch->ops, value);
    batch->count++;
}

void cs_batch_delete(cs_batch_t *batch, cs_slice_t key)
{
    cs_buf_put_u8(&batch->ops, OP_DELETE);
    put_string(&batch->ops, key);
    batch->count++;
}

void cs_batch_append(cs_batch_t *batch, const cs_batch_t *more)
{
    cs_buf_put_slice(&batch->ops, cs_buf_slice(&more->ops));
    batch->count += more->count;
}

void cs_batch_clear(cs_batch_t *batch)
{
    cs_buf_clear(&batch->ops);
    batch->count = 0;
}

void cs_batch_fini(cs_batch_t *batch)
{
    cs_buf_fini(&batch->ops);
    batch->count = 0;
}

void cs_batch_each(const cs_batch_t *batch, void *arg,
                   void (*put)(void *arg, cs_slice_t key, cs_slice_t value),
                   void (*del)(void *arg, cs_slice_t key))
{
    cs_reader_t reader = cs_reader(cs_buf_slice(&batch->ops));
    while (cs_reader_left(&reader) > 0) {
        uint8_t op = cs_read_u8(&reader);
        cs_slice_t key = read_string(&reader);
        CS_ASSERT(op == OP_PUT || op == OP_DELETE);
        if (op == OP_DELETE) {
            del(arg, key);
            continue;
        }
        cs_slice_t value = read_string(&reader);
        CS_ASSERT(reader.err == CS_OK);
        put(arg, key, value);
    }
    CS_ASSERT(reader.err == CS_OK);
}

cs_err_t cs_store_get(cs_store_t *store, const cs_snapshot_t *snapshot, cs_slice_t key,
                      cs_buf_t *ret)
{
    return store->ops->get(store, snapshot, key, ret);
}

cs_err_t cs_store_write(cs_store_t *store, const cs_batch_t *batch, bool sync)
{
    return store->ops->write(store, batch, sync);
}

cs_snapshot_t *cs_store_snapshot(cs_store_t *store)
{
    return store->ops->snapshot(store);
}

void cs_store_release(cs_store_t *store, cs_snapshot_t **snapshot_p)
{
    store->ops->release(store, snapshot_p);
}

cs_iter_t *cs_store_iter(cs_store_t *store, const cs_snapshot_t *snapshot)
{
    return store->ops->iter(store, snapshot);
}

void cs_iter_seek(cs_iter_t *iter, cs_slice_t key)
{
    iter->ops->iter_seek(iter, key);
}

void cs_iter_next(cs_iter_t *iter)
{
    CS_ASSERT(cs_iter_valid(iter));
    iter->ops->iter_next(iter);
}

bool cs_iter_valid(const cs_iter_t *iter)
{
    return iter->ops->iter_valid(iter);
}

cs_slice_t cs_iter_key(const cs_iter_t *iter)
{
    return iter->ops->iter_key(iter);
}

cs_slice_t cs_iter_value(const cs_iter_t *iter)
{
    return iter->ops->iter_value(iter);
}

cs_err_t cs_iter_err(const cs_iter_t *iter)
{
    return iter->ops->iter_err(iter);
}

void cs_iter_destroy(cs_iter_t **iter_p)
{
    if (*iter_p != NULL) (*iter_p)->ops->iter_destroy(iter_p);
}

void cs_store_close(cs_store_t **store_p)
{
    if (*store_p != NULL) (*store_p)->ops->close(store_p);
}
