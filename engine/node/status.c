/* status.c - what a node shows of itself. */
#include <string.h>

#include "base/mem.h"
#include "node/node_internal.h"

#define NEEDED_COUNT_MAX \
    10000u /* pending paths are rows: counting more would cost the reactor */

const char *cs_phase_text(cs_folder_phase_t phase)
{
    switch (phase) {
    case CS_PHASE_IDLE:
        return "idle";
    case CS_PHASE_SCANNING:
        return "scanning";
    case CS_PHASE_SYNCING:
        return "syncing";
    case CS_PHASE_PAUSED:
        return "paused";
    case CS_PHASE_HELD:
        return "held";
    case CS_PHASE_ERROR:
        return "error";
    }
    return "error";
}

static cs_folder_phase_t phase_of(const cs_folder_t *folder)
{
    if (folder->err != CS_OK) return CS_PHASE_ERROR;
    if (folder->held || cs_gossip_is_paused(folder->gossip)) return CS_PHASE_HELD;
    if (folder->config.paused) return CS_PHASE_PAUSED;
    if (folder->wish.any ||
        (folder->disk_job_id != 0 && folder->disk_job_kind == CS_JOB_SCAN)) {
        return CS_PHASE_SCANNING;
    }
    return folder->applied ? CS_PHASE_IDLE : CS_PHASE_SYNCING;
}

bool cs_node_folder_status(cs_node_t *node, uint32_t number, cs_folder_status_t *ret)
{
    cs_folder_t *folder = cs__node_folder(node, number);
    if (folder == NULL || folder->leaving) return false;
    cs_fetch_stats_t fetch;
    cs_fetch_stats(folder->fetch, &fetch);
    *ret = (cs_folder_status_t){
        .phase = phase_of(folder),
        .err = folder->err,
        .files = folder->stats.files,
        .dirs = folder->stats.dirs,
        .bytes = folder->stats.bytes,
        .needed_files = cs_replica_count_pending(folder->replica, NEEDED_COUNT_MAX),
        .needed_bytes = fetch.bytes_missing,
        .applied = folder->applied,
        .busy =
            folder->disk_job_id != 0 || folder->wish.any || folder->staged != folder->durable,
        .durable = folder->staged == folder->durable,
        .held_files = folder->held ? folder->held_files : 0,
        .held_by_peer = cs_gossip_is_paused(folder->gossip),
        .failed = cs_folder_is_failing(folder) ? folder->failed.err : CS_OK,
        .failed_path = folder->failed.path,
        .reused = folder->reused,
        .troubles = &folder->troubles,
        .state = cs_replica_state(folder->replica),
    };
    return true;
}

bool cs_node_folder_phase(const cs_node_t *node, uint32_t number, cs_folder_phase_t *ret)
{
    const cs_folder_t *folder = cs__node_folder(node, number);
    if (folder != NULL) *ret = phase_of(folder);
    return folder != NULL;
}

cs_replica_t *cs_node_replica(cs_node_t *node, uint32_t number)
{
    cs_folder_t *folder = cs__node_folder(node, number);
    return folder == NULL ? NULL : folder->replica;
}

cs_report_t *cs_node_reports(cs_node_t *node, uint32_t number, size_t *ret_count)
{
    cs_folder_t *folder = cs__node_folder(node, number);
    *ret_count = 0;
    return folder == NULL ? NULL : cs_gossip_reports(folder->gossip, ret_count);
}

bool cs_node_peer_status(const cs_node_t *node, const cs_key_t *key, cs_peer_status_t *ret)
{
    const cs_peer_entry_t *peer = cs_peers_by_key(&node->peers, key);
    if (peer == NULL) return false;
    *ret = (cs_peer_status_t){
        .key = *key, .bytes_in = peer->bytes_in, .bytes_out = peer->bytes_out};
    return true;
}
