/* store.h - an ordered map of bytes to bytes with snapshots and atomic batches.
 *
 * The interface behind which LevelDB (io) and a model with torn tails (sim) stand; both pass
 * tests/contract. Keys sort bytewise. One thread writes; any thread may read by a snapshot of
 * its own. After a failed write, and after CS_ERR_CORRUPT or CS_ERR_IO from any call, the store
 * must be closed (core.md 6.4): later writes get the same error. */
#ifndef CS_BASE_STORE_H
#define CS_BASE_STORE_H

#include "base/buf.h"

CS_HEADER_BEGIN

typedef struct cs_store cs_store_t;
typedef struct cs_snapshot cs_snapshot_t;
typedef struct cs_iter cs_iter_t;

/* A batch: operations in order, packed; the same key may occur again, the last one counts. */
typedef struct cs_batch {
    cs_buf_t ops;   /* u8 1=put 2=delete, varint key len, key, (put) varint value len, value */
    uint32_t count; /* operations */
} cs_batch_t;

void cs_batch_put(cs_batch_t *batch, cs_slice_t key, cs_slice_t value);
void cs_batch_delete(cs_batch_t *batch, cs_slice_t key);
void cs_batch_append(cs_batch_t *batch, const cs_batch_t *more);
void cs_batch_clear(cs_batch_t *batch);
void cs_batch_fini(cs_batch_t *batch);
/* Calls put or delete for each operation in order. */
void cs_batch_each(const cs_batch_t *batch, void *arg,
                   void (*put)(void *arg, cs_slice_t key, cs_slice_t value),
                   void (*del)(void *arg, cs_slice_t key));

/* Functions of an implementation. `snapshot` may be NULL everywhere: the newest state. */
typedef struct cs_store_ops {
    /* ret is cleared, then filled. CS_ERR_NOT_FOUND: ret empty. */
    cs_err_t (*get)(cs_store_t *store, const cs_snapshot_t *snapshot, cs_slice_t key,
                    cs_buf_t *ret);
    /* Atomic; with `sync` durable on return. Failure: nothing of it is visible. */
    cs_err_t (*write)(cs_store_t *store, const cs_batch_t *batch, bool sync);
    cs_snapshot_t *(*snapshot)(cs_store_t *store);
    void (*release)(cs_store_t *store, cs_snapshot_t **snapshot_p);
    cs_iter_t *(*iter)(cs_store_t *store, const cs_snapshot_t *snapshot);
    void (*iter_seek)(cs_iter_t *iter, cs_slice_t key); /* first key >= key */
    void (*iter_next)(cs_iter_t *iter);                 /* only while valid */
    bool (*iter_valid)(const cs_iter_t *iter);
    cs_slice_t (*iter_key)(const cs_iter_t *iter); /* until the next call on iter */
    cs_slice_t (*iter_value)(const cs_iter_t *iter);
    /* Ask after the last valid position: an iteration that stopped early says why only here. */
    cs_err_t (*iter_err)(const cs_iter_t *iter);
    void (*iter_destroy)(cs_iter_t **iter_p);
    void (*close)(cs_store_t **store_p);
} cs_store_ops_t;

/* First member of every implementation's store, iterator and snapshot alike. */
struct cs_store {
    const cs_store_ops_t *ops;
};
struct cs_iter {
    const cs_store_ops_t *ops;
};

CS_MUST_USE cs_err_t cs_store_get(cs_store_t *store, const cs_snapshot_t *snapshot,
                                  cs_slice_t key, cs_buf_t *ret);
CS_MUST_USE cs_err_t cs_store_write(cs_store_t *store, const cs_batch_t *batch, bool sync);
#define CS_SNAPSHOT_ITERS 4u /* of one snapshot, open at a time */
cs_snapshot_t *cs_store_snapshot(cs_store_t *store);
void cs_store_release(cs_store_t *store, cs_snapshot_t **snapshot_p);
cs_iter_t *cs_store_iter(cs_store_t *store, const cs_snapshot_t *snapshot);
void cs_iter_seek(cs_iter_t *iter, cs_slice_t key);
void cs_iter_next(cs_iter_t *iter);
bool cs_iter_valid(const cs_iter_t *iter);
cs_slice_t cs_iter_key(const cs_iter_t *iter);
cs_slice_t cs_iter_value(const cs_iter_t *iter);
CS_MUST_USE cs_err_t cs_iter_err(const cs_iter_t *iter);
void cs_iter_destroy(cs_iter_t **iter_p);
void cs_store_close(cs_store_t **store_p);

CS_HEADER_END

#endif
