/* hash_ahead.c - blocks in a ring, between the thread that reads and cuts and its caller. */
#include "io/hash_ahead.h"

#include <pthread.h>

#include "base/limits.h"
#include "base/mem.h"

#define BLOCKS   4u
#define CUTS_MAX (CS_FILE_BUFFER_BYTES / CS_CHUNK_MIN + 1)

typedef struct block {
    uint8_t *data; /* CS_FILE_BUFFER_BYTES */
    size_t len;
    size_t cut[CUTS_MAX]; /* where chunks end */
    size_t cuts;
} block_t;

typedef struct ahead {
    const cs_pass_t *pass;
    cs_content_hasher_t *hasher; /* the reader cuts with it */
    block_t block[BLOCKS];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* by the lock */
    uint64_t filled, used; /* blocks, ever */
    bool ended, stop;      /* the reader has; it should */
    /* the reader's, until it has ended */
    uint64_t at; /* bytes [from, at) were read */
    cs_err_t err;
} ahead_t;

static void cut(cs_content_hasher_t *hasher, block_t *block)
{
    block->cuts = 0;
    for (size_t at = 0; at < block->len;) {
        bool ends;
        cs_slice_t rest = cs_slice(block->data + at, block->len - at);
        at += cs_content_hasher_cut(hasher, rest, &ends);
        if (ends) block->cut[block->cuts++] = at;
    }
}

/* NULL: nobody wants more. */
static block_t *free_block(ahead_t *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->stop && ahead->filled - ahead->used == BLOCKS) {
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    block_t *block = ahead->stop ? NULL : &ahead->block[ahead->filled % BLOCKS];
    pthread_mutex_unlock(&ahead->lock);
    return block;
}

static bool is_hole(const cs_pass_t *pass, uint64_t at, cs_err_t *ret_err)
{
    uint64_t data_at = at;
    if (pass->size - at < CS_HOLE_MIN) return false;
    *ret_err = pass->file->ops->next_data(pass->file, at, &data_at);
    return *ret_err == CS_OK && data_at > at;
}

static cs_err_t fill(ahead_t *ahead, block_t *block)
{
    cs_err_t err = cs_pass_read(ahead->pass, ahead->at, block->data, &block->len);
    if (err != CS_OK) return err;
    cut(ahead->hasher, block);
    ahead->at += block->len;
    return CS_OK;
}

static void *read_all(void *arg)
{
    ahead_t *ahead = arg;
    block_t *block;
    while (ahead->err == CS_OK && ahead->at < ahead->pass->size &&
           (block = free_block(ahead)) != NULL) {
        if (is_hole(ahead->pass, ahead->at, &ahead->err)) break;
        if (ahead->err == CS_OK) ahead->err = fill(ahead, block);
        if (ahead->err != CS_OK) break;
        pthread_mutex_lock(&ahead->lock);
        ahead->filled++;
        pthread_cond_signal(&ahead->changed);
        pthread_mutex_unlock(&ahead->lock);
    }
    pthread_mutex_lock(&ahead->lock);
    ahead->ended = true;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

static void digest(cs_content_hasher_t *hasher, const block_t *block)
{
    size_t at = 0;
    for (size_t i = 0; i < block->cuts; i++) {
        cs_content_hasher_digest(hasher, cs_slice(block->data + at, block->cut[i] - at), true);
        at = block->cut[i];
    }
    cs_content_hasher_digest(hasher, cs_slice(block->data + at, block->len - at), false);
}

/* The next block; NULL: there is none. The one before is done with. */
static const block_t *next_block(ahead_t *ahead, const block_t *before)
{
    pthread_mutex_lock(&ahead->lock);
    if (before != NULL) {
        ahead->used++;
        pthread_cond_signal(&ahead->changed);
    }
    while (ahead->filled == ahead->used && !ahead->ended) {
        pthread_cond_wait(&ahead->changed, &ahead->lock);
    }
    bool any = ahead->filled > ahead->used;
    const block_t *block = any ? &ahead->block[ahead->used % BLOCKS] : NULL;
    pthread_mutex_unlock(&ahead->lock);
    return block;
}

static void stop(ahead_t *ahead)
{
    pthread_mutex_lock(&ahead->lock);
    ahead->stop = true;
    pthread_cond_signal(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
}

static bool is_cancelled(const cs_pass_t *pass)
{
    return pass->cancelled != NULL && pass->cancelled(pass->cancel_arg);
}

/* CS_OK: all was digested that the reader read. */
static cs_err_t digest_all(ahead_t *ahead)
{
    cs_err_t err = CS_OK;
    const block_t *block = NULL;
    while (err == CS_OK && (block = next_block(ahead, block)) != NULL) {
        if (is_cancelled(ahead->pass)) err = CS_ERR_AGAIN;
        if (err == CS_OK) digest(ahead->hasher, block);
    }
    return err;
}

static cs_err_t with_reader(ahead_t *ahead, pthread_t reader)
{
    cs_err_t err = digest_all(ahead);
    stop(ahead);
    pthread_join(reader, NULL);
    return err == CS_OK ? ahead->err : err;
}

cs_err_t cs_file_hash_ahead(const cs_pass_t *pass, cs_content_hasher_t *hasher)
{
    if (pass->size - pass->from < CS_AHEAD_MIN) return cs_file_hash(pass, hasher);
    ahead_t ahead = {.pass = pass, .hasher = hasher, .at = pass->from};
    uint8_t *data = cs_malloc((size_t)BLOCKS * CS_FILE_BUFFER_BYTES);
    for (size_t i = 0; i < BLOCKS; i++) {
        ahead.block[i].data = data + i * CS_FILE_BUFFER_BYTES;
    }
    pthread_mutex_init(&ahead.lock, NULL);
    pthread_cond_init(&ahead.changed, NULL);
    pthread_t reader;
    cs_err_t err = CS_OK;
    if (pthread_create(&reader, NULL, read_all, &ahead) == 0) err = with_reader(&ahead, reader);
    pthread_cond_destroy(&ahead.changed);
    pthread_mutex_destroy(&ahead.lock);
    cs_free(data);
    if (err != CS_OK) return err;
    cs_pass_t rest = *pass;
    rest.from = ahead.at;
    return cs_file_hash(&rest, hasher);
}
