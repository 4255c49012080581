/* recon_rig.h - two sets of digests in stores, one differ and one teller about them, and what
 * they say to each other. */
#ifndef CS_TESTS_RECON_RIG_H
#define CS_TESTS_RECON_RIG_H

#include "recon/recon.h"

#define RR_KEY ((const uint8_t *)"sixteen bytes .")

typedef struct rr_side {
    cs_store_t *store;
    cs_recon_t recon;
} rr_side_t;

typedef struct rr_rig {
    rr_side_t mine, theirs;
    cs_recon_limits_t limits;
    cs_differ_t *differ;
    cs_teller_t *teller;
    /* what was said */
    uint64_t bytes, answers, rounds; /* rounds: asks but for STOP */
    unsigned asked[CS_ASK_LIST + 1];
    unsigned parts; /* asks for symbols of a part */
} rr_rig_t;

extern const cs_recon_limits_t rr_tiny; /* partitions and lists after a few items */

void rr_init(rr_rig_t *rig, const cs_recon_limits_t *limits);
void rr_fini(rr_rig_t *rig);
void rr_item(uint64_t number, uint8_t ret[CS_ITEM_BYTES]); /* spread as digests are */
void rr_put(rr_side_t *side, uint64_t number);             /* its bucket: rr_item(~number) */
/* Both begin; prefix: with symbols kept, as a replica has them. */
void rr_begin(rr_rig_t *rig, cs_differ_way_t way, bool prefix);
/* Hands over all asks and answers there are now; the first error of either. */
cs_err_t rr_talk(rr_rig_t *rig);
/* Until the end. each: what was found, every time that it is told. */
cs_err_t rr_run(rr_rig_t *rig, void *arg,
                void (*each)(void *arg, cs_diff_t what, const cs_diff_item_t *item));

#endif
