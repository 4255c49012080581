/* daemon_place.c - notices a home that was copied, put back from a backup (core.md 6.4), or
 * used by a newer program.
 *
 * The database remembers the machine and the directory it lies in. A copy has another directory
 * (its inode and birth time), or stands on another machine: its counters may have been used
 * elsewhere, so every folder gets a fresh replica id before anything is said to anybody. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "io/daemon_shell.h"
#include "io/file.h"

#define PLACE_KEY   "node/place"
#define PLACE_BYTES 32u
#define FORMAT_KEY  "node/format" /* u32 */
/* Of the rows of a database; a later one may mean anything. In 1 nobody signed numbers, so that
 * no other member takes them (node/marks.h). */
#define FORMAT 2u

/* A machine without an id (a container, a rescue system) is told by its database's directory
 * alone. */
static bool place_of(const char *db, uint8_t ret[PLACE_BYTES])
{
    struct statx st;
    if (statx(AT_FDCWD, db, 0, STATX_INO | STATX_BTIME, &st) != 0) return false;
    cs_buf_t machine = {0};
    cs_buf_t detail = {0};
    cs_buf_t dir = {0};
    if (cs_file_read("/etc/machine-id", &machine, &detail) != CS_OK) cs_buf_clear(&machine);
    cs_buf_put_u64(&dir, st.stx_ino);
    cs_buf_put_u64(&dir, (uint64_t)st.stx_btime.tv_sec);
    cs_buf_put_u64(&dir, st.stx_btime.tv_nsec);
    cs_slice_t parts[] = {cs_buf_slice(&machine), cs_buf_slice(&dir)};
    cs_hash(ret, PLACE_BYTES, NULL, 0, parts, CS_COUNT_OF(parts));
    cs_buf_fini(&machine);
    cs_buf_fini(&detail);
    cs_buf_fini(&dir);
    return true;
}

cs_err_t cs__daemon_check_format(cs_daemon_t *daemon, cs_buf_t *ret_detail)
{
    cs_buf_t value = {0};
    cs_err_t err = cs_store_get(daemon->store, NULL, cs_slice_text(FORMAT_KEY), &value);
    uint32_t format = FORMAT;
    if (err == CS_OK) {
        cs_reader_t reader = cs_reader(cs_buf_slice(&value));
        format = cs_read_u32(&reader);
        err = cs_reader_end(&reader);
    }
    cs_buf_fini(&value);
    if (err == CS_ERR_NOT_FOUND) return CS_OK;
    if (err == CS_ERR_MALFORMED) err = CS_ERR_CORRUPT;
    if (err == CS_OK && format != FORMAT) err = CS_ERR_VERSION;
    if (err == CS_ERR_VERSION) {
        bool newer = format > FORMAT;
        cs_buf_printf(ret_detail,
                      "cannot use the database %s: %s crdtsync wrote it (format %u, this one "
                      "reads %u); %smove the database away, and a new one is made of the files "
                      "and of what the peers know",
                      cs_home_db(daemon->home), newer ? "a newer" : "an older", format, FORMAT,
                      newer ? "use that version, or " : "");
    } else if (err != CS_OK) {
        cs_buf_printf(ret_detail, "cannot read the database %s: %s; see its disk",
                      cs_home_db(daemon->home), cs_err_text(err));
    }
    return err;
}

bool cs__daemon_was_moved(cs_daemon_t *daemon)
{
    uint8_t place[PLACE_BYTES];
    cs_buf_t known = {0};
    cs_err_t err = cs_store_get(daemon->store, NULL, cs_slice_text(PLACE_KEY), &known);
    bool moved = err == CS_OK && place_of(cs_home_db(daemon->home), place) &&
                 !cs_slice_eq(cs_buf_slice(&known), cs_slice(place, sizeof place));
    cs_buf_fini(&known);
    return moved;
}

void cs__daemon_settle_place(cs_daemon_t *daemon, bool moved)
{
    for (size_t i = 0; moved && i < daemon->folder_count; i++) {
        cs_event_t event = {.kind = CS_EV_REINCARNATE,
                            .folder = daemon->folders[i].record.number,
                            .text = "the home was copied, moved or restored"};
        cs_daemon_step(daemon, &event);
    }
    uint8_t place[PLACE_BYTES];
    if (!place_of(cs_home_db(daemon->home), place)) return;
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice_text(PLACE_KEY), cs_slice(place, sizeof place));
    cs_buf_t format = {0};
    cs_buf_put_u32(&format, FORMAT);
    cs_batch_put(&batch, cs_slice_text(FORMAT_KEY), cs_buf_slice(&format));
    cs_buf_fini(&format);
    /* Behind the batches of the new incarnations: the store thread keeps the order. */
    cs_store_thread_write(daemon->shell->writer, 0, 0, &batch);
    cs_batch_fini(&batch);
}
