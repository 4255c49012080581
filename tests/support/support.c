/* support.c - what the tests share. */
#include "support/support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define OPEN_DIRS_MAX 16

tmp_t tmp_new(void)
{
    tmp_t tmp;
    const char *above = getenv("TMPDIR");
    int len = snprintf(tmp.path, sizeof tmp.path, "%s/crdtsync-test-XXXXXX",
                       above != NULL && above[0] != '\0' ? above : "/tmp");
    if (len < 0 || (size_t)len >= sizeof tmp.path || mkdtemp(tmp.path) == NULL) {
        perror("cannot make a temporary directory");
        exit(1);
    }
    return tmp;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void tmp_remove(const tmp_t *tmp)
{
    if (nftw(tmp->path, remove_one, OPEN_DIRS_MAX, FTW_DEPTH | FTW_PHYS) != 0)
        perror(tmp->path);
}
