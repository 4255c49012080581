/* oracle_life.c - what a node is made to forget: images, copies, lost rows. */
#include <string.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

struct cs_oracle_image {
    or_node_t node; /* with copies of what it owns */
    struct image_row {
        uint32_t bucket;
        or_entry_t *entry; /* a reference */
    } * row;
    size_t row_len;
};

/* --- images */

static void *copy_of(const void *data, size_t count, size_t bytes)
{
    return count == 0 ? NULL : cs_memdup(data, count * bytes);
}

/* Arrays of its own, as long as what is in them. */
static or_node_t node_copy(const or_node_t *node)
{
    or_node_t copy = *node;
    copy.local.at = copy_of(node->local.at, node->local.len, sizeof *node->local.at);
    copy.local.cap = node->local.len;
    copy.seen = copy_of(node->seen, node->seen_len, sizeof *node->seen);
    copy.log.at = copy_of(node->log.at, node->log.len, sizeof *node->log.at);
    copy.log.cap = node->log.len;
    return copy;
}

static void node_fini(or_node_t *node)
{
    cs_free(node->local.at);
    cs_free(node->seen);
    cs_free(node->log.at);
}

cs_oracle_image_t *cs_oracle_image(const cs_oracle_t *oracle, unsigned node)
{
    CS_ASSERT(node < oracle->config.node_count);
    cs_oracle_image_t *image = cs_calloc(1, sizeof *image);
    image->node = node_copy(&oracle->node[node]);
    image->row = cs_malloc(oracle->bucket_len * sizeof *image->row);
    for (uint32_t i = 0; i < oracle->bucket_len; i++) {
        or_entry_t *entry = or_entry_ref(*or_entry_at(oracle, i, node));
        if (entry != NULL) image->row[image->row_len++] = (struct image_row){i, entry};
    }
    return image;
}

void cs_oracle_image_destroy(cs_oracle_image_t **image_p)
{
    cs_oracle_image_t *image = *image_p;
    *image_p = NULL;
    if (image == NULL) return;
    node_fini(&image->node);
    for (size_t i = 0; i < image->row_len; i++) {
        or_entry_unref(&image->row[i].entry);
    }
    cs_free(image->row);
    cs_free(image);
}

/* --- taking one's place */

static void set_live(cs_oracle_t *o, unsigned node, const or_entry_t *entry, bool live)
{
    uint64_t bit = 1ull << node;
    for (uint32_t i = 0; i < entry->live_len; i++) {
        or_dot_t *dot = &o->dot[entry->live[i].dot];
        dot->live_at = live ? dot->live_at | bit : dot->live_at & ~bit;
    }
}

/* What is nowhere now may never come back. */
static void orphan(cs_oracle_t *o, uint32_t id)
{
    or_dot_t *dot = &o->dot[id];
    if (dot->live_at == 0) dot->orphan = true;
}

static void orphan_all(cs_oracle_t *o, const or_entry_t *entry)
{
    for (uint32_t i = 0; i < entry->live_len; i++) {
        orphan(o, entry->live[i].dot);
    }
}

/* The rows of the image (NULL: none) instead of the node's. */
static void replace_rows(cs_oracle_t *o, unsigned node, const cs_oracle_image_t *image)
{
    size_t count = o->bucket_len;
    or_entry_t **old = cs_malloc(count * sizeof(or_entry_t *));
    for (uint32_t i = 0; i < count; i++) {
        old[i] = *or_entry_at(o, i, node);
        *or_entry_at(o, i, node) = NULL;
        if (old[i] != NULL) set_live(o, node, old[i], false);
    }
    for (size_t i = 0; image != NULL && i < image->row_len; i++) {
        *or_entry_at(o, image->row[i].bucket, node) = or_entry_ref(image->row[i].entry);
        set_live(o, node, image->row[i].entry, true);
    }
    for (size_t i = 0; i < count; i++) {
        if (old[i] != NULL) orphan_all(o, old[i]);
        or_entry_unref(&old[i]);
    }
    cs_free(old);
}

/* Removals of what never happened: uncertain if somebody may know of them, else undone. */
static void undo_log(cs_oracle_t *o, unsigned node)
{
    const or_log_t *log = &o->node[node].log;
    for (size_t i = 0; i < log->len; i++) {
        const or_event_t *event = &log->at[i];
        if (event->exposed) or_doubt(o, node, event->dot);
        or_dot_t *dot = &o->dot[event->dot];
        dot->removed_by &= ~(1ull << node);
        if (!or_is_removed(dot)) or_list(o, event->dot);
    }
}

/* Those that both logs have, were perhaps exposed since. */
static void redo_log(cs_oracle_t *o, unsigned node, or_log_t *log)
{
    const or_log_t *was = &o->node[node].log;
    for (size_t i = 0; i < log->len; i++) {
        or_event_t *event = &log->at[i];
        if (i < was->len && was->at[i].id == event->id) event->exposed |= was->at[i].exposed;
        if (!event->doubted) o->dot[event->dot].removed_by |= 1ull << node;
    }
}

static void become(cs_oracle_t *o, unsigned index, const cs_oracle_image_t *image, bool own)
{
    or_node_t *node = &o->node[index];
    or_node_t now = node_copy(&image->node);
    undo_log(o, index);
    if (own) {
        redo_log(o, index, &now.log);
    } else {
        now.log.len = now.log.exposed = 0; /* what `from` removed stays its own doing */
    }
    replace_rows(o, index, image);
    for (size_t i = 0; i < node->log.len; i++) { /* what was minted and removed since */
        orphan(o, node->log.at[i].dot);
    }
    now.minted = node->minted;
    now.doubtful = true;
    node_fini(node);
    *node = now;
    if (now.rid != OR_NONE) o->rid[now.rid].holder = index;
}

void cs_oracle_restored(cs_oracle_t *oracle, unsigned node, const cs_oracle_image_t *image)
{
    CS_ASSERT(node < oracle->config.node_count);
    if (or_failed(oracle)) return;
    become(oracle, node, image, true);
}

void cs_oracle_copied(cs_oracle_t *oracle, unsigned to, unsigned from)
{
    CS_ASSERT(to < oracle->config.node_count && from < oracle->config.node_count);
    CS_ASSERT(to != from);
    if (or_failed(oracle)) return;
    or_node_t *origin = &oracle->node[from];
    cs_oracle_image_t *image = cs_oracle_image(oracle, from);
    become(oracle, to, image, false);
    cs_oracle_image_destroy(&image);
    if (origin->rid != OR_NONE) oracle->rid[origin->rid].holder = from;
    origin->doubtful = true;
    for (size_t i = 0; i < origin->log.len; i++) {
        origin->log.at[i].exposed = true; /* the copy knows, whatever the origin forgets */
    }
}

/* --- lost rows */

static bool has_prefix(cs_slice_t key, cs_slice_t prefix)
{
    return key.len >= prefix.len &&
           (prefix.len == 0 || memcmp(key.data, prefix.data, prefix.len) == 0);
}

static void begin_key(const cs_oracle_t *o, cs_buf_t *key)
{
    cs_buf_clear(key);
    cs_buf_put_u32_be(key, o->config.folder);
}

static void lose_row(cs_oracle_t *o, unsigned index, uint32_t bucket)
{
    or_node_t *node = &o->node[index];
    or_entry_t **at = or_entry_at(o, bucket, index);
    if ((*at)->live_len > 0) {
        node->damaged = true;
        node->live--;
        if (o->config.roots) or_sum(node->sum, or_entry_term(o, *at), false);
    }
    set_live(o, index, *at, false);
    orphan_all(o, *at);
    or_entry_unref(at);
}

void cs_oracle_lost_rows(cs_oracle_t *oracle, unsigned node, cs_slice_t prefix)
{
    CS_ASSERT(node < oracle->config.node_count);
    if (or_failed(oracle)) return;
    cs_buf_t key = {0};
    bool any = false;
    for (uint32_t i = 0; i < oracle->bucket_len; i++) {
        if (*or_entry_at(oracle, i, node) == NULL) continue;
        begin_key(oracle, &key);
        cs_buf_put_slice(&key, cs_slice_text("e/"));
        cs_buf_put(&key, oracle->bucket[i].id, OR_BUCKET);
        if (!has_prefix(cs_buf_slice(&key), prefix)) continue;
        lose_row(oracle, node, i);
        any = true;
    }
    begin_key(oracle, &key);
    cs_buf_put_slice(&key, cs_slice_text("m/state"));
    or_node_t *lossy = &oracle->node[node];
    if (has_prefix(cs_buf_slice(&key), prefix) && lossy->rid != OR_NONE) {
        any = lossy->damaged = true;
    }
    /* It may have been the only one to know. */
    for (size_t i = 0; any && i < lossy->log.len; i++) {
        or_doubt(oracle, node, lossy->log.at[i].dot);
    }
    cs_buf_fini(&key);
}
