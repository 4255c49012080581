/* coverage.h - what a random history contains: patterns of operations, as short texts.
 *
 * Each vector of core.md 11 is such a pattern, so it can be asked after how many seeds the
 * generator has found it (tests/sim/coverage.c). An operation is what the scan of one node
 * committed, read from its batch: a base row that came, changed, or went, with a dot that this
 * batch minted (core.md 5.3). So a swap of two files is two edits, as the engine takes it.
 *
 *   apart     two operations of different replica ids of which neither was known where the
 *             other was committed (ctx of its entry and seen), or that one knew but had not on
 *             disk: its base row was not what the state says. Then it is marked "?"
 *   related   their paths begin with the same name, or they are of one lineage
 *   pattern   a set of operations, connected by being apart and related, or by one scan and a
 *             common name (or contents that change places); with it, nothing that a user did
 *             to these files at that time is left out
 *
 * A directory that holds one of the paths, or all, is like the root and left out.
 * The text names replicas, paths and contents by the order in which they occur, and of all such
 * texts is the least: two histories have equal texts if one is the other renamed. Kept are
 * which paths are equal, below one another, or an untouched sibling of one ("s"); which
 * contents are equal, but not which wins; modes; and for each path what stood there before:
 *
 *   f l d D   file, link, empty directory, directory      -   nothing
 *   * _ %     mode 0755, 0600, another                     2   several lineages with equal
 * bytes a         it has an A value                            m   it is not where it was born
 *   s o       an untouched sibling, of the same lineage or another
 *
 * "After 1" is thus the state that vector 1 leaves: a file and a sibling of one lineage.
 *
 * Operations: c create, e edit, m move, r remove, p chmod, d mkdir, D rmdir. "!": the removal
 * was forgotten at some node while another still had the file; "g": so at a creation. */
#ifndef CS_SIM_COVERAGE_H
#define CS_SIM_COVERAGE_H

#include "sim/run.h"

#define CS_COVERAGE_TEXT_BYTES 512u /* of a pattern, with its NUL */

typedef struct cs_coverage cs_coverage_t;
struct cs_sim_node;
struct cs_batch;

cs_coverage_t *cs_coverage_new(void);
void cs_coverage_destroy(cs_coverage_t **coverage_p);

/* cs_sim_once, watched. */
void cs_coverage_run(cs_coverage_t *coverage, const cs_history_t *history,
                     cs_sim_result_t *ret);
/* Every pattern of that history, in order of time; one that occurred again is told again. */
void cs_coverage_each(cs_coverage_t *coverage, void *arg,
                      void (*each)(void *arg, const char *pattern));
#define CS_COVERAGE_RESTORED "restored" /* a node met its own future, and has a new id */
#define CS_COVERAGE_UNAPPLIED                                       \
    "unapplied" /* a scan found an empty directory that was removed \
                 */

/* --- told by the world */
/* This batch will be durable at the node, and is not yet. */
void cs_coverage_batch(cs_coverage_t *coverage, struct cs_sim_node *node,
                       const struct cs_batch *batch, bool local);
void cs_coverage_renamed(cs_coverage_t *coverage, const char *why);
void cs_coverage_scanned(cs_coverage_t *coverage, struct cs_sim_node *node);

#endif
