/* node.c - events are handed to the folders they concern; links become peers. */
#include "node/node.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

cs_node_t *cs_node_new(const cs_node_config_t *config)
{
    cs_node_t *node = cs_calloc(1, sizeof *node);
    node->config = *config;
    cs__node_share_memory(node, config->memory_bytes);
    cs_neighbours_init(&node->neighbours, &config->self, config->number);
    return node;
}

void cs_node_destroy(cs_node_t **node_p)
{
    cs_node_t *node = *node_p;
    *node_p = NULL;
    if (node == NULL) return;
    for (size_t i = 0; i < node->folder_count; i++) {
        cs_folder_destroy(&node->folders[i]);
    }
    cs_free(node->folders);
    cs_free(node->denied);
    cs_peers_fini(&node->peers);
    cs_neighbours_fini(&node->neighbours);
    cs_pex_fini(&node->pex);
    sodium_memzero(node->config.seed, sizeof node->config.seed);
    cs_free(node);
}

cs_folder_t *cs__node_folder(const cs_node_t *node, uint32_t number)
{
    for (size_t i = 0; i < node->folder_count; i++) {
        if (node->folders[i]->config.number == number) return node->folders[i];
    }
    return NULL;
}

static cs_folder_t *find_by_tag(const cs_node_t *node, const uint8_t *tag)
{
    for (size_t i = 0; i < node->folder_count; i++) {
        cs_folder_t *folder = node->folders[i];
        if (folder->leaving) continue;
        if (memcmp(folder->keys->tag, tag, CS_TAG_BYTES) == 0) return folder;
    }
    return NULL;
}

cs_err_t cs_node_add_folder(cs_node_t *node, const cs_folder_config_t *config, uint64_t now_ms,
                            cs_open_result_t *ret_open)
{
    CS_ASSERT(cs__node_folder(node, config->number) == NULL);
    cs_folder_t *folder;
    cs_err_t err = cs_folder_new(node, config, now_ms, &folder, ret_open);
    if (err != CS_OK) return err;
    if (node->folder_count == node->folder_cap) {
        node->folder_cap = cs_grow(node->folder_cap, node->folder_count + 1);
        node->folders =
            cs_realloc_array(node->folders, node->folder_cap, sizeof(cs_folder_t *));
    }
    size_t i = node->folder_count++;
    for (; i > 0 && node->folders[i - 1]->config.number > config->number; i--) {
        node->folders[i] = node->folders[i - 1];
    }
    node->folders[i] = folder;
    for (size_t p = 0; p < node->peers.len; p++) {
        const cs_peer_entry_t *peer = &node->peers.item[p];
        if (cs_folder_has_member(folder, &peer->key)) cs_folder_peer_up(folder, peer);
    }
    return CS_OK;
}

/* --- links */

static void peer_changed(cs_node_t *node, cs_peer_change_t change, const cs_peer_entry_t *peer)
{
    if (change == CS_PEER_SAME) return;
    for (size_t i = 0; i < node->folder_count; i++) {
        cs_folder_t *folder = node->folders[i];
        if (folder->leaving || !cs_folder_has_member(folder, &peer->key)) continue;
        if (change != CS_PEER_UP) cs_folder_peer_down(folder, peer->id);
        if (change != CS_PEER_DOWN) cs_folder_peer_up(folder, peer);
    }
}

static void on_link_down(cs_node_t *node, const cs_event_t *event, cs_effects_t *effects)
{
    cs_peer_entry_t was;
    cs_peer_change_t change =
        cs_peers_link_down(&node->peers, &node->config.self, event->link, &was);
    peer_changed(node, change, &was);
    node->links_changed++;
    if (change == CS_PEER_DOWN) cs__node_address(node, effects, &was.key); /* to be dialled */
}

static void drop_link(cs_effects_t *effects, cs_link_t link, const char *why)
{
    cs_effect_t *effect = cs_effects_add(effects, CS_FX_DROP);
    effect->link = link;
    effect->text = why;
}

/* Of two links that one key dialled the older one is dead, or another node has this key, too: a
 * copied home. Then they take turns, instead of one of them being unheard for ever. */
static const char replaced[] = "a newer link with the same key took its place; if that goes "
                               "on, a home was copied: make a new one for one of the nodes";

static void on_link_up(cs_node_t *node, const cs_event_t *event, cs_effects_t *effects)
{
    const cs_peer_entry_t *known = cs_peers_by_key(&node->peers, &event->key);
    cs_link_t old = known != NULL && !known->dropped && !event->outgoing ? known->in : 0;
    cs_peer_entry_t *peer;
    cs_peer_change_t change = cs_peers_link_up(&node->peers, &node->config.self, &event->key,
                                               event->link, event->outgoing, &peer);
    if (change == CS_PEER_UP) peer->up_ms = event->now_ms;
    node->links_changed++;
    peer_changed(node, change, peer);
    if (old != 0 && old != event->link) drop_link(effects, old, replaced);
}

void cs__node_drop(cs_effects_t *effects, cs_peer_entry_t *peer, const char *why)
{
    const cs_link_t links[] = {peer->in, peer->out};
    peer->dropped = true;
    for (size_t i = 0; i < CS_COUNT_OF(links); i++) {
        if (links[i] != 0) drop_link(effects, links[i], why);
    }
}

/* Tell a node of another protocol why it is turned away. */
static void refuse_version(cs_effects_t *effects, cs_peer_entry_t *peer, cs_link_t link)
{
    cs_msg_t msg = {.type = CS_MSG_ERROR};
    msg.u.error.code = CS_ERR_VERSION;
    msg.u.error.text = cs_slice_text("this node speaks protocol version 1");
    cs_effect_t *effect = cs_effects_add(effects, CS_FX_SEND);
    effect->link = link;
    cs_msg_encode(&msg, &effect->header);
    cs__node_drop(effects, peer, "unknown protocol version");
}

static void on_message(cs_node_t *node, const cs_event_t *event, cs_effects_t *effects)
{
    cs_peer_entry_t *peer = cs_peers_by_link(&node->peers, event->link);
    if (peer == NULL || peer->dropped) return;
    cs_slice_t payload = event->blob != NULL ? event->blob->bytes : cs_slice_text("");
    peer->bytes_in += event->bytes.len + payload.len;
    /* Who dialled us speaks at once: only of our own links the first message took a round. */
    bool ours = event->link == peer->out && peer->in == 0;
    if (peer->way_ms == 0 && ours) peer->way_ms = event->now_ms - peer->up_ms + 1;

    cs_msg_t msg = {0};
    cs_err_t err = cs_msg_decode(&msg, event->bytes, payload);
    if (err == CS_ERR_UNSUPPORTED) return; /* a type of a later version: ignored */
    if (err == CS_ERR_VERSION) {
        refuse_version(effects, peer, event->link);
        return;
    }
    if (err != CS_OK) {
        cs__node_drop(effects, peer, cs_err_text(err));
        return;
    }
    /* A folder that is not (or no longer) shared with this peer is as unknown as any other tag.
     */
    cs_folder_t *folder = find_by_tag(node, msg.tag);
    if (folder != NULL && cs_folder_has_member(folder, &peer->key)) {
        if (msg.type == CS_MSG_PEX) {
            cs_folder_pex_take(folder, peer, &msg.u.pex);
        } else if (msg.type == CS_MSG_STANDINGS) {
            cs_folder_standings_take(folder, &msg.u.standings);
        } else {
            cs_folder_message(folder, peer, &msg, event->blob);
        }
    }
    cs_msg_fini(&msg);
}

static void on_sent(cs_node_t *node, const cs_event_t *event)
{
    cs_peer_entry_t *peer = cs_peers_by_link(&node->peers, event->link);
    if (peer == NULL || peer->active != event->link) return; /* it was counted anew */
    peer->unsent -= event->size < peer->unsent ? event->size : peer->unsent;
}

/* --- jobs and commands of one folder */

static void on_job_done(cs_folder_t *folder, cs_job_t *job)
{
    folder->jobs--;
    if (job->id == folder->disk_job_id) folder->disk_job_id = 0;
    /* A worker that ends with the node brings back what it did not begin: nothing was done. */
    bool unrun = folder->node->stopping && job->err == CS_ERR_AGAIN;
    if (folder->leaving || unrun) {
        cs_job_destroy(&job); /* its results are of no use */
        return;
    }
    switch (job->kind) {
    case CS_JOB_SCAN:
        cs_folder_scanned(folder, job);
        break;
    case CS_JOB_APPLY:
        cs_folder_performed(folder, job);
        break;
    case CS_JOB_STAGE:
        cs_folder_staged(folder, job);
        break;
    case CS_JOB_PART:
        cs_folder_part_done(folder, job);
        break;
    case CS_JOB_SERVE:
        cs_folder_served(folder, job);
        break;
    }
    cs_job_destroy(&job);
}

static void hang_up(cs_node_t *node, cs_folder_t *folder)
{
    cs_folder_serve_refuse(folder); /* a peer that gets no answer waits half a minute for it */
    for (size_t i = 0; i < node->peers.len; i++) {
        cs_folder_peer_down(folder, node->peers.item[i].id);
    }
}

static void set_paused(cs_node_t *node, cs_folder_t *folder, bool on)
{
    if (folder->config.paused == on) return;
    if (on) hang_up(node, folder);
    folder->config.paused = on;
    if (on) return;
    for (size_t i = 0; i < node->peers.len; i++) {
        const cs_peer_entry_t *peer = &node->peers.item[i];
        if (cs_folder_has_member(folder, &peer->key)) cs_folder_peer_up(folder, peer);
    }
    cs_folder_plan_soon(folder);
}

void cs__node_allow(cs_node_t *node, cs_folder_t *folder, const cs_member_t *member)
{
    bool known = cs_folder_has_member(folder, &member->key);
    cs_folder_add_member(folder, member);
    const cs_peer_entry_t *peer = cs_peers_by_key(&node->peers, &member->key);
    if (!known && peer != NULL) cs_folder_peer_up(folder, peer);
}

static void leave(cs_node_t *node, cs_folder_t *folder)
{
    hang_up(node, folder);
    cs_folder_leave(folder);
}

/* Folders that nobody uses any more. */
static void let_go(cs_node_t *node, cs_effects_t *effects)
{
    size_t kept = 0;
    for (size_t i = 0; i < node->folder_count; i++) {
        cs_folder_t *folder = node->folders[i];
        if (!cs_folder_has_left(folder)) {
            node->folders[kept++] = folder;
            continue;
        }
        cs_effects_add(effects, CS_FX_LEFT)->folder = folder->config.number;
        cs_folder_destroy(&folder);
    }
    node->folder_count = kept;
}

/* What comes back to a folder that leaves is all that it hears. */
static bool is_return(const cs_event_t *event)
{
    return event->kind == CS_EV_STORED || event->kind == CS_EV_RECORDS ||
           event->kind == CS_EV_JOB_DONE;
}

static void on_folder_event(cs_node_t *node, cs_folder_t *folder, const cs_event_t *event)
{
    if (folder->leaving && !is_return(event)) return;
    switch (event->kind) {
    case CS_EV_STORED:
        cs_folder_stored(folder, event->token);
        break;
    case CS_EV_RECORDS:
        cs_folder_records(folder, event->records);
        break;
    case CS_EV_JOB_DONE:
        on_job_done(folder, event->job);
        break;
    case CS_EV_SCAN:
        cs_folder_want_scan(folder, event->paths, event->path_count, event->full,
                            event->ticket);
        break;
    case CS_EV_PAUSE:
        set_paused(node, folder, event->on);
        break;
    case CS_EV_REINCARNATE:
        folder->reincarnate = event->text != NULL ? event->text : "asked for";
        break;
    case CS_EV_RELEASE:
        cs_folder_release(folder, event->ticket);
        break;
    case CS_EV_REJECT:
        cs_folder_reject(folder, event->ticket);
        break;
    case CS_EV_SETTINGS:
        folder->config.durability = event->settings->durability;
        folder->config.trash_bytes_max = event->settings->trash_bytes_max;
        folder->config.brake_files = event->settings->brake_files;
        folder->config.brake_percent = event->settings->brake_percent;
        break;
    case CS_EV_ALLOW:
        /* Where its record says so beside an older word, the user said so, and then we died. */
        if (event->on || cs_folder_is_out(folder, &event->member->key)) {
            cs_folder_say(folder, &event->member->key, false);
        }
        cs__node_allow(node, folder, event->member);
        break;
    case CS_EV_LEAVE:
        leave(node, folder);
        break;
    case CS_EV_TICK:
    case CS_EV_LINK_UP:
    case CS_EV_LINK_DOWN:
    case CS_EV_MESSAGE:
    case CS_EV_SENT:
    case CS_EV_LIMITS:
    case CS_EV_UNSCAN:
    case CS_EV_ADDRESSES:
    case CS_EV_DENY:
        break;
    }
}

/* Where limits are in force the folders take turns at what they leave. */
static cs_err_t settle(cs_node_t *node)
{
    bool limited =
        cs__node_limits(node, CS_UP) || cs__node_limits(node, CS_DOWN) || node->coming.tight;
    node->coming.tight = false;
    size_t first = limited ? node->turn++ : 0;
    for (size_t i = 0; i < node->folder_count; i++) {
        cs_folder_t *folder = node->folders[(first + i) % node->folder_count];
        cs_err_t err = cs_folder_settle(folder);
        if (err != CS_OK) return err;
    }
    return CS_OK;
}

cs_err_t cs_node_step(cs_node_t *node, const cs_event_t *event, cs_effects_t *effects)
{
    node->now_ms = event->now_ms;
    for (size_t i = 0; i < node->folder_count; i++) {
        cs_folder_enter(node->folders[i], event, effects);
    }

    if (event->kind == CS_EV_STORED && event->err != CS_OK) return event->err;
    if (event->kind == CS_EV_LINK_UP) on_link_up(node, event, effects);
    if (event->kind == CS_EV_LINK_DOWN) on_link_down(node, event, effects);
    if (event->kind == CS_EV_MESSAGE) on_message(node, event, effects);
    if (event->kind == CS_EV_SENT) on_sent(node, event);
    cs_folder_t *folder = cs__node_folder(node, event->folder);
    if (folder != NULL) on_folder_event(node, folder, event);
    if (event->kind == CS_EV_DENY) cs__node_deny(node, &event->key, event->on);
    if (event->kind == CS_EV_ALLOW) cs__node_permit(node, &event->member->key);

    for (size_t i = 0; event->kind == CS_EV_UNSCAN && i < node->folder_count; i++) {
        cs_folder_forget_scan(node->folders[i], event->ticket);
    }
    if (event->kind == CS_EV_LIMITS) node->limits = *event->limits;
    if (event->kind == CS_EV_ADDRESSES) cs__node_addresses(node, event);
    for (const cs_key_t *key; (key = cs_pex_ripen(&node->pex, node->now_ms)) != NULL;) {
        cs__node_address(node, effects, key);
    }

    cs_err_t err = settle(node);
    if (err == CS_OK) let_go(node, effects);
    if (err == CS_OK) cs__node_neighbours(node, effects);
    return err;
}

uint64_t cs_node_deadline(const cs_node_t *node)
{
    uint64_t due = node->stopping ? UINT64_MAX : node->neighbours.due_ms;
    for (size_t i = 0; i < node->folder_count; i++) {
        uint64_t at = cs_folder_deadline(node->folders[i]);
        if (at < due) due = at;
    }
    return due;
}

void cs_node_stop(cs_node_t *node)
{
    node->stopping = true;
}
