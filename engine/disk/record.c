/* record.c - what was performed becomes the base table (core.md 5.1). */
#include "disk/apply.h"

/* Settled at once: a path of which nothing is left would wait for its directory to be removed.
 */
static void record_gone(cs_replica_t *replica, cs_slice_t path)
{
    cs_replica_vanished(replica, path);
    (void)cs_replica_settle(replica, path);
}

/* Does base know of a file there? */
static bool has_file(cs_replica_t *replica, cs_slice_t path)
{
    cs_item_t row = {0};
    bool ret = cs_replica_base(replica, path, &row) == CS_OK && row.content.kind != CS_KIND_DIR;
    cs_item_fini(&row);
    return ret;
}

/* No directory is there any more, but perhaps a file is: its row stays, for a scan must know
 * what a user had who changes it. */
static void record_dir_gone(cs_replica_t *replica, cs_slice_t path)
{
    if (has_file(replica, path)) {
        (void)cs_replica_settle(replica, path);
    } else {
        record_gone(replica, path);
    }
}

static void record_leaving(cs_replica_t *replica, const cs_step_t *step)
{
    if (step->kind == CS_STEP_DELETE) record_gone(replica, cs_slice_str(step->item.path));
    if (step->kind == CS_STEP_MOVE) record_gone(replica, cs_slice_str(step->from));
    if (step->kind == CS_STEP_RMDIR) record_dir_gone(replica, cs_slice_str(step->item.path));
}

/* False: a file should have left this path for a directory, and a user took it away instead;
 * that he did so is for a scan to find out. */
static bool record_coming(cs_replica_t *replica, const cs_step_t *step)
{
    cs_slice_t path = cs_slice_str(step->item.path);
    if (step->kind == CS_STEP_DELETE || step->kind == CS_STEP_RMDIR) return true;
    if (step->kind == CS_STEP_MKDIR && has_file(replica, path)) return false;
    cs_replica_applied(replica, &step->item);
    return true;
}

/* AGAIN: a local copy turned out to be another file, so its row is out of date. IS_DIR: a
 * directory is in the way, perhaps one that no scan has seen yet. */
static bool wants_scan(cs_err_t err)
{
    return err == CS_ERR_CHANGED || err == CS_ERR_AGAIN || err == CS_ERR_IS_DIR;
}

void cs_record(cs_replica_t *replica, const cs_steps_t *steps,
               void (*rescan)(void *arg, cs_slice_t path), void *arg)
{
    /* First what left: another step may have taken its path. */
    for (size_t i = 0; i < steps->len; i++) {
        if (steps->item[i].err == CS_OK) record_leaving(replica, &steps->item[i]);
    }
    for (size_t i = 0; i < steps->len; i++) {
        const cs_step_t *step = &steps->item[i];
        if (step->err == CS_OK) {
            if (!record_coming(replica, step)) rescan(arg, cs_slice_str(step->item.path));
        } else if (wants_scan(step->err)) {
            if (step->from != NULL) rescan(arg, cs_slice_str(step->from));
            if (step->twin.path != NULL) rescan(arg, cs_slice_str(step->twin.path));
            if (step->blocked_len > 0) {
                rescan(arg, cs_slice(step->item.path->data, step->blocked_len));
            }
            rescan(arg, cs_slice_str(step->item.path));
        }
    }
}
