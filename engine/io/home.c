/* home.c - finding, opening and locking a home. */
#include "io/home.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/home_internal.h"
#include "io/os_err.h"

#define LOCK_POLL_MS  20u  /* flock has no time-out of its own */
#define LOCK_TEXT_MAX 256u /* what the lock's file says of its holder */

void cs__home_detail(cs_buf_t *ret_detail, const char *format, ...)
{
    cs_buf_t text = {0}; /* apart: the arguments may lie in ret_detail */
    va_list args;
    va_start(args, format);
    cs_buf_vprintf(&text, format, args);
    va_end(args);
    cs_buf_fini(ret_detail);
    *ret_detail = text;
}

char *cs__home_join(const char *dir, const char *sub, const char *name)
{
    size_t len = strlen(dir) + (sub != NULL ? strlen(sub) + 1 : 0) + strlen(name) + 2;
    char *path = cs_malloc(len);
    snprintf(path, len, "%s/%s%s%s", dir, sub != NULL ? sub : "", sub != NULL ? "/" : "", name);
    return path;
}

void cs__home_wipe(cs_buf_t *buf)
{
    if (buf->cap > 0) explicit_bzero(buf->data, buf->cap);
    cs_buf_fini(buf);
}

cs_err_t cs__home_report(const char *path, cs_mistakes_t *mistakes, cs_buf_t *ret_detail)
{
    if (mistakes->count == 0) return CS_OK;
    cs_buf_clear(ret_detail);
    cs_buf_printf(ret_detail, "cannot use %s: ", path);
    if (mistakes->at[0].line > 0) cs_buf_printf(ret_detail, "line %u: ", mistakes->at[0].line);
    cs_buf_printf(ret_detail, "%s", mistakes->at[0].text);
    if (mistakes->count > 1) cs_buf_printf(ret_detail, " (and %zu more)", mistakes->count - 1);
    cs_buf_printf(ret_detail, "; correct it or restore it from a backup");
    cs_mistakes_fini(mistakes);
    return CS_ERR_MALFORMED;
}

cs_err_t cs__home_failed(cs_buf_t *ret_detail, const char *what, const char *path,
                         const char *todo)
{
    int error = errno;
    cs__home_detail(ret_detail, "cannot %s %s: %s; %s", what, path, strerror(error), todo);
    return cs_os_err(error);
}

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

cs_err_t cs_home_resolve(const char *option, char **ret_path, cs_buf_t *ret_detail)
{
    if (option != NULL && option[0] == '\0') {
        cs__home_detail(ret_detail, "cannot find the home: --home is empty; give a directory");
        return CS_ERR_USAGE;
    }
    const char *path = option != NULL ? option : variable("CRDTSYNC_HOME");
    if (path != NULL) {
        *ret_path = cs_strdup(path);
        return CS_OK;
    }
    const char *state = variable("XDG_STATE_HOME");
    if (state != NULL) {
        *ret_path = cs__home_join(state, NULL, "crdtsync");
        return CS_OK;
    }
    const char *user = variable("HOME");
    if (user != NULL) {
        *ret_path = cs__home_join(user, ".local/state", "crdtsync");
        return CS_OK;
    }
    cs__home_detail(ret_detail, "cannot find the home: $HOME is not set; give --home DIR");
    return CS_ERR_USAGE;
}

static cs_err_t check_identity(const cs_home_t *home, cs_buf_t *ret_detail)
{
    struct stat st;
    cs_err_t err = CS_OK;
    char *path = cs__home_join(home->path, NULL, "identity");
    if (stat(path, &st) != 0) {
        err = cs__home_failed(ret_detail, "read", path,
                              errno == ENOENT
                                  ? "make a home with: crdtsync init"
                                  : "check its owner and rights, or give another --home");
    } else if ((st.st_mode & 077) != 0) {
        cs__home_detail(
            ret_detail,
            "cannot use %s: its mode %03o lets others at the secret key; chmod 600 %s", path,
            (unsigned)st.st_mode & 0777u, path);
        err = CS_ERR_DENIED;
    }
    cs_free(path);
    return err;
}

cs_err_t cs_home_find(const char *path, cs_home_t **ret, cs_buf_t *ret_detail)
{
    char *absolute = realpath(path, NULL);
    if (absolute == NULL) {
        return cs__home_failed(ret_detail, "open the home", path,
                               "make one with: crdtsync init");
    }
    cs_home_t *home = cs_calloc(1, sizeof *home);
    home->lock_fd = -1;
    home->path = cs_strdup(absolute);
    home->db = cs__home_join(absolute, NULL, "db");
    home->socket = cs__home_join(absolute, NULL, "control.sock");
    free(absolute);
    cs_err_t err = check_identity(home, ret_detail);
    if (err != CS_OK) {
        cs_home_close(&home);
        return err;
    }
    *ret = home;
    return CS_OK;
}

void cs_home_close(cs_home_t **home_p)
{
    cs_home_t *home = *home_p;
    *home_p = NULL;
    if (home == NULL) return;
    cs_home_unlock(home);
    explicit_bzero(&home->identity, sizeof home->identity);
    cs_free(home->path);
    cs_free(home->db);
    cs_free(home->socket);
    cs_free(home);
}

/* The holder writes its pid into the file, and perhaps a line about itself; only the kernel's
 * lock decides. */
static cs_err_t report_holder(int fd, const char *path, cs_buf_t *ret_detail)
{
    char text[LOCK_TEXT_MAX] = {0};
    ssize_t len = pread(fd, text, sizeof text - 1, 0);
    int digits = len > 0 ? (int)strspn(text, "0123456789") : 0;
    const char *note = text + digits;
    note += *note == '\n';
    int note_len = (int)strcspn(note, "\n");
    cs__home_detail(ret_detail, "cannot lock %s: %s%.*s holds it%s%.*s; %s", path,
                    digits > 0 ? "process " : "another process", digits, text,
                    note_len > 0 ? ", which says: " : "", note_len, note,
                    note_len > 0 ? "see to that, or stop it"
                                 : "stop it, or wait until it is done");
    return CS_ERR_BUSY;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000u + (uint64_t)now.tv_nsec / 1000000u;
}

/* 0, or an errno; EWOULDBLOCK: another still holds it. */
static int wait_for_lock(int fd, uint32_t timeout_ms)
{
    static const struct timespec pause = {.tv_nsec = LOCK_POLL_MS * 1000000l};
    uint64_t end_ms = now_ms() + timeout_ms;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int error = errno;
        if (error != EWOULDBLOCK && error != EINTR) return error;
        if (now_ms() >= end_ms) return EWOULDBLOCK;
        nanosleep(&pause, NULL);
    }
    return 0;
}

/* So that whoever waits can name us, in a block that is there before the disk is full. A disk
 * that is full already costs them the name, not us the lock. */
static void write_holder(int fd, const char *note)
{
    char text[LOCK_TEXT_MAX];
    memset(text, '\n', sizeof text);
    int len = snprintf(text, sizeof text, "%ld\n%s", (long)getpid(), note != NULL ? note : "");
    if (len >= 0 && (size_t)len < sizeof text) text[len] = '\n';
    ssize_t written = pwrite(fd, text, sizeof text, 0);
    (void)written;
}

void cs_home_lock_note(const cs_home_t *home, const char *text)
{
    CS_ASSERT(home->lock_fd >= 0);
    write_holder(home->lock_fd, text);
}

cs_err_t cs_home_lock(cs_home_t *home, uint32_t timeout_ms, cs_buf_t *ret_detail)
{
    CS_ASSERT(home->lock_fd < 0);
    char *path = cs__home_join(home->path, NULL, "lock");
    cs_err_t err = CS_OK;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int error = fd < 0 ? errno : wait_for_lock(fd, timeout_ms);
    if (error == 0) {
        write_holder(fd, NULL);
        home->lock_fd = fd;
    } else if (fd >= 0 && error == EWOULDBLOCK) {
        err = report_holder(fd, path, ret_detail);
    } else {
        errno = error;
        err =
            cs__home_failed(ret_detail, "lock", path,
                            error == EROFS ? "remount the file system for writing"
                                           : "check its owner, and that it is on a local disk");
    }
    if (error != 0 && fd >= 0) close(fd);
    cs_free(path);
    return err;
}

void cs_home_unlock(cs_home_t *home)
{
    if (home->lock_fd < 0) return;
    bool emptied = ftruncate(home->lock_fd, 0) == 0;
    (void)emptied; /* a stale pid is read only while the lock is held */
    close(home->lock_fd);
    home->lock_fd = -1;
}

const char *cs_home_path(const cs_home_t *home)
{
    return home->path;
}

const char *cs_home_db(const cs_home_t *home)
{
    return home->db;
}

const char *cs_home_socket(const cs_home_t *home)
{
    return home->socket;
}
