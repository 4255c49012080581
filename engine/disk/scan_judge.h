/* scan_judge.h - from what is at a path, and what its base row says, to a sighting.
 *
 * Pure, so that files can be hashed by several threads while the merge goes on. */
#ifndef CS_DISK_SCAN_JUDGE_H
#define CS_DISK_SCAN_JUDGE_H

#include "base/path.h"
#include "disk/scan.h"

/* How this scan sees. Immutable while it runs. */
typedef struct cs_observer {
    cs_modes_t modes;
    bool keeps_modes; /* the file system does */
    bool full;        /* trust no print */
    bool has_start;   /* false: the file system is read-only, nothing is young; or else: */
    bool blind;       /* nothing tells what is young: no print is to be trusted later */
    int64_t start_ns; /* mtime of a file written at the start of the scan */
    int64_t tick_ns;  /* two writes closer than this may bear the same time */
    bool doubts;      /* a young mtime proves nothing, whatever the ctime is */
} cs_observer_t;

/* What time is it to the file system? Asked by a file at `path`, that is gone again. */
#define CS_SCAN_PROBE CS_PRIVATE_DIR "/tmp/now"
CS_MUST_USE cs_err_t cs__scan_now(cs_fs_t *fs, cs_slice_t path, int64_t *ret_ns);

/* A file or symbolic link. */
typedef struct cs_candidate {
    cs_slice_t path; /* borrowed */
    cs_stat_t stat;
    bool has_row;
    cs_base_front_t row;
} cs_candidate_t;

typedef struct cs_judgement {
    bool unchanged; /* for the statistics: bytes and mode are those of the row */
    bool sighted, troubled, hashed;
    uint64_t hashed_bytes;
    cs_sighting_t sighting; /* its path is the candidate's */
    cs_trouble_t trouble;
} cs_judgement_t;

/* A file without a row of its own that may be the one of `row`, from another path: if it is, it
 * appeared with that row's content. False: it must be read. */
bool cs_judge_moved(const cs_observer_t *o, const cs_candidate_t *c, const cs_base_front_t *row,
                    cs_judgement_t *ret);
/* By its print alone. False: it must be read. */
bool cs_judge_stat(const cs_observer_t *observer, const cs_candidate_t *candidate,
                   cs_judgement_t *ret);
/* After cs_path_hasher_run, whose outcome is err, content and stat (unused on failure). */
void cs_judge_content(const cs_observer_t *observer, const cs_candidate_t *candidate,
                      cs_err_t err, const cs_content_t *content, const cs_stat_t *stat,
                      cs_judgement_t *ret);
/* Hashes candidates and judges them. Belongs to one thread. */
typedef struct cs_candidate_reader cs_candidate_reader_t;
/* row: as in cs_scan_sink_t, with an arg of its own. */
cs_candidate_reader_t *
cs_candidate_reader_new(const cs_scan_config_t *config, const cs_observer_t *observer,
                        void *arg, void (*row)(void *arg, cs_slice_t key, cs_slice_t value),
                        bool (*cancelled)(void *arg));
void cs_candidate_reader_destroy(cs_candidate_reader_t **reader_p);
/* False: cancelled. */
bool cs_candidate_reader_run(cs_candidate_reader_t *reader, const cs_candidate_t *candidate,
                             cs_judgement_t *ret);

/* Its print would not vouch for it if it were read now. */
bool cs_judge_is_young(const cs_observer_t *observer, const cs_stat_t *stat);

/* Passes a judgement on, and counts it. False: the sink wants no more. */
bool cs_judgement_report(const cs_judgement_t *judgement, cs_slice_t path,
                         const cs_scan_sink_t *sink, cs_scan_stats_t *stats);

#endif
