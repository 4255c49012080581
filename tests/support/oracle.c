/* oracle.c - strings, and a walk that finds them. */
#include "support/oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

#define WHERE_BYTES 120
#define OPEN_DIRS   16
#define PRINTED_MAX 20u
#define HEADER      "crdtsync-saved %08x %08zx\n"

typedef struct saved {
    size_t len;
    bool owed, late, replaced;
    uint8_t found; /* bit i: in root i */
    char where[WHERE_BYTES];
} saved_t;

struct oracle {
    pthread_mutex_t lock;
    saved_t *at;
    uint32_t count, cap;
};

oracle_t *oracle_new(void)
{
    oracle_t *oracle = calloc(1, sizeof *oracle);
    if (oracle == NULL) abort();
    pthread_mutex_init(&oracle->lock, NULL);
    return oracle;
}

void oracle_destroy(oracle_t **oracle_p)
{
    if (*oracle_p == NULL) return;
    pthread_mutex_destroy(&(*oracle_p)->lock);
    free((*oracle_p)->at);
    free(*oracle_p);
    *oracle_p = NULL;
}

uint32_t oracle_draw(oracle_t *oracle, size_t len)
{
    if (len < ORACLE_STRING_MIN) len = ORACLE_STRING_MIN;
    pthread_mutex_lock(&oracle->lock);
    if (oracle->count == oracle->cap) {
        oracle->cap = oracle->cap * 2 + 256;
        oracle->at = realloc(oracle->at, oracle->cap * sizeof *oracle->at);
        if (oracle->at == NULL) abort();
    }
    uint32_t number = oracle->count++;
    oracle->at[number] = (saved_t){.len = len};
    pthread_mutex_unlock(&oracle->lock);
    return number;
}

size_t oracle_len(oracle_t *oracle, uint32_t number)
{
    pthread_mutex_lock(&oracle->lock);
    size_t len = oracle->at[number].len;
    pthread_mutex_unlock(&oracle->lock);
    return len;
}

/* Printable, without '/' or NUL, so that a string may also be the target of a link. */
static void fill(uint32_t number, size_t len, char *ret)
{
    char header[ORACLE_STRING_MIN + 1];
    int used = snprintf(header, sizeof header, HEADER, number, len);
    memcpy(ret, header, (size_t)used);
    uint64_t state = number + 0x9e3779b97f4a7c15u;
    for (size_t i = (size_t)used; i < len; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ret[i] = (char)('a' + (state >> 32) % 26);
    }
}

void oracle_bytes(oracle_t *oracle, uint32_t number, char *ret)
{
    fill(number, oracle_len(oracle, number), ret);
}

static void save(oracle_t *oracle, uint32_t number, const char *where, bool late)
{
    pthread_mutex_lock(&oracle->lock);
    saved_t *it = &oracle->at[number];
    it->owed = true;
    it->late = late;
    snprintf(it->where, sizeof it->where, "%s", where);
    pthread_mutex_unlock(&oracle->lock);
}

void oracle_saved(oracle_t *oracle, uint32_t number, const char *where)
{
    save(oracle, number, where, false);
}

void oracle_saved_late(oracle_t *oracle, uint32_t number, const char *where)
{
    save(oracle, number, where, true);
}

void oracle_replaced(oracle_t *oracle, uint32_t number)
{
    pthread_mutex_lock(&oracle->lock);
    oracle->at[number].replaced = true;
    pthread_mutex_unlock(&oracle->lock);
}

uint32_t oracle_identify(oracle_t *oracle, const char *bytes, size_t len)
{
    char header[ORACLE_STRING_MIN + 1];
    uint32_t number;
    size_t claimed;
    if (len < ORACLE_STRING_MIN) return ORACLE_NONE;
    memcpy(header, bytes, ORACLE_STRING_MIN);
    header[ORACLE_STRING_MIN] = '\0';
    if (sscanf(header, HEADER, &number, &claimed) != 2 || claimed != len) return ORACLE_NONE;
    pthread_mutex_lock(&oracle->lock);
    bool known = number < oracle->count && oracle->at[number].len == len;
    pthread_mutex_unlock(&oracle->lock);
    if (!known) return ORACLE_NONE;
    char *whole = malloc(len);
    if (whole == NULL) abort();
    fill(number, len, whole);
    known = memcmp(whole, bytes, len) == 0;
    free(whole);
    return known ? number : ORACLE_NONE;
}

/* --- walks. nftw carries no argument, hence these; one walk at a time. */

static pthread_mutex_t walk_lock = PTHREAD_MUTEX_INITIALIZER;
static oracle_t *walk_oracle;
static int walk_root; /* -1: taken away */

static uint32_t identify_file(const char *path, const struct stat *st)
{
    size_t len = (size_t)st->st_size;
    char *bytes = malloc(len + 1);
    if (bytes == NULL) abort();
    ssize_t got;
    if (S_ISLNK(st->st_mode)) {
        got = readlink(path, bytes, len + 1);
    } else {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0) test_fail("open %s: %s", path, strerror(errno));
        got = read(fd, bytes, len + 1);
        close(fd);
    }
    uint32_t number =
        got == (ssize_t)len ? oracle_identify(walk_oracle, bytes, len) : ORACLE_NONE;
    free(bytes);
    return number;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    if (type == FTW_D && ftw->level == 1 && strcmp(path + ftw->base, ".crdtsync") == 0)
        return FTW_SKIP_SUBTREE;
    if (!S_ISREG(st->st_mode) && !S_ISLNK(st->st_mode)) return FTW_CONTINUE;
    uint32_t number = identify_file(path, st);
    if (number == ORACLE_NONE) return FTW_CONTINUE;
    pthread_mutex_lock(&walk_oracle->lock);
    if (walk_root < 0) {
        walk_oracle->at[number].replaced = true;
    } else {
        walk_oracle->at[number].found |= (uint8_t)(1u << walk_root);
    }
    pthread_mutex_unlock(&walk_oracle->lock);
    return FTW_CONTINUE;
}

static void walk(oracle_t *oracle, const char *dir, int root)
{
    pthread_mutex_lock(&walk_lock);
    walk_oracle = oracle;
    walk_root = root;
    if (nftw(dir, visit, OPEN_DIRS, FTW_PHYS | FTW_ACTIONRETVAL) != 0)
        test_fail("walk %s: %s", dir, strerror(errno));
    pthread_mutex_unlock(&walk_lock);
}

void oracle_take_away(oracle_t *oracle, const char *dir)
{
    walk(oracle, dir, -1);
}

oracle_verdict_t oracle_judge(oracle_t *oracle, const char *const *roots, int root_count)
{
    oracle_verdict_t verdict = {0};
    for (uint32_t i = 0; i < oracle->count; i++)
        oracle->at[i].found = 0;
    for (int i = 0; i < root_count; i++)
        walk(oracle, roots[i], i);
    uint8_t everywhere = (uint8_t)((1u << root_count) - 1);
    for (uint32_t i = 0; i < oracle->count; i++) {
        const saved_t *it = &oracle->at[i];
        if (!it->owed) continue;
        verdict.saved++;
        if (it->late) verdict.late++;
        if (it->replaced) continue;
        verdict.owed++;
        if (it->found == everywhere) continue;
        if (verdict.missing + verdict.missing_late < PRINTED_MAX)
            fprintf(stderr, "missing: string %08x, %zu bytes, %s%s; found in roots 0x%x\n", i,
                    it->len, it->where, it->late ? " (late)" : "", (unsigned)it->found);
        if (it->late) {
            verdict.missing_late++;
        } else {
            verdict.missing++;
        }
    }
    return verdict;
}
