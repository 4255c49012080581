/* daemon_place.c - notices a home that was copied, or put back from a backup (core.md 6.4).
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
                            .folder = daemon->folders[i].record.number};
        cs_daemon_step(daemon, &event);
    }
    uint8_t place[PLACE_BYTES];
    if (!place_of(cs_home_db(daemon->home), place)) return;
    cs_batch_t batch = {0};
    cs_batch_put(&batch, cs_slice_text(PLACE_KEY), cs_slice(place, sizeof place));
    /* Behind the batches of the new incarnations: the store thread keeps the order. */
    cs_store_thread_write(daemon->shell->writer, 0, 0, &batch);
    cs_batch_fini(&batch);
}
