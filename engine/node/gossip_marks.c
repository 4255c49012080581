/* gossip_marks.c - marks of replicas, told ahead of what they vouch for, and taken
 * (node/marks.h; core.md 10 d). */
#include "base/mem.h"
#include "node/gossip_internal.h"

/* Marks get lost when a link is replaced, and one HELLO brings them all. Who needs more of them
 * within the time names what nobody signed. */
#define UNSIGNED_MAX 8u
#define UNSIGNED_MS  600000u
/* What is told of is held, and all that is held has room: who displaces more makes ids up. */
#define DISPLACED_MAX CS_MARKS_MAX

/* --- told */

typedef struct telling {
    cs_gossip_t *gossip;
    cs__peer_t *peer;
    size_t count;
    cs_msg_mark_t item[CS_MARKS_MAX];
} telling_t;

static void flush(telling_t *telling)
{
    if (telling->count == 0) return;
    cs_msg_t msg = {.type = CS_MSG_MARKS, .u.marks = {telling->item, telling->count}};
    (void)cs__send(telling->gossip, telling->peer, &msg);
    telling->count = 0;
}

static void tell(telling_t *telling, const cs_signed_mark_t *mark)
{
    cs_vv_t *marked = &telling->peer->marked;
    if (mark->ctr == 0 || cs_vv_get(marked, mark->rid) >= mark->ctr) return;
    if (!cs_marks_is_held(telling->gossip->config.marks, mark)) {
        telling->peer->marks_idle = true; /* until something names it */
        return;
    }
    cs_dot_t upto = {mark->rid, mark->ctr};
    if (cs_vv_raise(marked, upto) != CS_OK) {
        /* It is full of ids that have gone again: all others are told once more. */
        cs_vv_fini(marked);
        (void)!cs_vv_raise(marked, upto);
    }
    telling->item[telling->count++] = cs_marks_msg(mark);
    if (telling->count == CS_MARKS_MAX) flush(telling);
}

void cs__say_marks(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_type_t before)
{
    cs_marks_t *marks = gossip->config.marks;
    if (marks == NULL) return;
    /* HELLO names of ours what was given away, all others anything. */
    cs_replica_t *replica = gossip->config.replica;
    if (before != CS_MSG_HELLO) cs_replica_expose(replica);
    cs_marks_vouch(marks, cs_replica_state(replica)->exposed);
    if (peer->marked_version == cs_marks_version(marks) && !peer->marks_idle) return;
    peer->marked_version = cs_marks_version(marks);
    peer->marks_idle = false;
    telling_t telling = {.gossip = gossip, .peer = peer};
    size_t count;
    const cs_signed_mark_t *all = cs_marks_all(marks, &count);
    for (size_t i = 0; i < count; i++) {
        tell(&telling, &all[i]);
    }
    flush(&telling);
}

void cs__forget_marked(cs__peer_t *peer)
{
    cs_vv_fini(&peer->marked);
    peer->marked_version = 0;
}

/* --- taken */

cs_err_t cs__on_marks(cs_gossip_t *gossip, cs__peer_t *peer, const cs_msg_marks_t *msg)
{
    if (gossip->config.marks == NULL) return CS_OK;
    cs_err_t err = CS_OK;
    bool full = false;
    uint64_t before = cs_marks_displaced(gossip->config.marks);
    for (size_t i = 0; i < msg->count && err == CS_OK; i++) {
        const cs_msg_mark_t *mark = &msg->items[i];
        cs_dot_t upto = {.ctr = mark->ctr};
        err = cs_marks_learn(gossip->config.marks, mark, &upto.rid);
        /* Beyond the limit it is told once more than it needs. */
        if (err == CS_OK) (void)!cs_vv_raise(&peer->marked, upto);
        full = full || err == CS_ERR_LIMIT;
        if (err == CS_ERR_LIMIT) err = CS_OK;
    }
    if (full) cs__alarm(gossip, "too many replica ids", (cs_dot_t){0});
    if (err == CS_ERR_UNSIGNED) { /* no accident */
        peer->unsigned_ms = gossip->now_ms;
        peer->unsigned_count = UNSIGNED_MAX;
    }
    peer->displaced += cs_marks_displaced(gossip->config.marks) - before;
    return err == CS_OK && peer->displaced > DISPLACED_MAX ? CS_ERR_LIMIT : err;
}

bool cs__is_signed(const cs_gossip_t *gossip, const cs_vv_t *vv)
{
    return gossip->config.marks == NULL || cs_marks_cover(gossip->config.marks, vv);
}

bool cs__is_entry_signed(const cs_gossip_t *gossip, const cs_entry_t *entry)
{
    return gossip->config.marks == NULL || cs_marks_cover_entry(gossip->config.marks, entry);
}

cs_err_t cs__unsigned(cs_gossip_t *gossip, cs__peer_t *peer)
{
    if (peer->unsigned_ms + UNSIGNED_MS <= gossip->now_ms) peer->unsigned_count = 0;
    if (peer->unsigned_count == 0) peer->unsigned_ms = gossip->now_ms;
    if (++peer->unsigned_count > 1) cs__note_peer(gossip, peer, CS_PEER_UNSIGNED);
    if (peer->unsigned_count > UNSIGNED_MAX) return CS_ERR_UNSIGNED;
    cs__exchange_abort(gossip, peer, CS_EXCHANGE_BROKEN);
    cs__ask_hello(gossip, peer);
    return CS_ERR_AGAIN;
}
