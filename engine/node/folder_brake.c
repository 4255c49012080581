/* folder_brake.c - the safety brake (core.md 5.2): what vanished or was rewritten in great
 * number is held until somebody accepts it, rejects it, or it is there again.
 *
 * A hold has a row of its own in the store: a restart does not let pass what was held, and a
 * command that opens the home itself knows of it. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

#define BRAKE_WINDOWS \
    2u /* the last minute is covered by the current window and the one before it */

/* --- the row: how many files are held, and how many were let pass in the minute before */

static void row_key(const cs_folder_t *folder, cs_buf_t *ret)
{
    cs_buf_put_u32_be(ret, folder->config.number);
    cs_buf_printf(ret, "m/held");
}

void cs_folder_brake_load(cs_folder_t *folder)
{
    cs_buf_t key = {0}, value = {0};
    row_key(folder, &key);
    cs_err_t err = cs_store_get(folder->node->config.store, NULL, cs_buf_slice(&key), &value);
    if (err == CS_OK) {
        cs_reader_t reader = cs_reader(cs_buf_slice(&value));
        uint64_t files = cs_read_varint(&reader);
        uint64_t before = cs_read_varint(&reader);
        /* A row is a hold, whatever it says. */
        if (reader.err != CS_OK || files == 0) files = 1;
        folder->held = true;
        folder->held_files = folder->held_row = files;
        folder->brake_window[0] = reader.err == CS_OK ? before : 0;
    }
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

static void set_held(cs_folder_t *folder, uint64_t files)
{
    folder->held = files > 0;
    folder->held_files = files;
    if (folder->held_row == files) return;
    folder->held_row = files;
    cs_buf_t key = {0}, value = {0};
    row_key(folder, &key);
    cs_buf_put_varint(&value, files);
    cs_buf_put_varint(&value, folder->brake_window[0] + folder->brake_window[1]);
    if (files > 0) {
        cs_batch_put(&folder->rows, cs_buf_slice(&key), cs_buf_slice(&value));
    } else {
        cs_batch_delete(&folder->rows, cs_buf_slice(&key));
    }
    cs_buf_fini(&key);
    cs_buf_fini(&value);
}

/* --- counting */

void cs_folder_brake_saw(cs_folder_t *folder, const cs_sighting_t *sighting)
{
    if (sighting->what == CS_SAW_VANISHED || sighting->what == CS_SAW_MODIFIED) {
        folder->scan_lost++;
    }
}

/* The windows stand still while something is held: time alone lets nothing pass. */
static void turn_windows(cs_folder_t *folder)
{
    uint64_t age_ms = folder->now_ms - folder->brake_since_ms;
    if (folder->held || age_ms < CS_BRAKE_MS) return;
    bool old = age_ms >= BRAKE_WINDOWS * (uint64_t)CS_BRAKE_MS;
    folder->brake_window[1] = old ? 0 : folder->brake_window[0];
    folder->brake_window[0] = 0;
    folder->brake_since_ms = folder->now_ms;
}

/* A file that appeared with the bytes of one that was there may be one that vanished, moved:
 * such pairs are no loss. One with other bytes is none of them: that is what an encrypted copy
 * looks like. */
static uint64_t count_lost(cs_folder_t *folder)
{
    uint64_t lost = folder->scan_lost;
    if (lost == 0) return 0;
    return lost - cs_replica_scan_moves(folder->replica, lost);
}

/* More than max(1,000, 25 %) of the base vanished or rewritten within a minute (core.md 5.2).
 * 0: it passes. */
static uint64_t brake_holds(cs_folder_t *folder)
{
    if (folder->config.brake_files == 0 || folder->running_wish.release) return 0;
    uint64_t lost = count_lost(folder);
    turn_windows(folder);
    uint64_t recent = folder->brake_window[0] + folder->brake_window[1] + lost;
    uint64_t files = folder->stats.unchanged + lost; /* as a start knows no earlier scan */
    if (files < folder->stats.files) files = folder->stats.files;
    uint64_t share = files * folder->config.brake_percent / 100;
    uint64_t limit = share > folder->config.brake_files ? share : folder->config.brake_files;
    if (recent > limit) return lost > 0 ? lost : 1;
    folder->brake_window[0] += lost;
    return 0;
}

static void forget_windows(cs_folder_t *folder)
{
    memset(folder->brake_window, 0, sizeof folder->brake_window);
    folder->brake_since_ms = folder->now_ms;
}

/* --- accept and reject */

void cs_folder_release(cs_folder_t *folder, uint64_t ticket)
{
    cs_gossip_resume(folder->gossip, folder->now_ms);
    cs_folder_want_scan(folder, NULL, 0, false, ticket);
    folder->wish.release = true;
}

void cs_folder_reject(cs_folder_t *folder, uint64_t ticket)
{
    cs_folder_want_scan(folder, NULL, 0, false, ticket);
    folder->wish.reject = true;
}

bool cs_folder_brake_keeps(cs_folder_t *folder, const cs_sighting_t *sighting)
{
    bool lost = sighting->what == CS_SAW_VANISHED || sighting->what == CS_SAW_MODIFIED;
    if (!folder->running_wish.reject || !lost) return false;
    cs_scan_records_add(&folder->reject_lost, sighting);
    return true;
}

/* The row says from now on what the disk shows, with the backing of what was there: to the
 * materialiser it is a path that lags behind. What it replaces goes to the trash, as ever, and
 * an edit that comes meanwhile replaces what the user had. */
static bool put_back(void *arg, const cs_sighting_t *sighting)
{
    cs_folder_t *folder = arg;
    if (sighting->what == CS_SAW_VANISHED) {
        cs_replica_vanished(folder->replica, sighting->path);
        return true;
    }
    cs_item_t row = {0};
    if (cs_replica_base(folder->replica, sighting->path, &row) == CS_OK) {
        row.content = sighting->content;
        row.attr.mode = sighting->content.kind == CS_KIND_FILE ? sighting->mode : 0;
        row.mtime_ns = sighting->mtime_ns;
        row.print = sighting->print;
        cs_replica_applied(folder->replica, &row);
    }
    cs_item_fini(&row);
    return true;
}

static cs_err_t undo(cs_folder_t *folder, cs_scan_report_t *report)
{
    cs_err_t err = cs_replica_scan_commit(folder->replica, &report->done);
    if (err != CS_OK) return err;
    report->put_back = folder->reject_lost.count;
    cs_scan_records_each(&folder->reject_lost, folder, put_back);
    cs_scan_records_fini(&folder->reject_lost);
    forget_windows(folder);
    set_held(folder, 0);
    return cs_replica_fault(folder->replica);
}

/* Only a look at everything can tell that what was held is there again, or is let pass. */
cs_err_t cs_folder_commit_scan(cs_folder_t *folder, cs_scan_report_t *report)
{
    bool all = folder->running_wish.all;
    if (folder->running_wish.reject) return undo(folder, report);
    uint64_t files = brake_holds(folder);
    if (folder->running_wish.release) forget_windows(folder);
    if (files == 0) {
        if (all) set_held(folder, 0);
        return cs_replica_scan_commit_some(folder->replica, &folder->committing, &report->done);
    }
    if (!folder->held) cs_folder_note(folder, "scan.held", cs_slice_text(""), CS_ERR_HELD);
    if (all || files > folder->held_files) set_held(folder, files);
    cs_replica_scan_abort(folder->replica);
    return CS_ERR_HELD;
}
