/* daemon_progress.c - how far a folder is, as `progress` events: few, for many other things are
 * to be kept. */
#include "io/commands_count.h"
#include "io/daemon_shell.h"

#define FIRST_MS 1000u /* work that is done sooner needs none */
#define EVERY_MS 5000u
#define LOOK_MS  60u /* the reactor's time for one; what takes longer is not told */
#define SMOOTH   0.3 /* weight of the newest rate */
#define RATE_MIN 1.0 /* a second; below there is nothing to say of the time left */

/* Both are left out of what stands still. */
static void put_rate(cs_json_t *json, const char *key, double rate, uint64_t left)
{
    if (rate < RATE_MIN) return;
    cs_json_put_u64(json, key, (uint64_t)rate);
    cs_json_put_u64(json, "seconds_left", (uint64_t)((double)left / rate) + 1);
}

void cs__put_transfers(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_json_t *json)
{
    cs_transfer_t transfer[CS_FETCH_FILES_MAX];
    size_t count = cs_node_transfers(daemon->node, folder->record.number, transfer);
    cs_json_key(json, "transfers");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        const cs_transfer_t *at = &transfer[i];
        cs_json_begin(json, '{');
        cs_json_put_path(json, "path", at->path);
        cs_json_put_u64(json, "bytes", at->here);
        cs_json_put_u64(json, "size", at->size);
        put_rate(json, "rate", (double)at->rate, at->size - at->here);
        cs_json_end(json, '}');
    }
    cs_json_end(json, ']');
}

static double smooth(double old, uint64_t before, uint64_t now, double seconds)
{
    double rate = before > now ? (double)(before - now) / seconds : 0;
    return old == 0 ? rate : old + SMOOTH * (rate - old);
}

static void measure(cs_progress_t *progress, const cs_count_t *count, uint64_t now_ms)
{
    double seconds = (double)(now_ms - progress->at_ms) / 1000;
    if (progress->known && seconds > 0) {
        progress->files_s =
            smooth(progress->files_s, progress->files, count->needed_files, seconds);
        bool comparable = !count->estimated && !progress->estimated;
        progress->bytes_s = !comparable ? 0
                                        : smooth(progress->bytes_s, progress->bytes,
                                                 count->needed_bytes, seconds);
    }
    progress->known = true;
    progress->at_ms = now_ms;
    progress->files = count->needed_files;
    progress->bytes = count->needed_bytes;
    progress->estimated = count->estimated;
}

static void say(cs_daemon_t *daemon, const cs_mounted_t *folder)
{
    const cs_progress_t *progress = &folder->progress;
    cs_json_t json = {0};
    if (!cs__daemon_event_begin(daemon, "progress", folder->record.id, &json)) return;
    cs_json_put_u64(&json, "needed_files", progress->files);
    cs_json_put_u64(&json, "needed_bytes", progress->bytes);
    if (progress->estimated) cs_json_put_bool(&json, "needed_bytes_estimated", true);
    if (progress->bytes_s > 0) {
        put_rate(&json, "rate", progress->bytes_s, progress->bytes);
    } else {
        put_rate(&json, "files_per_s", progress->files_s, progress->files);
    }
    cs__put_transfers(daemon, folder, &json);
    cs__daemon_event_end(daemon, &json);
}

static void look(cs_daemon_t *daemon, cs_mounted_t *folder, uint64_t now_ms)
{
    /* What is on the disk is not asked for here, and costs the most. */
    cs_count_t count = {
        .folder = folder->record.number, .quick = true, .begun = true, .tree_done = true};
    cs_err_t err = cs__count_turn(daemon, &count, now_ms + LOOK_MS);
    if (err == CS_OK && count.done && count.needed_files > 0) {
        measure(&folder->progress, &count, now_ms);
        say(daemon, folder);
    }
    cs__count_fini(&count);
    folder->progress.at_ms = now_ms;
}

void cs__daemon_event_progress(cs_daemon_t *daemon, uint64_t now_ms)
{
    if (daemon->events == NULL) return;
    for (size_t i = 0; i < daemon->folder_count; i++) {
        cs_mounted_t *folder = &daemon->folders[i];
        cs_progress_t *progress = &folder->progress;
        if (folder->phase != CS_PHASE_SYNCING) {
            *progress = (cs_progress_t){0};
        } else if (progress->at_ms == 0) {
            progress->at_ms = now_ms; /* it begins */
        } else if (now_ms - progress->at_ms >= (progress->known ? EVERY_MS : FIRST_MS)) {
            look(daemon, folder, now_ms);
        }
    }
}
