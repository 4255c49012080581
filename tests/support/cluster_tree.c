/* cluster_tree.c - trees on disk: written, read, compared byte by byte. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

void node_path(const cluster_node_t *node, const char *path, char *ret, size_t bytes)
{
    snprintf(ret, bytes, "%s/%s", node->root, path);
}

/* A descriptor of the directory that holds `path` (which keeps its last name alone), made where
 * it is missing. -1, errno ENOENT: one of them went away meanwhile; ELOOP, ENOTDIR: a link or a
 * file is in the way. */
static int open_parents(const cluster_node_t *node, const char **path)
{
    int dir = open(node->root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) test_fail("open %s: %s", node->root, strerror(errno));
    for (const char *slash; dir >= 0 && (slash = strchr(*path, '/')) != NULL;
         *path = slash + 1) {
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(slash - *path), *path);
        int next = -1;
        if (mkdirat(dir, name, 0755) == 0 || errno == EEXIST)
            next = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int error = errno;
        close(dir);
        errno = error;
        dir = next;
    }
    return dir;
}

static int open_beneath(const cluster_node_t *node, const char *path)
{
    int dir = open_parents(node, &path);
    if (dir < 0) return -1;
    int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    int error = errno;
    close(dir);
    errno = error;
    return fd;
}

static bool try_write(const cluster_node_t *node, const char *path, const void *data,
                      size_t len)
{
    int fd;
    do { /* a node at work may take an empty directory away */
        fd = open_beneath(node, path);
    } while (fd < 0 && errno == ENOENT);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) return false;
    if (fd < 0 || write(fd, data, len) != (ssize_t)len || close(fd) != 0)
        test_fail("write %s/%s: %s", node->root, path, strerror(errno));
    return true;
}

void node_write(const cluster_node_t *node, const char *path, const void *data, size_t len)
{
    if (!try_write(node, path, data, len))
        test_fail("write %s/%s: a link is in the way", node->root, path);
}

void node_text(const cluster_node_t *node, const char *path, const char *text)
{
    node_write(node, path, text, strlen(text));
}

void node_texts(const cluster_node_t *node, unsigned first, unsigned count, unsigned who)
{
    for (unsigned i = first; i < first + count; i++) {
        char path[64], text[64];
        snprintf(path, sizeof path, "d%u/f%u", i % 1000, i);
        snprintf(text, sizeof text, "file %u, by %u", i, who);
        node_text(node, path, text);
    }
}

bool node_text_unless_linked(const cluster_node_t *node, const char *path, const char *text)
{
    return try_write(node, path, text, strlen(text));
}

bool node_remove_unless_linked(const cluster_node_t *node, const char *path)
{
    int dir = open_parents(node, &path);
    bool removed = dir >= 0 && unlinkat(dir, path, 0) == 0;
    if (dir >= 0) close(dir);
    return removed;
}

bool node_has(const cluster_node_t *node, const char *path)
{
    char full[8192];
    struct stat st;
    node_path(node, path, full, sizeof full);
    return lstat(full, &st) == 0;
}

bool node_reads(const cluster_node_t *node, const char *path, const char *text)
{
    char full[8192];
    char bytes[65536];
    node_path(node, path, full, sizeof full);
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t len = read(fd, bytes, sizeof bytes);
    close(fd);
    return len >= 0 && (size_t)len == strlen(text) && memcmp(bytes, text, (size_t)len) == 0;
}

/* --- comparison */

typedef struct names {
    char **at;
    size_t count, cap;
} names_t;

static int name_order(const void *a, const void *b)
{
    char *const *x = a;
    char *const *y = b;
    return strcmp(*x, *y);
}

static void list(const char *dir, bool top, names_t *ret)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) test_fail("opendir %s: %s", dir, strerror(errno));
    for (struct dirent *item; (item = readdir(stream)) != NULL;) {
        const char *name = item->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (top && strcmp(name, ".crdtsync") == 0) continue;
        if (ret->count == ret->cap) {
            ret->cap = ret->cap * 2 + 16;
            ret->at = realloc(ret->at, ret->cap * sizeof *ret->at);
        }
        ret->at[ret->count++] = strdup(name);
    }
    closedir(stream);
    if (ret->count > 0) qsort(ret->at, ret->count, sizeof *ret->at, name_order);
}

static void names_free(names_t *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->at[i]);
    free(names->at);
}

static bool bytes_differ(const char *a, const char *b)
{
    static char left[1 << 16], right[1 << 16];
    int x = open(a, O_RDONLY | O_CLOEXEC);
    int y = open(b, O_RDONLY | O_CLOEXEC);
    if (x < 0 || y < 0) test_fail("open %s, %s: %s", a, b, strerror(errno));
    bool differ = false;
    for (;;) {
        ssize_t n = read(x, left, sizeof left);
        ssize_t m = read(y, right, sizeof right);
        differ = n != m || n < 0 || memcmp(left, right, (size_t)n) != 0;
        if (differ || n == 0) break;
    }
    close(x);
    close(y);
    return differ;
}

static bool links_differ(const char *a, const char *b)
{
    char left[4097], right[4097];
    ssize_t n = readlink(a, left, sizeof left);
    ssize_t m = readlink(b, right, sizeof right);
    return n < 0 || n != m || memcmp(left, right, (size_t)n) != 0;
}

static bool compare(const char *a, const char *b, bool top, char *why, size_t why_bytes);

static bool compare_one(const char *dir_a, const char *dir_b, const char *name, char *why,
                        size_t why_bytes)
{
    char a[8192], b[8192];
    struct stat x, y;
    snprintf(a, sizeof a, "%s/%s", dir_a, name);
    snprintf(b, sizeof b, "%s/%s", dir_b, name);
    if (lstat(a, &x) != 0 || lstat(b, &y) != 0)
        test_fail("lstat %s, %s: %s", a, b, strerror(errno));
    const char *what = NULL;
    if ((x.st_mode & S_IFMT) != (y.st_mode & S_IFMT)) {
        what = "type";
    } else if (S_ISDIR(x.st_mode)) {
        return compare(a, b, false, why, why_bytes);
    } else if (S_ISLNK(x.st_mode)) {
        what = links_differ(a, b) ? "target" : NULL;
    } else if (S_ISREG(x.st_mode)) {
        if ((x.st_mode & 0777) != (y.st_mode & 0777)) what = "mode";
        if (what == NULL && bytes_differ(a, b)) what = "bytes";
    }
    if (what == NULL) return false;
    snprintf(why, why_bytes, "%s of %s", what, a);
    return true;
}

static bool compare(const char *a, const char *b, bool top, char *why, size_t why_bytes)
{
    names_t left = {0}, right = {0};
    list(a, top, &left);
    list(b, top, &right);
    bool differ = false;
    size_t i = 0;
    size_t k = 0;
    while (!differ && (i < left.count || k < right.count)) {
        int order = i == left.count    ? 1
                    : k == right.count ? -1
                                       : strcmp(left.at[i], right.at[k]);
        if (order != 0) {
            snprintf(why, why_bytes, "only in %s: %s", order < 0 ? a : b,
                     order < 0 ? left.at[i] : right.at[k]);
            differ = true;
        } else {
            differ = compare_one(a, b, left.at[i], why, why_bytes);
            i++;
            k++;
        }
    }
    names_free(&left);
    names_free(&right);
    return differ;
}

bool tree_differs(const char *a, const char *b, char *ret_why, size_t why_bytes)
{
    return compare(a, b, true, ret_why, why_bytes);
}

void cluster_check_equal(cluster_t *cluster)
{
    char first[CLUSTER_TEXT] = "";
    int reference = -1;
    for (int i = 0; i < cluster->count; i++) {
        if (cluster->node[i].pid == 0) continue;
        char digest[CLUSTER_TEXT];
        char why[1024];
        cluster_do(cluster, i, digest, "digest %s", cluster->folder);
        if (reference < 0) {
            reference = i;
            memcpy(first, digest, sizeof first);
            continue;
        }
        if (strcmp(first, digest) != 0) test_fail("digests differ: %s and %s", first, digest);
        if (tree_differs(cluster->node[reference].root, cluster->node[i].root, why,
                         sizeof why)) {
            test_fail("trees of nodes %d and %d differ: %s (%s)", reference, i, why,
                      cluster->dir);
        }
    }
}

void cluster_verify(cluster_t *cluster, int node, const char *what)
{
    char out[CLUSTER_TEXT];
    int code = cluster_run(cluster, node, out, "check %s --json", cluster->folder);
    if (code == 0) return;
    test_fail("%s: check of node %d: %d, %s (%s)", what, node, code, out, cluster->dir);
}

uint64_t cluster_bytes_out(cluster_t *cluster, int node)
{
    char out[CLUSTER_TEXT];
    cluster_do(cluster, node, out, "status --json");
    uint64_t sum = 0;
    for (const char *at = out; (at = strstr(at, "\"bytes_out\":")) != NULL; at++)
        sum += strtoull(at + strlen("\"bytes_out\":"), NULL, 10);
    return sum;
}
