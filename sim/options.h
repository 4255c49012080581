/* options.h - what one simulated history is made of: numbers, each with a name and a range.
 *
 * Swarm testing (Groce et al., ISSTA 2012): every run draws its own mix, some kinds of faults
 * and operations left out altogether, for what a uniform mix would find once in a year. The
 * table below makes the command line, the drawing, the printing and the files of histories. */
#ifndef CS_SIM_OPTIONS_H
#define CS_SIM_OPTIONS_H

#include "base/buf.h"

#define CS_SIM_NODES_MAX        12u   /* core.md 12, tier T3 */
#define CS_SIM_OPS_MAX          5000u /* actions of one history */
#define CS_SIM_TOPOLOGY_BOUNDED 4u

/*  name         field         min  max  text */
#define CS_SIM_OPTION_MAP(X)                                                               \
    X(nodes, "nodes", 2, CS_SIM_NODES_MAX, "nodes")                                        \
    X(ops, "ops", 0, CS_SIM_OPS_MAX, "actions of users, scans and faults")                 \
    X(phases, "phases", 1, 10, "rest points; the actions are spread among them")           \
    X(topology, "topology", 0, 4, "0 mesh, 1 line, 2 ring, 3 star, 4 eight of all")        \
    X(names, "names", 1, 16, "names that users choose from")                               \
    X(gap_ms, "gap-ms", 0, 60000, "virtual ms between actions, on average")                \
    X(latency_ms, "latency-ms", 0, 60000, "virtual ms a message takes, at most")           \
    X(scan_ms, "scan-ms", 0, 600000, "virtual ms from action to scan; 0: as acted")        \
    X(races, "races", 0, 100, "% of actions that wait for a call of the engine")           \
    X(equal, "equal", 0, 100, "% of saves of bytes that others save, too")                 \
    X(large, "large", 0, 100, "% of saves of several chunks")                              \
    X(net, "net", 0, 100, "% of actions that are faults of links")                         \
    X(loss, "loss", 0, 500, "per mille of messages that vanish, or come again later")      \
    X(crashes, "crashes", 0, 100, "% of actions that kill a node")                         \
    X(power, "power", 0, 1, "killed nodes lose what was not flushed")                      \
    X(disk, "disk", 0, 100, "% of actions that are faults of disks")                       \
    X(images, "images", 0, 100, "% of actions that save or restore a home")                \
    X(members, "members", 0, 100, "% of actions that remove or readmit a member")          \
    X(clocks, "clocks", 0, 1, "wall clocks differ and jump by up to ten years")            \
    X(grain, "grain", 0, 3, "of file times: 0 1 ns, 1 1 ms, 2 1 s, 3 2 s")                 \
    X(plain, "plain", 0, 3, "1: no RENAME_EXCHANGE, 2: no birth times, 3: neither")        \
    X(batch, "batch", 0, 1000, "operations of a scan in one batch; 0: the product's")      \
    X(exec, "exec", 0, 1, "the folder keeps only the executable bit")                      \
    X(recon, "recon", 0, 3, "limits of reconciliation: 0 product, 1 least, 2 few, 3 most") \
    X(bursts, "bursts", 0, 8, "each phase is so many related actions at most; 0: ops")     \
    X(memory, "memory", 0, 1, "for contents in flight: 0 the product's, 1 one at a time")  \
    X(watch, "watch", 0, 2, "watchers: 0 none, 1 that miss nothing, 2 that do")

typedef struct cs_sim_options {
    uint64_t seed;
#define X(field, name, low, high, text) uint32_t field;
    CS_SIM_OPTION_MAP(X)
#undef X
} cs_sim_options_t;

/* The mix of a seed. */
void cs_sim_options_draw(cs_sim_options_t *ret, uint64_t seed);
/* CS_ERR_NOT_FOUND: no such option. CS_ERR_LIMIT: not a number, or out of its range; ret as it
 * was. */
CS_MUST_USE cs_err_t cs_sim_options_set(cs_sim_options_t *ret, cs_slice_t name,
                                        cs_slice_t value);
/* Appends "seed=1 nodes=3 ...", without a line end. */
void cs_sim_options_print(const cs_sim_options_t *options, cs_buf_t *ret);
/* `each` option: its name, what it means, least and greatest value. */
void cs_sim_options_each(void *arg, void (*each)(void *arg, const char *name, const char *text,
                                                 uint32_t low, uint32_t high));

#endif
