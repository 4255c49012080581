/* onlooker.h - what the others see while one member or a stranger misbehaves. */
#ifndef CS_TESTS_ONLOOKER_H
#define CS_TESTS_ONLOOKER_H

#include "support/cluster.h"

#define ONLOOKER_LINES_MAX 3u
#define ONLOOKER_SOON_S    60.0 /* only a failure waits that long */

/* A file of each of nodes 0 and 1 reaches the other one. pass: some milliseconds go by. */
void others_do_not_notice(cluster_t *cluster, const char *what, void (*pass)(void *arg),
                          void *arg);
/* Lines of its log with both words. */
unsigned log_lines(const cluster_node_t *node, const char *event, const char *words);
/* Soon there are such lines, at most ONLOOKER_LINES_MAX, and each says what can be done. */
void expect_lines(const cluster_node_t *node, const char *what, const char *event,
                  const char *words, void (*pass)(void *arg), void *arg);
/* The most that the process ever had. */
void check_memory(const cluster_node_t *node, const char *what, long mib_max);
long peak_memory_kib(const cluster_node_t *node);
int open_files(const cluster_node_t *node);

#endif
