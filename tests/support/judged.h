/* judged.h - nodes made by hand for the oracle: what each has in its store is set directly, by
 * right or wrong means, and told as a batch. */
#ifndef CS_TESTS_SUPPORT_JUDGED_H
#define CS_TESTS_SUPPORT_JUDGED_H

#include "crdt/entry.h"
#include "sim/oracle.h"

#define JD_NODES  3u
#define JD_FILES  2u
#define JD_FOLDER 1u

typedef struct jd_node {
    uint64_t rid, ctr, exposed;
    cs_vv_t seen;
    cs_entry_t entry[JD_FILES]; /* of the files "f0", "f1" */
    bool dirty[JD_FILES];
} jd_node_t;

typedef struct jd_world {
    cs_oracle_t *oracle;
    cs_keys_t keys;
    jd_node_t node[JD_NODES]; /* with ids 1, 2, 3 */
    bool lie;                 /* the next batch has a wrong root */
} jd_world_t;

typedef struct jd_image {
    jd_node_t node;
    cs_oracle_image_t *known;
} jd_image_t;

void jd_init(jd_world_t *w); /* every node has written its first record */
void jd_fini(jd_world_t *w);

cs_dot_t jd_mint(jd_world_t *w, unsigned node);
/* A content and its location, of the node's next two numbers. */
void jd_create(jd_world_t *w, unsigned node, unsigned file);
void jd_remove(jd_world_t *w, unsigned node, unsigned file); /* all that is live */
void jd_fetch(jd_world_t *w, unsigned to, unsigned from,
              unsigned file);                               /* the entry as it is */
void jd_learn(jd_world_t *w, unsigned to, unsigned from);   /* all that `from` has seen */
void jd_strip(jd_world_t *w, unsigned node, unsigned file); /* garbage collection */
/* What changed, and m/state. */
void jd_write(jd_world_t *w, unsigned node, bool local);
void jd_expose(jd_world_t *w, unsigned node); /* and writes */
/* Created at node, given away, fetched and learnt by all others, all written. */
void jd_share(jd_world_t *w, unsigned node, unsigned file);
/* (old, exposed + i) becomes (rid, i); not written. */
void jd_reborn(jd_world_t *w, unsigned node, uint64_t rid);

jd_image_t jd_save(const jd_world_t *w, unsigned node);
void jd_restore(jd_world_t *w, unsigned node, const jd_image_t *image);
void jd_copy(jd_world_t *w, unsigned to, unsigned from);
void jd_image_fini(jd_image_t *image);

/* All of them rest. */
bool jd_rests(jd_world_t *w);
/* The oracle's failure contains it. */
bool jd_says(const jd_world_t *w, const char *what);

#endif
