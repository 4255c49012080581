/* judge.c - rest points: faults end, all become equal, and it is seen whether they did well. */
#include <string.h>

#include "base/mem.h"
#include "base/path.h"
#include "sim/load.h"
#include "sim/world.h"

/* --- settled */

/* Who lost rows of its database, or went back to an old image, forgot what its user replaced:
 * others then wait for bytes that are nowhere, which is all they can do (core.md 6.4, 9). Told
 * from a fault only by its lasting: whoever had the bytes would have been asked by then. */
#define NOBODY_US 600000000u

static bool waits_for_nobody(cs_sim_node_t *node)
{
    cs_items_t items = {0};
    cs_replica_t *replica = cs_node_replica(node->node, CS_SIM_FOLDER);
    bool all = cs_replica_project_all(replica, &items) == CS_OK;
    for (uint32_t i = 0; i < items.len && all; i++) {
        cs_why_kind_t why = cs_node_why(node->node, CS_SIM_FOLDER, &items.item[i]).kind;
        all = why == CS_WHY_HERE || why == CS_WHY_MISSING;
    }
    cs_items_fini(&items);
    return all;
}

static bool has_all_there_is(cs_sim_node_t *node, const cs_folder_status_t *status)
{
    cs_sim_t *sim = node->sim;
    if (status->phase == CS_PHASE_IDLE && status->applied && status->needed_files == 0) {
        return true;
    }
    return sim->forgot && sim->now_us - sim->rest_us > NOBODY_US && waits_for_nobody(node);
}

static bool knows_others(cs_sim_t *sim, cs_sim_node_t *node)
{
    size_t count;
    cs_report_t *reports = cs_node_reports(node->node, CS_SIM_FOLDER, &count);
    bool all = count + 1 == sim->node_count;
    for (size_t i = 0; i < count; i++) {
        all =
            all && reports[i].known && reports[i].equal && (reports[i].applied || sim->forgot);
    }
    cs_free(reports);
    return all;
}

/* Every node has applied all there is, rests, and knows that the others have, too. */
bool cs_sim_is_settled(cs_sim_t *sim)
{
    uint8_t root[CS_HASH_BYTES] = {0};
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_node_t *node = &sim->node[i];
        cs_folder_status_t status;
        if (!node->up || node->answered != node->asked) return false;
        if (!cs_node_folder_status(node->node, CS_SIM_FOLDER, &status)) return false;
        if (status.busy || !has_all_there_is(node, &status)) return false;
        if (i == 0) memcpy(root, status.state->root, sizeof root);
        if (memcmp(root, status.state->root, sizeof root) != 0) return false;
    }
    for (unsigned i = 0; i < sim->node_count; i++) {
        if (!knows_others(sim, &sim->node[i])) return false;
    }
    return true;
}

static void show_why(cs_sim_node_t *node)
{
    cs_items_t items = {0};
    if (cs_replica_project_all(cs_node_replica(node->node, CS_SIM_FOLDER), &items) != CS_OK) {
        return;
    }
    for (uint32_t i = 0; i < items.len; i++) {
        cs_why_t why = cs_node_why(node->node, CS_SIM_FOLDER, &items.item[i]);
        if (why.kind == CS_WHY_HERE) continue;
        cs_sim_line(node->sim, node->index, "lacks %s: why %d, %s", items.item[i].path->data,
                    (int)why.kind, cs_err_name(why.err));
    }
    cs_items_fini(&items);
}

/* What a node that is not settled waits for. */
static void show(cs_sim_t *sim)
{
    for (unsigned i = 0; cs_sim_reads_lines(sim) && i < sim->node_count; i++) {
        cs_sim_node_t *node = &sim->node[i];
        cs_folder_status_t status;
        if (!node->up || !cs_node_folder_status(node->node, CS_SIM_FOLDER, &status)) continue;
        cs_sim_line(sim, i,
                    "%s, err %s, applied %d, busy %d, needed %llu, asked %llu, answered %llu, "
                    "root %02x%02x",
                    cs_phase_text(status.phase), cs_err_name(status.err), status.applied,
                    status.busy, (unsigned long long)status.needed_files,
                    (unsigned long long)node->asked, (unsigned long long)node->answered,
                    status.state->root[0], status.state->root[1]);
        cs_buf_t path = {0};
        cs_replica_t *replica = cs_node_replica(node->node, CS_SIM_FOLDER);
        if (cs_replica_pending(replica, cs_slice_text(""), &path)) {
            cs_sim_line(sim, i, "pending: %.*s", (int)path.len, (const char *)path.data);
        }
        cs_buf_fini(&path);
        show_why(node);
    }
}

static void settle(cs_sim_t *sim)
{
    sim->rest_us = sim->now_us;
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_sim_node_scan(&sim->node[i], ".");
    }
    if (!cs_sim_until(sim, cs_sim_is_settled, "settled")) show(sim);
}

/* HAVEs come once a minute when nothing happens: two of them, and what was dead is forgotten.
 */
#define QUIET_US 130000000u

static bool is_last(const cs_sim_t *sim)
{
    return sim->next_act >= sim->history->len;
}

/* All of it may be forgotten sooner, and the next phase begins then; after the last one it is
 * seen what else such a time brings. */
static bool was_quiet(cs_sim_t *sim)
{
    bool passed = sim->now_us - sim->rest_us > QUIET_US;
    if (!passed && (is_last(sim) || cs_oracle_has_tombstones(sim->oracle))) return false;
    return cs_sim_is_settled(sim);
}

/* --- trees */

typedef struct picture {
    cs_buf_t text;
    bool exec;               /* only that bit of a mode counts */
    const cs_items_t *items; /* of the node: where bytes are missing an old file may stand */
    cs_sim_node_t *node;
} picture_t;

/* Bytes that nobody has any more; or a directory that is there for such files alone. */
static bool is_missing(const picture_t *picture, cs_slice_t path)
{
    bool missing = false;
    for (uint32_t i = 0; picture->node->sim->forgot && i < picture->items->len; i++) {
        const cs_item_t *item = &picture->items->item[i];
        if (!cs_path_is_within(cs_slice_str(item->path), path)) continue;
        missing = cs_node_why(picture->node->node, CS_SIM_FOLDER, item).kind == CS_WHY_MISSING;
        if (!missing) return false;
    }
    return missing;
}

/* A small file has the bytes of a text, whole, unless a full disk cut off its user's write. */
static void check_bytes(const picture_t *picture, const cs_mem_item_t *item)
{
    cs_sim_t *sim = picture->node->sim;
    bool small = item->stat.type == CS_NODE_FILE && item->bytes.len <= CS_TEXT_BYTES;
    if (!small || sim->options.disk > 0) return;
    if (cs_text_of(item->bytes.data, item->bytes.len) == CS_TEXT_NONE) {
        cs_sim_fail(sim, "%.*s of %c has bytes that no user wrote", (int)item->path.len,
                    (const char *)item->path.data, 'A' + picture->node->index);
    }
}

static void add_item(void *arg, const cs_mem_item_t *item)
{
    picture_t *picture = arg;
    cs_buf_t *tree = &picture->text;
    if (cs_path_is_private(item->path)) return;
    if (is_missing(picture, item->path)) return;
    check_bytes(picture, item);
    unsigned mode = item->stat.type == CS_NODE_FILE ? item->stat.mode : 0;
    if (picture->exec) mode &= 0100;
    cs_buf_printf(tree, "%.*s %u %o ", (int)item->path.len, (const char *)item->path.data,
                  (unsigned)item->stat.type, mode);
    if (item->bytes.len > CS_TEXT_BYTES) {
        uint8_t hash[CS_HASH_BYTES];
        char hex[2 * CS_HASH_BYTES + 1];
        cs_hash(hash, sizeof hash, NULL, 0, &item->bytes, 1);
        cs_hex(hex, hash, sizeof hash);
        cs_buf_printf(tree, "%s", hex);
    } else {
        cs_buf_put_slice(tree, item->bytes);
    }
    cs_buf_put_u8(tree, '\n');
}

/* A line a file: its path, type, mode, and bytes. */
static void tree_of(cs_sim_node_t *node, cs_buf_t *ret)
{
    cs_items_t items = {0};
    picture_t picture = {.exec = node->sim->options.exec != 0, .items = &items, .node = node};
    cs_replica_t *replica = cs_node_replica(node->node, CS_SIM_FOLDER);
    if (node->sim->forgot && cs_replica_project_all(replica, &items) != CS_OK) {
        cs_sim_fail(node->sim, "node %c cannot read its state", 'A' + node->index);
    }
    cs_mem_volume_walk(node->volume, add_item, &picture);
    cs_buf_put_u8(&picture.text, '\0');
    cs_items_fini(&items);
    *ret = picture.text;
}

static void show_trees(cs_sim_t *sim)
{
    for (unsigned i = 0; cs_sim_reads_lines(sim) && i < sim->node_count; i++) {
        cs_buf_t tree = {0};
        tree_of(&sim->node[i], &tree);
        cs_sim_line(sim, i, "has\n%s", (const char *)tree.data);
        cs_buf_fini(&tree);
    }
}

/* I2: equal trees; and I9: what is owed is in them. */
static void check_trees(cs_sim_t *sim, const cs_buf_t *first)
{
    for (unsigned i = 1; i < sim->node_count; i++) {
        cs_buf_t tree = {0};
        tree_of(&sim->node[i], &tree);
        if (tree.len != first->len || memcmp(tree.data, first->data, tree.len) != 0) {
            cs_sim_fail(sim, "I2: equal roots, but the trees of A and %c differ", 'A' + i);
        }
        cs_buf_fini(&tree);
    }
    for (uint32_t number = 0; number < cs_texts_end(sim->texts); number++) {
        char text[CS_TEXT_BYTES + 1] = " ";
        if (!cs_texts_is_owed(sim->texts, number)) continue;
        cs_text_print(number, text + 1);
        if (strstr((const char *)first->data, text) == NULL) {
            cs_sim_fail(sim, "I9: text %06u was saved, nobody removed it, and it is nowhere",
                        number);
        }
    }
}

/* --- what the state says, against the disk */

typedef struct shown {
    cs_sim_t *sim;
    cs_items_t items;
} shown_t;

/* I4: a live content is somebody's. */
static void is_shown(void *arg, const cs_oracle_content_t *content)
{
    shown_t *shown = arg;
    for (uint32_t i = 0; i < shown->items.len; i++) {
        const cs_content_t *item = &shown->items.item[i].content;
        if (item->kind == content->kind && item->size == content->size &&
            memcmp(item->hash, content->hash, CS_HASH_BYTES) == 0) {
            return;
        }
    }
    if (content->kind == CS_KIND_DIR) return; /* shown by what is in it */
    cs_sim_fail(shown->sim, "I4: a live content of %llu bytes, written at %.*s, is nowhere",
                (unsigned long long)content->size, (int)content->path.len,
                (const char *)content->path.data);
}

/* I2, second half: the disk shows the projection. */
static void check_projection(cs_sim_t *sim, cs_sim_node_t *node)
{
    shown_t shown = {.sim = sim};
    cs_replica_t *replica = cs_node_replica(node->node, CS_SIM_FOLDER);
    if (cs_replica_project_all(replica, &shown.items) != CS_OK) {
        cs_sim_fail(sim, "node %c cannot read its state", 'A' + node->index);
    }
    for (uint32_t i = 0; i < shown.items.len && !cs_sim_failed(sim); i++) {
        static const cs_kind_t kinds[] = {CS_KIND_FILE, CS_KIND_SYMLINK, CS_KIND_DIR};
        const cs_item_t *item = &shown.items.item[i];
        if (cs_node_why(node->node, CS_SIM_FOLDER, item).kind == CS_WHY_MISSING) continue;
        cs_stat_t st;
        cs_err_t err = cs_mem_user_stat(node->volume, cs_slice_str(item->path), &st);
        bool same =
            err == CS_OK && st.type <= CS_NODE_DIR && kinds[st.type] == item->content.kind;
        if (same && item->content.kind == CS_KIND_FILE) {
            same = st.print.size == item->content.size &&
                   (sim->options.exec || st.mode == (item->attr.mode & ~CS_SIM_UMASK));
        }
        if (!same) {
            cs_sim_fail(sim, "I2: %s is not on the disk of %c as its state says",
                        item->path->data, 'A' + node->index);
        }
    }
    cs_oracle_each_content(sim->oracle, node->index, &shown, is_shown);
    cs_items_fini(&shown.items);
}

/* Operations that a scan of everything makes. */
static uint64_t settle_again(cs_sim_t *sim)
{
    uint64_t minted = cs_oracle_minted(sim->oracle);
    settle(sim);
    return cs_oracle_minted(sim->oracle) - minted;
}

static void chain_trees(cs_sim_t *sim, const cs_buf_t *picture)
{
    uint8_t next[CS_HASH_BYTES];
    crypto_generichash(next, sizeof next, picture->data, picture->len, sim->trees,
                       sizeof sim->trees);
    memcpy(sim->trees, next, sizeof next);
}

/* I5, GetPut: looking at unchanged trees changes nothing. */
static void check_getput(cs_sim_t *sim)
{
    uint64_t made = settle_again(sim);
    if (made == 0) return;
    cs_sim_fail(sim, "I5: a scan of unchanged trees made %llu operations",
                (unsigned long long)made);
}

void cs_sim_rest(cs_sim_t *sim)
{
    bool all[CS_SIM_NODES_MAX];
    cs_buf_t first = {0};
    memset(all, true, sizeof all);
    cs_sim_line(sim, -1, "--- rest");
    cs_sim_see(sim, &(cs_sight_t){.kind = CS_SIGHT_REST});
    cs_sim_heal(sim);
    if (cs_oracle_hole(sim->oracle)) {
        sim->next_act = sim->history->len; /* what is next would judge what nobody promised */
        return;
    }
    /* Twice: a directory that a user made may look like one that waits to be removed, as long
     * as something else is to be done at its name. If it did not, this was GetPut's scan. */
    settle(sim);
    bool same = !cs_sim_failed(sim) && settle_again(sim) == 0;
    if (!cs_sim_failed(sim)) (void)cs_sim_until(sim, was_quiet, "quiet");
    if (cs_oracle_hole(sim->oracle)) {
        sim->why[0] = '\0';
        sim->next_act = sim->history->len;
        return;
    }
    if (!cs_sim_failed(sim)) {
        if (!cs_oracle_check_rest(sim->oracle, all, NULL)) {
            cs_sim_fail(sim, "%s", cs_oracle_failure(sim->oracle));
        }
        tree_of(&sim->node[0], &first);
        check_trees(sim, &first);
        chain_trees(sim, &first);
        for (unsigned i = 0; i < sim->node_count; i++) {
            check_projection(sim, &sim->node[i]);
            cs_sim_load_rest(&sim->node[i]);
        }
    }
    if (!cs_sim_failed(sim) && (!same || is_last(sim))) check_getput(sim);
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_touched_clear(&sim->node[i].touched);
    }
    if (cs_sim_failed(sim)) show_trees(sim);
    if (!cs_sim_failed(sim)) cs_sim_line(sim, -1, "all have\n%s", (const char *)first.data);
    cs_buf_fini(&first);
    sim->fair = false;
    sim->rests++;
}

/* --- the index of a node that stops: what its next life is to begin with is whole */

static void on_problem(void *arg, cs_slice_t path, const char *text)
{
    cs_sim_node_t *node = arg;
    cs_sim_fail(node->sim, "node %c: its index is wrong at '%.*s': %s", 'A' + node->index,
                (int)path.len, (const char *)path.data, text);
}

void cs_sim_check_index(cs_sim_node_t *node)
{
    cs_keys_t keys;
    cs_snapshot_t *snapshot = cs_store_snapshot(node->store);
    const cs_verify_t config = {.store = node->store,
                                .snapshot = snapshot,
                                .folder = CS_SIM_FOLDER,
                                .keys = &keys,
                                .arg = node,
                                .problem = on_problem};
    cs_keys_derive(&keys, cs_sim_secret);
    cs_err_t err = cs_replica_verify(&config);
    if (err != CS_OK) {
        cs_sim_fail(node->sim, "node %c: its index cannot be read", 'A' + node->index);
    }
    cs_store_release(node->store, &snapshot);
}
