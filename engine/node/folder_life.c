/* folder_life.c - a folder is loaded and let go; what gossip asks of it in between. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

/* --- what gossip asks of us */

static void host_send(void *arg, cs_peer_t peer, const cs_msg_t *msg)
{
    cs_folder_t *folder = arg;
    cs_buf_t bytes = {0};
    cs_msg_encode(msg, &bytes);
    cs_outbox_push(&folder->outbox, peer, msg->type != CS_MSG_HELLO, &bytes);
}

static void host_drop(void *arg, cs_peer_t peer, const char *reason)
{
    cs_folder_drop(arg, peer, reason);
}

static cs_snapshot_t *host_snapshot(void *arg)
{
    return cs_store_snapshot(((cs_folder_t *)arg)->node->config.store);
}

static void host_reincarnate(void *arg, const char *reason)
{
    ((cs_folder_t *)arg)->reincarnate = reason;
}

static bool host_member(void *arg, const cs_member_t *member)
{
    cs_folder_t *folder = arg;
    cs_effect_t *effect = cs_effects_add(folder->fx, CS_FX_MEMBER);
    effect->folder = folder->config.number;
    effect->member = *member;
    return true;
}

static void host_alarm(void *arg, const char *what, cs_dot_t dot)
{
    (void)dot;
    cs_folder_note(arg, what, cs_slice_text(""), CS_ERR_LIMIT);
}

static void host_changed(void *arg)
{
    cs_folder_plan_more(arg);
}

static void host_more(void *arg, cs_peer_t peer)
{
    cs_fetch_retry(((cs_folder_t *)arg)->fetch, peer);
}

/* --- life */

cs_err_t cs_folder_new(cs_node_t *node, const cs_folder_config_t *config, uint64_t now_ms,
                       cs_folder_t **ret, cs_open_result_t *ret_open)
{
    cs_folder_t *folder = cs_calloc(1, sizeof *folder);
    folder->node = node;
    folder->config = *config;
    folder->config.members = NULL;
    folder->now_ms = now_ms;
    folder->keys = cs_calloc(1, sizeof *folder->keys);
    cs_keys_derive(folder->keys, config->secret);

    cs_replica_config_t replica = {
        .store = node->config.store,
        .folder = config->number,
        .keys = *folder->keys,
        .modes = config->modes,
        .fresh_rid = config->fresh_rid,
    };
    cs_err_t err = cs_replica_open(&replica, &folder->replica, ret_open);
    if (err != CS_OK) {
        cs_free(folder->keys);
        cs_free(folder);
        return err;
    }
    folder->table = cs_chunker_table_new(folder->keys);
    folder->fetch = cs_fetch_new(folder->table, config->seed);

    cs_gossip_config_t gossip = {
        .replica = folder->replica,
        .store = node->config.store,
        .folder = config->number,
        .keys = folder->keys,
        .self = node->config.self,
        .seed = config->seed,
        .stamp = config->stamp,
    };
    memcpy(gossip.name, node->config.name, sizeof gossip.name);
    cs_gossip_host_t host = {folder,        host_send,        host_drop,
                             host_snapshot, host_reincarnate, host_member,
                             host_alarm,    host_changed,     host_more};
    folder->gossip = cs_gossip_new(&gossip, &host);
    for (size_t i = 0; i < config->member_count; i++) {
        cs_gossip_add_member(folder->gossip, &config->members[i]);
    }
    if (!config->on_request) cs_folder_want_scan(folder, NULL, 0, false, 0);
    cs_folder_plan_soon(folder);
    *ret = folder;
    return CS_OK;
}

void cs_folder_destroy(cs_folder_t **folder_p)
{
    cs_folder_t *folder = *folder_p;
    *folder_p = NULL;
    if (folder == NULL) return;
    cs_gossip_destroy(&folder->gossip);
    cs_fetch_destroy(&folder->fetch);
    cs_replica_destroy(&folder->replica);
    cs_chunker_table_destroy(&folder->table);
    cs_outbox_fini(&folder->outbox);
    cs_folder_scan_fini(folder);
    for (size_t i = 0; i < folder->serve_count; i++) {
        cs_job_destroy(&folder->serve[i].job);
    }
    cs_free(folder->serve);
    cs_free(folder->serving);
    cs_batch_fini(&folder->rows);
    cs_folder_plan_fini(folder);
    cs_buf_fini(&folder->sweep_cursor);
    cs_free(folder->keys);
    cs_free(folder);
}
