/* scan_read.c - a candidate is read, judged, reported. */
#include "base/limits.h"
#include "base/mem.h"
#include "disk/hash_path.h"
#include "disk/scan_judge.h"
#include "xfer/rows.h"

struct cs_candidate_reader {
    const cs_scan_config_t *config;
    cs_observer_t observer; /* begins anew after a tick passed */
    cs_path_hasher_t *hasher;
    cs_content_rows_t *rows; /* NULL: nobody wants them */
};

cs_candidate_reader_t *
cs_candidate_reader_new(const cs_scan_config_t *config, const cs_observer_t *observer,
                        void *arg, void (*row)(void *arg, cs_slice_t key, cs_slice_t value),
                        bool (*cancelled)(void *arg))
{
    cs_candidate_reader_t *reader = cs_calloc(1, sizeof *reader);
    reader->config = config;
    reader->observer = *observer;
    reader->hasher = cs_path_hasher_new(config->fs, config->table);
    cs_path_hasher_set_cancel(reader->hasher, cancelled, arg);
    if (config->hash_file != NULL) cs_path_hasher_set_hash(reader->hasher, config->hash_file);
    if (row != NULL) reader->rows = cs_content_rows_new(config->folder, arg, row);
    return reader;
}

void cs_candidate_reader_destroy(cs_candidate_reader_t **reader_p)
{
    if (*reader_p == NULL) return;
    cs_path_hasher_destroy(&(*reader_p)->hasher);
    cs_content_rows_destroy(&(*reader_p)->rows);
    cs_free(*reader_p);
    *reader_p = NULL;
}

/* A large file that was just written to is most often read as soon as it is closed: unless its
 * print vouches for it, the next scan reads it again. */
static void let_age(cs_candidate_reader_t *reader, const cs_candidate_t *candidate)
{
    const cs_scan_config_t *config = reader->config;
    cs_observer_t *observer = &reader->observer;
    bool worth = candidate->stat.print.size >= CS_AGE_BYTES &&
                 cs_judge_is_young(observer, &candidate->stat);
    if (!worth || config->pass_tick == NULL || observer->tick_ns > CS_TICK_NS) return;
    cs_buf_t path = {0};
    int64_t now_ns;
    config->pass_tick();
    cs_buf_printf(&path, CS_SCAN_PROBE ".%llu",
                  (unsigned long long)candidate->stat.print.ino); /* of this thread alone */
    cs_err_t err = cs__scan_now(config->fs, cs_buf_slice(&path), &now_ns);
    if (err == CS_OK && now_ns > observer->start_ns) observer->start_ns = now_ns;
    cs_buf_fini(&path);
}

bool cs_candidate_reader_run(cs_candidate_reader_t *reader, const cs_candidate_t *candidate,
                             cs_judgement_t *ret)
{
    cs_content_t content = {0};
    cs_stat_t stat = {0};
    cs_node_type_t type = candidate->stat.type;
    let_age(reader, candidate);
    bool wants_rows = reader->rows != NULL && type == CS_NODE_FILE;
    const cs_content_sink_t *sink = wants_rows ? cs_content_rows_begin(reader->rows) : NULL;
    cs_err_t err =
        cs_path_hasher_run(reader->hasher, candidate->path, type, sink, &content, &stat);
    if (err == CS_ERR_AGAIN) return false;
    if (err == CS_OK && wants_rows) cs_content_rows_end(reader->rows);
    cs_judge_content(&reader->observer, candidate, err, &content, &stat, ret);
    ret->hashed = err == CS_OK;
    ret->hashed_bytes = content.size;
    return true;
}

bool cs_judgement_report(const cs_judgement_t *judgement, cs_slice_t path,
                         const cs_scan_sink_t *sink, cs_scan_stats_t *stats)
{
    if (judgement->unchanged) stats->unchanged++;
    if (judgement->hashed) stats->hashed_files++;
    stats->hashed_bytes += judgement->hashed_bytes;
    if (judgement->troubled) sink->trouble(sink->arg, path, judgement->trouble);
    return !judgement->sighted || sink->sighting(sink->arg, &judgement->sighting);
}
