/* folder.c - see folder.h. */
#include "support/folder.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static void must(int ok, const char *what)
{
    if (ok) return;
    perror(what);
    abort();
}

static char *joined(const char *dir, const char *path)
{
    size_t len = strlen(dir) + strlen(path) + 2;
    char *full = cs_malloc(len);
    snprintf(full, len, "%s/%s", dir, path);
    return full;
}

char *cs_test_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    char *dir = joined(base != NULL ? base : "/tmp", "crdtsync-test-XXXXXX");
    must(mkdtemp(dir) != NULL, dir);
    return dir;
}

static int open_up(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)ftw;
    if (flag == FTW_DNR || (flag == FTW_D && (st->st_mode & S_IRWXU) != S_IRWXU))
        chmod(path, 0700);
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    must(remove(path) == 0, path);
    return 0;
}

void cs_test_dir_remove(char **dir_p)
{
    if (*dir_p == NULL) return;
    nftw(*dir_p, open_up, 16, FTW_PHYS | FTW_MOUNT);
    must(nftw(*dir_p, remove_one, 16, FTW_PHYS | FTW_DEPTH | FTW_MOUNT) == 0, *dir_p);
    cs_free(*dir_p);
    *dir_p = NULL;
}

void cs_test_mkdir(const char *dir, const char *path)
{
    char *full = joined(dir, path);
    for (char *at = full + strlen(dir) + 1; *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        mkdir(full, 0777);
        *at = '/';
    }
    mkdir(full, 0777);
    struct stat st;
    must(stat(full, &st) == 0 && S_ISDIR(st.st_mode), full);
    cs_free(full);
}

void cs_test_write(const char *dir, const char *path, const char *text)
{
    const char *slash = strrchr(path, '/');
    if (slash != NULL) {
        char *parent = cs_memdup(path, strlen(path) + 1);
        parent[slash - path] = '\0';
        cs_test_mkdir(dir, parent);
        cs_free(parent);
    }
    char *full = joined(dir, path);
    int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    must(fd >= 0, full);
    must(write(fd, text, strlen(text)) == (ssize_t)strlen(text), full);
    close(fd);
    cs_free(full);
}

void cs_test_unlink(const char *dir, const char *path)
{
    char *full = joined(dir, path);
    must(remove(full) == 0, full);
    cs_free(full);
}

void cs_test_rename(const char *dir, const char *from, const char *to)
{
    char *a = joined(dir, from), *b = joined(dir, to);
    must(rename(a, b) == 0, a);
    cs_free(a);
    cs_free(b);
}
