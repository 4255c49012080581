/* support.h - what the tests share. */
#ifndef CS_TESTS_SUPPORT_H
#define CS_TESTS_SUPPORT_H

#include <stdbool.h>

#define TMP_PATH_BYTES 256
#define TMP_SMALL_MIB  64u /* a few small files and a home or two */

/* A directory of its own for each test that touches files. */
typedef struct tmp {
    char path[TMP_PATH_BYTES];
} tmp_t;

/* Sets TMPDIR: from here on directories are made on a disk, others than tmp_new's, too. In
 * memory dirty pages stay dirty, and the kernel never tells of a write through a mapping.
 * False, and nothing done, if /var/tmp is in memory.
 */
bool tmp_on_disk(void);

/* Sets TMPDIR, unless it is set: directories are made in memory, where flushes and removals
 * cost nothing, if there are `mib` MiB of it. For tests of which no disk is a part.
 */
void tmp_in_memory(unsigned mib);

/* A fresh directory below $TMPDIR or /tmp; ends the program if it cannot be made. */
tmp_t tmp_new(void);
/* Removes it with everything in it. */
void tmp_remove(const tmp_t *tmp);

#endif
