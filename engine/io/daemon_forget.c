/* daemon_forget.c - a folder that was removed: it leaves the core, then its rows go.
 *
 * Its record is gone before: from then on a start knows nothing of it. A note in the store
 * keeps the number of a folder whose rows go, so that what a crash interrupts is finished by
 * the next node; numbers are never used again. */
#include <string.h>

#include "base/mem.h"
#include "disk/scan.h"
#include "io/daemon_shell.h"
#include "io/fs_linux.h"

#define NOTE_PREFIX "node/forget/"
#define ROWS        4096u /* a batch: a few ms, and others' batches go between */

typedef struct cs_forget {
    uint32_t number;
    cs_buf_t from; /* rows below it are gone */
} cs_forget_t;

/* --- rows */

static void note_key(uint32_t number, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_buf_printf(ret, NOTE_PREFIX);
    cs_buf_put_u32_be(ret, number);
}

/* The next rows, and with the last of them the note. False: there is nothing more. */
static bool next_rows(cs_daemon_t *daemon, cs_forget_t *forget, cs_batch_t *ret)
{
    cs_buf_t prefix = {0}, last = {0};
    cs_buf_put_u32_be(&prefix, forget->number);
    cs_iter_t *iter = cs_store_iter(daemon->store, NULL);
    cs_iter_seek(iter, cs_buf_slice(forget->from.len > 0 ? &forget->from : &prefix));
    while (ret->count < ROWS && cs_iter_valid(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, cs_buf_slice(&prefix))) break;
        cs_batch_delete(ret, key);
        cs_buf_clear(&last);
        cs_buf_put_slice(&last, key);
        cs_iter_next(iter);
    }
    cs_err_t err = cs_iter_err(iter);
    cs_iter_destroy(&iter);
    bool any = err == CS_OK && ret->count > 0;
    if (any) {
        cs_buf_clear(&forget->from);
        cs_buf_put_slice(&forget->from, cs_buf_slice(&last));
    }
    cs_buf_fini(&prefix);
    cs_buf_fini(&last);
    return any;
}

static void end(cs_daemon_t *daemon, cs_forget_t *forget)
{
    cs_batch_t batch = {0};
    cs_buf_t key = {0};
    note_key(forget->number, &key);
    cs_batch_delete(&batch, cs_buf_slice(&key));
    cs_store_thread_write(daemon->shell->writer, 0, 0, &batch);
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
    cs_buf_fini(&forget->from);
    *forget = daemon->shell->forget[--daemon->shell->forget_count];
}

void cs__daemon_forget_written(cs_daemon_t *daemon, uint32_t number)
{
    cs_daemon_shell_t *shell = daemon->shell;
    for (size_t i = 0; i < shell->forget_count; i++) {
        if (shell->forget[i].number != number) continue;
        if (daemon->stopping) return; /* the next node goes on */
        cs_batch_t batch = {0};
        if (daemon->failed == CS_OK && next_rows(daemon, &shell->forget[i], &batch)) {
            cs_store_thread_write(shell->writer, number, 0, &batch);
        } else {
            end(daemon, &shell->forget[i]);
            cs_event_t event = {.kind = CS_EV_TICK}; /* somebody may wait for this */
            cs_daemon_step(daemon, &event);
        }
        cs_batch_fini(&batch);
        return;
    }
}

static void begin(cs_daemon_t *daemon, uint32_t number)
{
    cs_daemon_shell_t *shell = daemon->shell;
    if (shell->forget_count == shell->forget_cap) {
        shell->forget_cap = cs_grow(shell->forget_cap, shell->forget_count + 1);
        shell->forget =
            cs_realloc_array(shell->forget, shell->forget_cap, sizeof *shell->forget);
    }
    shell->forget[shell->forget_count++] = (cs_forget_t){.number = number};
    cs_batch_t batch = {0};
    cs_buf_t key = {0};
    note_key(number, &key);
    cs_batch_put(&batch, cs_buf_slice(&key), cs_slice_text(""));
    cs_store_thread_write(shell->writer, number, 0, &batch); /* then the rows follow */
    cs_batch_fini(&batch);
    cs_buf_fini(&key);
}

void cs__daemon_forget_resume(cs_daemon_t *daemon)
{
    cs_slice_t prefix = cs_slice_text(NOTE_PREFIX);
    cs_iter_t *iter = cs_store_iter(daemon->store, NULL);
    for (cs_iter_seek(iter, prefix); cs_iter_valid(iter); cs_iter_next(iter)) {
        cs_slice_t key = cs_iter_key(iter);
        if (!cs_slice_has_prefix(key, prefix) || key.len != prefix.len + 4) break;
        cs_reader_t reader = cs_reader(cs_slice(key.data + prefix.len, 4));
        uint32_t number = cs_read_u32_be(&reader);
        /* Its record came back, from a backup perhaps: what is left of it may be of use. */
        if (cs_daemon_folder_by_number(daemon, number) == NULL) begin(daemon, number);
    }
    cs_iter_destroy(&iter);
}

void cs__daemon_forget_fini(cs_daemon_t *daemon)
{
    for (size_t i = 0; i < daemon->shell->forget_count; i++) {
        cs_buf_fini(&daemon->shell->forget[i].from);
    }
    cs_free(daemon->shell->forget);
}

/* --- leaving */

/* So that the path may be a folder again. */
static void clear_root(const cs_mounted_t *folder)
{
    cs_fs_t *fs = NULL;
    if (cs_fs_linux_open(folder->record.path, &fs) != CS_OK) return;
    cs_folder_unmark(fs, folder->record.marker);
    fs->ops->close_fs(&fs);
}

void cs__daemon_left(cs_daemon_t *daemon, uint32_t number)
{
    size_t i = 0;
    while (i < daemon->folder_count && daemon->folders[i].record.number != number) {
        i++;
    }
    if (i == daemon->folder_count) return;
    cs_mounted_t *folder = &daemon->folders[i];
    CS_ASSERT(folder->fs_users == 0);
    clear_root(folder);
    cs_folder_record_fini(&folder->record);
    daemon->folder_count--;
    memmove(folder, folder + 1, (daemon->folder_count - i) * sizeof *folder);
    begin(daemon, number);
}

void cs_daemon_leave(cs_daemon_t *daemon, cs_mounted_t *folder)
{
    uint32_t number = folder->record.number;
    folder->leaving = true;
    cs__watch_forget(daemon, number);
    cs__schedule_forget(daemon, number);
    cs__daemon_cancel_jobs(daemon, number);
    if (!folder->loaded) {
        cs__daemon_left(daemon, number);
        return;
    }
    cs_event_t event = {.kind = CS_EV_LEAVE, .folder = number};
    cs_daemon_step(daemon, &event);
}

bool cs_daemon_is_leaving(const cs_daemon_t *daemon, uint32_t number)
{
    for (size_t i = 0; i < daemon->shell->forget_count; i++) {
        if (daemon->shell->forget[i].number == number) return true;
    }
    return cs_daemon_folder_by_number(daemon, number) != NULL;
}
