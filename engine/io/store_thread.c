/* store_thread.c - takes all batches that wait, writes them as one, answers them in order. */
#include "io/store_thread.h"

#include <pthread.h>
#include <signal.h>

#include "base/mem.h"
#include "io/calls.h"

#define GROUP_BYTES_MAX (8u << 20) /* of one merged write; a single batch may be larger */

typedef struct item {
    struct item *next;
    uint32_t folder;
    uint64_t token;
    cs_batch_t batch;
} item_t;

/* Batches of one write, on their way back. */
typedef struct commit {
    cs_store_thread_t *thread;
    item_t *first;
    cs_err_t err;
} commit_t;

struct cs_store_thread {
    cs_store_t *store; /* borrowed */
    cs_calls_t *calls;
    void (*written)(void *arg, uint32_t folder, uint64_t token, cs_err_t err);
    void *arg;
    pthread_t pthread;
    cs_err_t err;          /* the thread's, then the one's who joined it */
    pthread_mutex_t mutex; /* of everything below */
    pthread_cond_t work;
    item_t *first, **last; /* last: where the next one is hung */
    bool stopping;
};

static void answer(void *arg)
{
    commit_t *commit = arg;
    cs_store_thread_t *thread = commit->thread;
    for (item_t *item = commit->first, *next; item != NULL; item = next) {
        next = item->next;
        thread->written(thread->arg, item->folder, item->token, commit->err);
        cs_batch_fini(&item->batch);
        cs_free(item);
    }
    cs_free(commit);
}

/* Cuts the next commit off the list; at least one item. The mutex is held. */
static commit_t *cut_commit(cs_store_thread_t *thread)
{
    commit_t *commit = cs_malloc(sizeof *commit);
    *commit = (commit_t){.thread = thread, .first = thread->first, .err = CS_OK};
    item_t *end = thread->first;
    size_t bytes = end->batch.ops.len;
    while (end->next != NULL && bytes + end->next->batch.ops.len <= GROUP_BYTES_MAX) {
        end = end->next;
        bytes += end->batch.ops.len;
    }
    thread->first = end->next;
    if (thread->first == NULL) thread->last = &thread->first;
    end->next = NULL;
    return commit;
}

static cs_err_t write_commit(cs_store_thread_t *thread, const commit_t *commit)
{
    if (commit->first->next == NULL) {
        return cs_store_write(thread->store, &commit->first->batch, true);
    }
    cs_batch_t merged = {.count = 0};
    for (const item_t *item = commit->first; item != NULL; item = item->next) {
        cs_buf_put_slice(&merged.ops, cs_buf_slice(&item->batch.ops));
        merged.count += item->batch.count;
    }
    cs_err_t err = cs_store_write(thread->store, &merged, true);
    cs_batch_fini(&merged);
    return err;
}

/* Nothing is written after the first failure, which thread->err keeps. */
static void perform(cs_store_thread_t *thread, commit_t *commit)
{
    if (thread->err == CS_OK) thread->err = write_commit(thread, commit);
    commit->err = thread->err;
}

static void *work(void *arg)
{
    cs_store_thread_t *thread = arg;
    sigset_t all;
    sigfillset(&all); /* signals are for the main thread */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_mutex_lock(&thread->mutex);
    while (thread->first != NULL || !thread->stopping) {
        if (thread->first == NULL) {
            pthread_cond_wait(&thread->work, &thread->mutex);
            continue;
        }
        commit_t *commit = cut_commit(thread);
        pthread_mutex_unlock(&thread->mutex);
        perform(thread, commit);
        cs_calls_post(thread->calls, answer, commit);
        pthread_mutex_lock(&thread->mutex);
    }
    pthread_mutex_unlock(&thread->mutex);
    return NULL;
}

cs_store_thread_t *cs_store_thread_new(zloop_t *loop, cs_store_t *store,
                                       void (*written)(void *arg, uint32_t folder,
                                                       uint64_t token, cs_err_t err),
                                       void *arg)
{
    cs_store_thread_t *thread = cs_calloc(1, sizeof *thread);
    thread->store = store;
    thread->calls = cs_calls_new(loop);
    thread->written = written;
    thread->arg = arg;
    thread->last = &thread->first;
    pthread_mutex_init(&thread->mutex, NULL);
    pthread_cond_init(&thread->work, NULL);
    int rc = pthread_create(&thread->pthread, NULL, work, thread);
    CS_ASSERT(rc == 0); /* as with memory: the machine has none left */
    return thread;
}

void cs_store_thread_destroy(cs_store_thread_t **thread_p)
{
    cs_store_thread_t *thread = *thread_p;
    if (thread == NULL) return;
    pthread_mutex_lock(&thread->mutex);
    thread->stopping = true;
    pthread_cond_signal(&thread->work);
    pthread_mutex_unlock(&thread->mutex);
    pthread_join(thread->pthread, NULL);
    cs_calls_destroy(&thread->calls); /* answers what was written last */
    while (thread->first != NULL) {   /* handed over by those answers */
        commit_t *commit = cut_commit(thread);
        perform(thread, commit);
        answer(commit);
    }
    pthread_cond_destroy(&thread->work);
    pthread_mutex_destroy(&thread->mutex);
    cs_free(thread);
    *thread_p = NULL;
}

void cs_store_thread_write(cs_store_thread_t *thread, uint32_t folder, uint64_t token,
                           cs_batch_t *batch)
{
    item_t *item = cs_malloc(sizeof *item);
    *item = (item_t){.folder = folder, .token = token, .batch = *batch};
    *batch = (cs_batch_t){.count = 0};
    pthread_mutex_lock(&thread->mutex);
    *thread->last = item;
    thread->last = &item->next;
    pthread_mutex_unlock(&thread->mutex); /* first, or who is woken waits for it */
    pthread_cond_signal(&thread->work);
}
