/* daemon_pex.c - where this node listens is told, and where others do is kept and dialled. What
 * others say is only a place to try: who answers there has to prove the key that was meant. */
#include <string.h>

#include "base/mem.h"
#include "io/addresses.h"
#include "io/daemon_shell.h"
#include "io/invite.h"

static bool is_loopback(const char *endpoint)
{
    return strncmp(endpoint, "tcp://127.", 10) == 0 ||
           strncmp(endpoint, "tcp://[::1]", 11) == 0;
}

static void tell_core(cs_daemon_t *daemon, const uint8_t *key, const cs_strings_t *list,
                      const char *fixed)
{
    cs_slice_t texts[CS_ENDPOINTS_MAX];
    cs_event_t event = {.kind = CS_EV_ADDRESSES, .texts = {.items = texts}, .text = fixed};
    memcpy(event.key.b, key, sizeof event.key.b);
    for (size_t i = 0; i < list->count && i < CS_ENDPOINTS_MAX; i++) {
        texts[event.texts.count++] = cs_slice_text(list->at[i]);
    }
    cs_daemon_step(daemon, &event);
}

void cs__daemon_pex_own(cs_daemon_t *daemon)
{
    cs_daemon_shell_t *shell = daemon->shell;
    if (daemon->net == NULL || shell->settings.no_finding) return;
    cs_strings_t own = {0};
    for (size_t i = 0; cs_net_endpoint(daemon->net, i) != NULL; i++) {
        /* What cannot be told of one socket is nothing that the others suffer for. */
        (void)!cs_addresses_of(cs_net_endpoint(daemon->net, i), &own);
    }
    if (cs_strings_eq(&own, &shell->own)) {
        cs_strings_fini(&own);
        return;
    }
    cs_strings_fini(&shell->own);
    shell->own = own;
    tell_core(daemon, daemon->public_key, &own, NULL);
}

/* Addresses of this machine alone are of use only to a node that others reach nowhere else. */
static bool is_reachable(const cs_daemon_t *daemon, const char *endpoint)
{
    const cs_strings_t *own = &daemon->shell->own;
    if (cs_check_endpoint(endpoint) != NULL || cs_strings_has(own, endpoint)) return false;
    return !is_loopback(endpoint) || own->count == 0 || is_loopback(own->at[0]);
}

bool cs__daemon_wants(const cs_daemon_t *daemon, const uint8_t *key)
{
    cs_key_t peer;
    memcpy(peer.b, key, sizeof peer.b);
    return cs_node_wants_link(daemon->node, &peer);
}

static void dial(cs_daemon_t *daemon, const uint8_t *key, const cs_strings_t *list)
{
    /* It is being joined, by another key of ours. */
    if (cs_invite_owns(daemon, key, true) || !cs__daemon_wants(daemon, key)) return;
    for (size_t i = 0; i < list->count; i++) {
        if (!is_reachable(daemon, list->at[i])) continue;
        cs__daemon_dialling(daemon, key);
        (void)!cs_net_dial_spare(daemon->net, key, list->at[i]); /* it was checked */
    }
}

void cs__daemon_pex_known(cs_daemon_t *daemon, const cs_peer_record_t *record)
{
    if (daemon->shell->settings.no_finding) return;
    if (record->heard.count > 0 || record->endpoint != NULL) {
        tell_core(daemon, record->key, &record->heard, record->endpoint);
    }
    if (daemon->net != NULL) dial(daemon, record->key, &record->heard);
}

/* The effect's endpoints, without the one that a user gave. */
static cs_strings_t read_list(cs_daemon_t *daemon, cs_slice_t packed, const char *fixed)
{
    cs_strings_t ret = {0};
    const char *at = (const char *)packed.data, *end = at + packed.len;
    for (; at < end; at += strlen(at) + 1) {
        if (fixed != NULL && strcmp(at, fixed) == 0) continue;
        if (is_reachable(daemon, at) && !cs_strings_has(&ret, at)) cs_strings_add(&ret, at);
    }
    return ret;
}

static void keep(cs_daemon_t *daemon, cs_peer_record_t *record, cs_strings_t *list)
{
    cs_buf_t detail = {0};
    for (size_t i = 0; i < record->heard.count; i++) {
        if (cs_strings_has(list, record->heard.at[i])) continue;
        cs_net_undial_spare(daemon->net, record->key, record->heard.at[i]);
    }
    cs_strings_t old = record->heard;
    record->heard = *list;
    *list = old;
    if (cs_home_peer_put(daemon->home, record, &detail) != CS_OK) {
        cs_buf_put_u8(&detail, '\0');
        cs__daemon_log(daemon, CS_LOG_WARNING, "peer.address", NULL, cs_slice_text(""),
                       (const char *)detail.data);
    }
    cs_buf_fini(&detail);
}

void cs__daemon_pex_heard(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    if (daemon->net == NULL || daemon->shell->settings.no_finding) return;
    cs_buf_t detail = {0};
    cs_peer_record_t record = {0};
    cs_err_t err = cs_home_peer_get(daemon->home, effect->key.b, &record, &detail);
    if (err == CS_OK && !record.removed) {
        cs_strings_t list = read_list(daemon, cs_buf_slice(&effect->header), record.endpoint);
        if (!cs_strings_eq(&list, &record.heard)) keep(daemon, &record, &list);
        if (effect->dial) dial(daemon, record.key, &record.heard);
        cs_strings_fini(&list);
    }
    cs_peer_record_fini(&record);
    cs_buf_fini(&detail);
}

/* Others pass on what goes on between this node and that one. */
static void part(cs_daemon_t *daemon, const uint8_t *key)
{
    cs_daemon_shell_t *shell = daemon->shell;
    /* A join by another key of ours may be under way; it dials anew itself. */
    if (!cs_invite_owns(daemon, key, true)) {
        cs_net_undial(daemon->net, key);
        cs__daemon_forget_dial(daemon, key);
    }
    for (size_t i = 0; i < shell->link_count; i++) {
        bool its =
            shell->links[i].known && memcmp(shell->links[i].key.b, key, CS_KEY_BYTES) == 0;
        if (its) cs_net_close_link(daemon->net, shell->links[i].link);
    }
}

void cs__daemon_neighbour(cs_daemon_t *daemon, const cs_effect_t *effect)
{
    if (daemon->net == NULL) return;
    if (!effect->dial) {
        part(daemon, effect->key.b);
        return;
    }
    cs_buf_t detail = {0};
    cs_peer_record_t record = {0};
    cs_err_t err = cs_home_peer_get(daemon->home, effect->key.b, &record, &detail);
    if (err == CS_OK && !cs_peer_record_is_out(&record)) {
        dial(daemon, record.key, &record.heard);
        cs__daemon_dial_given(daemon, &record);
    }
    cs_peer_record_fini(&record);
    cs_buf_fini(&detail);
}
