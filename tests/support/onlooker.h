/* onlooker.h - what the others see while one member or a stranger misbehaves. */
#ifndef CS_TESTS_ONLOOKER_H
#define CS_TESTS_ONLOOKER_H

#include "support/cluster.h"

#define ONLOOKER_SOON_S 60.0 /* only a failure waits that long */

/* A file of each of nodes 0 and 1 reaches the other one. pass: some milliseconds go by. */
void others_do_not_notice(cluster_t *cluster, const char *what, void (*pass)(void *arg),
                          void *arg);
/* Lines of its log with both words. */
unsigned log_lines(const cluster_node_t *node, const char *event, const char *words);
long peak_memory_kib(const cluster_node_t *node);
int open_files(const cluster_node_t *node);

#endif
