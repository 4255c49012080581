/* commands_trash.c - what others' changes replaced or deleted: listed, and taken out again.
 *
 * Workers do it: a trash may hold many files, and a disk may be slow. */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "disk/scan.h"
#include "disk/trash.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"
#include "io/fs_linux.h"

/* One folder's trash, looked at or reached into by a worker. */
typedef struct trash_job {
    cs_daemon_t *daemon;
    uint64_t handle; /* of the pending request */
    char id[CS_ID_TEXT];
    char *root; /* owned; of the folder */
    uint8_t marker[CS_MARKER_BYTES];
    cs_buf_t what, to;  /* restore: to empty: where it was */
    cs_buf_t documents; /* the list, one a line */
    cs_stat_t stat;     /* of the restored file */
    cs_err_t err;
} trash_job_t;

static trash_job_t *job_new(cs_ask_t *ask, const cs_mounted_t *folder, uint64_t handle)
{
    trash_job_t *job = cs_calloc(1, sizeof *job);
    job->daemon = ask->daemon;
    job->handle = handle;
    job->root = cs_strdup(folder->record.path);
    memcpy(job->id, folder->record.id, sizeof job->id);
    memcpy(job->marker, folder->record.marker, sizeof job->marker);
    job->err = CS_ERR_AGAIN; /* until it ran */
    return job;
}

static void job_free(trash_job_t *job)
{
    cs_free(job->root);
    cs_buf_fini(&job->what);
    cs_buf_fini(&job->to);
    cs_buf_fini(&job->documents);
    cs_free(job);
}

static void submit(trash_job_t *job, void (*run)(void *arg), void (*done)(void *arg))
{
    cs_pool_job_t work = {.run = run, .done = done, .arg = job};
    cs_pool_submit(job->daemon->shell->pool, &work);
}

static cs_err_t open_root(const trash_job_t *job, cs_fs_t **ret)
{
    cs_err_t err = cs_fs_linux_open(job->root, ret);
    if (err != CS_OK) return CS_ERR_NOT_MOUNTED;
    err = cs_folder_check(*ret, job->marker);
    if (err != CS_OK) (*ret)->ops->close_fs(ret);
    return err;
}

static void explain(const trash_job_t *job, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    if (job->err == CS_ERR_NOT_MOUNTED) {
        cs_buf_printf(ret,
                      "cannot read the trash of folder %s: %s is not mounted, or its marker is "
                      "missing; mount it",
                      job->id, job->root);
    } else if (job->err == CS_ERR_EXISTS) {
        cs_buf_printf(ret,
                      "cannot restore: there is something at %.*s in folder %s, and it stays; "
                      "move it away, or give another place with --to PATH",
                      (int)job->to.len, (const char *)job->to.data, job->id);
    } else if (job->err == CS_ERR_NOT_FOUND) {
        cs_buf_printf(ret,
                      "cannot restore %.*s: the trash of folder %s has no such file; see "
                      "crdtsync trash %s",
                      (int)job->what.len, (const char *)job->what.data, job->id, job->id);
    } else if (job->err == CS_ERR_NOT_DIR || job->err == CS_ERR_ESCAPES) {
        cs_buf_printf(
            ret,
            "cannot restore: a part of %.*s in folder %s is no directory; give another "
            "place with --to PATH",
            (int)job->to.len, (const char *)job->to.data, job->id);
    } else {
        cs_buf_printf(ret,
                      "cannot reach the trash of folder %s: %s; look at %s/.crdtsync/trash",
                      job->id, cs_err_text(job->err), job->root);
    }
    cs_buf_put_u8(ret, 0);
}

static void end_failed(const trash_job_t *job, cs_pending_t *pending)
{
    cs_buf_t error = {0};
    explain(job, &error);
    cs_pending_end(job->daemon, pending, CS_EXIT_FAILED, (const char *)error.data);
    cs_buf_fini(&error);
}

/* --- the list */

static bool put_item(void *arg, const cs_trash_item_t *item)
{
    trash_job_t *job = arg;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", job->id);
    cs_json_put_path(&json, "path", item->path);
    cs_json_put_text(&json, "kind", item->stat.type == CS_NODE_SYMLINK ? "symlink" : "file");
    cs_json_put_u64(&json, "size", item->stat.print.size);
    int64_t since = item->stat.print.ctime_ns / 1000000000;
    cs_json_put_u64(&json, "since", since > 0 ? (uint64_t)since : 0);
    cs_json_put_path(&json, "file", item->at);
    cs_json_end(&json, '}');
    cs_buf_put_slice(&job->documents, cs_json_line(&json));
    cs_buf_put_u8(&job->documents, '\n');
    cs_json_fini(&json);
    return true;
}

static void run_list(void *arg)
{
    trash_job_t *job = arg;
    cs_fs_t *fs = NULL;
    job->err = open_root(job, &fs);
    if (job->err != CS_OK) return;
    job->err = cs_trash_each(fs, job, put_item);
    fs->ops->close_fs(&fs);
}

static void answer_lines(const cs_pending_t *pending, cs_slice_t lines)
{
    while (lines.len > 0) {
        const uint8_t *end = memchr(lines.data, '\n', lines.len);
        size_t len = (size_t)(end - lines.data);
        pending->reply.data(pending->reply.arg, cs_slice(lines.data, len));
        lines = cs_slice(end + 1, lines.len - len - 1);
    }
}

static void listed(void *arg)
{
    trash_job_t *job = arg;
    cs_pending_t *pending = cs_pending_find(job->daemon, job->handle);
    if (pending != NULL && job->err != CS_OK) {
        end_failed(job, pending);
    } else if (pending != NULL) {
        answer_lines(pending, cs_buf_slice(&job->documents));
        if (--pending->waiting == 0) {
            cs_pending_end(job->daemon, pending, CS_EXIT_DONE, NULL);
        }
    }
    job_free(job);
}

int cs__cmd_trash(cs_ask_t *ask)
{
    cs_mounted_t **folders = NULL;
    size_t count = 0;
    int exit_code = cs__ask_folders(ask, &folders, &count);
    if (exit_code == CS_EXIT_DONE && count > 0) {
        cs_pending_t *pending = cs__ask_pending(ask);
        pending->waiting = count;
        for (size_t i = 0; i < count; i++) {
            submit(job_new(ask, folders[i], pending->handle), run_list, listed);
        }
        exit_code = CS_ASK_LATER;
    }
    cs_free(folders);
    return exit_code;
}

/* --- restoring: the file is back, then a scan of it takes it over as a user's change */

static void run_restore(void *arg)
{
    trash_job_t *job = arg;
    cs_fs_t *fs = NULL;
    cs_buf_t to = {0};
    job->err = open_root(job, &fs);
    if (job->err != CS_OK) return;
    job->err =
        cs_trash_restore(fs, cs_buf_slice(&job->what), cs_buf_slice(&job->to), &to, &job->stat);
    if (to.len > 0) { /* else nothing was found */
        cs_buf_fini(&job->to);
        job->to = to;
    }
    fs->ops->close_fs(&fs);
}

static void restored_free(void *arg)
{
    job_free(arg);
}

static void scanned(cs_daemon_t *daemon, cs_pending_t *pending, uint32_t folder, cs_err_t err)
{
    (void)folder; /* there is but one */
    const trash_job_t *job = pending->arg;
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", job->id);
    cs_json_put_path(&json, "path", cs_buf_slice(&job->to));
    cs_json_put_u64(&json, "size", job->stat.print.size);
    cs_json_end(&json, '}');
    pending->reply.data(pending->reply.arg, cs_json_line(&json));
    cs_json_fini(&json);
    cs_buf_t error = {0};
    cs_buf_printf(&error,
                  "the file is back, but the scan that takes it over failed: %s; see crdtsync "
                  "status",
                  cs_err_text(err));
    cs_buf_put_u8(&error, 0);
    cs_pending_end(daemon, pending, cs__exit_code(err), (const char *)error.data);
    cs_buf_fini(&error);
}

static void restored(void *arg)
{
    trash_job_t *job = arg;
    cs_daemon_t *daemon = job->daemon;
    cs_pending_t *pending = cs_pending_find(daemon, job->handle);
    const cs_mounted_t *folder = cs_daemon_folder(daemon, job->id);
    bool lives = job->err == CS_OK && folder != NULL && !folder->leaving;
    cs_slice_t path = cs_buf_slice(&job->to);
    if (pending == NULL || !lives) {
        if (lives) cs_daemon_scan(daemon, folder, &path, 1, false, 0);
        if (pending != NULL) end_failed(job, pending);
        job_free(job);
        return;
    }
    pending->arg = job;
    pending->arg_free = restored_free;
    pending->scanned = scanned;
    pending->ticket = ++daemon->last_ticket;
    cs_daemon_scan(daemon, folder, &path, 1, false, pending->ticket);
}

/* Where the file was: a path from here, or, where that lies in no folder, one in the only
 * folder there is, as the list prints it. */
static cs_mounted_t *folder_of(cs_ask_t *ask, const cs_arg_t *arg)
{
    cs_daemon_t *daemon = ask->daemon;
    cs_mounted_t *folder = NULL;
    if (arg->abs != NULL) folder = cs_daemon_folder_by_path(daemon, arg->abs);
    bool only = folder == NULL && daemon->folder_count == 1 && arg->raw[0] != '/';
    if (only) folder = &daemon->folders[0];
    if (folder == NULL) return cs__ask_folder_at(ask, arg);
    if (folder->loaded && !folder->leaving) return folder;
    cs__ask_fail(ask, CS_EXIT_FAILED,
                 "cannot use folder %s: it is not loaded, or being removed; see the log of the "
                 "node",
                 folder->record.id);
    return NULL;
}

/* A file of the trash itself may be named: of several that were at one path. */
static bool read_what(cs_ask_t *ask, const cs_mounted_t *folder, const cs_arg_t *arg,
                      cs_buf_t *ret)
{
    static const char trash[] = CS_PRIVATE_DIR "/trash/";
    const char *at = strstr(arg->raw, trash);
    if (at == NULL) return cs__ask_path_in(ask, folder, arg, ret);
    cs_buf_put(ret, at, strlen(at));
    return true;
}

int cs__cmd_trash_restore(cs_ask_t *ask)
{
    cs_arg_t arg, to = {0};
    if (!cs__ask_arg(ask, 0, &arg)) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot restore: no path is given; name one, see "
                            "crdtsync trash");
    }
    int exit_code = CS_EXIT_FAILED;
    cs_buf_t what = {0}, place = {0};
    const cs_mounted_t *folder = folder_of(ask, &arg);
    bool good = folder != NULL && read_what(ask, folder, &arg, &what);
    if (good && cs__ask_arg(ask, 1, &to)) {
        good = cs__ask_path_in(ask, folder, &to, &place);
        if (good && place.len == 0) {
            good = false;
            cs__ask_fail(ask, exit_code,
                         "cannot restore: --to is the folder itself; name a file");
        }
    }
    if (good) {
        trash_job_t *job = job_new(ask, folder, cs__ask_pending(ask)->handle);
        job->what = what;
        job->to = place;
        what = place = (cs_buf_t){0};
        submit(job, run_restore, restored);
        exit_code = CS_ASK_LATER;
    }
    cs_buf_fini(&what);
    cs_buf_fini(&place);
    cs__arg_fini(&to);
    cs__arg_fini(&arg);
    return exit_code;
}
