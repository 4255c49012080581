/* mutation.h - deliberate mistakes for the tests of the tests; none in the product.
 *
 * Where the rules are easy to get wrong, the code asks CS_MUT(NAME), which is the constant
 * false unless CS_MUTATIONS is defined. A second copy of the layer is built with it, and every
 * mistake must be found by the property tests or the vectors. */
#ifndef CS_CRDT_MUTATION_H
#define CS_CRDT_MUTATION_H

#define CS_MUTATION_MAP(X)                                                        \
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
    X(FREEZE_HINT, "a freeze carries a hint")

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
