/* user_files.c - see the header. */
#include "support/user_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

static void add(file_list_t *list, const char *path)
{
    if (list->count == list->cap) {
        list->cap = list->cap * 2 + 64;
        list->at = realloc(list->at, list->cap * sizeof *list->at);
        if (list->at == NULL) abort();
    }
    list->at[list->count++] = strdup(path);
}

/* Directories come and go while this runs: what cannot be opened is left out. */
static void list_below(const char *dir, bool top, file_list_t *ret)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) return;
    for (struct dirent *item; (item = readdir(stream)) != NULL;) {
        const char *name = item->d_name;
        char path[FILE_PATH_BYTES];
        struct stat st;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (top && strcmp(name, ".crdtsync") == 0) continue;
        int len = snprintf(path, sizeof path, "%s/%s", dir, name);
        if (len < 0 || (size_t)len >= sizeof path || lstat(path, &st) != 0) continue;
        if (S_ISDIR(st.st_mode)) {
            list_below(path, false, ret);
        } else if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) {
            add(ret, path);
        }
    }
    closedir(stream);
}

static void clear(file_list_t *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i]);
    list->count = 0;
}

void file_list(const char *root, file_list_t *ret)
{
    clear(ret);
    list_below(root, true, ret);
}

void file_list_fini(file_list_t *list)
{
    clear(list);
    free(list->at);
    *list = (file_list_t){0};
}

void file_make_parents(const char *path, const char *root)
{
    char copy[FILE_PATH_BYTES];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *at = strchr(copy + strlen(root) + 1, '/'); at != NULL;
         at = strchr(at + 1, '/')) {
        *at = '\0';
        mkdir(copy, 0755);
        *at = '/';
    }
}

bool file_move(const char *from, const char *to)
{
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0;
}

bool file_exchange(const char *a, const char *b)
{
    return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0;
}

char *file_read(int fd, size_t *ret_len)
{
    struct stat st;
    if (fstat(fd, &st) != 0) test_fail("fstat: %s", strerror(errno));
    char *bytes = malloc((size_t)st.st_size + 1);
    if (bytes == NULL) abort();
    size_t len = 0;
    ssize_t n;
    while ((n = pread(fd, bytes + len, (size_t)st.st_size - len, (off_t)len)) > 0)
        len += (size_t)n;
    if (n < 0) test_fail("read: %s", strerror(errno));
    *ret_len = len;
    return bytes;
}

void file_write(int fd, const char *bytes, size_t len, size_t offset)
{
    while (len > 0) {
        ssize_t n = pwrite(fd, bytes, len, (off_t)offset);
        if (n <= 0) test_fail("write: %s", strerror(errno));
        bytes += n;
        offset += (size_t)n;
        len -= (size_t)n;
    }
}

bool file_create(oracle_t *oracle, uint32_t number, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0) return false;
    size_t len = oracle_len(oracle, number);
    char *bytes = malloc(len);
    if (bytes == NULL) abort();
    oracle_bytes(oracle, number, bytes);
    file_write(fd, bytes, len, 0);
    free(bytes);
    close(fd);
    return true;
}

bool file_is_at(int fd, const char *path)
{
    struct stat open_one, named;
    return fstat(fd, &open_one) == 0 && lstat(path, &named) == 0 &&
           open_one.st_dev == named.st_dev && open_one.st_ino == named.st_ino;
}

bool file_chmod(const char *path, mode_t mode)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    bool done = fchmod(fd, mode) == 0;
    close(fd);
    return done;
}
