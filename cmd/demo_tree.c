/* demo_tree.c - see demo_tree.h. */
#include "cmd/demo_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"
#include "base/prng.h"

#define READ_BYTES 65536u

static char *join(const char *dir, const char *name)
{
    size_t len = strlen(dir) + strlen(name) + 2;
    char *path = cs_malloc(len);
    snprintf(path, len, "%s/%s", dir, name);
    return path;
}

/* --- writing */

static bool make_parents(const char *root, const char *path)
{
    char *whole = join(root, path);
    bool good = true;
    for (char *at = whole + strlen(root) + 1; good && *at != '\0'; at++) {
        if (*at != '/') continue;
        *at = '\0';
        good = mkdir(whole, 0755) == 0 || errno == EEXIST;
        *at = '/';
    }
    cs_free(whole);
    return good;
}

static bool write_bytes(const char *root, const char *path, const void *data, size_t len,
                        mode_t mode)
{
    if (!make_parents(root, path)) return false;
    char *whole = join(root, path);
    FILE *file = fopen(whole, "we");
    bool good =
        file != NULL && fwrite(data, 1, len, file) == len && fchmod(fileno(file), mode) == 0;
    if (file != NULL) good = fclose(file) == 0 && good;
    cs_free(whole);
    return good;
}

bool cs_demo_write(const char *root, const char *path, const char *text, mode_t mode)
{
    return write_bytes(root, path, text, strlen(text), mode);
}

bool cs_demo_fill(const char *root, const char *path, size_t bytes, uint64_t seed)
{
    uint8_t *data = cs_malloc(bytes);
    cs_prng_t prng;
    cs_prng_init(&prng, seed);
    for (size_t i = 0; i < bytes; i++) {
        data[i] = (uint8_t)cs_prng_below(&prng, 256);
    }
    bool good = write_bytes(root, path, data, bytes, 0644);
    cs_free(data);
    return good;
}

/* --- comparing */

typedef struct names {
    char **at; /* owned; sorted */
    size_t count, cap;
} names_t;

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool list(const char *dir, bool is_root, names_t *ret)
{
    DIR *stream = opendir(dir);
    if (stream == NULL) return false;
    const struct dirent *entry;
    while ((entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (is_root && strcmp(name, CS_PRIVATE_DIR) == 0) continue;
        if (ret->count == ret->cap) {
            ret->cap = cs_grow(ret->cap, ret->count + 1);
            ret->at = cs_realloc_array(ret->at, ret->cap, sizeof(char *));
        }
        ret->at[ret->count++] = cs_strdup(name);
    }
    closedir(stream);
    if (ret->count > 1) qsort(ret->at, ret->count, sizeof(char *), by_name);
    return true;
}

static void names_fini(names_t *names)
{
    for (size_t i = 0; i < names->count; i++) {
        cs_free(names->at[i]);
    }
    cs_free(names->at);
}

static bool same_bytes(const char *a, const char *b)
{
    FILE *x = fopen(a, "re");
    FILE *y = fopen(b, "re");
    uint8_t *block = cs_malloc((size_t)2 * READ_BYTES);
    bool same = x != NULL && y != NULL;
    size_t got = 1;
    while (same && got > 0) {
        got = fread(block, 1, READ_BYTES, x);
        same = fread(block + READ_BYTES, 1, READ_BYTES, y) == got &&
               memcmp(block, block + READ_BYTES, got) == 0;
    }
    same = same && !ferror(x) && !ferror(y);
    if (x != NULL) fclose(x);
    if (y != NULL) fclose(y);
    cs_free(block);
    return same;
}

static bool same_target(const char *a, const char *b)
{
    char x[PATH_MAX], y[PATH_MAX];
    ssize_t x_len = readlink(a, x, sizeof x);
    ssize_t y_len = readlink(b, y, sizeof y);
    return x_len >= 0 && x_len == y_len && memcmp(x, y, (size_t)x_len) == 0;
}

static bool equal_dirs(const char *a, const char *b, bool is_root, cs_demo_count_t *ret,
                       cs_buf_t *ret_why);

/* NULL, or what differs. */
static const char *compare(const char *a, const char *b, cs_demo_count_t *ret,
                           cs_buf_t *ret_why)
{
    struct stat x, y;
    if (lstat(a, &x) != 0 || lstat(b, &y) != 0) return "cannot be read";
    if ((x.st_mode & S_IFMT) != (y.st_mode & S_IFMT)) return "is of another type";
    if (S_ISDIR(x.st_mode)) return equal_dirs(a, b, false, ret, ret_why) ? NULL : "";
    ret->files++;
    if (S_ISLNK(x.st_mode)) return same_target(a, b) ? NULL : "points elsewhere";
    ret->bytes += (uint64_t)x.st_size;
    if ((x.st_mode & 0777) != (y.st_mode & 0777)) return "has other permission bits";
    return same_bytes(a, b) ? NULL : "has other bytes";
}

static bool equal_dirs(const char *a, const char *b, bool is_root, cs_demo_count_t *ret,
                       cs_buf_t *ret_why)
{
    names_t x = {0}, y = {0};
    bool same = list(a, is_root, &x) && list(b, is_root, &y);
    if (!same) cs_buf_printf(ret_why, "%s or %s cannot be read", a, b);
    for (size_t i = 0; same && (i < x.count || i < y.count); i++) {
        if (i >= x.count || i >= y.count || strcmp(x.at[i], y.at[i]) != 0) {
            cs_buf_printf(ret_why, "%s and %s have other names in them", a, b);
            same = false;
            break;
        }
        char *left = join(a, x.at[i]);
        char *right = join(b, y.at[i]);
        const char *what = compare(left, right, ret, ret_why);
        same = what == NULL;
        if (!same && what[0] != '\0') {
            cs_buf_printf(ret_why, "%s %s than %s", right, what, left);
        }
        cs_free(left);
        cs_free(right);
    }
    names_fini(&x);
    names_fini(&y);
    return same;
}

bool cs_demo_equal(const char *a, const char *b, cs_demo_count_t *ret, cs_buf_t *ret_why)
{
    *ret = (cs_demo_count_t){0};
    return equal_dirs(a, b, true, ret, ret_why);
}

/* --- removing */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    (void)remove(path); /* what cannot be removed is told by its directory, at the end */
    return 0;
}

#define OPEN_MAX_WALK 16 /* descriptors */

void cs_demo_remove(const char *path)
{
    (void)nftw(path, remove_one, OPEN_MAX_WALK, FTW_DEPTH | FTW_PHYS);
    if (access(path, F_OK) == 0) {
        fprintf(stderr, "crdtsync: cannot remove %s: something in it stays; remove it\n", path);
    }
}
