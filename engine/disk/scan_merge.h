/* scan_merge.h - the walk and the base table, side by side. */
#ifndef CS_DISK_SCAN_MERGE_H
#define CS_DISK_SCAN_MERGE_H

#include "disk/scan_judge.h"

/* What the merge finds, in bytewise order of paths; slices are borrowed. False: stop. */
typedef struct cs_merge_sink {
    void *arg;
    bool (*judged)(void *arg, cs_slice_t path, const cs_judgement_t *judgement);
    bool (*candidate)(void *arg,
                      const cs_candidate_t *candidate); /* to be hashed, then judged */
    bool (*cancelled)(void *arg);                       /* may be NULL */
} cs_merge_sink_t;

/* Checks the marker and looks at the clock of the file system. Errors as of cs_scan. */
CS_MUST_USE cs_err_t cs_observer_init(const cs_scan_config_t *config, cs_observer_t *ret);
/* stats: files, dirs and bytes are counted up. Errors as of cs_scan. */
CS_MUST_USE cs_err_t cs_scan_merge(const cs_scan_config_t *config,
                                   const cs_observer_t *observer, const cs_merge_sink_t *sink,
                                   cs_scan_stats_t *stats);

#endif
