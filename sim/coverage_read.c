/* coverage_read.c - operations, read from the batches that nodes are about to write. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/coverage_i.h"
#include "sim/oracle_i.h"

#define CHANGES_MAX 128u /* rows of one batch that are looked at */

typedef struct change {
    cs_slice_t path;         /* of a base row; points into the batch */
    cs_item_t before, after; /* path NULL: none */
    bool taken;              /* it is what a move left */
} change_t;

typedef struct reading {
    cs_coverage_t *coverage;
    cs_sim_node_t *node;
    const cs_batch_t *batch;
    bool local;
    or_state_t before, after;
    or_slots_t seen_before, seen; /* of them */
    change_t change[CHANGES_MAX];
    unsigned count;
    const cs_bucket_t *wanted; /* entry that is looked for in the batch, and found there */
    cs_entry_t *found;
    bool is_found;
} reading_t;

/* --- the batch */

static change_t *change_of(reading_t *reading, cs_slice_t path)
{
    for (unsigned i = 0; i < reading->count; i++) {
        if (cs_slice_eq(reading->change[i].path, path)) return &reading->change[i];
    }
    if (reading->count == CHANGES_MAX) return NULL;
    change_t *change = &reading->change[reading->count++];
    cs_buf_t value = {0};
    *change = (change_t){.path = path};
    if (cov_get(reading->node->store, 'b', path, &value)) {
        bool ok = cov_read_row(path, cs_buf_slice(&value), &change->before);
        (void)ok; /* then there is none */
    }
    cs_buf_fini(&value);
    return change;
}

static void on_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    reading_t *reading = arg;
    cs_slice_t name, bytes;
    change_t *change;
    if (cov_in_table(key, 'b', &name) && (change = change_of(reading, name)) != NULL) {
        cs_item_fini(&change->after);
        bool ok = cov_read_row(name, value, &change->after);
        (void)ok;
    }
    if (cov_in_table(key, 'm', &name) && cs_slice_eq(name, cs_slice_text("state")) &&
        or_unseal(value, &bytes) && !or_read_state(bytes, &reading->after, &reading->seen)) {
        reading->after.rid = 0;
    }
}

/* ret_dot: of one of its contents; may be NULL. */
static bool is_live_at(cs_sim_node_t *node, const cs_bucket_t *bucket, cs_dot_t *ret_dot)
{
    cs_entry_t entry;
    cs_store_t *store = node->store;
    if (!node->up && cs_mem_store_open(node->disk, &store) != CS_OK) return false;
    cs_entry_init(&entry, bucket);
    bool live = cov_stored_entry(store, bucket, &entry) && entry.k_len > 0;
    if (live && ret_dot != NULL) *ret_dot = entry.k[0].dot;
    cs_entry_fini(&entry);
    if (!node->up) cs_store_close(&store);
    return live;
}

/* How many other nodes have something in that entry. */
static unsigned count_live(const reading_t *reading, const cs_bucket_t *bucket)
{
    cs_sim_t *sim = reading->node->sim;
    unsigned count = 0;
    for (unsigned i = 0; i < sim->node_count; i++) {
        count += i != reading->node->index && is_live_at(&sim->node[i], bucket, NULL);
    }
    return count;
}

static void on_delete(void *arg, cs_slice_t key)
{
    reading_t *reading = arg;
    cs_coverage_t *coverage = reading->coverage;
    cs_slice_t name;
    cs_bucket_t bucket;
    change_t *change;
    if (cov_in_table(key, 'b', &name) && (change = change_of(reading, name)) != NULL) {
        cs_item_fini(&change->after);
    }
    if (!cov_in_table(key, 'e', &name) || name.len != sizeof bucket.b) return;
    memcpy(bucket.b, name.data, sizeof bucket.b);
    unsigned live = count_live(reading, &bucket);
    if (live == 0 || live + 2 > reading->node->sim->node_count) return;
    for (size_t i = 0; i < coverage->len; i++) {
        cov_op_t *op = &coverage->op[i];
        bool same = memcmp(&op->bucket, &bucket, sizeof bucket) == 0;
        if (same && op->kind == 'r') op->forgotten = true;
    }
}

static void find_put(void *arg, cs_slice_t key, cs_slice_t value)
{
    reading_t *reading = arg;
    cs_slice_t name;
    if (cov_in_table(key, 'e', &name) &&
        cs_slice_eq(name, cs_slice(reading->wanted->b, sizeof reading->wanted->b))) {
        reading->is_found = cov_read_entry(value, reading->found);
    }
}

static void find_delete(void *arg, cs_slice_t key)
{
    (void)arg;
    (void)key;
}

/* As it will be after the batch, or is. ret: initialised. */
static bool entry_after(reading_t *reading, const cs_bucket_t *bucket, cs_entry_t *ret)
{
    reading->wanted = bucket;
    reading->found = ret;
    reading->is_found = false;
    cs_batch_each(reading->batch, reading, find_put, find_delete);
    return reading->is_found || cov_stored_entry(reading->node->store, bucket, ret);
}

static uint64_t ctx_after(reading_t *reading, const cs_bucket_t *bucket, uint64_t rid)
{
    cs_entry_t entry;
    cs_entry_init(&entry, bucket);
    uint64_t ctr = entry_after(reading, bucket, &entry) ? cs_vv_get(&entry.ctx, rid) : 0;
    cs_entry_fini(&entry);
    uint64_t seen = or_slot_of(&reading->seen, rid);
    return ctr > seen ? ctr : seen;
}

static bool is_minted(const reading_t *reading, cs_dot_t dot)
{
    return dot.rid == reading->after.rid && dot.ctr > reading->before.ctr;
}

/* --- operations */

static void set_apart(reading_t *reading, cov_op_t *op)
{
    const cs_coverage_t *coverage = reading->coverage;
    size_t at = coverage->len;
    for (size_t back = 1; back <= COV_WINDOW && back <= at; back++) {
        const cov_op_t *other = &coverage->op[at - back];
        if (other->rid == op->rid) continue;
        bool known = ctx_after(reading, &other->bucket, other->rid) >= other->ctr;
        if (!known || op->behind) op->apart |= (uint64_t)1 << (back - 1);
    }
}

static cov_op_t *add(reading_t *reading, char kind, const change_t *change)
{
    cs_coverage_t *coverage = reading->coverage;
    const cs_item_t *row = change->after.path != NULL ? &change->after : &change->before;
    const cs_item_t *old = &change->before;
    if (coverage->len == COV_OPS_MAX || row->back_len == 0) return NULL;
    cov_op_t *op = &coverage->op[coverage->len];
    *op = (cov_op_t){.kind = kind,
                     .node = reading->node->index,
                     .rid = reading->after.rid,
                     .batch = coverage->batches,
                     .bucket = row->back[0].bucket,
                     .lin = row->back[0].lin,
                     .is_mode = row->attr.mode,
                     .was_mode = row->attr.mode};
    memcpy(op->is, row->content.hash, sizeof op->is);
    if (old->path != NULL && (kind == 'e' || kind == 'r' || kind == 'p')) {
        memcpy(op->was, old->content.hash, sizeof op->was);
        op->was_mode = old->attr.mode;
        op->behind = cov_is_behind(reading->node, old);
        cov_set_place(reading->coverage, reading->node, old, &op->at);
    } else {
        cov_set_place(reading->coverage, reading->node, row, &op->at);
    }
    op->ctr = ctx_after(reading, &op->bucket, op->rid);
    set_apart(reading, op);
    coverage->len++;
    return op;
}

static bool has_minted_k(const reading_t *reading, const cs_item_t *row)
{
    bool any = false;
    for (uint32_t i = 0; i < row->back_len; i++) {
        any = any || is_minted(reading, row->back[i].k);
    }
    return any;
}

static bool has_minted_l(const reading_t *reading, const cs_item_t *row)
{
    bool any = false;
    for (uint32_t i = 0; i < row->back_len; i++) {
        for (uint32_t k = 0; k < row->back[i].l_len; k++) {
            any = any || is_minted(reading, row->back[i].l_dots[k]);
        }
    }
    return any;
}

/* Of one lineage, or a sibling that became one of its own by being moved. */
static bool came_from(const cs_item_t *to, const cs_item_t *from)
{
    bool same = cov_is_lineage(from, to);
    for (uint32_t i = 0; i < from->back_len && to->back_len > 0; i++) {
        same = same || (!cs_dot_is_null(from->back[i].k) &&
                        cs_dot_eq(to->back[0].lin, from->back[i].k));
    }
    return same;
}

/* Where it was: a row of the same lineage that went, or became another's. */
static change_t *source_of(reading_t *reading, const change_t *to)
{
    for (unsigned i = 0; i < reading->count; i++) {
        change_t *from = &reading->change[i];
        if (from == to || from->taken || from->before.path == NULL) continue;
        if (!came_from(&to->after, &from->before)) continue;
        if (!cs_content_eq(&from->before.content, &to->after.content)) continue;
        if (from->after.path == NULL || !came_from(&from->after, &from->before)) return from;
    }
    return NULL;
}

static void read_moves(reading_t *reading)
{
    for (unsigned i = 0; i < reading->count; i++) {
        change_t *to = &reading->change[i];
        if (to->after.path == NULL || has_minted_k(reading, &to->after)) continue;
        if (!has_minted_l(reading, &to->after)) continue;
        change_t *from = source_of(reading, to);
        if (from == NULL) continue; /* a name that was made fast */
        cov_op_t *op = add(reading, 'm', to);
        to->taken = from->taken = true;
        if (op == NULL) continue;
        memcpy(op->was, op->is, sizeof op->was);
        op->was_mode = from->before.attr.mode;
        op->behind = cov_is_behind(reading->node, &from->before);
        cov_set_place(reading->coverage, reading->node, &from->before, &op->from);
    }
}

/* Another node has something there, of which this one knows that it is gone. */
static bool is_ghost(reading_t *reading, const cs_bucket_t *bucket)
{
    cs_sim_t *sim = reading->node->sim;
    bool ghost = false;
    if (is_live_at(reading->node, bucket, NULL)) return false;
    for (unsigned i = 0; i < sim->node_count; i++) {
        cs_dot_t dot;
        if (i == reading->node->index || !is_live_at(&sim->node[i], bucket, &dot)) continue;
        ghost = ghost || ctx_after(reading, bucket, dot.rid) >= dot.ctr;
    }
    return ghost;
}

static void read_writes(reading_t *reading)
{
    for (unsigned i = 0; i < reading->count; i++) {
        const change_t *change = &reading->change[i];
        const cs_item_t *old = &change->before, *row = &change->after;
        if (row->path == NULL) continue;
        bool same = old->path != NULL && cs_content_eq(&old->content, &row->content);
        bool anew = old->path == NULL || old->content.kind == CS_KIND_DIR;
        if (has_minted_k(reading, row) && !same) {
            bool dir = row->content.kind == CS_KIND_DIR;
            char kind = anew ? 'c' : 'e';
            if (dir) kind = 'd';
            cov_op_t *op = add(reading, kind, change);
            if (op != NULL && op->kind == 'c') op->ghost = is_ghost(reading, &op->bucket);
        } else if (same && !change->taken && old->attr.mode != row->attr.mode) {
            bool mine = false;
            for (uint32_t k = 0; k < row->back_len; k++) {
                for (uint32_t n = 0; n < row->back[k].a_len; n++) {
                    mine = mine || is_minted(reading, row->back[k].a_dots[n]);
                }
            }
            if (mine) add(reading, 'p', change);
        }
    }
}

static void read_removals(reading_t *reading)
{
    for (unsigned i = 0; i < reading->count; i++) {
        const change_t *change = &reading->change[i];
        if (change->after.path != NULL || change->before.path == NULL || change->taken) {
            continue;
        }
        const cs_bucket_t *bucket = &change->before.back[0].bucket;
        bool mine = change->before.back_len > 0 &&
                    ctx_after(reading, bucket, reading->after.rid) > reading->before.ctr;
        if (!mine) continue;
        add(reading, change->before.content.kind == CS_KIND_DIR ? 'D' : 'r', change);
    }
}

/* What an old image does not have keeps its name, at those who heard of it. */
static void lose(reading_t *reading)
{
    cs_coverage_t *coverage = reading->coverage;
    for (size_t i = 0; i < coverage->len; i++) {
        cov_op_t *op = &coverage->op[i];
        if (op->rid == reading->before.rid && op->node == reading->node->index &&
            op->ctr > reading->before.ctr) {
            op->lost = true;
        }
    }
}

/* What a new incarnation renamed has no name that others could know. */
static void rename_all(reading_t *reading)
{
    cs_coverage_t *coverage = reading->coverage;
    for (size_t i = 0; i < coverage->len; i++) {
        cov_op_t *op = &coverage->op[i];
        if (op->rid == reading->before.rid && op->node == reading->node->index &&
            op->ctr > reading->before.exposed && !op->lost) {
            op->kind = '\0';
        }
    }
}

void cs_coverage_batch(cs_coverage_t *coverage, cs_sim_node_t *node, const cs_batch_t *batch,
                       bool local)
{
    reading_t *reading = cs_calloc(1, sizeof *reading);
    cs_buf_t state = {0};
    cs_slice_t bytes;
    reading->coverage = coverage;
    reading->node = node;
    reading->batch = batch;
    if (cov_get(node->store, 'm', cs_slice_text("state"), &state) &&
        or_unseal(cs_buf_slice(&state), &bytes) &&
        !or_read_state(bytes, &reading->before, &reading->seen_before)) {
        reading->before.rid = 0;
    }
    cs_batch_each(batch, reading, on_put, on_delete);
    lose(reading);
    bool same = reading->before.rid == 0 || reading->before.rid == reading->after.rid;
    if (!same && reading->after.rid != 0) rename_all(reading);
    if (local && same && reading->after.ctr > reading->before.ctr) {
        coverage->batches++;
        read_moves(reading);
        read_writes(reading);
        read_removals(reading);
    }
    for (unsigned i = 0; i < reading->count; i++) {
        cs_item_fini(&reading->change[i].before);
        cs_item_fini(&reading->change[i].after);
    }
    cs_free(reading->seen_before.at);
    cs_free(reading->seen.at);
    cs_buf_fini(&state);
    cs_free(reading);
}

void cs_coverage_renamed(cs_coverage_t *coverage, const char *why)
{
    if (strstr(why, "later state") != NULL) coverage->restored = true;
}
