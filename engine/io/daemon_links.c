/* daemon_links.c - links: told to the core, or to invites; what a full one cannot take waits
 * here. */
#include <string.h>

#include "base/mem.h"
#include "io/daemon_shell.h"
#include "io/invite.h"

/* A received payload, owned by its frame. */
typedef struct frame_blob {
    cs_blob_t blob;
    zframe_t *frame;
} frame_blob_t;

static void frame_blob_destroy(cs_blob_t *blob)
{
    frame_blob_t *owner = (frame_blob_t *)blob;
    zframe_destroy(&owner->frame);
    cs_free(owner);
}

static cs_shell_link_t *find(cs_daemon_t *daemon, cs_link_t link)
{
    for (size_t i = 0; i < daemon->shell->link_count; i++) {
        if (daemon->shell->links[i].link == link) return &daemon->shell->links[i];
    }
    return NULL;
}

static void link_fini(cs_shell_link_t *link)
{
    for (size_t i = link->first; i < link->len; i++) {
        cs_buf_fini(&link->queue[i].header);
        cs_buf_fini(&link->queue[i].payload);
    }
    cs_free(link->queue);
}

void cs__daemon_links_fini(cs_daemon_t *daemon)
{
    cs_daemon_shell_t *shell = daemon->shell;
    for (size_t i = 0; i < shell->link_count; i++) {
        link_fini(&shell->links[i]);
    }
    cs_free(shell->links);
    cs_strings_fini(&shell->own);
    cs_free(shell->talk);
    shell->links = NULL;
    shell->talk = NULL;
    shell->talk_count = 0;
    shell->link_count = shell->link_cap = 0;
}

static void set_dial_state(cs_daemon_t *daemon, const uint8_t *key, cs_err_t err)
{
    cs_daemon_shell_t *shell = daemon->shell;
    for (size_t i = 0; i < shell->dial_count; i++) {
        if (memcmp(shell->dials[i].key.b, key, sizeof shell->dials[i].key.b) == 0) {
            shell->dials[i].err = err;
            return;
        }
    }
    if (shell->dial_count == shell->dial_cap) {
        shell->dial_cap = cs_grow(shell->dial_cap, shell->dial_count + 1);
        shell->dials = cs_realloc_array(shell->dials, shell->dial_cap, sizeof *shell->dials);
    }
    memcpy(shell->dials[shell->dial_count].key.b, key, sizeof shell->dials->key.b);
    shell->dials[shell->dial_count++].err = err;
}

void cs__daemon_dialling(cs_daemon_t *daemon, const uint8_t key[32])
{
    set_dial_state(daemon, key, CS_ERR_AGAIN);
}

/* --- what the net tells */

static void on_up(void *arg, cs_link_t link, const uint8_t *key, bool outgoing)
{
    cs_daemon_t *daemon = arg;
    cs_daemon_shell_t *shell = daemon->shell;
    if (shell->link_count == shell->link_cap) {
        shell->link_cap = cs_grow(shell->link_cap, shell->link_count + 1);
        shell->links = cs_realloc_array(shell->links, shell->link_cap, sizeof *shell->links);
    }
    cs_shell_link_t *entry = &shell->links[shell->link_count++];
    *entry = (cs_shell_link_t){.link = link, .outgoing = outgoing};
    memcpy(entry->key.b, key, sizeof entry->key.b);
    entry->known = !cs_invite_owns(daemon, key, outgoing);
    if (!entry->known) {
        cs_invite_link_up(daemon, link, key, outgoing);
        return;
    }
    if (outgoing) set_dial_state(daemon, key, CS_OK);
    cs__daemon_log_link(daemon, "peer.up", &entry->key);
    cs_key_t up = entry->key; /* `entry` may move */
    cs__daemon_pex_own(daemon);
    cs_event_t event = {.kind = CS_EV_LINK_UP, .link = link, .key = up, .outgoing = outgoing};
    cs_daemon_step(daemon, &event);
}

static void on_down(void *arg, cs_link_t link)
{
    cs_daemon_t *daemon = arg;
    cs_shell_link_t *entry = find(daemon, link);
    if (entry == NULL) return;
    bool known = entry->known;
    cs_key_t key = entry->key;
    link_fini(entry);
    *entry = daemon->shell->links[--daemon->shell->link_count];
    if (!known) {
        cs_invite_link_down(daemon, link);
        return;
    }
    cs__daemon_log_link(daemon, "peer.down", &key);
    cs_event_t event = {.kind = CS_EV_LINK_DOWN, .link = link};
    cs_daemon_step(daemon, &event);
}

static void on_message(void *arg, cs_link_t link, zframe_t **header_p, zframe_t **payload_p)
{
    cs_daemon_t *daemon = arg;
    const cs_shell_link_t *entry = find(daemon, link);
    if (entry == NULL) return;
    cs_slice_t header = cs_slice(zframe_data(*header_p), zframe_size(*header_p));
    if (!entry->known) {
        cs_invite_message(daemon, link, header);
        return;
    }
    frame_blob_t *blob = NULL;
    if (*payload_p != NULL) {
        blob = cs_calloc(1, sizeof *blob);
        blob->frame = *payload_p;
        *payload_p = NULL;
        blob->blob = (cs_blob_t){
            .bytes = cs_slice(zframe_data(blob->frame), zframe_size(blob->frame)),
            .refs = 1,
            .destroy = frame_blob_destroy,
        };
    }
    cs_event_t event = {
        .kind = CS_EV_MESSAGE,
        .link = link,
        .bytes = header,
        .blob = blob != NULL ? &blob->blob : NULL,
    };
    cs_daemon_step(daemon, &event);
    cs_blob_t *mine = event.blob;
    cs_blob_unref(&mine); /* jobs that write it hold their own references */
}

/* --- sending */

static cs_err_t try_send(cs_daemon_t *daemon, cs_shell_link_t *entry, cs_queued_t *message)
{
    return cs_net_send(daemon->net, entry->link, cs_buf_slice(&message->header),
                       &message->payload);
}

static void on_gone(void *arg, cs_link_t link, uint64_t bytes)
{
    cs_event_t event = {.kind = CS_EV_SENT, .link = link, .size = bytes};
    cs_daemon_step(arg, &event);
}

static void enqueue(cs_daemon_t *daemon, cs_shell_link_t *entry, cs_queued_t *message)
{
    entry->bytes += message->header.len + message->payload.len;
    if (entry->bytes > CS_LINK_QUEUE_BYTES) {
        cs__daemon_log_peer(daemon, "peer.stuck", &entry->key,
                            "it takes nothing, and its link is ended",
                            "see whether it still runs and its network works");
        cs__daemon_close_link(daemon, entry->link);
        return;
    }
    if (entry->len == entry->cap && entry->first > 0) {
        entry->len -= entry->first;
        memmove(entry->queue, entry->queue + entry->first, entry->len * sizeof *entry->queue);
        entry->first = 0;
    }
    if (entry->len == entry->cap) {
        entry->cap = cs_grow(entry->cap, entry->len + 1);
        entry->queue = cs_realloc_array(entry->queue, entry->cap, sizeof *entry->queue);
    }
    entry->queue[entry->len++] = *message;
    *message = (cs_queued_t){0};
}

void cs__daemon_send(cs_daemon_t *daemon, cs_effect_t *effect)
{
    cs_shell_link_t *entry = find(daemon, effect->link);
    if (entry == NULL || daemon->net == NULL) return; /* down; the core will hear of it */
    cs_queued_t message = {.header = effect->header, .payload = effect->payload};
    effect->header = effect->payload = (cs_buf_t){0};
    cs_err_t err = CS_ERR_AGAIN;
    if (entry->first == entry->len) err = try_send(daemon, entry, &message);
    if (err == CS_ERR_AGAIN) enqueue(daemon, entry, &message);
    cs_buf_fini(&message.header);
    cs_buf_fini(&message.payload);
}

static void on_writable(void *arg, cs_link_t link)
{
    cs_daemon_t *daemon = arg;
    cs_shell_link_t *entry = find(daemon, link);
    while (entry != NULL && entry->first < entry->len) {
        cs_queued_t *message = &entry->queue[entry->first];
        uint64_t bytes = message->header.len + message->payload.len;
        if (try_send(daemon, entry, message) == CS_ERR_AGAIN) break;
        entry->bytes -= bytes;
        cs_buf_fini(&message->header);
        cs_buf_fini(&message->payload);
        entry->first++;
    }
    if (entry != NULL && entry->first == entry->len) entry->first = entry->len = 0;
}

static void on_dial_state(void *arg, const uint8_t *key, cs_err_t err)
{
    cs_daemon_t *daemon = arg;
    if (cs_invite_owns(daemon, key, true)) {
        if (err == CS_ERR_REFUSED) cs_invite_refused(daemon, key);
        return;
    }
    set_dial_state(daemon, key, err);
}

void cs__daemon_close_link(cs_daemon_t *daemon, cs_link_t link)
{
    if (daemon->net != NULL) cs_net_close_link(daemon->net, link);
}

void cs__daemon_drop_link(cs_daemon_t *daemon, cs_link_t link, const char *why)
{
    const cs_shell_link_t *entry = find(daemon, link);
    if (entry == NULL) return;
    cs__daemon_log_peer(daemon, "peer.dropped", &entry->key, why,
                        "its link is ended, and it may come again: see which version it runs");
    cs__daemon_close_link(daemon, link);
}

static void on_turned_away(void *arg, cs_turned_away_t why)
{
    cs__daemon_log_strangers(arg, why);
}

static void on_late(void *arg, cs_link_t link)
{
    cs__daemon_note_peer(arg, link, "peer.late");
}

void cs__daemon_note_peer(cs_daemon_t *daemon, cs_link_t link, const char *event)
{
    const cs_shell_link_t *entry = find(daemon, link);
    if (entry != NULL && entry->known) cs__daemon_log_manners(daemon, event, &entry->key);
}

cs_link_state_t cs_daemon_link_state(const cs_daemon_t *daemon, const uint8_t key[32])
{
    const cs_daemon_shell_t *shell = daemon->shell;
    for (size_t i = 0; i < shell->link_count; i++) {
        if (shell->links[i].known && memcmp(shell->links[i].key.b, key, CS_KEY_BYTES) == 0) {
            return CS_LINK_CONNECTED;
        }
    }
    for (size_t i = 0; i < shell->dial_count; i++) {
        if (memcmp(shell->dials[i].key.b, key, CS_KEY_BYTES) != 0) continue;
        return shell->dials[i].err == CS_ERR_REFUSED ? CS_LINK_REFUSED : CS_LINK_CONNECTING;
    }
    return cs__daemon_wants(daemon, key) ? CS_LINK_OFFLINE : CS_LINK_INDIRECT;
}

static const struct cs_dial_state *find_dial(const cs_daemon_t *daemon, const uint8_t *key)
{
    const cs_daemon_shell_t *shell = daemon->shell;
    for (size_t i = 0; i < shell->dial_count; i++) {
        if (memcmp(shell->dials[i].key.b, key, CS_KEY_BYTES) == 0) return &shell->dials[i];
    }
    return NULL;
}

bool cs_daemon_dials(const cs_daemon_t *daemon, const uint8_t key[32])
{
    return find_dial(daemon, key) != NULL;
}

bool cs_daemon_is_unreachable(const cs_daemon_t *daemon, const uint8_t key[32])
{
    const struct cs_dial_state *dial = find_dial(daemon, key);
    return dial != NULL && (dial->err == CS_ERR_OFFLINE || dial->err == CS_ERR_REFUSED);
}

typedef uint8_t known_key_t[CS_KEY_BYTES];

/* Who is known when the port opens: loading the folders takes its time, and a peer that is
 * turned away meanwhile comes back late, one with an invite not at all. The caller frees it. */
static cs_err_t known_keys(const cs_daemon_t *daemon, known_key_t **ret, size_t *ret_count,
                           cs_buf_t *ret_detail)
{
    cs_peer_record_t *peers = NULL;
    cs_invite_record_t *invites = NULL;
    size_t peer_count = 0, invite_count = 0;
    cs_err_t err = cs_home_peers(daemon->home, &peers, &peer_count, ret_detail);
    if (err == CS_OK) err = cs_home_invites(daemon->home, &invites, &invite_count, ret_detail);
    known_key_t *keys = cs_calloc(peer_count + invite_count + 1, sizeof *keys);
    for (size_t i = 0; i < peer_count; i++) {
        memcpy(keys[i], peers[i].key, CS_KEY_BYTES);
    }
    for (size_t i = 0; i < invite_count; i++) {
        memcpy(keys[peer_count + i], invites[i].key, CS_KEY_BYTES);
    }
    cs_home_peers_free(&peers, peer_count);
    cs_home_invites_free(&invites, invite_count);
    *ret = keys;
    *ret_count = err == CS_OK ? peer_count + invite_count : 0;
    return err;
}

cs_err_t cs__daemon_listen(cs_daemon_t *daemon, const cs_config_t *config, cs_buf_t *ret_detail)
{
    const cs_identity_t *identity = cs_home_identity(daemon->home);
    cs_net_config_t net = {
        .loop = daemon->loop,
        .listen = (const char *const *)config->listen.at,
        .listen_count = daemon->config.control ? config->listen.count : 0,
        .links_max = config->peers_max,
    };
    memcpy(net.public_key, identity->public_key, sizeof net.public_key);
    memcpy(net.secret_key, identity->secret_key, sizeof net.secret_key);
    cs_net_handler_t handler = {daemon,  on_up,         on_down,        on_message, on_writable,
                                on_gone, on_dial_state, on_turned_away, on_late};
    known_key_t *keys = NULL;
    cs_err_t err = known_keys(daemon, &keys, &net.allowed_count, ret_detail);
    net.allowed = (const known_key_t *)keys;
    if (err == CS_OK) err = cs_net_new(&net, &handler, &daemon->net, ret_detail);
    cs_free(keys);
    return err;
}

void cs_daemon_peer_removed(cs_daemon_t *daemon, const uint8_t key[32], bool by_user)
{
    cs_event_t event = {.kind = CS_EV_DENY, .on = by_user};
    memcpy(event.key.b, key, sizeof event.key.b);
    cs_daemon_step(daemon, &event);
    cs__daemon_hang_up(daemon, key);
}

void cs__daemon_hang_up(cs_daemon_t *daemon, const uint8_t key[32])
{
    if (daemon->net != NULL) cs_net_deny(daemon->net, key);
    cs__daemon_forget_dial(daemon, key);
}

void cs__daemon_forget_dial(cs_daemon_t *daemon, const uint8_t key[32])
{
    cs_daemon_shell_t *shell = daemon->shell;
    for (size_t i = 0; i < shell->dial_count; i++) {
        if (memcmp(shell->dials[i].key.b, key, CS_KEY_BYTES) != 0) continue;
        shell->dials[i] = shell->dials[--shell->dial_count];
        break;
    }
}

void cs_daemon_peer_changed(cs_daemon_t *daemon, const cs_peer_record_t *record, bool by_user)
{
    cs_member_t member = {.rid = 0};
    if (cs_peer_record_is_out(record)) return;
    memcpy(member.key.b, record->key, sizeof member.key.b);
    if (record->name != NULL) snprintf(member.name, sizeof member.name, "%s", record->name);
    cs_event_t permit = {.kind = CS_EV_ALLOW, .member = &member}; /* it may have been removed */
    cs_daemon_step(daemon, &permit);
    for (size_t i = 0; i < record->folders.count; i++) {
        const cs_mounted_t *folder = cs_daemon_folder(daemon, record->folders.at[i]);
        if (folder == NULL || !folder->loaded) continue;
        cs_event_t event = {.kind = CS_EV_ALLOW,
                            .folder = folder->record.number,
                            .member = &member,
                            .on = by_user};
        cs_daemon_step(daemon, &event);
    }
    if (daemon->net == NULL) return;
    cs_net_allow(daemon->net, record->key);
    cs__daemon_pex_known(daemon, record);
    cs__daemon_dial_given(daemon, record);
}

void cs__daemon_dial_given(cs_daemon_t *daemon, const cs_peer_record_t *record)
{
    if (record->endpoint == NULL || !cs__daemon_wants(daemon, record->key)) return;
    cs__daemon_dialling(daemon, record->key);
    cs_err_t err = cs_net_dial(daemon->net, record->key, record->endpoint);
    if (err != CS_OK) {
        cs__daemon_log(daemon, CS_LOG_WARNING, "peer.dial", NULL,
                       cs_slice_text(record->endpoint), cs_err_text(err));
    }
}
