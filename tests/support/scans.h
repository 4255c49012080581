/* scans.h - how often a running node looks at a folder: each scan makes and removes a file in
 * .crdtsync/tmp, of which inotify tells. */
#ifndef CS_TESTS_SCANS_H
#define CS_TESTS_SCANS_H

#include <stddef.h>

#include "support/cluster.h"

typedef struct scans {
    int fd;
    size_t count; /* so far */
} scans_t;

void scans_open(scans_t *scans, const cluster_node_t *node); /* the folder is marked */
size_t scans_count(scans_t *scans);                          /* since it was opened */
void scans_close(scans_t *scans);

#endif
