/* oracle.h - decides, from what becomes durable alone, whether a history keeps its promises.
 *
 * Told of every batch that is durable at a node, it keeps books of each number that was ever
 * minted: its value, where it is live, who removed it. It shares no code with the engine: it
 * reads keys and values itself (proto/ENTRY.md) and hashes with libsodium.
 *
 *   at each batch   a dot was minted by its own replica, in a batch of a scan, at a path where
 *                   its user did something, and has the same bytes everywhere; numbers go up
 *                   and leave only once `exposed` covers them; a dot vanishes only if it was
 *                   removed, here or elsewhere, or renamed by a new incarnation; what was dead
 *                   stays dead; nothing is covered that is neither live nor removed, and no
 *                   removal of what is live (overclaim, by seen or ctx); knowledge never
 *                   shrinks; ctx covers what is live (W); n, root (core.md 12: I7, I8, I1)
 *   at rest         equal states and roots, live == minted - removed, no tombstone and no
 *                   lineage that nothing shows (I1, I3, I6)
 *
 * What an unnoticed rollback made uncertain is not judged: a removal that the lost future may
 * have told somebody ("maybe"), a dot that went nowhere. Numbers that were given away twice
 * that way (core.md 15 (k)) are the hole: dots of that replica from there on are not judged.
 *
 * Batches hold what changed since the one before, so joins and scans may be in one: in a batch
 * of a scan, what became covered in an entry that it touches counts as removed by it. */
#ifndef CS_SIM_ORACLE_H
#define CS_SIM_ORACLE_H

#include "base/store.h"

#define CS_ORACLE_NODES_MAX 64u /* nodes are bits of a word */

typedef struct cs_oracle cs_oracle_t;
typedef struct cs_oracle_image cs_oracle_image_t;

typedef struct cs_oracle_config {
    unsigned node_count;   /* 1..CS_ORACLE_NODES_MAX */
    uint32_t folder;       /* keys of other folders are ignored */
    const uint8_t *secret; /* of the folder, 32 bytes; copied */
    /* Has the user of `node` changed anything at `path`, or what is one with it, that no scan
     * had seen at the last rest point? NULL: whatever is minted is taken for his. */
    bool (*touched)(void *arg, unsigned node, cs_slice_t path);
    void *arg;
    bool roots; /* check the root at each batch (1 us an entry); at rest it always is */
} cs_oracle_config_t;

cs_oracle_t *cs_oracle_new(const cs_oracle_config_t *config);
void cs_oracle_destroy(cs_oracle_t **oracle_p);

/* The first violation: invariant, node, dot (rid:ctr in hex), bucket, path. NULL: none. Once
 * there is one, nothing more is judged. */
const char *cs_oracle_failure(const cs_oracle_t *oracle);
/* The history ran into the hole of core.md 15 (k): do not demand that it converges. */
bool cs_oracle_hole(const cs_oracle_t *oracle);

/* This batch is durable at `node`. local: results of a scan may be in it. Batches lost in a
 * crash are never told. */
void cs_oracle_wrote(cs_oracle_t *oracle, unsigned node, const cs_batch_t *batch, bool local);

/* The node says to a peer that it is at number `ctr` of replica `rid`. If that is its own one,
 * `exposed` must cover it. */
void cs_oracle_said(cs_oracle_t *oracle, unsigned node, uint64_t rid, uint64_t ctr);

/* What the oracle knows of a node, to go with a copy of its disk. Destroy before the oracle. */
cs_oracle_image_t *cs_oracle_image(const cs_oracle_t *oracle, unsigned node);
void cs_oracle_image_destroy(cs_oracle_image_t **image_p);
/* The node's store is that of the image, of this node, from now on; call it before the node
 * starts. Whether it will notice is its own affair. May be used more than once. */
void cs_oracle_restored(cs_oracle_t *oracle, unsigned node, const cs_oracle_image_t *image);
/* The store of `to` is a copy of that of `from`; what `to` was is gone. */
void cs_oracle_copied(cs_oracle_t *oracle, unsigned to, unsigned from);
/* Rows whose keys begin with `prefix` (folder number first) are gone. The next batch must then
 * be that of a new replica id, if this took any live entry, or the state record. */
void cs_oracle_lost_rows(cs_oracle_t *oracle, unsigned node, cs_slice_t prefix);

typedef struct cs_oracle_counts {
    uint64_t entries;  /* live, at the first node of the group */
    uint64_t contents; /* that must be shown, of those: see cs_oracle_each_content */
    uint64_t minted;   /* numbers, ever, everywhere */
    uint64_t removed;  /* dots with a value */
} cs_oracle_counts_t;

/* All of the group (node_count flags) is connected, has scanned, applied, and is quiet. False:
 * see cs_oracle_failure. ret may be NULL. Roots and I1 are not compared after the hole. */
bool cs_oracle_check_rest(cs_oracle_t *oracle, const bool *in_group, cs_oracle_counts_t *ret);

/* There is an entry somewhere that has nothing live. */
bool cs_oracle_has_tombstones(const cs_oracle_t *oracle);

/* Numbers minted so far: equal before and after a scan of an unchanged tree (GetPut). */
uint64_t cs_oracle_minted(const cs_oracle_t *oracle);
/* The same of one node, in all its lives. */
uint64_t cs_oracle_minted_by(const cs_oracle_t *oracle, unsigned node);

/* A content that must be displayed somewhere (I4). */
typedef struct cs_oracle_content {
    uint8_t kind;        /* 1 file, 2 symbolic link, 3 directory */
    uint16_t mode;       /* as it came with the content: A values are not applied */
    const uint8_t *hash; /* 32 bytes; borrowed, as `path` */
    uint64_t size;       /* bytes */
    cs_slice_t path;     /* where it was written; its lineage may have moved */
    bool is_hint; /* its lineage has no content left, a move keeps the bytes: `path` is where */
} cs_oracle_content_t;

/* Every live content durable at the node, in no particular order, equal ones more than once. */
void cs_oracle_each_content(const cs_oracle_t *oracle, unsigned node, void *arg,
                            void (*each)(void *arg, const cs_oracle_content_t *content));

#endif
