/* load.h - what a node holds in memory and a link carries: counted, and never beyond limits.h;
 * and how often it changes its folder.
 *
 * Checked whenever it may have grown; what is beyond is a failed run. Memory is counted only in
 * a process that began with cs_account_begin (base/account.h). */
#ifndef CS_SIM_LOAD_H
#define CS_SIM_LOAD_H

#include "sim/world.h"

/* After a step of its core, or a slice of a job. */
void cs_sim_load_memory(cs_sim_node_t *node);
void cs_sim_load_rest(cs_sim_node_t *node); /* all is equal and quiet */
void cs_sim_load_end(cs_sim_node_t *node);  /* its process has ended */

/* Groups of steps that a node begins within a second of virtual time. One that tries again at
 * once what cannot be done yet makes a thousand (seed 56 at 5 nodes and 200 actions did); none
 * of thousands of runs made 20. */
#define CS_SIM_APPLIES_MAX 100u
void cs_sim_load_applies(cs_sim_node_t *node); /* it begins one */

/* A message of so many bytes was queued; it arrived, or never will. */
void cs_sim_load_sent(cs_sim_t *sim, cs_sim_link_t *link, unsigned end, size_t bytes);
void cs_sim_load_gone(cs_sim_t *sim, const cs_sim_frame_t *frame, size_t bytes);

/* A file system that is open for a node's jobs: what it writes is the disk's, not memory. */
void cs_sim_load_disk(cs_fs_t *fs);

#endif
