/* list_walk.c - from the root of a download through its chunk list to slots.
 *
 * The list is walked depth first, a node at a time on the way down and a window of leaves at
 * the bottom, so a file of any size takes the same memory. Nodes are verified by their names,
 * from a root that the content hash proves; what they say is checked all the same, since
 * whoever made the content may have made them up. */
#include "base/mem.h"
#include "xfer/fetch_internal.h"

cs_leaf_t *cs__list_leaf(cs_download_t *download, const cs_name_t *name)
{
    CS_ASSERT(download->leaves < CS_FETCH_LEAVES_MAX);
    cs_leaf_t *leaf = &download->leaf[download->leaves++];
    *leaf = (cs_leaf_t){.serial = download->serial++};
    leaf->node = (cs_node_want_t){.name = *name, .wanted = true};
    return leaf;
}

/* --- nodes */

/* Items of a node of the right shape: leaf: every length is that of a chunk; else every one is
 * 0. */
static uint32_t node_count(cs_slice_t bytes, bool leaf)
{
    size_t count = bytes.len / CS_NODE_ITEM_BYTES;
    if (bytes.len % CS_NODE_ITEM_BYTES != 0 || count > CS_NODE_ITEMS_MAX) return 0;
    cs_reader_t reader = cs_reader(bytes);
    for (size_t i = 0; i < count; i++) {
        uint32_t len = cs_read_u32(&reader);
        cs_read_bytes(&reader, CS_HASH_BYTES);
        if (leaf ? len == 0 || len > CS_CHUNK_MAX : len != 0) return 0;
    }
    return (uint32_t)count;
}

static bool inner_read(cs_download_t *download, cs_slice_t bytes)
{
    uint32_t count = node_count(bytes, false);
    bool root = download->frames == 0;
    if (count == 0 || (root && count == 1) || download->frames + 1 >= download->depth) {
        return false;
    }
    cs_frame_t *frame = &download->frame[download->frames++];
    *frame = (cs_frame_t){.count = count};
    frame->child = cs_malloc(count * sizeof frame->child[0]);
    cs_reader_t reader = cs_reader(bytes);
    for (uint32_t i = 0; i < count; i++) {
        cs_read_u32(&reader);
        cs_read_copy(&reader, frame->child[i].b, CS_HASH_BYTES);
    }
    download->rooted = true;
    return true;
}

static bool leaf_read(cs_download_t *download, cs_leaf_t *leaf, cs_slice_t bytes)
{
    uint32_t count = node_count(bytes, true);
    if (count == 0 || (download->depth == 1 && count == 1)) return false;
    leaf->node = (cs_node_want_t){.name = leaf->node.name};
    leaf->state = CS_LEAF_READ;
    leaf->count = leaf->left = count;
    leaf->slot = cs_calloc(count, sizeof leaf->slot[0]);
    cs_reader_t reader = cs_reader(bytes);
    for (uint32_t i = 0; i < count; i++) {
        leaf->slot[i].len = cs_read_u32(&reader);
        cs_read_copy(&reader, leaf->slot[i].name.b, CS_HASH_BYTES);
    }
    download->rooted = true;
    return true;
}

/* List leaves while there is space and no upper node has to be fetched first. */
static void walk(cs_download_t *download)
{
    while (!download->inner.wanted && download->leaves < CS_FETCH_LEAVES_MAX) {
        while (download->frames > 0) {
            cs_frame_t *top = &download->frame[download->frames - 1];
            if (top->next < top->count) break;
            cs_free(top->child);
            download->frames--;
        }
        if (download->frames == 0) {
            download->walked = true;
            return;
        }
        cs_frame_t *top = &download->frame[download->frames - 1];
        const cs_name_t *child = &top->child[top->next++];
        if (download->frames + 1 == download->depth) {
            cs__list_leaf(download, child);
        } else {
            download->inner = (cs_node_want_t){.name = *child, .wanted = true};
        }
    }
}

/* Offsets follow from all lengths before. False: the lengths cannot be. */
static bool place(cs_download_t *download)
{
    uint64_t size = download->want->content.size;
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (leaf->state == CS_LEAF_LISTED) break;
        if (leaf->state != CS_LEAF_READ) continue;
        for (uint32_t k = 0; k < leaf->count; k++) {
            cs_slot_t *slot = &leaf->slot[k];
            if (slot->len > size - download->placed) return false;
            slot->offset = download->placed;
            download->placed += slot->len;
            /* Only the last one may be short: this bounds the number of chunks. */
            if (slot->len < CS_CHUNK_MIN && download->placed < size) return false;
            cs_content_hasher_chunk(download->hasher, &slot->name, slot->len);
        }
        leaf->state = CS_LEAF_PLACED;
    }
    bool all = download->walked && download->leaves == 0;
    return !all || download->placed == size;
}

bool cs__list_prove(cs_download_t *download)
{
    cs_content_t found;
    cs_content_hasher_end(download->hasher, &found);
    return cs_content_eq(&found, &download->want->content);
}

bool cs__list_expects(const cs_download_t *download, const cs_name_t *node)
{
    const cs_node_want_t *inner = &download->inner;
    if (inner->askers != 0 && cs_name_eq(&inner->name, node)) return true;
    for (uint32_t i = 0; i < download->leaves; i++) {
        const cs_node_want_t *leaf = &download->leaf[i].node;
        if (leaf->askers != 0 && cs_name_eq(&leaf->name, node)) return true;
    }
    return false;
}

bool cs__list_take(cs_download_t *download, const cs_name_t *name, cs_slice_t bytes)
{
    if (download->inner.wanted && cs_name_eq(&download->inner.name, name)) {
        download->inner = (cs_node_want_t){0};
        if (!inner_read(download, bytes)) return false;
    }
    bool is_leaf = false;
    for (uint32_t i = 0; i < download->leaves; i++) {
        cs_leaf_t *leaf = &download->leaf[i];
        if (!leaf->node.wanted || !cs_name_eq(&leaf->node.name, name)) continue;
        if (!leaf_read(download, leaf, bytes)) return false;
        is_leaf = true;
    }
    if (is_leaf && !cs_name_eq(&download->last, name)) {
        download->last = *name;
        cs_buf_clear(&download->last_node);
        cs_buf_put_slice(&download->last_node, bytes);
    }
    return true;
}

/* Was it here all the time? Once for each place: a version that differs little from the one
 * before shares most of its list with it. */
static bool look_for(cs_fetch_t *fetch, cs_download_t *download, cs_node_want_t *node)
{
    if (!node->wanted || node->looked) return true;
    node->looked = true;
    cs_name_t name = node->name, found;
    if (download->last_node.len > 0 && cs_name_eq(&download->last, &name)) {
        return cs__list_take(download, &name, cs_buf_slice(&download->last_node));
    }
    if (fetch->rows.node == NULL) return true;
    if (fetch->rows.node(fetch->rows.arg, &name, &fetch->node) != CS_OK) return true;
    cs_node_name(fetch->table, cs_buf_slice(&fetch->node), &found);
    if (!cs_name_eq(&found, &name)) return true; /* a row that is damaged: peers are asked */
    return cs__list_take(download, &name, cs_buf_slice(&fetch->node));
}

bool cs__list_go_down(cs_fetch_t *fetch, cs_download_t *download)
{
    bool fine = true;
    do {
        walk(download);
        fine = look_for(fetch, download, &download->inner);
        /* an upper node that was here is walked down before the next one is looked for */
    } while (fine && !download->inner.wanted && !download->walked &&
             download->leaves < CS_FETCH_LEAVES_MAX);
    for (uint32_t i = 0; fine && i < download->leaves; i++) {
        fine = look_for(fetch, download, &download->leaf[i].node);
    }
    return fine && place(download);
}
