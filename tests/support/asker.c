/* asker.c - threads that speak with control.sock. */
#include "support/asker.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/control_client.h"

#define ANSWER_MS 120000u /* only a failure is silent for so long */
#define PAUSE_MS  50      /* between two rounds of questions: they are a load of their own */

static cs_err_t ask(const cluster_node_t *node, const char *request, uint32_t timeout_ms,
                    const cs_control_taker_t *taker, int *ret_code)
{
    char path[300];
    cs_control_answer_t answer = {0};
    snprintf(path, sizeof path, "%s/control.sock", node->home);
    cs_err_t err = cs_control_ask(path, cs_slice_text(request), timeout_ms, taker, &answer);
    *ret_code = answer.exit_code;
    cs_control_answer_fini(&answer);
    return err;
}

static void count_bytes(void *arg, cs_slice_t document)
{
    *(size_t *)arg += document.len;
}

/* The longest so far, or this one. */
static double longest(const asker_t *asker, const char *command, bool tells, double so_far)
{
    char request[64];
    size_t bytes = 0;
    int code = -1;
    cs_control_taker_t taker = {.arg = &bytes, .data = count_bytes};
    snprintf(request, sizeof request, "{\"cmd\":\"%s\"}", command);
    double began = test_now();
    cs_err_t err = ask(asker->node, request, ANSWER_MS, &taker, &code);
    double took = test_now() - began;
    if (err != CS_OK || code != 0 || (tells && bytes == 0))
        test_fail("%s: %s, exit code %d, %zu bytes, after %.1f s (log %s)", command,
                  cs_err_text(err), code, bytes, took, asker->node->log);
    return took > so_far ? took : so_far;
}

static long own_kib(const cluster_node_t *node)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)node->pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && kib < 0 && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) kib = strtol(line + 8, NULL, 10);
    }
    if (kib < 0) test_fail("%s tells no RssAnon", path);
    fclose(file);
    return kib;
}

static void look_at_memory(asker_t *asker)
{
    long kib = own_kib(asker->node);
    if (kib > asker->own_kib) asker->own_kib = kib;
    if (asker->own_kib_max > 0 && kib > asker->own_kib_max)
        test_fail("%s has %ld KiB of its own", asker->node->home, kib);
}

static void *ask_on(void *arg)
{
    asker_t *asker = arg;
    do {
        asker->ping_s = longest(asker, "ping", false, asker->ping_s);
        look_at_memory(asker);
        asker->status_s = longest(asker, "status", true, asker->status_s);
        look_at_memory(asker);
        asker->asked += 2;
        poll(NULL, 0, PAUSE_MS);
    } while (!atomic_load(&asker->over));
    return NULL;
}

void asker_begin(asker_t *asker, const cluster_node_t *node, long own_kib_max)
{
    *asker = (asker_t){.node = node, .own_kib_max = own_kib_max};
    if (pthread_create(&asker->thread, NULL, ask_on, asker) != 0) test_fail("pthread_create");
}

void asker_end(asker_t *asker)
{
    atomic_store(&asker->over, true);
    pthread_join(asker->thread, NULL);
}

/* --- events */

static bool has(cs_slice_t text, const char *part)
{
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static void count_event(void *arg, cs_slice_t document)
{
    listener_t *listener = arg;
    char folder[64];
    if (has(document, "\"type\":\"gap\"")) test_fail("events were lost");
    snprintf(folder, sizeof folder, "\"folder\":\"%s\"", listener->folder);
    if (!has(document, folder)) return;
    if (has(document, "\"type\":\"scan.done\"")) atomic_fetch_add(&listener->scans, 1);
    if (has(document, "\"type\":\"exchange\"")) atomic_fetch_add(&listener->exchanges, 1);
}

static void *listen_on(void *arg)
{
    listener_t *listener = arg;
    int code;
    cs_control_taker_t taker = {.arg = listener, .data = count_event};
    (void)ask(listener->node, "{\"cmd\":\"events\"}", 0, &taker, &code);
    return NULL;
}

void listener_begin(listener_t *listener, const cluster_node_t *node, const char *folder)
{
    *listener = (listener_t){.node = node, .folder = folder};
    if (pthread_create(&listener->thread, NULL, listen_on, listener) != 0)
        test_fail("pthread_create");
}

void listener_end(listener_t *listener)
{
    pthread_join(listener->thread, NULL);
}
