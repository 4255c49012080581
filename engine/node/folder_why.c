/* folder_why.c - why a file is not on this disk as it should be. */
#include "node/node_internal.h"

void cs_folder_stuck(cs_folder_t *folder, cs_slice_t path, cs_err_t err)
{
    cs_onode_t *node = cs_omap_find(&folder->stuck, path);
    if (err == CS_OK) {
        if (node != NULL) cs_omap_remove(&folder->stuck, node);
        return;
    }
    if (node == NULL && folder->stuck.len >= CS_STUCK_MAX) return; /* counted as pending */
    bool is_new;
    if (node == NULL) node = cs_omap_insert(&folder->stuck, path, &is_new);
    node->epoch = (uint64_t)err;
}

#define REFUSED_MS \
    600000u /* what is not refused again within it is over: exchanges repeat it */

static bool is_recent(const cs_folder_t *folder, const cs_onode_t *node)
{
    return folder->now_ms < node->epoch + REFUSED_MS;
}

void cs_folder_refused(cs_folder_t *folder, cs_slice_t path)
{
    bool is_new;
    cs_onode_t *node = cs_omap_first(&folder->refused);
    while (folder->refused.len >= CS_STUCK_MAX && node != NULL) {
        cs_onode_t *next = node->next[0];
        if (!is_recent(folder, node)) cs_omap_remove(&folder->refused, node);
        node = next;
    }
    node = cs_omap_find(&folder->refused, path);
    if (node == NULL && folder->refused.len >= CS_STUCK_MAX) return;
    if (node == NULL) node = cs_omap_insert(&folder->refused, path, &is_new);
    node->epoch = folder->now_ms;
}

uint64_t cs_node_refused(cs_node_t *node, uint32_t number, size_t max,
                         void (*each)(void *arg, cs_slice_t path), void *arg)
{
    const cs_folder_t *folder = cs__node_folder(node, number);
    uint64_t count = 0;
    const cs_onode_t *at = folder == NULL ? NULL : cs_omap_first(&folder->refused);
    for (; at != NULL; at = at->next[0]) {
        if (!is_recent(folder, at)) continue;
        if (count++ < max) each(arg, cs_onode_key(at));
    }
    return count;
}

static bool is_on_disk(cs_folder_t *folder, const cs_item_t *item)
{
    cs_item_t row = {0};
    cs_err_t err = cs_replica_base(folder->replica, cs_slice_str(item->path), &row);
    bool same = err == CS_OK && cs_content_eq(&row.content, &item->content) &&
                cs_attr_eq(&row.attr, &item->attr);
    cs_item_fini(&row);
    return same;
}

/* What the folder as a whole waits for; HERE: nothing. */
static cs_why_t why_folder(const cs_folder_t *folder)
{
    if (folder->err != CS_OK) return (cs_why_t){.kind = CS_WHY_FOLDER, .err = folder->err};
    if (folder->held || cs_gossip_is_paused(folder->gossip)) {
        return (cs_why_t){.kind = CS_WHY_HELD, .err = CS_ERR_HELD};
    }
    if (folder->config.paused) return (cs_why_t){.kind = CS_WHY_PAUSED};
    return (cs_why_t){.kind = CS_WHY_HERE};
}

/* The bytes: where are they? */
static cs_why_t why_content(cs_folder_t *folder, const cs_content_t *content)
{
    cs_why_t why = {.kind = CS_WHY_QUEUED};
    if (content->kind == CS_KIND_DIR) return why;
    switch (cs_fetch_state(folder->fetch, content)) {
    case CS_FETCH_HERE:
        why.bytes_here = content->size;
        return why;
    case CS_FETCH_COMING:
        why.kind = CS_WHY_FETCHING;
        why.bytes_here = cs_fetch_progress(folder->fetch, content);
        return why;
    case CS_FETCH_REFUSED:
        why.kind = CS_WHY_FAILED;
        why.err = folder->failed.err != CS_OK ? folder->failed.err : CS_ERR_AGAIN;
        return why;
    case CS_FETCH_NOBODY:
        why.kind = CS_WHY_MISSING;
        return why;
    case CS_FETCH_UNWANTED:
        break;
    }
    cs_buf_t copy = {0};
    bool local = cs_replica_find_content(folder->replica, content, &copy) == CS_OK;
    cs_buf_fini(&copy);
    bool asked_soon = folder->plan_due || folder->wants_full || folder->ready_count > 0;
    if (!local && !asked_soon) why.kind = CS_WHY_MISSING;
    return why;
}

cs_why_t cs_node_why(cs_node_t *node, uint32_t number, const cs_item_t *item)
{
    cs_why_t why = {.kind = CS_WHY_HERE};
    cs_folder_t *folder = cs__node_folder(node, number);
    cs_slice_t path = cs_slice_str(item->path);
    if (folder == NULL || is_on_disk(folder, item)) return why;
    why = why_folder(folder);
    if (why.kind != CS_WHY_HERE) return why;
    if (cs_omap_find(&folder->ignored, path) != NULL) {
        return (cs_why_t){.kind = CS_WHY_IGNORED};
    }
    const cs_onode_t *stuck = cs_omap_find(&folder->stuck, path);
    if (stuck != NULL) return (cs_why_t){.kind = CS_WHY_FAILED, .err = (cs_err_t)stuck->epoch};
    if (cs_folder_is_busy(folder, path)) {
        return (cs_why_t){.kind = CS_WHY_CHANGING, .err = CS_ERR_CHANGED};
    }
    return why_content(folder, &item->content);
}

size_t cs_node_transfers(cs_node_t *node, uint32_t number,
                         cs_transfer_t ret[CS_FETCH_FILES_MAX])
{
    cs_folder_t *folder = cs__node_folder(node, number);
    cs_fetch_flow_t flows[CS_FETCH_FILES_MAX];
    size_t count = folder == NULL ? 0 : cs_fetch_flows(folder->fetch, flows);
    for (size_t i = 0; i < count; i++) {
        ret[i] = (cs_transfer_t){.path = cs_folder_awaiting(folder, &flows[i].content),
                                 .here = flows[i].here,
                                 .size = flows[i].content.size,
                                 .rate = flows[i].rate};
    }
    return count;
}

/* A member that said of our very root that all of it is on its disk has it, unless it says
 * otherwise now. */
cs_holds_t cs_node_holds(cs_node_t *node, uint32_t number, const cs_report_t *report,
                         const cs_content_t *content)
{
    const cs_folder_t *folder = cs__node_folder(node, number);
    const cs_peer_entry_t *peer = cs_peers_by_key(&node->peers, &report->key);
    if (folder == NULL) return CS_HOLDS_UNKNOWN;
    if (peer != NULL && cs_fetch_lacks(folder->fetch, peer->id, content)) return CS_HOLDS_NO;
    bool all = report->known && report->equal && report->applied;
    return all ? CS_HOLDS_YES : CS_HOLDS_UNKNOWN;
}
