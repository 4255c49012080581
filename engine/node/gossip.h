/* gossip.h - what a folder's replicas tell each other (core.md 6.1, 6.4, 7.2, 7.3).
 *
 * One machine per folder, one conversation per connected peer. HELLO introduces (and carries
 * the member list), HAVE compares roots, ENTRIES carries fresh changes at once, an exchange
 * repairs any difference. It reads and changes the replica, and says what to send through its
 * host; it does no I/O, keeps no clock (now_ms is monotonic, for timeouts only) and iterates
 * peers in sorted order.
 *
 * A peer that breaks the protocol is dropped, with a reason; that never fails the machine. */
#ifndef CS_NODE_GOSSIP_H
#define CS_NODE_GOSSIP_H

#include "base/prng.h"
#include "crdt/replica.h"
#include "node/marks.h"
#include "proto/frame.h"
#include "xfer/fetch.h" /* cs_peer_t */

CS_HEADER_BEGIN

typedef struct cs_key {
    uint8_t b[32]; /* CURVE public key: who a node is */
} cs_key_t;

typedef struct cs_member {
    cs_key_t key;
    char name[64]; /* NUL-terminated; decoration */
    uint64_t rid;  /* current replica id, 0 unknown */
} cs_member_t;

/* What an exchange took so far, or took. */
typedef struct cs_exchange_facts {
    bool init; /* this side asked for it */
    uint64_t ms;
    uint64_t bytes_in, bytes_out; /* of all its frames */
    uint64_t entries_in, entries_out;
    uint64_t symbols;     /* that went over the link, either way */
    uint64_t trips;       /* how often this side had spoken and then heard something */
    uint64_t differences; /* entries that differ; init: found so far. Else 0: not known */
    bool found_all;
} cs_exchange_facts_t;

typedef enum cs_exchange_end {
    CS_EXCHANGE_PARTED,  /* the link or the folder went, or it gave way to another one */
    CS_EXCHANGE_DONE,    /* both have what either had */
    CS_EXCHANGE_REFUSED, /* the other side cannot, for now */
    CS_EXCHANGE_BROKEN,  /* frames were lost, or the other side gave up; it begins anew */
    CS_EXCHANGE_SILENT   /* nothing was heard for too long; same */
} cs_exchange_end_t;

const char *cs_exchange_end_text(cs_exchange_end_t end); /* "done", ... */

/* What the folder offers to its gossip machine. */
#define CS_ALARM_CORRUPT "corrupt"
#define CS_ALARM_REUSE   "dot_reuse" /* with the dot */
#define CS_PEER_FRAMES   "peer.frames"
#define CS_PEER_SILENT   "peer.silent"
#define CS_PEER_VAIN     "peer.vain"
#define CS_PEER_UNSIGNED "peer.unsigned"

typedef struct cs_gossip_host {
    void *arg;
    /* Queue a message: it leaves, in order, once all changes made so far are durable, and
     * `exposed` covers them unless it is a HELLO. msg is borrowed. Returns its bytes. */
    uint64_t (*send)(void *arg, cs_peer_t peer, const cs_msg_t *msg);
    /* This peer breaks the protocol; no call about it follows but cs_gossip_peer_down. */
    void (*drop)(void *arg, cs_peer_t peer, const char *reason);
    /* It does not keep to the order of an exchange (CS_PEER_FRAMES), or does not go on with it
     * (CS_PEER_SILENT), which is begun anew; or its root differs, and exchanges find nothing
     * that does (CS_PEER_VAIN); or it names numbers above their mark (CS_PEER_UNSIGNED). May be
     * NULL. */
    void (*note_peer)(void *arg, cs_peer_t peer, const char *what);
    /* A snapshot of the store; everything in it is durable. The machine releases it. */
    cs_snapshot_t *(*snapshot)(void *arg);
    /* 6.4 asks for a new incarnation: the folder changes the rid, then closes all
     * conversations. */
    void (*reincarnate)(void *arg, const char *reason);
    /* A member that was not known; false: refused. The folder keeps the list. */
    bool (*member)(void *arg, const cs_member_t *member);
    /* An entry that could not be taken: CS_ERR_LIMIT (too many versions), or reuse of a dot; or
     * rows that cannot be, CS_ALARM_CORRUPT. */
    void (*alarm)(void *arg, const char *what, cs_dot_t dot);
    /* Entries came that changed ours, roots are equal now, or an exchange is over. */
    void (*changed)(void *arg);
    /* A peer said something that is news here, or (own) that its own user did: it has the
     * contents, or will have them soon; may be NULL. */
    void (*heard)(void *arg, cs_peer_t peer, const cs_entry_t *entry, bool own);
    /* A peer may hold contents that it was asked for in vain and did not tell of since. */
    void (*peer_has_more)(void *arg, cs_peer_t peer);
    /* An entry of a peer has, with ours, too many versions: ours stays as it is. A path that it
     * is about; may be NULL. */
    void (*refused)(void *arg, cs_slice_t path);
    /* A member has another replica id than was known of it, or is met for the first time since
     * the machine was made; may be NULL. */
    void (*met)(void *arg, const cs_key_t *key, uint64_t rid);
    /* An exchange is over; may be NULL. */
    void (*exchange)(void *arg, cs_peer_t peer, cs_exchange_end_t end,
                     const cs_exchange_facts_t *facts);
    /* An entry that our own user changed is about to be pushed; then, after all of these: to
     * these peers, before they are sent any. Both may be NULL. */
    void (*pushes)(void *arg, const cs_entry_t *entry);
    void (*pushes_to)(void *arg, const cs_peer_t *peers, size_t count);
} cs_gossip_host_t;

typedef struct cs_gossip_config {
    cs_replica_t *replica; /* borrowed */
    cs_store_t *store;     /* borrowed */
    uint32_t folder;
    const cs_keys_t *keys; /* borrowed */
    cs_marks_t *marks;     /* borrowed; NULL: all numbers are taken on trust */
    cs_key_t self;
    char name[64];
    uint64_t seed;  /* for fan-out and jitter */
    uint64_t stamp; /* greater than any this node used before: orders its reports */
    /* Borrowed; NULL: the defaults. Other ones only in tests, the same on all nodes. */
    const struct cs_recon_limits *recon;
} cs_gossip_config_t;

typedef struct cs_gossip cs_gossip_t;

cs_gossip_t *cs_gossip_new(const cs_gossip_config_t *config, const cs_gossip_host_t *host);
void cs_gossip_destroy(cs_gossip_t **gossip_p);

/* The member list, this node included; sorted by key. Kept by the machine, fed by the folder.
 */
void cs_gossip_add_member(cs_gossip_t *gossip, const cs_member_t *member);
/* Not of this node itself; its conversation must have ended. Unknown: nothing. */
void cs_gossip_remove_member(cs_gossip_t *gossip, const cs_key_t *key);
const cs_member_t *cs_gossip_members(const cs_gossip_t *gossip, size_t *ret_count);
/* How often a peer began to listen: 0: it does not yet know of all members, what is said of
 * them would be lost. Another number than before: what it was told may have been. */
uint32_t cs_gossip_greetings(const cs_gossip_t *gossip, cs_peer_t id);
/* Another number than before: that of some peer may be, too. */
uint64_t cs_gossip_introductions(const cs_gossip_t *gossip);

void cs_gossip_peer_up(cs_gossip_t *gossip, cs_peer_t id, const cs_key_t *key, uint64_t now_ms);
void cs_gossip_peer_down(cs_gossip_t *gossip, cs_peer_t id);
/* One message of a type that is gossip's (HELLO..LIST); content messages go to the folder. */
void cs_gossip_message(cs_gossip_t *gossip, cs_peer_t id, const cs_msg_t *msg, uint64_t now_ms);
/* Local operations were done (their buckets wait in cs_replica_take_changed), or the applied
 * state changed: push, and say HAVE soon. */
void cs_gossip_local(cs_gossip_t *gossip, uint64_t now_ms);
/* Is the present root fully on disk here? Told in HAVE reports. Say it again after each change:
 * what is joined later counts as not applied. */
void cs_gossip_set_applied(cs_gossip_t *gossip, bool applied, uint64_t now_ms);
/* Timers. Returns the time of the next one (UINT64_MAX: none); any other call may bring it
 * forward, so call this after each of them (or a group), then stage: it collects garbage, too.
 */
uint64_t cs_gossip_tick(cs_gossip_t *gossip, uint64_t now_ms);
/* The replica was given a new rid: all conversations begin anew with HELLO. */
void cs_gossip_restart(cs_gossip_t *gossip, uint64_t now_ms);

/* Too many of a peer's files would have been refuted (core.md 6.4; alarm "refutations"): its
 * entries are still taken, but none is answered and no exchange runs until somebody looked at
 * it. */
bool cs_gossip_is_paused(const cs_gossip_t *gossip);
void cs_gossip_resume(cs_gossip_t *gossip, uint64_t now_ms);

/* What is known of a member's state, for `wait` and `status`. */
typedef struct cs_report {
    cs_key_t key;
    bool known, equal, applied; /* equal: its last reported root and n are ours now */
    bool connected;
    bool exchanging; /* `facts` is of what runs */
    bool ended;      /* `end` is how the last one of this connection ended */
    cs_exchange_end_t end;
    cs_exchange_facts_t facts;
} cs_report_t;
/* One per member other than this node, sorted by key; freed with cs_free. */
cs_report_t *cs_gossip_reports(const cs_gossip_t *gossip, size_t *ret_count);

typedef struct cs_gossip_stats {
    uint64_t have_sent, have_received, exchanges, entries_sent, entries_received, claims;
    uint64_t symbols, parts, lists; /* received, asked for, as initiator */
} cs_gossip_stats_t;
const cs_gossip_stats_t *cs_gossip_stats(const cs_gossip_t *gossip);

CS_HEADER_END

#endif
