/* rounds.c - see rounds.h. */
#include "support/rounds.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SETTLE_S   90
#define SMALL      100u
#define LARGE      (400u << 10) /* several chunks */
#define PATH_BYTES 512
/* Rounds after which what no round edits is edited: far fewer than a file may have versions. */
#define RENEW_ROUNDS 100

void rounds_open(rounds_t *rounds)
{
    *rounds = (rounds_t){.oracle = oracle_new()};
    cluster_new(&rounds->cluster, 2);
    cluster_setting(&rounds->cluster, "brake", "off");
    cluster_pair(&rounds->cluster, 1, 0, 0);
}

void rounds_close(rounds_t *rounds)
{
    cluster_destroy(&rounds->cluster);
    oracle_destroy(&rounds->oracle);
}

/* --- users */

static char *full(const rounds_t *rounds, int node, const char *path, char ret[PATH_BYTES])
{
    node_path(&rounds->cluster.node[node], path, ret, PATH_BYTES);
    return ret;
}

static bool has(const rounds_t *rounds, int node, const char *path)
{
    return node_has(&rounds->cluster.node[node], path);
}

/* All bytes of a file; *ret_len of them. */
static char *read_fd(int fd, size_t *ret_len)
{
    struct stat st;
    if (fstat(fd, &st) != 0) test_fail("fstat: %s", strerror(errno));
    char *bytes = calloc(1, (size_t)st.st_size + 1);
    if (bytes == NULL || pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size) {
        test_fail("read: %s", strerror(errno));
    }
    *ret_len = (size_t)st.st_size;
    return bytes;
}

static uint32_t number_of_fd(const rounds_t *rounds, int fd)
{
    size_t len;
    char *bytes = read_fd(fd, &len);
    uint32_t number = oracle_identify(rounds->oracle, bytes, len);
    free(bytes);
    return number;
}

/* Of a file or a link; ORACLE_NONE: other bytes, or none. */
static uint32_t number_at(const rounds_t *rounds, const char *path)
{
    char target[PATH_BYTES];
    ssize_t len = readlink(path, target, sizeof target);
    if (len > 0) return oracle_identify(rounds->oracle, target, (size_t)len);
    struct stat st;
    if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) return ORACLE_NONE;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return ORACLE_NONE;
    uint32_t number = number_of_fd(rounds, fd);
    close(fd);
    return number;
}

static void replaced(rounds_t *rounds, uint32_t number)
{
    if (number != ORACLE_NONE) oracle_replaced(rounds->oracle, number);
}

static void save(rounds_t *rounds, int fd, size_t len, const char *where)
{
    uint32_t number = oracle_draw(rounds->oracle, len);
    char *bytes = malloc(oracle_len(rounds->oracle, number));
    if (bytes == NULL) abort();
    len = oracle_len(rounds->oracle, number);
    oracle_bytes(rounds->oracle, number, bytes);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, bytes, len, 0) != (ssize_t)len) {
        test_fail("write: %s", strerror(errno));
    }
    free(bytes);
    oracle_saved(rounds->oracle, number, where);
}

void rounds_put(rounds_t *rounds, int node, const char *path, size_t len)
{
    char at[PATH_BYTES], where[PATH_BYTES];
    if (!has(rounds, node, path)) node_text(&rounds->cluster.node[node], path, "");
    int fd = open(full(rounds, node, path, at), O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return; /* a directory, or a link */
    replaced(rounds, number_of_fd(rounds, fd));
    snprintf(where, sizeof where, "round %u, node %d: %s", rounds->count, node, path);
    save(rounds, fd, len, where);
    close(fd);
}

void rounds_put_open(rounds_t *rounds, int fd)
{
    replaced(rounds, number_of_fd(rounds, fd));
    save(rounds, fd, SMALL, "through an open file");
}

static void take(rounds_t *rounds, int node, const char *path)
{
    char at[PATH_BYTES];
    full(rounds, node, path, at);
    replaced(rounds, number_at(rounds, at));
    if (remove(at) != 0 && errno != ENOTEMPTY) test_fail("remove %s: %s", at, strerror(errno));
}

static void put_or_take(rounds_t *rounds, int node, const char *path)
{
    if (has(rounds, node, path)) {
        take(rounds, node, path);
    } else {
        rounds_put(rounds, node, path, SMALL);
    }
}

/* From whichever name it has to the other. */
static void move(rounds_t *rounds, int node, const char *a, const char *b)
{
    char from[PATH_BYTES], to[PATH_BYTES];
    bool at_a = has(rounds, node, a);
    full(rounds, node, at_a ? a : b, from);
    full(rounds, node, at_a ? b : a, to);
    if (has(rounds, node, at_a ? b : a)) replaced(rounds, number_at(rounds, to));
    (void)!rename(from, to); /* a directory that is not empty stays */
}

static void toggle_link(rounds_t *rounds, int node, const char *path)
{
    char at[PATH_BYTES], target[PATH_BYTES] = "";
    if (has(rounds, node, path)) {
        take(rounds, node, path);
        return;
    }
    uint32_t number = oracle_draw(rounds->oracle, SMALL);
    oracle_bytes(rounds->oracle, number, target);
    if (symlink(target, full(rounds, node, path, at)) != 0) test_fail("symlink %s", at);
    oracle_saved(rounds->oracle, number, "a link");
}

static void toggle_directory(const rounds_t *rounds, int node, const char *path)
{
    char at[PATH_BYTES];
    full(rounds, node, path, at);
    if (rmdir(at) != 0) (void)!mkdir(at, 0755);
}

static void change_mode(const rounds_t *rounds, int node, const char *path)
{
    char at[PATH_BYTES];
    struct stat st;
    full(rounds, node, path, at);
    if (lstat(at, &st) == 0 && S_ISREG(st.st_mode)) (void)!chmod(at, st.st_mode ^ 0111);
}

/* A database that is lost leaves one more version of each file that nobody has edited since. */
static void renew(rounds_t *rounds, int node)
{
    static const char *const never_edited[] = {"D/1",  "D/s/2", "E/1",      "E/s/2",
                                               "mode", "moved", "dir/moved"};
    for (size_t i = 0; i < sizeof never_edited / sizeof never_edited[0]; i++) {
        if (has(rounds, node, never_edited[i]))
            rounds_put(rounds, node, never_edited[i], SMALL);
    }
}

void rounds_change(rounds_t *rounds, int node)
{
    char path[64];
    rounds_put(rounds, node, "edited", SMALL);
    rounds_put(rounds, node, "dir/large", LARGE);
    snprintf(path, sizeof path, "new/%u", rounds->count % 8);
    put_or_take(rounds, node, path);
    put_or_take(rounds, node, "now and then");
    if (!has(rounds, node, "moved") && !has(rounds, node, "dir/moved")) {
        rounds_put(rounds, node, "moved", SMALL);
    }
    move(rounds, node, "moved", "dir/moved");
    if (!has(rounds, node, "D") && !has(rounds, node, "E")) {
        rounds_put(rounds, node, "D/1", SMALL);
        rounds_put(rounds, node, "D/s/2", SMALL);
    }
    if (rounds->count % RENEW_ROUNDS == 0) renew(rounds, node);
    move(rounds, node, "D", "E");
    if (!has(rounds, node, "mode")) rounds_put(rounds, node, "mode", SMALL);
    change_mode(rounds, node, "mode");
    toggle_link(rounds, node, "link");
    toggle_directory(rounds, node, "empty");
}

/* --- a walk; nftw has no argument of ours */

static rounds_t *walking;
static const char *stranger;

static bool is_private(const char *path)
{
    return strstr(path, "/.crdtsync") != NULL;
}

static int look(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    static char found[PATH_BYTES];
    (void)ftw;
    if (flag == FTW_D || is_private(path)) return 0;
    if (number_at(walking, path) != ORACLE_NONE) return 0;
    snprintf(found, sizeof found, "%.400s (%lld bytes)", path, (long long)st->st_size);
    stranger = found;
    return 1;
}

static int tidy(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    if (flag == FTW_D || is_private(path) || strstr(path, ".conflict-") == NULL) return 0;
    replaced(walking, number_at(walking, path));
    return unlink(path);
}

void rounds_tidy(rounds_t *rounds, int node)
{
    walking = rounds;
    if (nftw(rounds->cluster.node[node].root, tidy, 16, FTW_PHYS) != 0) test_fail("tidy");
}

void rounds_settle(rounds_t *rounds, const char *what)
{
    const char *roots[] = {rounds->cluster.node[0].root, rounds->cluster.node[1].root};
    cluster_settle(&rounds->cluster, SETTLE_S);
    cluster_check_equal(&rounds->cluster);
    oracle_verdict_t verdict = oracle_judge(rounds->oracle, roots, 2);
    if (verdict.missing > 0 || verdict.missing_late > 0) {
        test_fail("%s: saved bytes are lost (%s)", what, rounds->cluster.dir);
    }
}

void rounds_check(rounds_t *rounds, const char *what)
{
    rounds_settle(rounds, what);
    walking = rounds;
    if (nftw(rounds->cluster.node[0].root, look, 16, FTW_PHYS) != 0) {
        test_fail("%s: bytes that nobody saved: %s", what, stranger);
    }
    rounds->count++;
}
