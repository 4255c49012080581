/* mishap.h - accidents that happen to real nodes: small, read-only and failing disks.
 *
 * All mounts are made in a namespace of the test's own, so that none outlives it. */
#ifndef CS_TESTS_MISHAP_H
#define CS_TESTS_MISHAP_H

#include "preload/faults.h"
#include "support/cluster.h"

#define MIB         (1u << 20)
#define SOON_S      30
#define SETTLE_S    90
#define STRANGER_ID 65534 /* nobody: for whom the kernel checks permissions */

typedef struct mishap {
    const char *name;
    void (*run)(void);
    bool mounts;  /* it makes mounts: where that is not allowed it is left out, which is said */
    bool is_long; /* only with --long, and then no others */
} mishap_t;

#define MISHAP_SKIPPED 77 /* exit code: nothing could be tried here; ctest knows it */

/* All of them, each in a process of its own, some at once: mostly they wait. Returns what main
 * is to return. Arguments: --long, or a part of the names of those to be run. */
int mishap_main(int argc, char **argv, const mishap_t *mishaps, size_t count);

/* Of the calling process: namespaces (CLONE_NEW...), in a new user's one if it needs that. */
bool mishap_own_namespaces(int flags);
/* A tmpfs over a directory of the cluster, with what lies in it now; nodes must not run. */
void mishap_small_disk(const char *dir, const char *options);
void mishap_remount(const char *dir, unsigned long flags, const char *options);
void mishap_unmount(const char *dir);

/* Two nodes, paired, each with a file: "one" on the first, "two" on the second. */
void mishap_pair(cluster_t *cluster);
void mishap_start_pair(cluster_t *cluster); /* the same, started and settled */
/* Settles, and compares all trees; the text goes to stderr. */
void mishap_agree(cluster_t *cluster, const char *what);

/* Runs the command until its output has the word, at most SOON_S. */
void mishap_await(cluster_t *cluster, int node, const char *command, const char *word);
/* Until it answers, or does not. */
void mishap_await_ping(cluster_t *cluster, int node, bool up);
/* Until the node's log has the word. */
void mishap_await_log(const cluster_node_t *node, const char *word);
bool mishap_logged(const cluster_node_t *node, const char *word);
/* The node must have said so on stderr; the number of such lines. */
int mishap_log_lines(const cluster_node_t *node, const char *word);
/* The process ends by itself, with this exit code. */
void mishap_await_end(cluster_node_t *node, int exit_code);

/* What a command prints on stdout and stderr; returns the exit code. */
int mishap_ask(cluster_t *cluster, int node, char *out, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* No path has siblings, on any running node. */
void mishap_no_conflicts(cluster_t *cluster);

/* A handle on the faults of a node that is started later. */
faults_t *mishap_faults(cluster_t *cluster, int node);
void mishap_fail(faults_t *faults, uint32_t calls, int error, const char *path);
void mishap_heal(faults_t *faults);

/* A file of random bytes. */
void mishap_random_file(const cluster_node_t *node, const char *path, unsigned kib);

#endif
