/* shim.c - under LD_PRELOAD: kills the process before its n-th change of a file or directory,
 * or cuts the power there (shim.h, undo.h).
 *
 * Calls that change nothing do not count: to die before one is to die after the change before
 * it. One lock is held around every change, so that a cut sees them in their order and no other
 * thread does any more. */
#include "shim/shim.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim/undo.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static shim_state_t *state;

static void cut_power(void)
{
    undo_cut(&(undo_how_t){.names_kept = state->names_kept,
                           .data = (undo_data_t)state->data,
                           .seed = state->seed});
}

static void die(const call_t *call)
{
    snprintf(state->last, sizeof state->last, "%s %.200s %.200s", call->name, call->at,
             call->to);
    if (state->cut != 0) cut_power();
    kill(getpid(), SIGKILL);
    pause();
}

static bool before(const call_t *call)
{
    if (call->kind == CALL_LOOK) return true;
    pthread_mutex_lock(&lock);
    state->calls++;
    if (state->calls == state->at) die(call);
    if (state->cut != 0) undo_before(call);
    return true;
}

static void after(const call_t *call, long result)
{
    if (call->kind == CALL_LOOK) return;
    if (state->cut != 0) undo_after(call, result);
    pthread_mutex_unlock(&lock);
}

static const calls_watcher_t watcher = {.before = before, .after = after};

/* The command has said that it is done: what it did has to be durable. */
__attribute__((destructor)) static void end(void)
{
    if (state == NULL || state->cut == 0) return;
    pthread_mutex_lock(&lock);
    calls_watch(NULL);
    cut_power();
}

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(SHIM_STATE), *roots = getenv(SHIM_ROOTS);
    if (path == NULL || roots == NULL) return;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) abort();
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (state == MAP_FAILED) abort();
    close(fd);
    undo_begin(getenv(SHIM_STASH));
    char *copy = strdup(roots), *rest = NULL;
    if (copy == NULL) abort();
    for (char *root = strtok_r(copy, ":", &rest); root != NULL;
         root = strtok_r(NULL, ":", &rest)) {
        calls_add_root(root);
    }
    calls_pretend_busy(state->at % 2 == 0);
    calls_watch(&watcher);
}
