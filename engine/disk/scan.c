/* scan.c - a scan by one thread: merge, hash, judge. */
#include "disk/scan.h"

#include "base/limits.h"
#include "base/path.h"
#include "disk/hash_path.h"
#include "disk/scan_merge.h"
#include "xfer/rows.h"

#define PROBE_PATH CS_PRIVATE_DIR "/tmp/now"

/* What time is it to the file system? */
static cs_err_t write_probe(cs_fs_t *fs, int64_t *ret_ns)
{
    cs_slice_t path = cs_slice_text(PROBE_PATH);
    cs_file_t *file = NULL;
    cs_stat_t st;
    cs_err_t err = fs->ops->create(fs, path, &file);
    if (err == CS_ERR_EXISTS) { /* left by a crash */
        err = fs->ops->unlink(fs, path);
        if (err == CS_OK) err = fs->ops->create(fs, path, &file);
    } else if (err == CS_ERR_NOT_FOUND) {
        err = fs->ops->mkdir(fs, cs_slice_text(CS_PRIVATE_DIR "/tmp"));
        if (err == CS_OK) err = fs->ops->create(fs, path, &file);
    }
    if (err != CS_OK) return err;
    err = fs->ops->fstat(file, &st);
    fs->ops->close(&file);
    cs_err_t removed = fs->ops->unlink(fs, path);
    if (err == CS_OK) *ret_ns = st.print.mtime_ns;
    return err == CS_OK ? removed : err;
}

cs_err_t cs_observer_init(const cs_scan_config_t *config, cs_observer_t *ret)
{
    cs_fs_t *fs = config->fs;
    cs_err_t err = cs_folder_check(fs, config->marker);
    if (err != CS_OK) return err;
    int64_t step_ns = fs->features.mtime_step_ns;
    *ret = (cs_observer_t){.modes = config->modes,
                           .keeps_modes = fs->features.modes,
                           .full = config->full,
                           .tick_ns = step_ns > CS_TICK_NS ? step_ns : CS_TICK_NS};
    err = write_probe(fs, &ret->start_ns);
    ret->has_start = err == CS_OK;
    /* Where nothing can be written nothing changes; else without a clock no print is proof. */
    if (err != CS_OK && err != CS_ERR_READ_ONLY) ret->full = true;
    return CS_OK;
}

typedef struct scan {
    const cs_observer_t *observer;
    const cs_scan_sink_t *sink;
    cs_scan_stats_t *stats;
    cs_path_hasher_t *hasher;
    cs_content_rows_t *rows; /* NULL: not wanted */
} scan_t;

static bool on_judged(void *arg, cs_slice_t path, const cs_judgement_t *judgement)
{
    scan_t *scan = arg;
    if (judgement->unchanged) scan->stats->unchanged++;
    if (judgement->troubled) scan->sink->trouble(scan->sink->arg, path, judgement->trouble);
    return !judgement->sighted || scan->sink->sighting(scan->sink->arg, &judgement->sighting);
}

static bool on_candidate(void *arg, const cs_candidate_t *candidate)
{
    scan_t *scan = arg;
    cs_content_t content;
    cs_stat_t stat;
    cs_judgement_t judgement;
    const cs_content_sink_t *sink =
        scan->rows != NULL ? cs_content_rows_begin(scan->rows) : NULL;
    cs_err_t err = cs_path_hasher_run(scan->hasher, candidate->path, candidate->stat.type, sink,
                                      &content, &stat);
    if (err == CS_ERR_AGAIN) return false;
    if (err == CS_OK) {
        if (scan->rows != NULL) cs_content_rows_end(scan->rows);
        scan->stats->hashed_files++;
        scan->stats->hashed_bytes += content.size;
    }
    cs_judge_content(scan->observer, candidate, err, &content, &stat, &judgement);
    return on_judged(scan, candidate->path, &judgement);
}

static bool on_cancelled(void *arg)
{
    const scan_t *scan = arg;
    return scan->sink->cancelled != NULL && scan->sink->cancelled(scan->sink->arg);
}

cs_err_t cs_scan(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                 cs_scan_stats_t *ret)
{
    cs_observer_t observer;
    cs_err_t err = cs_observer_init(config, &observer);
    if (err != CS_OK) return err;
    cs_scan_stats_t stats = {0};
    scan_t scan = {.observer = &observer, .sink = sink, .stats = &stats};
    if (sink->row != NULL) {
        scan.rows = cs_content_rows_new(config->folder, sink->arg, sink->row);
    }
    scan.hasher = cs_path_hasher_new(config->fs, config->table);
    cs_path_hasher_set_cancel(scan.hasher, sink->cancelled, sink->arg);
    const cs_merge_sink_t merge_sink = {.arg = &scan,
                                        .judged = on_judged,
                                        .candidate = on_candidate,
                                        .cancelled = on_cancelled};
    err = cs_scan_merge(config, &observer, &merge_sink, &stats);
    cs_path_hasher_destroy(&scan.hasher);
    cs_content_rows_destroy(&scan.rows);
    if (err == CS_OK) *ret = stats;
    return err;
}
