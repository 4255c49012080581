/* scan_pool.h - a scan whose files are hashed by several threads.
 *
 * One thread, the caller's, walks, merges and reports; candidates wait in a ring, in order, and
 * are hashed by whoever is free, the caller included once the ring is full. Sightings leave the
 * ring at its head, so the sink sees what cs_scan would have shown it, on the caller's thread
 * alone. */
#ifndef CS_IO_SCAN_POOL_H
#define CS_IO_SCAN_POOL_H

#include "disk/scan.h"

/* As cs_scan. threads: those beside the caller's; 0 is cs_scan. The file system is used by all.
 */
CS_MUST_USE cs_err_t cs_scan_pool_run(const cs_scan_config_t *config,
                                      const cs_scan_sink_t *sink, size_t threads,
                                      cs_scan_stats_t *ret);
/* With as many threads as there are processors, at most four; one for the few files of a
 * restricted scan. Of a large file one thread reads and cuts what another digests. */
CS_MUST_USE cs_err_t cs_scan_pool_auto(const cs_scan_config_t *config,
                                       const cs_scan_sink_t *sink, cs_scan_stats_t *ret);

#endif
