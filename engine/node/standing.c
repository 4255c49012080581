/* standing.c - see standing.h. */
#include "node/standing.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"
#include "node/peers.h"

/* What is signed: bound to the folder by its secret. */
static void digest_of(const cs_standing_t *standing, const cs_keys_t *folder,
                      uint8_t ret[CS_HASH_BYTES])
{
    cs_buf_t text = {0};
    cs_buf_put_slice(&text, cs_slice_text("standing"));
    cs_buf_put(&text, standing->key.b, sizeof standing->key.b);
    cs_buf_put_u32(&text, standing->version);
    cs_buf_put_u8(&text, standing->out);
    cs_buf_put(&text, standing->signer, sizeof standing->signer);
    cs_slice_t part = cs_buf_slice(&text);
    cs_hash(ret, CS_HASH_BYTES, folder->item, CS_KEY_BYTES, &part, 1);
    cs_buf_fini(&text);
}

bool cs_standing_by(const cs_standing_t *standing, cs_key_t *ret)
{
    return crypto_sign_ed25519_pk_to_curve25519(ret->b, standing->signer) == 0;
}

void cs_standing_sign(cs_standing_t *ret, const cs_keys_t *folder,
                      const uint8_t seed[CS_SEED_BYTES])
{
    uint8_t digest[CS_HASH_BYTES];
    cs_ed25519.signer(seed, ret->signer);
    digest_of(ret, folder, digest);
    cs_ed25519.sign(seed, ret->signer, digest, ret->signature);
}

bool cs_standing_check(const cs_standing_t *standing, const cs_keys_t *folder)
{
    uint8_t digest[CS_HASH_BYTES];
    cs_key_t by;
    if (standing->version == 0 || !cs_standing_by(standing, &by)) return false;
    if (!standing->out && cs_key_cmp(&by, &standing->key) == 0) return false;
    digest_of(standing, folder, digest);
    return cs_ed25519.check(standing->signer, digest, standing->signature);
}

int cs_standing_cmp(const cs_standing_t *a, const cs_standing_t *b)
{
    if (a->version != b->version) return a->version < b->version ? -1 : 1;
    return a->out == b->out ? 0 : a->out ? 1 : -1;
}

void cs_standings_fini(cs_standings_t *standings)
{
    cs_free(standings->item);
    cs_free(standings->news);
    *standings = (cs_standings_t){0};
}

/* The place of key, taken or to be taken. */
static size_t place_of(const cs_standings_t *standings, const cs_key_t *key)
{
    size_t low = 0, high = standings->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (cs_key_cmp(&standings->item[mid].key, key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool is_at(const cs_standings_t *standings, size_t at, const cs_key_t *key)
{
    return at < standings->len && cs_key_cmp(&standings->item[at].key, key) == 0;
}

const cs_standing_t *cs_standings_find(const cs_standings_t *standings, const cs_key_t *key)
{
    size_t at = place_of(standings, key);
    return is_at(standings, at, key) ? &standings->item[at] : NULL;
}

bool cs_standings_wants(const cs_standings_t *standings, const cs_standing_t *standing)
{
    const cs_standing_t *known = cs_standings_find(standings, &standing->key);
    return known == NULL || cs_standing_cmp(standing, known) > 0;
}

bool cs_standings_full(const cs_standings_t *standings)
{
    return standings->len >= CS_STANDINGS_KEPT_MAX;
}

void cs_standings_set(cs_standings_t *standings, const cs_standing_t *standing)
{
    size_t at = place_of(standings, &standing->key);
    if (!is_at(standings, at, &standing->key)) {
        if (standings->len == standings->cap) {
            standings->cap = cs_grow(standings->cap, standings->len + 1);
            standings->item =
                cs_realloc_array(standings->item, standings->cap, sizeof *standings->item);
            standings->news =
                cs_realloc_array(standings->news, standings->cap, sizeof *standings->news);
        }
        size_t after = standings->len++ - at;
        memmove(&standings->item[at + 1], &standings->item[at],
                after * sizeof *standings->item);
        memmove(&standings->news[at + 1], &standings->news[at],
                after * sizeof *standings->news);
    }
    standings->item[at] = *standing;
    standings->news[at] = ++standings->newest;
}

const cs_standing_t *cs_standings_next(const cs_standings_t *standings, uint64_t after,
                                       uint64_t *ret_news)
{
    size_t found = standings->len;
    for (size_t i = 0; i < standings->len && after < standings->newest; i++) {
        if (standings->news[i] <= after) continue;
        if (found == standings->len || standings->news[i] < standings->news[found]) found = i;
    }
    if (found == standings->len) return NULL;
    *ret_news = standings->news[found];
    return &standings->item[found];
}
