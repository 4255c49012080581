/* cluster.h - real nodes for integration tests: processes of the program, homes and folders in
 * a temporary directory, ports on loopback.
 *
 * Every call that fails prints what and stops the test (abort; with CLUSTER_HOLD in the
 * environment it waits for ever): these tests are long, and the first thing that goes wrong is
 * the one to look at. Nothing here knows the engine: what it
 * checks is what a user could check. The program is $CRDTSYNC_BIN. */
#ifndef CS_TESTS_CLUSTER_H
#define CS_TESTS_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLUSTER_NODES_MAX 40
#define CLUSTER_TEXT      4096

typedef struct cluster_node {
    char home[256], root[256], log[256];
    char id[65];
    int port;
    pid_t pid;                      /* 0: not running */
    uid_t uid;                      /* it runs as this one, if not 0 */
    char preload[256], faults[256]; /* preload/faults.h; empty: none */
} cluster_node_t;

typedef struct cluster {
    char dir[128];
    cluster_node_t node[CLUSTER_NODES_MAX];
    int count;
    char folder[32];
    char secret[65]; /* of the folder, hex */
} cluster_t;

/* `count` homes, initialised, with one shared folder (static provisioning); nobody knows
 * anybody. The folder's secret is drawn by the first node. */
void cluster_new(cluster_t *cluster, int count);
/* The same with a secret that is given: 64 hex digits. */
void cluster_new_with(cluster_t *cluster, int count, const char *secret);
/* Stops all nodes; removes everything, unless the environment has CLUSTER_KEEP. */
void cluster_destroy(cluster_t *cluster);

/* Both know each other and share the folder; `from` dials `to`, at `port` if not 0 (a relay).
 */
void cluster_pair(cluster_t *cluster, int from, int to, int port);

void cluster_start(cluster_t *cluster, int node); /* returns once it answers `ping` */
void cluster_stop(cluster_t *cluster, int node);  /* SIGTERM, and exit 0 is required */
void cluster_kill(cluster_t *cluster, int node);  /* SIGKILL */

/* Runs the program with this node's --home; the rest as to printf, split at blanks. Returns the
 * exit code; out (CLUSTER_TEXT bytes, or NULL) gets stdout. */
int cluster_run(cluster_t *cluster, int node, char *out, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same; any exit code but 0 stops the test. */
void cluster_do(cluster_t *cluster, int node, char *out, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same without a word on stderr: failing is an answer. */
bool cluster_succeeds(cluster_t *cluster, int node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* `folder set` for the shared folder, on every node. */
void cluster_setting(cluster_t *cluster, const char *key, const char *value);

/* Scan everywhere, then wait until all running nodes are equal and everything is on every disk.
 */
void cluster_settle(cluster_t *cluster, int timeout_s);
/* Trees byte-equal (names, types, bytes, permission bits of files) and digests equal, on all
 * nodes that run. Stops the test with the first difference. */
void cluster_check_equal(cluster_t *cluster);
/* `check`: the node's index, its digest and its disk agree. */
void cluster_verify(cluster_t *cluster, int node, const char *what);
/* Bytes that the node has sent to its peers, as its status says. */
uint64_t cluster_bytes_out(cluster_t *cluster, int node);
/* The first difference of two trees, false if there is none. */
bool tree_differs(const char *a, const char *b, char *ret_why, size_t why_bytes);

/* Files of a node's folder; the path is relative to its root. Directories are made where they
 * are missing, no link is followed. */
void node_write(const cluster_node_t *node, const char *path, const void *data, size_t len);
void node_text(const cluster_node_t *node, const char *path, const char *text);
/* Files `first` to `first + count`, in a thousand directories. The bytes of each tell which it
 * is and who wrote it. */
void node_texts(const cluster_node_t *node, unsigned first, unsigned count, unsigned who);
/* For tests in which a link may have arrived meanwhile. False: there is one, nothing is done.
 */
bool node_text_unless_linked(const cluster_node_t *node, const char *path, const char *text);
bool node_remove_unless_linked(const cluster_node_t *node, const char *path);
bool node_reads(const cluster_node_t *node, const char *path,
                const char *text); /* has these bytes */
bool node_has(const cluster_node_t *node, const char *path);
void node_path(const cluster_node_t *node, const char *path, char *ret, size_t bytes);

/* A free TCP port on loopback. */
int free_port(void);
/* `sh -c`; any exit code but 0 stops the test. */
void test_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Monotonic seconds. */
double test_now(void);
void test_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
