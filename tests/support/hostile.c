/* hostile.c - see hostile.h. */
#include "support/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/strings.h"

#define AWAIT_MS 60000 /* far more than anything takes; only a failure waits that long */

/* --- hearing */

static void on_up(void *arg, cs_link_t link, const uint8_t *key, bool outgoing)
{
    hostile_t *hostile = arg;
    (void)key;
    (void)outgoing;
    hostile->link = link;
    hostile->ups++;
}

static void on_down(void *arg, cs_link_t link)
{
    hostile_t *hostile = arg;
    if (hostile->link == link) hostile->link = 0;
    hostile->downs++;
}

static void on_writable(void *arg, cs_link_t link)
{
    (void)arg;
    (void)link;
}

static void on_dial_state(void *arg, const uint8_t *key, cs_err_t err)
{
    hostile_t *hostile = arg;
    (void)key;
    hostile->refused += err == CS_ERR_REFUSED;
}

static void serve(hostile_t *hostile, const cs_msg_t *msg, cs_slice_t names)
{
    cs_buf_t payload = {0}, nodes = {0}, missing = {0};
    const uint8_t *name;
    while (cs_name_next(&names, &name)) {
        const member_bytes_t *found = member_find(&hostile->member, name);
        if (found == NULL) {
            cs_buf_put(&missing, name, CS_NAME_BYTES);
        } else if (found->node) {
            cs_packed_put(&nodes, cs_buf_slice(&found->bytes));
        } else {
            cs_chunk_put(&payload, name, cs_buf_slice(&found->bytes));
        }
    }
    cs_msg_t chunk = {.type = CS_MSG_CHUNK, .xid = msg->xid};
    cs_msg_t node = {.type = CS_MSG_NODE, .xid = msg->xid};
    cs_msg_t none = {.type = CS_MSG_CNONE, .xid = msg->xid};
    node.u.node.packed = cs_buf_slice(&nodes);
    none.u.cnone.packed = cs_buf_slice(&missing);
    if (payload.len > 0) hostile_say(hostile, &chunk, &payload);
    if (nodes.len > 0) hostile_say(hostile, &node, NULL);
    if (missing.len > 0) hostile_say(hostile, &none, NULL);
    cs_buf_fini(&payload);
    cs_buf_fini(&nodes);
    cs_buf_fini(&missing);
}

static void on_message(void *arg, cs_link_t link, zframe_t **header_p, zframe_t **payload_p)
{
    hostile_t *hostile = arg;
    cs_slice_t payload = {0};
    if (link != hostile->link) return;
    if (*payload_p != NULL)
        payload = cs_slice(zframe_data(*payload_p), zframe_size(*payload_p));
    cs_msg_t msg = {0};
    cs_err_t err =
        cs_msg_decode(&msg, cs_slice(zframe_data(*header_p), zframe_size(*header_p)), payload);
    if (err != CS_OK) test_fail("the node said what nobody can read: %s", cs_err_text(err));
    hostile->heard[msg.type]++;
    if (msg.type == CS_MSG_RECON_REQ && msg.seq == 1) hostile->xid = msg.xid;
    if (msg.type == CS_MSG_HELLO) {
        cs_reader_t reader = cs_reader(msg.u.hello.seen);
        cs_vv_decode(&reader, &hostile->others);
    }
    if (hostile->serves && msg.type == CS_MSG_HELLO && msg.u.hello.answer) {
        hostile_greet(hostile);
    } else if (hostile->serves && msg.type == CS_MSG_CWANT) {
        serve(hostile, &msg, msg.u.cwant.contents);
        serve(hostile, &msg, msg.u.cwant.chunks);
    } else if (hostile->serves && msg.type == CS_MSG_NWANT) {
        serve(hostile, &msg, msg.u.nwant.packed);
    }
    cs_msg_fini(&msg);
}

/* --- life */

void hostile_new(hostile_t *hostile, const cluster_t *cluster, uint64_t number)
{
    *hostile = (hostile_t){.keys = rig_keys()};
    uint8_t secret[CS_SECRET_BYTES];
    if (!cs_unhex(secret, sizeof secret, cs_slice_text(cluster->secret)))
        test_fail("the folder's secret is no hex: %s", cluster->secret);
    cs_keys_derive(&hostile->member.keys, secret);
    hostile->marks = cs_marks_new(&hostile->member.keys, NULL, hostile->keys.secret_key);
    cs_marks_become(hostile->marks, number);
    member_init(&hostile->member, secret, cs_marks_rid(hostile->marks, number));
    cs_hex(hostile->id, hostile->keys.public_key, sizeof hostile->keys.public_key);
    zsys_init();
    zsys_handler_set(NULL);
    hostile->loop = zloop_new();
    cs_net_config_t config = {.loop = hostile->loop};
    memcpy(config.public_key, hostile->keys.public_key, sizeof config.public_key);
    memcpy(config.secret_key, hostile->keys.secret_key, sizeof config.secret_key);
    cs_net_handler_t handler = {.arg = hostile,
                                .up = on_up,
                                .down = on_down,
                                .message = on_message,
                                .writable = on_writable,
                                .dial_state = on_dial_state};
    cs_buf_t detail = {0};
    if (cs_net_new(&config, &handler, &hostile->net, &detail) != CS_OK) test_fail("cs_net_new");
}

void hostile_destroy(hostile_t *hostile)
{
    cs_net_destroy(&hostile->net);
    zloop_destroy(&hostile->loop);
    member_fini(&hostile->member);
    cs_marks_destroy(&hostile->marks);
    cs_vv_fini(&hostile->others);
    for (size_t i = 0; i < HOSTILE_KEPT; i++)
        cs_buf_fini(&hostile->kept[i]);
}

void hostile_dial(hostile_t *hostile, const cluster_node_t *node)
{
    uint8_t key[CS_KEY_BYTES];
    char endpoint[64];
    snprintf(endpoint, sizeof endpoint, "tcp://127.0.0.1:%d", node->port);
    if (!cs_unhex(key, sizeof key, cs_slice_text(node->id)) ||
        cs_net_dial(hostile->net, key, endpoint) != CS_OK)
        test_fail("cannot dial %s", endpoint);
}

void hostile_join(hostile_t *hostile, cluster_t *cluster, int node)
{
    cluster_do(cluster, node, NULL, "peer add %s --name hostile --folder %s", hostile->id,
               cluster->folder);
    hostile_dial(hostile, &cluster->node[node]);
    hostile_await_up(hostile);
}

bool hostile_await(hostile_t *hostile, bool (*goal)(void *arg), void *arg)
{
    return rig_await(hostile->loop, AWAIT_MS, goal, arg);
}

static bool never(void *arg)
{
    (void)arg;
    return false;
}

void hostile_run(hostile_t *hostile, int ms)
{
    (void)rig_await(hostile->loop, ms, never, NULL);
}

static bool is_up(void *arg)
{
    return ((hostile_t *)arg)->link != 0;
}

void hostile_await_up(hostile_t *hostile)
{
    if (!hostile_await(hostile, is_up, hostile)) test_fail("the hostile member is not let in");
}

/* --- saying */

void hostile_say_bytes(hostile_t *hostile, cs_slice_t header, const cs_buf_t *payload)
{
    if (hostile->link == 0) return;
    cs_buf_t copy = {0};
    if (payload != NULL) cs_buf_put_slice(&copy, cs_buf_slice(payload));
    (void)!cs_net_send(hostile->net, hostile->link, header, &copy);
    cs_buf_fini(&copy);
}

void hostile_say(hostile_t *hostile, cs_msg_t *msg, const cs_buf_t *payload)
{
    cs_buf_t *kept = &hostile->kept[hostile->kept_count++ % HOSTILE_KEPT];
    cs_buf_clear(kept);
    memcpy(msg->tag, hostile->member.keys.tag, sizeof msg->tag);
    cs_msg_encode(msg, kept);
    hostile_say_bytes(hostile, cs_buf_slice(kept), payload);
}

void hostile_repeat(hostile_t *hostile)
{
    for (size_t i = 0; i < HOSTILE_KEPT; i++) {
        if (hostile->kept[i].len > 0)
            hostile_say_bytes(hostile, cs_buf_slice(&hostile->kept[i]), NULL);
    }
}

static void vouch(hostile_t *hostile)
{
    size_t count;
    cs_marks_vouch(hostile->marks, cs_replica_state(hostile->member.replica)->ctr);
    cs_msg_mark_t mark = cs_marks_msg(cs_marks_all(hostile->marks, &count));
    cs_msg_t msg = {.type = CS_MSG_MARKS, .u.marks = {&mark, 1}};
    if (mark.ctr > 0) hostile_say(hostile, &msg, NULL);
}

void hostile_greet(hostile_t *hostile)
{
    vouch(hostile);
    static const uint8_t no_members[CS_HASH_BYTES];
    cs_buf_t seen = {0};
    const cs_state_t *state = cs_replica_state(hostile->member.replica);
    cs_vv_encode(&state->seen, &seen);
    cs_msg_t msg = {.type = CS_MSG_HELLO,
                    .u.hello = {.rid = state->rid,
                                .nonce = 1,
                                .caps = CS_CAP_LIST,
                                .members_hash = no_members,
                                .seen = cs_buf_slice(&seen)}};
    hostile_say(hostile, &msg, NULL);
    cs_buf_fini(&seen);
}

void hostile_push(hostile_t *hostile, const char *const *paths, size_t count)
{
    cs_buf_t packed = {0}, entry = {0};
    uint32_t held = 0;
    vouch(hostile);
    for (size_t i = 0; i < count; i++) {
        member_entry(hostile->member.replica, &hostile->member.keys, paths[i], &entry);
        cs_packed_put(&packed, cs_buf_slice(&entry));
        held++;
        if (packed.len < CS_BUNDLE_BYTES && i + 1 < count) continue;
        cs_msg_t msg = {.type = CS_MSG_ENTRIES,
                        .u.entries.entries = {held, cs_buf_slice(&packed)}};
        hostile_say(hostile, &msg, NULL);
        cs_buf_clear(&packed);
        held = 0;
    }
    cs_buf_fini(&packed);
    cs_buf_fini(&entry);
}
