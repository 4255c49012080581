/* standing.h - who is a member of a folder and who is not any more, as signed words of members.
 *
 * A standing is about one key. Of two the greater version counts; of equal ones "out" does: so
 * all who have heard the same words agree, in whatever order they came. At the greatest version
 * of all, "out" is the last word. It is signed with the Ed25519 key of which the signer's CURVE
 * key is the Montgomery form (io/identity.h), so who speaks need not be looked up.
 *
 * A word counts if its signer is or was a member, once a member handed it over. Who was removed
 * can hand nothing over, save to those who have not heard of it yet. */
#ifndef CS_NODE_STANDING_H
#define CS_NODE_STANDING_H

#include "node/gossip.h"
#include "node/scheme.h"

CS_HEADER_BEGIN

typedef struct cs_standing {
    cs_key_t key;
    uint32_t version; /* 0: nobody said anything */
    bool out;
    uint8_t signer[CS_KEY_BYTES]; /* Ed25519 */
    uint8_t signature[CS_SIGNATURE_BYTES];
} cs_standing_t;

/* Who said so, as a CURVE key. False: that is no key. */
bool cs_standing_by(const cs_standing_t *standing, cs_key_t *ret);
/* ret: key, version and out are set; the rest is. */
void cs_standing_sign(cs_standing_t *ret, const cs_keys_t *folder,
                      const uint8_t seed[CS_SEED_BYTES]);
/* Signed for this folder, and not by somebody who lets himself in. */
bool cs_standing_check(const cs_standing_t *standing, const cs_keys_t *folder);
/* Less, equal or greater than 0: which one counts. Of one key; equal ones say the same, whoever
 * signed them. */
int cs_standing_cmp(const cs_standing_t *a, const cs_standing_t *b);

typedef struct cs_standings {
    cs_standing_t *item; /* owned; sorted by key */
    uint64_t *news;      /* owned; of each when it came, counted from 1 */
    size_t len, cap;
    uint64_t newest;
} cs_standings_t;

void cs_standings_fini(cs_standings_t *standings);
/* NULL: nothing was said about it. */
const cs_standing_t *cs_standings_find(const cs_standings_t *standings, const cs_key_t *key);
/* Whether it is worth a check: it counts more than what is known. */
bool cs_standings_wants(const cs_standings_t *standings, const cs_standing_t *standing);
/* Of others' words: there are so many keys that no further one is taken. */
bool cs_standings_full(const cs_standings_t *standings);
/* Replaces what is known of that key; it was wanted. */
void cs_standings_set(cs_standings_t *standings, const cs_standing_t *standing);
/* The oldest that came after `after`, and when; NULL: none. */
const cs_standing_t *cs_standings_next(const cs_standings_t *standings, uint64_t after,
                                       uint64_t *ret_news);

CS_HEADER_END

#endif
