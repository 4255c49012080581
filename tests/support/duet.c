/* duet.c - see duet.h. */
#include "support/duet.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "support/support.h"

#define LINK_MARK "-> "

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "duet: ");
    perror(what);
    abort();
}

void duet_open(duet_t *duet)
{
    memset(duet, 0, sizeof *duet);
    tmp_in_memory(TMP_SMALL_MIB);
    sites_open(&duet->sites, 2);
}

void duet_close(duet_t *duet)
{
    sites_close(&duet->sites);
}

static bool same_ctime(const struct stat *a, const struct stat *b)
{
    return a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Where two writes can bear the same time, the next one shall not: wait for the next tick. */
static void wait_for_tick(duet_t *duet)
{
    char path[DUET_PATH];
    struct stat before, after;
    int tries = 0;
    duet_path(duet, 0, ".crdtsync/tick", path);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(fd >= 0, path);
    must(pwrite(fd, "a", 1, 0) == 1 && fstat(fd, &before) == 0, path);
    do {
        must(pwrite(fd, "b", 1, 0) == 1 && fstat(fd, &after) == 0, path);
        tries++;
    } while (same_ctime(&before, &after));
    duet->fine_times = tries == 1;
    close(fd);
    must(unlink(path) == 0, path);
}

static void seem_at_rest(duet_t *duet, bool yes)
{
    for (int i = 0; i < 2; i++) {
        duet->sites.site[i].spy.clock_ahead_ns = yes ? 2 * CS_RACY_NS : 0;
    }
}

void duet_rest(duet_t *duet)
{
    seem_at_rest(duet, true);
    sites_settle(&duet->sites);
    site_scan(&duet->sites.site[0]);
    site_scan(&duet->sites.site[1]);
    wait_for_tick(duet);
    seem_at_rest(duet, duet->fine_times);
}

void duet_settle(duet_t *duet)
{
    seem_at_rest(duet, true);
    sites_settle(&duet->sites);
}

const char *duet_new_text(duet_t *duet)
{
    must(duet->texts < DUET_TEXTS_MAX, "texts");
    char *text = duet->text[duet->texts];
    snprintf(text, DUET_TEXT, "text %05zu.", duet->texts);
    duet->texts++;
    return text;
}

/* --- users */

char *duet_path(const duet_t *duet, int at, const char *path, char ret[DUET_PATH])
{
    snprintf(ret, DUET_PATH, "%s/%s", duet->sites.site[at].dir, path);
    return ret;
}

static void make_parents(const duet_t *duet, int at, const char *path)
{
    char copy[DUET_PATH], full[DUET_PATH];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)!mkdir(duet_path(duet, at, copy, full), 0777);
        *slash = '/';
    }
}

static void destroy_text(duet_t *duet, const char *text)
{
    for (size_t i = 0; i < duet->texts; i++) {
        if (strcmp(text, duet->text[i]) == 0) duet->gone[i] = true;
    }
}

void duet_destroy_open(duet_t *duet, int fd)
{
    char text[DUET_TEXT] = "";
    if (pread(fd, text, sizeof text - 1, 0) > 0) destroy_text(duet, text);
}

void duet_destroy(duet_t *duet, int at, const char *path)
{
    char full[DUET_PATH], text[DUET_TEXT] = "";
    duet_path(duet, at, path, full);
    if (readlink(full, text, sizeof text - 1) > 0) {
        destroy_text(duet, text);
        return;
    }
    int fd = open(full, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return;
    duet_destroy_open(duet, fd);
    close(fd);
}

void duet_write(duet_t *duet, int at, const char *path)
{
    char full[DUET_PATH];
    make_parents(duet, at, path);
    duet_destroy(duet, at, path);
    const char *text = duet_new_text(duet);
    int fd = open(duet_path(duet, at, path, full),
                  O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    must(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), full);
    close(fd);
}

void duet_rename(duet_t *duet, int at, const char *from, const char *to)
{
    char a[DUET_PATH], b[DUET_PATH];
    make_parents(duet, at, to);
    duet_destroy(duet, at, to);
    must(rename(duet_path(duet, at, from, a), duet_path(duet, at, to, b)) == 0, a);
}

void duet_remove(duet_t *duet, int at, const char *path)
{
    char full[DUET_PATH];
    duet_destroy(duet, at, path);
    must(remove(duet_path(duet, at, path, full)) == 0, full);
}

void duet_mode(duet_t *duet, int at, const char *path, unsigned mode)
{
    char full[DUET_PATH];
    must(chmod(duet_path(duet, at, path, full), mode) == 0, full);
}

void duet_link(duet_t *duet, int at, const char *path)
{
    char full[DUET_PATH];
    make_parents(duet, at, path);
    must(symlink(duet_new_text(duet), duet_path(duet, at, path, full)) == 0, full);
}

void duet_mkdir(duet_t *duet, int at, const char *path)
{
    char full[DUET_PATH];
    make_parents(duet, at, path);
    must(mkdir(duet_path(duet, at, path, full), 0777) == 0, full);
}

/* --- the verdict */

static bool ends_with(const char *line, const char *end)
{
    size_t len = strlen(line), end_len = strlen(end);
    return len >= end_len && strcmp(line + len - end_len, end) == 0;
}

static bool is_a_users(const duet_t *duet, const char *line)
{
    if (ends_with(line, "/") || ends_with(line, DUET_OUTSIDE)) return true;
    for (size_t i = 0; i < duet->texts; i++) {
        if (ends_with(line, duet->text[i])) return true;
    }
    return false;
}

const char *duet_fault(duet_t *duet)
{
    static char fault[600];
    for (int at = 0; at < 2; at++) {
        for (size_t i = 0; i < duet->texts; i++) {
            if (duet->gone[i]) continue;
            char *picture = site_picture(&duet->sites.site[at]);
            bool found = strstr(picture, duet->text[i]) != NULL;
            snprintf(fault, sizeof fault, "site %d lost \"%s\"; it has\n%s", at, duet->text[i],
                     picture);
            cs_free(picture);
            if (!found) return fault;
        }
    }
    const char *strange = NULL;
    char *picture = site_picture(&duet->sites.site[0]);
    for (char *line = strtok(picture, "\n"); line != NULL && strange == NULL;
         line = strtok(NULL, "\n")) {
        if (is_a_users(duet, line)) continue;
        snprintf(fault, sizeof fault, "bytes that nobody wrote: %s", line);
        strange = fault;
    }
    cs_free(picture);
    return strange;
}
