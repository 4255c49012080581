/* omap_test.c - the ordered map against a plain sorted array, with keys that are hard to tell
 * apart. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/prng.h"
#include "crdt/omap.h"
#include "support/seed.h"

#define KEYS_MAX  400u
#define KEY_BYTES 12u
#define STEPS     20000u

typedef struct word {
    uint8_t bytes[KEY_BYTES];
    size_t len;
} word_t;

static word_t keys[KEYS_MAX];
static uint32_t len;

static cs_slice_t slice(const word_t *key)
{
    return cs_slice(key->bytes, key->len);
}

/* Of two letters, NUL and 255 among them: many share their first eight bytes, or lack some. */
static word_t some_key(cs_prng_t *prng)
{
    static const uint8_t letters[] = {0, 'a', 255};
    word_t key = {.len = (size_t)(cs_prng_u64(prng) % (KEY_BYTES + 1))};
    for (size_t i = 0; i < key.len; i++)
        key.bytes[i] = letters[cs_prng_u64(prng) % (i < 6 ? 2 : 3)];
    return key;
}

/* The first not before `key`. */
static uint32_t position(const word_t *key)
{
    uint32_t i = 0;
    while (i < len && cs_slice_cmp(slice(&keys[i]), slice(key)) < 0)
        i++;
    return i;
}

static void check(const cs_omap_t *map, const word_t *key)
{
    uint32_t at = position(key);
    bool there = at < len && cs_slice_eq(slice(&keys[at]), slice(key));
    cr_assert_eq(cs_omap_find(map, slice(key)) != NULL, there);
    const cs_onode_t *node = cs_omap_seek(map, slice(key));
    cr_assert_eq(node != NULL, at < len);
    if (node != NULL) cr_assert(cs_slice_eq(cs_onode_key(node), slice(&keys[at])));
}

static void change(cs_omap_t *map, const word_t *key, bool remove)
{
    uint32_t at = position(key);
    cs_onode_t *node = cs_omap_find(map, slice(key));
    bool is_new;
    if (remove && node != NULL) {
        cs_omap_remove(map, node);
        memmove(&keys[at], &keys[at + 1], (--len - at) * sizeof *keys);
    } else if (!remove && len < KEYS_MAX) {
        cs_omap_insert(map, slice(key), &is_new);
        cr_assert_eq(is_new, node == NULL);
        if (!is_new) return;
        memmove(&keys[at + 1], &keys[at], (len++ - at) * sizeof *keys);
        keys[at] = *key;
    }
}

Test(omap, agrees_with_a_sorted_array)
{
    cs_omap_t map = {0};
    cs_prng_t prng;
    cs_prng_init(&prng, test_seed("omap"));
    for (uint32_t i = 0; i < STEPS; i++) {
        word_t key = some_key(&prng);
        check(&map, &key);
        change(&map, &key, cs_prng_u64(&prng) % 100 < (i / 2000 % 2 == 0 ? 35u : 65u));
        cr_assert_eq(map.len, len);
    }
    const cs_onode_t *node = cs_omap_first(&map);
    for (uint32_t i = 0; i < len; i++, node = node->next[0])
        cr_assert(cs_slice_eq(cs_onode_key(node), slice(&keys[i])));
    cr_assert_null(node);
    cs_omap_fini(&map, NULL);
}

/* Names can be chosen so that they share a bucket, however many buckets there are. */
#define CHOSEN_MAX 300u

static cs_slice_t chosen(uint32_t *at)
{
    while ((XXH3_64bits(at, sizeof *at) & 0xfff) != 7)
        ++*at;
    return cs_slice(at, sizeof *at);
}

Test(omap, keys_that_share_a_bucket_are_found_and_removed)
{
    cs_omap_t map = {0};
    uint32_t key = 0;
    bool is_new;
    for (uint32_t i = 0; i < CHOSEN_MAX; i++, key++) {
        cr_assert_null(cs_omap_find(&map, chosen(&key)));
        cs_omap_insert(&map, chosen(&key), &is_new)->epoch = i;
        cr_assert(is_new);
        cs_omap_insert(&map, chosen(&key), &is_new);
        cr_assert_not(is_new);
    }
    cr_assert_null(cs_omap_find(&map, chosen(&key)));
    key = 0;
    for (uint32_t i = 0; i < CHOSEN_MAX; i++, key++) {
        cs_onode_t *node = cs_omap_find(&map, chosen(&key));
        cr_assert_not_null(node);
        cr_assert_eq(node->epoch, i);
        if (i % 3 != 0) cs_omap_remove(&map, node);
    }
    key = 0;
    for (uint32_t i = 0; i < CHOSEN_MAX; i++, key++)
        cr_assert_eq(cs_omap_find(&map, chosen(&key)) != NULL, i % 3 == 0);
    cs_omap_fini(&map, NULL);
    cr_assert_null(cs_omap_find(&map, cs_slice_text("a")));
}
