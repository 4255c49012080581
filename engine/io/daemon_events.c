/* daemon_events.c - what the daemon makes known as events, and where their numbers go on. */
#include <string.h>

#include "base/mem.h"
#include "io/clock.h"
#include "io/daemon_shell.h"

/* Numbers are reserved on disk in blocks, so that few events cost a write: a start leaves the
 * rest of a block out. The clock is for a node that lost its database. */
#define BLOCK (1u << 20)
/* numbers a second, as a power of two, that no node gives away on average */
#define SECOND_SHIFT 10

static const char next_key[] = "node/events";

static uint64_t reserved(cs_daemon_t *daemon)
{
    cs_buf_t value = {0};
    uint64_t next = 0;
    cs_err_t err = cs_store_get(daemon->store, NULL, cs_slice_text(next_key), &value);
    if (err == CS_OK && value.len == 8) {
        cs_reader_t reader = cs_reader(cs_buf_slice(&value));
        next = cs_read_u64(&reader);
    }
    cs_buf_fini(&value);
    return next;
}

static void reserve(cs_daemon_t *daemon, uint64_t next)
{
    cs_batch_t batch = {0};
    cs_buf_t value = {0};
    cs_buf_put_u64(&value, next);
    cs_batch_put(&batch, cs_slice_text(next_key), cs_buf_slice(&value));
    /* If this fails, so will what matters more, and the node stops. */
    (void)!cs_store_write(daemon->store, &batch, true);
    cs_batch_fini(&batch);
    cs_buf_fini(&value);
    daemon->events_reserved = next;
}

void cs__daemon_events_start(cs_daemon_t *daemon)
{
    int64_t wall_ms = cs_clock_wall_ms();
    uint64_t clock = wall_ms > 0 ? ((uint64_t)wall_ms / 1000) << SECOND_SHIFT : 1;
    uint64_t first = reserved(daemon);
    if (first < clock) first = clock;
    daemon->events = cs_events_new(first);
    reserve(daemon, first + BLOCK);
}

bool cs__daemon_event_begin(cs_daemon_t *daemon, const char *type, const char *folder,
                            cs_json_t *ret)
{
    if (daemon->events == NULL) return false; /* nobody could ask */
    uint64_t next = cs_events_next_seq(daemon->events);
    if (next >= daemon->events_reserved) reserve(daemon, next + BLOCK);
    cs_events_begin(daemon->events, type, ret);
    if (folder != NULL) cs_json_put_text(ret, "folder", folder);
    return true;
}

void cs__daemon_event_end(cs_daemon_t *daemon, cs_json_t *event_p)
{
    cs_events_add(daemon->events, event_p);
}

void cs__daemon_event(cs_daemon_t *daemon, const char *type, const char *folder,
                      cs_slice_t path, const char *text)
{
    cs_json_t json = {0};
    if (!cs__daemon_event_begin(daemon, type, folder, &json)) return;
    if (path.len > 0) cs_json_put_path(&json, "path", path);
    if (text != NULL && text[0] != '\0') cs_json_put_text(&json, "text", text);
    cs__daemon_event_end(daemon, &json);
}

/* A folder is in another state than when we looked last. */
void cs__daemon_event_states(cs_daemon_t *daemon)
{
    if (daemon->events == NULL) return;
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs_mounted_t *folder = &daemon->folders[i];
        cs_folder_phase_t phase = CS_PHASE_ERROR;
        if (!folder->loaded ||
            !cs_node_folder_phase(daemon->node, folder->record.number, &phase)) {
            continue;
        }
        if (folder->phase_told && folder->phase == phase) continue;
        folder->phase_told = true;
        folder->phase = phase;
        cs_json_t json = {0};
        if (!cs__daemon_event_begin(daemon, "folder.state", folder->record.id, &json)) continue;
        cs_json_put_text(&json, "state", cs_phase_text(phase));
        cs__daemon_event_end(daemon, &json);
    }
}
