/* history.c - see the header. */
#include "support/history.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"

#define TEXT_BYTES 1024
#define WORDS_MAX  64
#define KEEP       "keep" /* in every directory of a vector, so that it is never empty */

static char *join(const char *dir, const char *path)
{
    size_t bytes = strlen(dir) + strlen(path) + 2;
    char *full = malloc(bytes);
    if (full == NULL) abort();
    snprintf(full, bytes, "%s/%s", dir, path);
    return full;
}

static void make_dirs(const char *path)
{
    char *copy = strdup(path);
    for (char *at = strchr(copy + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        *at = '\0';
        if (mkdir(copy, 0755) != 0 && errno != EEXIST)
            test_fail("mkdir %s: %s", copy, strerror(errno));
        *at = '/';
    }
    free(copy);
}

static int split(char *text, const char *at, char **words)
{
    int count = 0;
    char *rest = NULL;
    for (char *word = strtok_r(text, at, &rest); word != NULL;
         word = strtok_r(NULL, at, &rest)) {
        if (count == WORDS_MAX) test_fail("too many words");
        words[count++] = word;
    }
    return count;
}

static void put(const wanted_t *wanted, const char *path, const char *symbol, const char *mode)
{
    const char *bytes = wanted_get(wanted, symbol, strlen(symbol))->bytes;
    make_dirs(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, bytes, strlen(bytes)) != (ssize_t)strlen(bytes))
        test_fail("put %s: %s", path, strerror(errno));
    if (mode != NULL && fchmod(fd, (mode_t)strtoul(mode, NULL, 8)) != 0)
        test_fail("put %s: %s", path, strerror(errno));
    close(fd);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void act(const wanted_t *wanted, const char *dir, char **word, int count)
{
    const char *verb = word[0];
    bool is_chmod = strcmp(verb, "chmod") == 0;
    char *path = join(dir, word[is_chmod ? 2 : 1]);
    char *to = count > 2 ? join(dir, word[2]) : NULL;
    int err = 0;
    if (strcmp(verb, "put") == 0) {
        put(wanted, path, word[2], count > 3 ? word[3] : NULL);
    } else if (strcmp(verb, "mv") == 0) {
        err = rename(path, to);
    } else if (strcmp(verb, "rm") == 0) {
        err = unlink(path);
    } else if (strcmp(verb, "rmr") == 0) {
        err = nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    } else if (strcmp(verb, "mkdir") == 0) {
        err = mkdir(path, 0755);
    } else if (is_chmod) {
        err = chmod(path, (mode_t)strtoul(word[1], NULL, 8));
    } else {
        test_fail("unknown action: %s", verb);
    }
    if (err != 0) test_fail("%s %s: %s", verb, path, strerror(errno));
    free(path);
    free(to);
}

int history_stages(const char *history)
{
    if (*history == '\0') return 0;
    int count = 1;
    for (; *history != '\0'; history++)
        count += *history == ';';
    return count;
}

void history_play(const wanted_t *wanted, const char *dir, const char *history, int stage)
{
    char text[TEXT_BYTES];
    char *stages[WORDS_MAX], *actions[WORDS_MAX], *words[WORDS_MAX];
    wanted_expand(wanted, history, text, sizeof text);
    if (stage >= split(text, ";", stages)) return;
    int count = split(stages[stage], ",", actions);
    for (int i = 0; i < count; i++)
        act(wanted, dir, words, split(actions[i], " ", words));
}

void history_make(const wanted_t *wanted, const char *dir, const char *tree)
{
    char text[TEXT_BYTES];
    char *words[WORDS_MAX];
    char *keep = join(dir, KEEP);
    put(wanted, keep, KEEP, NULL);
    free(keep);
    wanted_expand(wanted, tree, text, sizeof text);
    int count = split(text, " ", words);
    for (int i = 0; i < count; i++) {
        char *path = join(dir, words[i]);
        char *symbol = strrchr(path, '=');
        if (symbol == NULL) {
            make_dirs(path);
        } else {
            *symbol = '\0';
            put(wanted, path, symbol + 1, NULL);
        }
        free(path);
    }
}

/* --- what a directory holds, as words */

typedef struct words {
    char *at[WORDS_MAX];
    int count;
} words_t;

static int in_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add(words_t *words, const char *path, const char *what, const char *suffix)
{
    if (words->count == WORDS_MAX) test_fail("too many files: %s", path);
    if (asprintf(&words->at[words->count++], "%s%s%s", path, what, suffix) < 0) abort();
}

static void add_file(const wanted_t *wanted, const char *full, const char *path, mode_t mode,
                     words_t *ret)
{
    char bytes[WANTED_BYTES + 1] = "=";
    int fd = open(full, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, bytes + 1, WANTED_BYTES - 1);
    if (len < 0) test_fail("%s: %s", full, strerror(errno));
    close(fd);
    bytes[1 + len] = '\0';
    for (size_t i = 0; i < wanted->count; i++) {
        if (strcmp(wanted->item[i].bytes, bytes + 1) != 0) continue;
        snprintf(bytes + 1, sizeof bytes - 1, "%s", wanted->item[i].symbol);
        break;
    }
    char suffix[8] = "";
    if ((mode & 0777) == 0755) {
        snprintf(suffix, sizeof suffix, "*");
    } else if ((mode & 0777) == 0600) {
        snprintf(suffix, sizeof suffix, "-");
    } else if ((mode & 0777) != 0644) {
        snprintf(suffix, sizeof suffix, "?%o", (unsigned)(mode & 0777));
    }
    add(ret, path, bytes, suffix);
}

static void look(const wanted_t *wanted, const char *dir, const char *below, words_t *ret)
{
    char *full_dir = join(dir, below);
    DIR *stream = opendir(full_dir);
    if (stream == NULL) test_fail("opendir %s: %s", full_dir, strerror(errno));
    int count = 0;
    for (struct dirent *item; (item = readdir(stream)) != NULL;) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0) continue;
        count++;
        if (*below == '\0' && strcmp(item->d_name, KEEP) == 0) continue;
        char *path = *below == '\0' ? strdup(item->d_name) : join(below, item->d_name);
        char *full = join(dir, path);
        struct stat st;
        if (lstat(full, &st) != 0) test_fail("lstat %s: %s", full, strerror(errno));
        if (S_ISDIR(st.st_mode)) {
            look(wanted, dir, path, ret);
        } else {
            add_file(wanted, full, path, st.st_mode, ret);
        }
        free(path);
        free(full);
    }
    closedir(stream);
    if (count == 0) add(ret, below, "/", "");
    free(full_dir);
}

bool history_shows(const wanted_t *wanted, const char *dir, const char *tree, char *ret_found,
                   size_t bytes)
{
    char text[TEXT_BYTES];
    char *expected[WORDS_MAX];
    wanted_expand(wanted, tree, text, sizeof text);
    int count = split(text, " ", expected);
    qsort(expected, (size_t)count, sizeof *expected, in_order);
    words_t found = {0};
    look(wanted, dir, "", &found);
    qsort(found.at, (size_t)found.count, sizeof *found.at, in_order);

    bool same = found.count == count;
    size_t used = 0;
    ret_found[0] = '\0';
    for (int i = 0; i < found.count; i++) {
        same = same && strcmp(found.at[i], expected[i]) == 0;
        if (used < bytes)
            used += (size_t)snprintf(ret_found + used, bytes - used, "%s ", found.at[i]);
        free(found.at[i]);
    }
    return same;
}
