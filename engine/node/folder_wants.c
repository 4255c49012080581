/* folder_wants.c - contents that are asked for, the paths that wait for them, and what to do
 * when there is no room for more wants. */
#include <string.h>

#include "base/mem.h"
#include "node/folder.h"

static void await_key(cs_folder_t *folder, const cs_content_t *content, cs_slice_t path)
{
    cs_buf_clear(&folder->scratch);
    cs_buf_put(&folder->scratch, content->hash, sizeof content->hash);
    cs_buf_put_slice(&folder->scratch, path);
}

static void await(cs_folder_t *folder, const cs_item_t *item)
{
    bool is_new;
    await_key(folder, &item->content, cs_slice_str(item->path));
    cs_onode_t *node =
        cs_omap_insert(&folder->awaited, cs_buf_slice(&folder->scratch), &is_new);
    node->mark = item->attr.mode;
    node->epoch = (uint64_t)item->mtime_ns;
}

/* NULL: nothing waits for it. */
static const cs_onode_t *first_awaiting(const cs_folder_t *folder, const cs_content_t *content)
{
    cs_slice_t prefix = cs_slice(content->hash, sizeof content->hash);
    const cs_onode_t *node = cs_omap_seek(&folder->awaited, prefix);
    return node != NULL && cs_slice_has_prefix(cs_onode_key(node), prefix) ? node : NULL;
}

cs_slice_t cs_folder_awaiting(const cs_folder_t *folder, const cs_content_t *content)
{
    const cs_onode_t *node = first_awaiting(folder, content);
    if (node == NULL) return cs_slice_text("");
    cs_slice_t key = cs_onode_key(node);
    return cs_slice(key.data + sizeof content->hash, key.len - sizeof content->hash);
}

bool cs_folder_dress(const cs_folder_t *folder, const cs_content_t *content, cs_dress_t *ret)
{
    const cs_onode_t *node = first_awaiting(folder, content);
    if (node == NULL) return false;
    *ret = (cs_dress_t){.mode = node->mark, .mtime_ns = (int64_t)node->epoch};
    return true;
}

static void make_ready(cs_folder_t *folder, cs_slice_t path)
{
    if (folder->ready_count == folder->ready_cap) {
        folder->ready_cap = cs_grow(folder->ready_cap, folder->ready_count + 1);
        folder->ready = cs_realloc_array(folder->ready, folder->ready_cap, sizeof(cs_str_t *));
    }
    folder->ready[folder->ready_count++] = cs_str_new(path.data, path.len);
}

void cs_folder_content_staged(cs_folder_t *folder, const cs_content_t *content)
{
    await_key(folder, content, cs_slice_text(""));
    cs_slice_t prefix = cs_slice(content->hash, sizeof content->hash);
    cs_onode_t *node;
    while ((node = cs_omap_seek(&folder->awaited, cs_buf_slice(&folder->scratch))) != NULL) {
        cs_slice_t key = cs_onode_key(node);
        if (!cs_slice_has_prefix(key, prefix)) break;
        make_ready(folder, cs_slice(key.data + prefix.len, key.len - prefix.len));
        cs_omap_remove(&folder->awaited, node);
    }
    if (folder->ready_count == 0) return; /* nobody waited for it */
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    bool more_comes = stats.wants > stats.sleeping && folder->ready_count < CS_GROUP_FILES_MAX;
    uint64_t at_ms = folder->now_ms + (more_comes ? CS_PLAN_WAIT_MS : 0);
    if (folder->ready_at_ms == 0 || at_ms < folder->ready_at_ms) folder->ready_at_ms = at_ms;
}

/* --- whom to ask first */

/* Whose news it is, or who said it first: others, who heard it from there as we did, have the
 * bytes no sooner. */
void cs_folder_heard(cs_folder_t *folder, cs_peer_t peer, const cs_entry_t *entry, bool own)
{
    for (uint32_t i = 0; i < entry->k_len; i++) {
        const cs_content_t *content = &entry->k[i].content;
        if (content->kind != CS_KIND_FILE && content->kind != CS_KIND_SYMLINK) continue;
        if (folder->heard.len >= CS_HEARD_MAX) cs_omap_fini(&folder->heard, NULL);
        bool is_new;
        cs_slice_t hash = cs_slice(content->hash, sizeof content->hash);
        cs_onode_t *node = cs_omap_insert(&folder->heard, hash, &is_new);
        if (is_new || own) node->epoch = peer;
        cs_name_t name;
        memcpy(name.b, content->hash, sizeof name.b);
        if (own) cs_fetch_on_have(folder->fetch, peer, &name);
    }
}

static cs_peer_t heard_of(cs_folder_t *folder, const cs_content_t *content)
{
    cs_slice_t hash = cs_slice(content->hash, sizeof content->hash);
    cs_onode_t *node = cs_omap_find(&folder->heard, hash);
    if (node == NULL) return 0;
    cs_peer_t peer = (cs_peer_t)node->epoch;
    cs_omap_remove(&folder->heard, node);
    return peer;
}

/* --- no room */

static void no_room(cs_folder_t *folder, const cs_content_t *content, cs_slice_t path)
{
    if (!cs_content_is_small(content)) {
        folder->large_full = true;
        return;
    }
    if (folder->wants_full && cs_slice_cmp(cs_buf_slice(&folder->pause_at), path) <= 0) return;
    folder->wants_full = true;
    cs_buf_clear(&folder->pause_at);
    cs_buf_put_slice(&folder->pause_at, path);
}

void cs_folder_need(void *arg, const cs_item_t *item)
{
    cs_folder_t *folder = arg;
    const cs_content_t *content = &item->content;
    cs_slice_t path = cs_slice_str(item->path);
    cs_peer_t peer = heard_of(folder, content);
    if (cs_fetch_want(folder->fetch, content, peer) == CS_ERR_AGAIN) {
        no_room(folder, content, path);
        return;
    }
    folder->pass_size++;
    await(folder, item);
    cs_replica_park(folder->replica, path);
}

/* A pass that paused begins anew when contents have come: what changed meanwhile is looked at
 * first. If they do not come, because nobody has them, it goes on where it was, so that each
 * path has its turn. */
static void go_on_after_pause(cs_folder_t *folder, const cs_fetch_stats_t *stats)
{
    if (folder->awaited.len < CS_FETCH_WANTS_MAX / 2) {
        cs_buf_clear(&folder->cursor);
        folder->thorough_due |= folder->thorough;
        folder->refill = true;
        cs_folder_plan_more(folder);
    } else if (stats->wants - stats->sleeping < CS_FETCH_WANTS_MAX / 2) {
        folder->plan_due = true;
        folder->pass_at_ms = folder->now_ms;
    } else {
        return;
    }
    folder->wants_full = false;
}

void cs_folder_go_on_if_room(cs_folder_t *folder)
{
    if (!folder->wants_full && !folder->large_full) return;
    cs_fetch_stats_t stats;
    cs_fetch_stats(folder->fetch, &stats);
    if (folder->wants_full) {
        go_on_after_pause(folder, &stats);
    } else if (!folder->plan_due && stats.large < CS_FETCH_LARGE_MAX / 2) {
        folder->large_full = false;
        folder->refill = true;
        cs_folder_plan_more(folder);
    }
}
