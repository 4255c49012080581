/* scan_moved.h - files that went elsewhere with their directory, so that they need not be read
 * where they are now.
 *
 * Renaming a directory changes nothing of the files in it: not their inode, nor their times. A
 * file without a row whose print is that of a row below a path that is gone (a given one; in a
 * scan of everything, any directory) is that file, for the same reason for which a file with
 * the print of its own row has not changed. */
#ifndef CS_DISK_SCAN_MOVED_H
#define CS_DISK_SCAN_MOVED_H

#include "disk/scan_judge.h"

#define CS_MOVED_MAX 20000u /* rows remembered, 150 bytes each; files beyond are read */

typedef struct cs_moved cs_moved_t;
/* Rows of what is gone at config->paths; NULL: anywhere. Borrows config. */
cs_moved_t *cs_moved_new(const cs_scan_config_t *config);
void cs_moved_destroy(cs_moved_t **moved_p);
/* The row that had this file, NULL: none; borrowed. Rows are read when this is first asked. */
const cs_base_front_t *cs_moved_find(cs_moved_t *moved, const cs_stat_t *stat);

#endif
