/* gossip_internal.h - the parts of the gossip machine, shared by gossip_*.c only.
 *
 *   gossip.c            life, peers, dispatch, timers
 *   gossip_hot.c        what waits to be pushed
 *   gossip_members.c    members and reports
 *   gossip_join.c       entries coming in
 *   gossip_hello.c      HELLO and baselines
 *   gossip_marks.c      marks told and taken
 *   gossip_have.c       HAVE, equality
 *   gossip_exchange.c   both roles: life, frames
 *   gossip_account.c    what they took
 *   gossip_initiator.c, gossip_responder.c
 *
 * Handlers return what is wrong and the entry points act on it, so that no handler goes on with
 * a peer that was dropped: CS_ERR_STALE asks for a new incarnation, CS_ERR_MALFORMED, _LIMIT,
 * _MISMATCH and _UNSIGNED drop the peer, CS_ERR_IO and _CORRUPT are the store's and end the
 * exchange. */
#ifndef CS_NODE_GOSSIP_INTERNAL_H
#define CS_NODE_GOSSIP_INTERNAL_H

#include "base/mutation.h"
#include "node/gossip.h"
#include "recon/recon.h"

#define CS__NEVER UINT64_MAX

/* Timing, all in ms (core.md 7.2). */
#define CS__HAVE_MS     5000u   /* between HAVEs to a neighbour that differs */
#define CS__HAVE_MAX_MS 60000u  /* ... doubled up to this while equal */
#define CS__HAVE_GAP_MS 200u    /* at most 5 a second to one neighbour */
#define CS__HELLO_MS    5000u   /* until an unanswered HELLO is repeated */
#define CS__REPORTS_MS  600000u /* then what was told of other members is told once more */
#define CS__PUSH_MS     50u     /* changes within this go into one push */
#define CS__PATIENCE_MS 500u    /* for one that has too much of them; exchanges help it later */
#define CS__STUCK_MS    5000u   /* then what was on the way to it is taken for lost */
#define CS__SETTLED_MS  2000u   /* then a state that differs from ours is worth a relay */
#define CS__SOON_MS     200u    /* from a local change to HAVE for those who got no push */
#define CS__CROSS_MS    1000u   /* the smaller key waits before it starts an exchange */
#define CS__SETTLE_MS   300u    /* pushes that cross settle by themselves within this */
#define CS__EXCHANGE_MS 30000u  /* without a frame: given up */
#define CS__RETRY_MS    2000u   /* after an exchange that failed */
#define CS__CRAWL_BYTES 4096u   /* less within CS__EXCHANGE_MS: gives way if others wait */
/* exchanges in a row that found nothing, though roots differ: then ever rarer */
#define CS__VAIN_MAX    3u
#define CS__VAIN_MAX_MS 600000u
/* Rows that a peer may have us read: of each entry so many times, and some more, before its
 * next exchange has to wait, and what it owes goes down. A whole comparison by parts, a list
 * and all that it wants then take five; twice that in one exchange is no honest peer's. */
#define CS__ROWS_TIMES          4u
#define CS__ROWS_TIMES_EXCHANGE 10u
#define CS__ROWS_FREE           100000u
#define CS__ROWS_PER_S          100000u /* a tenth of what one processor reads */
#define CS__GC_MS               200u    /* from a join to the next collection */
#define CS__GC_SLICE            1024u   /* entries a slice */

/* Entries on their way out. */
typedef struct cs__bundle {
    cs_buf_t packed;
    uint32_t count;
} cs__bundle_t;

/* --- hot set: buckets changed here and not yet pushed (core.md 7.2) */
typedef struct cs__hot_item {
    cs_bucket_t bucket;
    cs_peer_t from; /* who brought it; 0: changed here */
    uint8_t hops;
    uint8_t had; /* peers that showed us that they have it */
} cs__hot_item_t;

typedef struct cs__hot {
    cs__hot_item_t *items;
    size_t len, cap;
    uint32_t *slots; /* open addressing by bucket: index + 1 */
    size_t slot_count;
} cs__hot_t;

cs__hot_item_t *cs__hot_find(const cs__hot_t *hot, const cs_bucket_t *bucket); /* NULL */
void cs__hot_add(cs__hot_t *hot, const cs_bucket_t *bucket, uint8_t hops, cs_peer_t from);
void cs__hot_clear(cs__hot_t *hot); /* keeps nothing allocated */

/* --- an exchange (core.md 7.3) */
typedef struct cs__exchange {
    bool init;             /* I am the initiator */
    uint32_t xid, out, in; /* last frame sent, last one taken */
    uint64_t began_ms, heard_ms;
    cs_exchange_facts_t facts;    /* gossip_account.c */
    uint64_t mark_ms, mark_bytes; /* bytes of it until then */
    bool crawls;                  /* hardly any came or went in the time before that */
    bool spoke;                   /* and nothing was heard since */
    cs_exchange_end_t end;        /* as it is to be called if it ends now */
    cs_snapshot_t *snapshot;
    cs_view_t view;
    cs_state_t state; /* of the snapshot */
    bool peer_known;  /* peer_seen is set: the seen of the peer's snapshot */
    cs_vv_t peer_seen;
    bool changed;      /* a join changed something here */
    uint64_t refuted;  /* entries of the peer that are dead here */
    cs_buf_t row;      /* scratch */
    cs__bundle_t push; /* entries for PUSH (initiator), ENTRIES (responder) */
    uint64_t bundles_out, bundles_credited; /* PUSH, or pages of everything */
    uint64_t bundles_in;
    /* initiator */
    cs_differ_t *differ; /* NULL: asked for everything */
    bool ended;          /* the difference is known */
    bool fin_sent;
    cs_buf_t wants;              /* digests asked for, oldest first, and not yet answered */
    size_t wants_at, wants_sent; /* bytes: where the oldest begins, sent up to here */
    uint64_t entry_bytes, entry_count; /* received: the average sets the window */
    /* responder */
    cs_teller_t *teller;        /* NULL: was asked for everything */
    uint64_t told_rows;         /* cs_teller_rows, as they were charged */
    uint64_t rows;              /* charged to this exchange */
    cs_view_walk_t *everything; /* the walk for an empty peer */
} cs__exchange_t;

typedef struct cs__peer {
    cs_peer_t id;
    cs_key_t key;
    bool dropped;
    bool checked;     /* its HELLO came and was no regression */
    bool member_news; /* members were added since our last HELLO */
    uint64_t rid;
    uint32_t nonce, caps;
    cs_vv_t seen_of;         /* as told by it */
    cs_vv_t sent;            /* ours as told to it */
    bool greeted;            /* a HELLO came, and no HAVE since */
    uint32_t greetings;      /* HELLOs of who had not heard ours, or had not been heard */
    cs_vv_t marked;          /* marks that it has, or that are on the way to it */
    uint64_t marked_version; /* cs_marks_version when it was told all */
    bool marks_idle;         /* some were left out, as nothing names them */
    uint64_t displaced;      /* marks, by those that it told */
    uint64_t unsigned_ms;    /* since then */
    uint32_t unsigned_count; /* it named so many times numbers that no mark covers */
    uint64_t rows_owed;      /* that it made us read */
    uint64_t rows_ms;        /* when it owed that many */
    /* its last HAVE */
    bool have_known, applied;
    uint8_t root[CS_HASH_BYTES];
    uint64_t n;
    /* our last HAVE to it */
    bool told;
    uint8_t told_root[CS_HASH_BYTES];
    uint64_t told_n, told_stamp;
    uint64_t *stamps; /* per member: newest report that it is known to have */
    uint64_t reports_again_ms;
    uint64_t heard_ms, eager_ms;
    /* Bytes of pushed entries since our HELLO, of those durable there; since its HELLO from it,
     * of those told. */
    uint64_t pushed, push_taken, taken, taken_told;
    uint64_t push_moved_ms; /* when push_taken grew, or there was nothing on the way */
    uint64_t hello_due_ms, hello_sent_ms;
    /* news_due: a HAVE if there is news for it by then; beat_due: one in any case */
    uint64_t news_due_ms, beat_due_ms, have_sent_ms, period_ms;
    uint64_t start_due_ms;   /* an exchange is wanted */
    uint64_t quiet_until_ms; /* not before this */
    uint64_t held_until_ms;  /* its symbols were nonsense, and its list was just read */
    cs__exchange_t *exchange;
    uint32_t vain; /* exchanges in a row, as in CS__VAIN_MAX */
    bool ended;    /* one did, on this connection: */
    cs_exchange_end_t end;
} cs__peer_t;

typedef struct cs__member_state {
    bool known, applied;
    uint64_t stamp, n;
    uint8_t root[CS_HASH_BYTES];
    uint64_t heard_ms;      /* of this state */
    uint64_t list_again_ms; /* not before this is its list read because of nonsense */
} cs__member_state_t;

struct cs_gossip {
    cs_gossip_config_t config;
    cs_gossip_host_t host;
    cs_prng_t prng;
    uint64_t now_ms;
    uint32_t nonce, next_xid;
    uint64_t introductions; /* see gossip.h */
    bool stopped;           /* a new incarnation was asked for: until restart */
    bool paused;            /* the fuse */
    bool applied;           /* ... and then it was this root */
    uint8_t applied_root[CS_HASH_BYTES];
    cs_member_t *members; /* sorted by key; states and every peer's stamps run parallel */
    cs__member_state_t *states;
    size_t member_count, member_cap;
    size_t self_at, member_guess; /* indices: of this node; where the next key of a list is */
    cs__peer_t **peers;           /* sorted by id */
    size_t peer_count, peer_cap;
    cs__hot_t hot;
    uint64_t push_due_ms, pushed_ms;
    uint64_t gc_due_ms;
    bool hash_known;
    cs_vv_t hashed; /* its hash, as in HAVE */
    uint8_t seen_hash[CS_DIGEST_BYTES];
    uint64_t deaths; /* entries seen to die since the start: no surprise to refute them */
    cs_gossip_stats_t stats;
};

static inline const cs_state_t *cs__state(const cs_gossip_t *gossip)
{
    return cs_replica_state(gossip->config.replica);
}

static inline void cs__sooner(uint64_t *due_ms, uint64_t at_ms)
{
    if (at_ms < *due_ms) *due_ms = at_ms;
}

/* --- gossip.c */
/* Sets the tag; returns the bytes. */
uint64_t cs__send(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_t *msg);
void cs__note_peer(cs_gossip_t *gossip, const cs__peer_t *peer, const char *what);
void cs__alarm(cs_gossip_t *gossip, const char *what, cs_dot_t dot);
void cs__alarm_store(cs_gossip_t *gossip, cs_err_t err);
/* A vector from outside: CS_ERR_MALFORMED, _LIMIT, and _STALE if it names a number of mine that
 * I never gave away. ret initialised, replaced. */
CS_MUST_USE cs_err_t cs__read_seen(cs_gossip_t *gossip, cs_slice_t bytes, cs_vv_t *ret);

/* The present root is on the disk. What came since the folder said so is not. */
bool cs__is_applied(const cs_gossip_t *gossip);

/* One end of the peer's exchange, for recon/recon.h. */
cs_recon_t cs__recon_of(const cs_gossip_t *gossip, const cs__exchange_t *exchange);
/* The symbols of its snapshot; none if they are not known, then they are made of the rows. */
cs_symbols_t cs__prefix_of(cs_gossip_t *gossip, const cs__exchange_t *exchange);

/* --- gossip_members.c */
void cs__members_fini(cs_gossip_t *gossip);
bool cs__member_index(cs_gossip_t *gossip, const uint8_t *key, size_t *ret);
void cs__member_met(cs_gossip_t *gossip, size_t at, uint64_t rid); /* 0: it was not told */
void cs__members_hash(const cs_gossip_t *gossip, uint8_t ret[CS_HASH_BYTES]);
/* The list for a message; freed with cs_free. */
cs_msg_member_t *cs__members_for(const cs_gossip_t *gossip, size_t *ret_count);
void cs__members_take(cs_gossip_t *gossip, const cs_msg_members_t *members);
/* A state of a member became known, from peer `from`. True if it is news to us. */
bool cs__report_take(cs_gossip_t *gossip, cs__peer_t *from, const cs_msg_report_t *report);
/* Up to CS_REPORTS_MAX reports that the peer may not have; noted as told. */
size_t cs__reports_for(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_report_t *ret);
/* Would there be any? */
bool cs__has_reports_for(const cs_gossip_t *gossip, const cs__peer_t *peer);
/* Somebody was told our present state under this stamp, and nobody a later one. */
bool cs__is_own_stamp(const cs_gossip_t *gossip, uint64_t stamp);
/* The stamp of our own present state, which is about to be told. */
uint64_t cs__own_stamp(cs_gossip_t *gossip);

/* --- gossip_hello.c */
void cs__say_hello(cs_gossip_t *gossip, cs__peer_t *peer);
void cs__ask_hello(cs_gossip_t *gossip, cs__peer_t *peer); /* at most five a second */
CS_MUST_USE cs_err_t cs__on_hello(cs_gossip_t *gossip, cs__peer_t *peer,
                                  const cs_msg_hello_t *hello);

/* --- gossip_marks.c */
/* What vouches for a message of that type goes ahead of it. */
void cs__say_marks(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_type_t before);
void cs__forget_marked(cs__peer_t *peer); /* it is told all anew */
CS_MUST_USE cs_err_t cs__on_marks(cs_gossip_t *gossip, cs__peer_t *peer,
                                  const cs_msg_marks_t *msg);
bool cs__is_signed(const cs_gossip_t *gossip, const cs_vv_t *vv);
bool cs__is_entry_signed(const cs_gossip_t *gossip, const cs_entry_t *entry);
/* The peer named numbers that no mark covers. CS_ERR_AGAIN: marks may have been lost, it is
 * asked for all; CS_ERR_UNSIGNED: that was so too often. */
CS_MUST_USE cs_err_t cs__unsigned(cs_gossip_t *gossip, cs__peer_t *peer);

/* --- gossip_have.c */
void cs__say_have(cs_gossip_t *gossip, cs__peer_t *peer);
/* As soon as the rate allows, if there is news for the peer then; delay_ms 0: now, in any case,
 * if the rate allows. */
void cs__have_soon(cs_gossip_t *gossip, cs__peer_t *peer, uint32_t delay_ms);
void cs__have_tick(cs_gossip_t *gossip, cs__peer_t *peer); /* what is due */
/* It pushed so much that it may wait to hear what is durable here. */
bool cs__owes_taken(const cs__peer_t *peer);
void cs__have_others_soon(cs_gossip_t *gossip, const cs__peer_t *but); /* our state changed */
bool cs__is_equal(const cs_gossip_t *gossip, const cs__peer_t *peer);  /* by its last HAVE */
CS_MUST_USE cs_err_t cs__on_have(cs_gossip_t *gossip, cs__peer_t *peer,
                                 const cs_msg_have_t *have);

/* --- gossip_hot.c */
void cs__push_soon(cs_gossip_t *gossip);
void cs__cool(cs_gossip_t *gossip); /* nothing is hot any more */
void cs__push(cs_gossip_t *gossip);
/* HAVE says so: more may go to it. */
void cs__push_taken(cs_gossip_t *gossip, cs__peer_t *peer, uint64_t taken);

/* --- gossip_join.c */
/* What happens to results that are not what was received; called with a full or last bundle. */
typedef struct cs__replies {
    void (*send)(cs_gossip_t *gossip, cs__peer_t *peer, cs__bundle_t *bundle);
    cs__bundle_t bundle;
    bool changed; /* something of ours, by what came */
} cs__replies_t;

void cs__bundle_put(cs__bundle_t *bundle, cs_slice_t encoded);
bool cs__bundle_is_full(const cs__bundle_t *bundle, size_t next_bytes);
void cs__bundle_clear(cs__bundle_t *bundle);
cs_msg_entries_t cs__bundle_entries(const cs__bundle_t *bundle);

/* Join all entries of a message. exchange: the one that they belong to, or NULL (eager: hops).
 */
CS_MUST_USE cs_err_t cs__take_entries(cs_gossip_t *gossip, cs__peer_t *peer,
                                      const cs_msg_entries_t *entries, cs__exchange_t *exchange,
                                      uint32_t hops, cs__replies_t *replies);
CS_MUST_USE cs_err_t cs__on_eager(cs_gossip_t *gossip, cs__peer_t *peer,
                                  const cs_msg_entries_t *entries, uint32_t hops);

/* --- gossip_exchange.c */
void cs__want_exchange(cs_gossip_t *gossip, cs__peer_t *peer); /* roots differ */
void cs__try_start(cs_gossip_t *gossip, cs__peer_t *peer);     /* if wanted, due and allowed */
CS_MUST_USE cs_err_t cs__on_recon_req(cs_gossip_t *gossip, cs__peer_t *peer,
                                      const cs_msg_t *msg);
/* Any other message with an xid. */
CS_MUST_USE cs_err_t cs__on_exchange(cs_gossip_t *gossip, cs__peer_t *peer,
                                     const cs_msg_t *msg);
void cs__exchange_close(cs_gossip_t *gossip,
                        cs__peer_t *peer); /* without a word; NULL is fine */
/* Tells the peer. */
void cs__exchange_abort(cs_gossip_t *gossip, cs__peer_t *peer, cs_exchange_end_t end);
void cs__exchange_done(cs_gossip_t *gossip, cs__peer_t *peer);
void cs__xsend(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_t *msg); /* numbers it */
void cs__send_fin(cs_gossip_t *gossip, cs__peer_t *peer, cs_fin_status_t status);
void cs__send_credit(cs_gossip_t *gossip, cs__peer_t *peer);
cs_msg_snap_t cs__snap_of(const cs__exchange_t *exchange, cs_buf_t *seen);
CS_MUST_USE cs_err_t cs__take_snap(cs_gossip_t *gossip, cs__exchange_t *exchange,
                                   const cs_msg_snap_t *snap);

/* --- gossip_account.c */
void cs__account_out(cs__exchange_t *exchange, const cs_msg_t *msg, uint64_t bytes);
void cs__account_in(cs__exchange_t *exchange, const cs_msg_t *msg);
void cs__account_now(const cs__peer_t *peer, uint64_t now_ms, cs_exchange_facts_t *ret);
void cs__account_tick(cs__exchange_t *exchange, uint64_t now_ms);
void cs__account_tell(cs_gossip_t *gossip, const cs__peer_t *peer); /* it ends */

/* --- roles: begin after the snapshot was taken, then one call a frame */
void cs__initiator_begin(cs_gossip_t *gossip, cs__peer_t *peer);
CS_MUST_USE cs_err_t cs__initiator_frame(cs_gossip_t *gossip, cs__peer_t *peer,
                                         const cs_msg_t *msg);
CS_MUST_USE cs_err_t cs__responder_begin(cs_gossip_t *gossip, cs__peer_t *peer,
                                         const cs_msg_recon_req_t *request);
/* It made us read so much that its next exchange has to wait. */
bool cs__responder_rests(cs_gossip_t *gossip, cs__peer_t *peer);
CS_MUST_USE cs_err_t cs__responder_frame(cs_gossip_t *gossip, cs__peer_t *peer,
                                         const cs_msg_t *msg);

#endif
