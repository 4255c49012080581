/* talker.c - see talker.h. */
#include "support/talker.h"

#include <string.h>

#include "base/mem.h"
#include "support/member.h"

#define SELF_RID  0x50u
#define OTHER_RID 0x60u
#define FOLDER    1u

static talker_pool_t pool = {.name = {"a", "d/b", "c.txt"}};

/* --- users */

static void ignore_refused(void *arg, cs_slice_t path, cs_err_t err)
{
    (void)arg;
    (void)path;
    (void)err; /* too many versions: a hostile member may bring that about */
}

static void scan_one(cs_replica_t *replica, const char *path, bool gone, uint64_t number)
{
    cs_sighting_t sighting = {.path = cs_slice_text(path), .mode = 0644};
    cs_item_t row = {0};
    bool known = cs_replica_base(replica, sighting.path, &row) == CS_OK;
    cs_item_fini(&row);
    if (gone && !known) return;
    sighting.what = gone ? CS_SAW_VANISHED : known ? CS_SAW_MODIFIED : CS_SAW_APPEARED;
    if (!gone) {
        sighting.content = (cs_content_t){.kind = CS_KIND_FILE, .size = number};
        memcpy(sighting.content.hash, &number, sizeof number);
        sighting.print = (cs_print_t){.dev = 1, .ino = number, .size = number};
    }
    bool stage_now;
    cs_scan_result_t result;
    cs_replica_scan_begin(replica, ignore_refused, NULL);
    cs_err_t err = cs_replica_scan_add(replica, &sighting, &stage_now);
    if (err == CS_OK) err = cs_replica_scan_commit(replica, &result);
    require(err == CS_OK);
}

const talker_pool_t *talker_pool(void)
{
    static const uint8_t secret[CS_SECRET_BYTES] = {7};
    if (pool.seen.len > 0) return &pool;
    cs_keys_derive(&pool.keys, secret);
    cs_replica_config_t config = {.keys = pool.keys, .fresh_rid = OTHER_RID};
    cs_replica_t *replica;
    cs_open_result_t result;
    cs_err_t err = cs_replica_open(&config, &replica, &result);
    require(err == CS_OK);
    for (size_t i = 0; i < POOL; i++) {
        const char *path = pool.name[i % NAMES];
        scan_one(replica, path, i == 4, 0x100 + i);
        member_entry(replica, &pool.keys, path, &pool.entry[i]);
    }
    cs_vv_copy(&pool.seen, &cs_replica_state(replica)->seen);
    cs_replica_destroy(&replica);
    return &pool;
}

/* --- the host */

static uint64_t host_send(void *arg, cs_peer_t peer, const cs_msg_t *msg)
{
    talker_t *talker = arg;
    require(peer >= 1 && peer <= PEERS && talker->up[peer] && !talker->dropped[peer]);
    if (msg->type != CS_MSG_HELLO) talker->gives_away = true;
    if (msg->xid != 0 && msg->xid != talker->xid) talker->seq = 0;
    if (msg->xid != 0) talker->xid = msg->xid;
    cs_msg_t again = {0};
    cs_buf_clear(&talker->frame);
    cs_msg_encode(msg, &talker->frame);
    cs_err_t err = cs_msg_decode(&again, cs_buf_slice(&talker->frame), cs_slice(NULL, 0));
    require(err == CS_OK && again.wire_bytes == talker->frame.len);
    cs_msg_fini(&again);
    return talker->frame.len;
}

static void host_drop(void *arg, cs_peer_t peer, const char *reason)
{
    talker_t *talker = arg;
    require(talker->up[peer] && !talker->dropped[peer] && reason != NULL);
    talker->dropped[peer] = true;
}

static cs_snapshot_t *host_snapshot(void *arg)
{
    talker_t *talker = arg;
    return cs_store_snapshot(talker->store);
}

static void host_reincarnate(void *arg, const char *reason)
{
    talker_t *talker = arg;
    (void)reason;
    talker->reborn = true;
}

static bool host_member(void *arg, const cs_member_t *member)
{
    (void)arg;
    return member->key.b[0] % 8 != 0;
}

static void host_alarm(void *arg, const char *what, cs_dot_t dot)
{
    (void)arg;
    (void)dot;
    require(strcmp(what, "store") != 0);
}

static void host_changed(void *arg)
{
    (void)arg;
}

static void host_peer_has_more(void *arg, cs_peer_t peer)
{
    (void)arg;
    (void)peer;
}

/* --- life */

static void write_batch(talker_t *talker)
{
    cs_batch_t batch = {0};
    if (talker->gives_away) cs_replica_expose(talker->replica);
    talker->gives_away = false;
    if (cs_replica_stage(talker->replica, &batch)) {
        cs_err_t err = cs_store_write(talker->store, &batch, true);
        require(err == CS_OK);
        cs_replica_staged_durable(talker->replica);
    }
    cs_batch_fini(&batch);
}

static void open_replica(talker_t *talker, cs_open_result_t *ret)
{
    cs_replica_config_t config = {
        .store = talker->store, .folder = FOLDER, .keys = pool.keys, .fresh_rid = SELF_RID};
    cs_err_t err = cs_replica_open(&config, &talker->replica, ret);
    require(err == CS_OK);
}

static cs_key_t key_of(cs_peer_t peer)
{
    return (cs_key_t){.b = {(uint8_t)(peer + 1)}};
}

void talker_begin(talker_t *talker)
{
    (void)talker_pool();
    *talker = (talker_t){.now_ms = 1000, .next_rid = 0x51};
    cs_open_result_t result;
    talker->store = cs_mem_store_new();
    open_replica(talker, &result);
    scan_one(talker->replica, pool.name[0], false, 0x200);
    scan_one(talker->replica, "mine", false, 0x201);
    write_batch(talker);
    cs_gossip_host_t host = {.arg = talker,
                             .send = host_send,
                             .drop = host_drop,
                             .snapshot = host_snapshot,
                             .reincarnate = host_reincarnate,
                             .member = host_member,
                             .alarm = host_alarm,
                             .changed = host_changed,
                             .peer_has_more = host_peer_has_more};
    cs_gossip_config_t config = {.replica = talker->replica,
                                 .store = talker->store,
                                 .folder = FOLDER,
                                 .keys = &pool.keys,
                                 .self = key_of(0),
                                 .stamp = 1};
    talker->gossip = cs_gossip_new(&config, &host);
    for (cs_peer_t peer = 1; peer <= PEERS; peer++) {
        cs_member_t member = {.key = key_of(peer)};
        cs_gossip_add_member(talker->gossip, &member);
        talker->up[peer] = true;
        cs_gossip_peer_up(talker->gossip, peer, &member.key, talker->now_ms);
    }
}

void talker_settle(talker_t *talker)
{
    if (talker->reborn) {
        talker->reborn = false;
        cs_err_t err = cs_replica_reincarnate(talker->replica, talker->next_rid++);
        require(err == CS_OK || err == CS_ERR_LIMIT);
        write_batch(talker);
        cs_gossip_restart(talker->gossip, talker->now_ms);
    }
    uint64_t next_ms = cs_gossip_tick(talker->gossip, talker->now_ms);
    require(next_ms > talker->now_ms);
    for (cs_peer_t peer = 1; peer <= PEERS; peer++) {
        if (!talker->dropped[peer]) continue;
        cs_gossip_peer_down(talker->gossip, peer);
        talker->up[peer] = talker->dropped[peer] = false;
    }
    write_batch(talker);
}

void talker_end(talker_t *talker)
{
    cs_items_t items = {0};
    cs_open_result_t result;
    size_t reports;
    cs_free(cs_gossip_reports(talker->gossip, &reports));
    require(reports <= CS_MEMBERS_MAX);
    cs_gossip_destroy(&talker->gossip);
    write_batch(talker);
    cs_replica_destroy(&talker->replica);
    open_replica(talker, &result);
    require(result == CS_OPEN_SAME);
    cs_err_t err = cs_replica_project_all(talker->replica, &items);
    require(err == CS_OK);
    cs_items_fini(&items);
    cs_replica_destroy(&talker->replica);
    cs_store_close(&talker->store);
    cs_buf_fini(&talker->frame);
}

/* --- what happens */

void talker_edit(talker_t *talker, const char *path, bool gone)
{
    scan_one(talker->replica, path, gone, 0x1000 + talker->edits++);
    cs_gossip_local(talker->gossip, talker->now_ms);
}

void talker_reconnect(talker_t *talker, cs_peer_t peer)
{
    cs_key_t key = key_of(peer);
    talker->up[peer] = !talker->up[peer];
    if (talker->up[peer]) {
        cs_gossip_peer_up(talker->gossip, peer, &key, talker->now_ms);
    } else {
        cs_gossip_peer_down(talker->gossip, peer);
    }
}
