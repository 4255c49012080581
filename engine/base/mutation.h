/* mutation.h - deliberate mistakes for the tests of the tests; none in the product.
 *
 * Where the rules are easy to get wrong, the code asks CS_MUT(NAME), which is the constant
 * false unless CS_MUTATIONS is defined. A second copy of the layers is built with it. Mistakes
 * of the first table must be found by tier T2 (tests/t2/mutants.c); those of the second, which
 * take messages, crashes and disks, by tier T3 (tests/sim/sim_mutants.c, which says in how many
 * seeds, and of which it is not known yet).
 *
 * Of the mistakes that core.md 12 and its model list these are left out, as nothing can tell
 * them: contexts stripped before the first push, deletions that mint no dot, exchanges without
 * the implicit context of the peer, wants answered from the current store: safe, only slower.
 * The step of at least 1 of core.md 8.1 matters to one hash in 2^54: no seed finds that,
 * vectors do (tests/unit/symbols_test.c).
 */
#ifndef CS_BASE_MUTATION_H
#define CS_BASE_MUTATION_H

#include "base/base.h"

#define CS_MUTATION_T2_MAP(X)                                                     \
    X(FULL_CTX, "an edit kills contents that the user never saw")                 \
    X(NO_IMPLICIT, "join without implicit context")                               \
    X(OVERCLAIM, "seen advances on receipt")                                      \
    X(EARLY_GC, "purge before seen covers the tombstone")                         \
    X(A_CONTENT, "the mode is part of the content id")                            \
    X(A_UPDATE, "a chmod counts as a content update")                             \
    X(A_ALL_KNOWN, "a chmod also removes attribute dots that the user never saw") \
    X(A_EDIT_KILLS, "an edit removes all A dots")                                 \
    X(A_ENC, "live states are compared without A")                                \
    X(A_EMPTY, "an entry with A dots only counts as a tombstone")                 \
    X(A_NO_SWEEP, "sweep leaves the A dots")                                      \
    X(A_NO_CLEAN, "clean-up leaves the A dots")                                   \
    X(A_NO_SPLIT, "chmod of a sibling does not split it off")                     \
    X(A_NO_PIN, "no second half of the attribute pass")                           \
    X(A_PIN_STALE, "pin also where an unseen chmod is the reason")                \
    X(A_KMODE, "an edit forgets the mode")                                        \
    X(A_DEFAULT, "without A dots a file shows a fixed mode")                      \
    X(A_NO_GEN, "chmod does not raise gen")                                       \
    X(A_PIN_GEN, "a pin raises gen like a chmod")                                 \
    X(E_HINT, "editing a sibling that only a hint backs does not adopt it")       \
    X(A_HINT, "the move hint forgets the mode")                                   \
    X(A_LATEST_DOT, "attribute picked by dot, not by value")                      \
    X(D_NO_MARK, "a directory that the user emptied is not marked")               \
    X(D_KEEP, "a marker outlives its directory")                                  \
    X(D_REMINT, "a marker removed remotely is minted again by the next scan")     \
    X(NO_REBASE, "silent rebase skipped")                                         \
    X(RENAME_FIRST, "rename pairing before path continuity")                      \
    X(HASH_WINNER, "the winner is chosen by hash only")                           \
    X(FREEZE_HINT, "a freeze carries a hint")                                     \
    X(STALE_HINT, "a hint outlives the content that it is about")

#define CS_MUTATION_T3_MAP(X)                                                                  \
    X(CLAIM_EXCHANGE, "an exchange claims what the peer had seen")                             \
    X(HAVE_NO_CHECK, "a HAVE is used whatever baseline its delta is applied to")               \
    X(STALE_BASE, "the baseline of `seen` survives a HELLO")                                   \
    X(STALE_ROOT, "a HAVE carries an older root than its seen")                                \
    X(GC_EARLY, "a purge reaches the disk, the `seen` that allows it does not")                \
    X(NO_SYNC, "messages leave before the batch is durable")                                   \
    X(SPLIT_BATCH, "the state record is written before the entries of its batch")              \
    X(EXPOSED_CTR, "regression is tested against ctr")                                         \
    X(EXPOSED_SEEN, "only seen vectors, not entries, are tested for regression")               \
    X(HELLO_EXPOSES, "a HELLO carries the own counter")                                        \
    X(RESTORE_RID, "a restored image keeps its rid")                                           \
    X(NO_RENAME, "a new incarnation keeps its unexposed dots")                                 \
    X(KEEP_SEEN, "a new incarnation keeps seen[old] above exposed")                            \
    X(KEEP_CTX, "a new incarnation keeps ctx[old] above exposed")                              \
    X(KEEP_BASE, "rows lost, base rows that name their dots kept")                             \
    X(KEEP_ROWS, "rows lost, `seen` and rid kept")                                             \
    X(IB_NEWER, "an exchange joins with the newest seen of the peer, not its snapshot's")      \
    X(IB_EAGER, "eager entries are joined with the seen of the peer's last HAVE")              \
    X(SNAP_SEEN, "an exchange sends the present seen with an older snapshot")                  \
    X(CTX_OFF_BY_ONE, "a context does not cover its own last number")                          \
    X(DONE_DROPPED, "a STORED event is overheard")                                             \
    X(APPLY_NO_SYNC, "names change before the bytes behind them are flushed")                  \
    X(APPLY_NO_FLUSH, "base rows are written before the names they tell of are flushed")       \
    X(EXCHANGE_BLIND, "what came out of an exchange of names is not looked at")                \
    X(EXCHANGE_KEPT, "a user's file that came out of an exchange of names stays in the trash") \
    X(DELETE_BLIND, "what went to the trash is not looked at")                                 \
    X(NO_REPLACE, "a rename that must not replace does")                                       \
    X(NO_TRASH_LOG, "the log of the trash is not written")                                     \
    X(NO_VOUCH, "a base row vouches for what was written in the same tick")                    \
    X(NO_RACY, "a scan trusts times of the tick it runs in")                                   \
    X(LOCAL_BLIND, "chunks from local files are not hashed")                                   \
    X(REPLY_AFTER_GC, "a reply is read back from the store after a purge")                     \
    X(PEER_LEAK, "what was kept for a peer stays in memory when its connection ends")          \
    X(IDLE_RMDIR, "a directory that cannot go yet counts as removed, and is tried at once")    \
    X(TOUCH_EDITS, "a file of which only the time is another one counts as edited")

#define CS_MUTATION_MAP(X) CS_MUTATION_T2_MAP(X) CS_MUTATION_T3_MAP(X)

typedef enum cs_mutation {
    CS_MUT_NONE,
#define X(name, text) CS_MUT_##name,
    CS_MUTATION_MAP(X)
#undef X
        CS_MUT_COUNT
} cs_mutation_t;

#ifdef CS_MUTATIONS
extern cs_mutation_t cs_mutation;
#define CS_MUT(name) (cs_mutation == CS_MUT_##name)
#else
#define CS_MUT(name) false
#endif

#endif
