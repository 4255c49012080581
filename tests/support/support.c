/* support.c - what the tests share. */
#include "support/support.h"

#include <ftw.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

#define OPEN_DIRS_MAX 16
#define MEMORY        "/dev/shm"

static const char *above_all(void)
{
    const char *given = getenv("TMPDIR");
    return given != NULL && given[0] != '\0' ? given : "/tmp";
}

static bool is_in_memory(const char *dir)
{
    struct statfs st;
    return statfs(dir, &st) != 0 || st.f_type == TMPFS_MAGIC;
}

bool tmp_on_disk(void)
{
    const char *dir = is_in_memory(above_all()) ? "/var/tmp" : above_all();
    return !is_in_memory(dir) && setenv("TMPDIR", dir, 1) == 0;
}

void tmp_in_memory(unsigned mib)
{
    struct statfs st;
    if (access(MEMORY, W_OK) != 0 || statfs(MEMORY, &st) != 0) return;
    if ((uint64_t)st.f_bavail * (uint64_t)st.f_bsize >> 20 >= mib) setenv("TMPDIR", MEMORY, 0);
}

tmp_t tmp_new(void)
{
    tmp_t tmp;
    int len = snprintf(tmp.path, sizeof tmp.path, "%s/crdtsync-test-XXXXXX", above_all());
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
