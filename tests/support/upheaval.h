/* upheaval.h - what turns a folder upside down within seconds: an archive, a branch, packages.
 */
#ifndef CS_TESTS_UPHEAVAL_H
#define CS_TESTS_UPHEAVAL_H

#include "support/cluster.h"

typedef struct upheaval {
    const cluster_node_t *node; /* in its folder, */
    const char *dir;            /* with what lies here beside it */
    unsigned files;             /* about so many files change each time */
} upheaval_t;

/* A repository with two branches, and an archive of the first one. No network is asked. */
void upheaval_prepare(const upheaval_t *up);

void upheaval_unpack(const upheaval_t *up);      /* the first branch, as tree/, by tar */
void upheaval_take_branch(const upheaval_t *up); /* git learns that it lies there */
void upheaval_check_out(const upheaval_t *up); /* the second one; seven of eight files differ */
void upheaval_install(const upheaval_t *up);   /* app/, in the manner of npm */
void upheaval_remove(const upheaval_t *up);    /* all of it */

#endif
