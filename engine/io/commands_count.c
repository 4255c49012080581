/* commands_count.c - what a folder shows and lacks, counted in turns. */
#include "io/commands_count.h"

#include <string.h>

#include "base/mem.h"

#define WALK_ROWS     2000u  /* of the base table at once, 0.2 us each */
#define COUNT_ROWS    2000u  /* pending ones that are only counted */
#define LOOK_MAX      10000u /* pending paths looked at, about 20 us each */
#define LOOK_QUICK    500u
#define PATHS_AT_ONCE 16u
#define QUICK_FACTOR  10u /* a quick count is at most a tenth of the time */

void cs__count_fini(cs_count_t *count)
{
    for (size_t i = 0; i < count->stuck_len; i++) {
        cs_str_unref(&count->stuck[i].path);
    }
    cs_free(count->stuck);
    cs_base_walk_fini(&count->walk);
    cs_buf_fini(&count->last);
    *count = (cs_count_t){0};
}

const char *cs__why_text(const cs_why_t *why)
{
    switch (why->kind) {
    case CS_WHY_HERE:
        return "on this disk";
    case CS_WHY_FOLDER:
    case CS_WHY_FAILED:
        return cs_err_text(why->err);
    case CS_WHY_HELD:
        return "held";
    case CS_WHY_PAUSED:
        return "paused";
    case CS_WHY_IGNORED:
        return "ignored";
    case CS_WHY_CHANGING:
        return "changing";
    case CS_WHY_MISSING:
        return "missing content";
    case CS_WHY_FETCHING:
        return "on its way";
    case CS_WHY_QUEUED:
        return "its turn comes";
    }
    return "";
}

/* --- what is on the disk */

/* Only what changed is counted anew. */
static bool tree_is_known(const cs_mounted_t *folder, const cs_count_t *count,
                          cs_replica_t *replica)
{
    const cs_tree_count_t *known = &folder->count;
    if (!known->known) return false;
    if (known->changes == cs_replica_base_changes(replica)) return true;
    return count->quick && count->began_ms < known->at_ms + QUICK_FACTOR * known->cost_ms;
}

static cs_err_t count_tree(cs_mounted_t *folder, cs_count_t *count, cs_replica_t *replica,
                           uint64_t until_ms)
{
    if (!count->begun) {
        count->begun = true;
        count->began_ms = (uint64_t)zclock_mono();
        count->tree_done = tree_is_known(folder, count, replica);
        count->tree.changes = cs_replica_base_changes(replica);
    }
    while (!count->tree_done && !count->walk.done) {
        if (cs__turn_is_over(until_ms)) return CS_OK;
        cs_err_t err = cs_replica_walk_base(replica, WALK_ROWS, &count->walk);
        if (err != CS_OK) return err;
    }
    if (!count->tree_done) {
        uint64_t now_ms = (uint64_t)zclock_mono();
        folder->count = (cs_tree_count_t){
            .tally = count->walk.tally,
            .conflicts = cs__count_conflicts(&count->walk.siblings),
            .known = true,
            .changes = count->tree.changes, /* as of its beginning: never too new */
            .at_ms = now_ms,
            .cost_ms = now_ms - count->began_ms,
        };
        cs_base_walk_fini(&count->walk);
    }
    count->tree = folder->count;
    count->tree_done = true;
    return CS_OK;
}

/* --- what is not */

static bool is_stuck(const cs_why_t *why)
{
    return why->kind == CS_WHY_FAILED || why->kind == CS_WHY_CHANGING ||
           why->kind == CS_WHY_MISSING;
}

static void add_stuck(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_count_t *count,
                      const cs_item_t *item, const cs_why_t *why)
{
    count->stuck_total++;
    if (count->stuck_len >= CS_STUCK_LIST_MAX) return;
    if (count->stuck_len == count->stuck_cap) {
        count->stuck_cap = cs_grow(count->stuck_cap, count->stuck_len + 1);
        count->stuck = cs_realloc_array(count->stuck, count->stuck_cap, sizeof *count->stuck);
    }
    cs_stuck_t *stuck = &count->stuck[count->stuck_len++];
    *stuck = (cs_stuck_t){.path = cs_str_ref(item->path), .why = *why};
    cs__item_author(daemon, folder, item, stuck->by);
}

static void look_at_item(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_count_t *count,
                         const cs_item_t *item, uint64_t *lacking, uint64_t *ignored)
{
    cs_why_t why = cs_node_why(daemon->node, folder->record.number, item);
    if (why.kind == CS_WHY_HERE) return;
    if (why.kind == CS_WHY_IGNORED) {
        ++*ignored;
        return;
    }
    ++*lacking;
    if (is_stuck(&why)) add_stuck(daemon, folder, count, item, &why);
    if (item->content.kind == CS_KIND_DIR) return;
    uint64_t bytes = item->content.size - why.bytes_here;
    count->needed_bytes += bytes;
    if (cs_content_is_small(&item->content)) count->small_bytes += bytes;
}

/* A path that lacks nothing is one that is to vanish. */
static cs_err_t look_at(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_count_t *count,
                        cs_replica_t *replica, cs_slice_t path)
{
    cs_items_t items = {0};
    uint64_t lacking = 0, ignored = 0;
    cs_err_t err = cs_replica_project(replica, path, &items);
    for (uint32_t i = 0; err == CS_OK && i < items.len; i++) {
        look_at_item(daemon, folder, count, &items.item[i], &lacking, &ignored);
    }
    count->needed_files += lacking > 0 ? lacking : ignored == 0;
    cs_items_fini(&items);
    return err;
}

static void count_the_rest(cs_count_t *count, cs_replica_t *replica, uint64_t until_ms)
{
    uint64_t found = 1;
    while (found > 0) {
        if (cs__turn_is_over(until_ms)) return;
        found = cs_replica_count_pending_from(replica, &count->last, COUNT_ROWS);
        count->needed_files += found;
        count->estimated |= found > 0;
    }
    count->done = true;
    if (!count->estimated || count->looked == 0) return;
    /* The others are like the small ones: a large file says nothing of them. */
    double mean = (double)count->small_bytes / (double)count->looked;
    count->needed_bytes += (uint64_t)(mean * (double)(count->needed_files - count->lacking));
}

static cs_err_t look(cs_daemon_t *daemon, const cs_mounted_t *folder, cs_count_t *count,
                     cs_replica_t *replica, uint64_t until_ms)
{
    uint64_t max = count->quick ? LOOK_QUICK : LOOK_MAX;
    cs_buf_t path = {0};
    cs_err_t err = CS_OK;
    while (err == CS_OK && count->looked < max) {
        bool ask_clock = count->looked % PATHS_AT_ONCE == 0;
        if (ask_clock && cs__turn_is_over(until_ms)) goto out;
        if (!cs_replica_pending(replica, cs_buf_slice(&count->last), &path)) break;
        err = look_at(daemon, folder, count, replica, cs_buf_slice(&path));
        count->looked++;
        cs_buf_clear(&count->last);
        cs_buf_put_slice(&count->last, cs_buf_slice(&path));
        cs_buf_put_u8(&count->last, 0); /* just behind it: no path contains this byte */
    }
    count->paths_done = true;
    count->lacking = count->needed_files;
out:
    cs_buf_fini(&path);
    return err;
}

cs_err_t cs__count_turn(cs_daemon_t *daemon, cs_count_t *count, uint64_t until_ms)
{
    cs_mounted_t *folder = cs__folder_numbered(daemon, count->folder);
    cs_replica_t *replica =
        folder == NULL ? NULL : cs_node_replica(daemon->node, folder->record.number);
    cs_err_t err = CS_OK;
    if (replica == NULL) {
        count->done = true;
        return CS_OK;
    }
    if (!count->tree_done) err = count_tree(folder, count, replica, until_ms);
    if (err == CS_OK && count->tree_done && !count->paths_done) {
        err = look(daemon, folder, count, replica, until_ms);
    }
    if (err == CS_OK && count->paths_done) count_the_rest(count, replica, until_ms);
    return err == CS_OK ? cs_replica_fault(replica) : err;
}
