/* scan.c - a scan by one thread: merge, hash, judge. */
#include "disk/scan.h"

#include "base/limits.h"
#include "base/path.h"
#include "disk/scan_merge.h"

cs_err_t cs__scan_now(cs_fs_t *fs, cs_slice_t path, int64_t *ret_ns)
{
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
    *ret = (cs_observer_t){.modes = config->modes,
                           .keeps_modes = fs->features.modes,
                           .full = config->full,
                           .tick_ns = cs_fs_tick_ns(fs)};
    ret->doubts = !fs->features.mapped_times || ret->tick_ns > CS_TICK_NS;
    err = cs__scan_now(fs, cs_slice_text(CS_SCAN_PROBE), &ret->start_ns);
    ret->has_start = err == CS_OK;
    /* Where nothing can be written nothing changes; else without a clock no print is proof. */
    if (err != CS_OK && err != CS_ERR_READ_ONLY) ret->full = ret->blind = true;
    return CS_OK;
}

typedef struct scan {
    const cs_scan_sink_t *sink;
    cs_scan_stats_t stats;
    cs_candidate_reader_t *reader;
} scan_t;

static bool on_judged(void *arg, cs_slice_t path, const cs_judgement_t *judgement)
{
    scan_t *scan = arg;
    return cs_judgement_report(judgement, path, scan->sink, &scan->stats);
}

static bool on_candidate(void *arg, const cs_candidate_t *candidate)
{
    scan_t *scan = arg;
    cs_judgement_t judgement;
    return cs_candidate_reader_run(scan->reader, candidate, &judgement) &&
           on_judged(scan, candidate->path, &judgement);
}

static bool on_cancelled(void *arg)
{
    const scan_t *scan = arg;
    return scan->sink->cancelled != NULL && scan->sink->cancelled(scan->sink->arg);
}

void cs_sighting_flush(const cs_sighting_t *sighting, cs_flush_t *flush)
{
    if (sighting->what == CS_SAW_TOUCHED && !sighting->rewritten) return;
    if (sighting->what != CS_SAW_VANISHED) cs_flush_add(flush, sighting->path);
    cs_flush_name(flush, sighting->path);
}

cs_err_t cs_scan(const cs_scan_config_t *config, const cs_scan_sink_t *sink,
                 cs_scan_stats_t *ret)
{
    cs_observer_t observer;
    cs_err_t err = cs_observer_init(config, &observer);
    if (err != CS_OK) return err;
    scan_t scan = {.sink = sink};
    scan.reader =
        cs_candidate_reader_new(config, &observer, sink->arg, sink->row, sink->cancelled);
    const cs_merge_sink_t merge_sink = {.arg = &scan,
                                        .judged = on_judged,
                                        .candidate = on_candidate,
                                        .cancelled = on_cancelled};
    err = cs_scan_merge(config, &observer, &merge_sink, &scan.stats);
    cs_candidate_reader_destroy(&scan.reader);
    if (err == CS_OK) *ret = scan.stats;
    return err;
}
