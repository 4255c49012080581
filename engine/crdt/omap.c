/* omap.c - see omap.h. */
#include "crdt/omap.h"

#include <string.h>
#include <xxhash.h>

#include "base/mem.h"

#define BUCKETS_MIN 64u /* fewer keys are found as soon without */
/* Nodes of a bucket that are tried. By chance there are never so many; names can be chosen so
 * that there are, and then cost what they cost without buckets. */
#define CHAIN_MAX 8u

/* Big-endian. Spelled out, the compiler makes one instruction of it; of a loop it does not. */
static uint64_t read_be32(const uint8_t *at)
{
    return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

/* The first eight bytes, a shorter key filled up with zeros. Of a short one some bytes are read
 * twice and meet themselves: names in a folder are short, and a loop costs more. */
static uint64_t lead_of(cs_slice_t key)
{
    const uint8_t *at = key.data;
    size_t len = key.len, last = len - 1, middle = len / 2;
    if (len >= 8) return read_be32(at) << 32 | read_be32(at + 4);
    if (len >= 4) return read_be32(at) << 32 | read_be32(at + len - 4) << (8 * (8 - len));
    if (len == 0) return 0;
    return (uint64_t)at[0] << 56 | (uint64_t)at[middle] << (56 - 8 * middle) |
           (uint64_t)at[last] << (56 - 8 * last);
}

cs_slice_t cs_onode_key(const cs_onode_t *node)
{
    return cs_slice(&node->next[node->height], node->key_len);
}

static int compare(const cs_onode_t *node, uint64_t lead, cs_slice_t key)
{
    if (node->lead != lead) return node->lead < lead ? -1 : 1;
    return cs_slice_cmp(cs_onode_key(node), key);
}

/* First node >= key; path[level] is the link that leads to it or past it. */
static cs_onode_t *descend(cs_omap_t *map, uint64_t lead, cs_slice_t key, cs_onode_t ***path)
{
    cs_onode_t **links = map->head;
    cs_onode_t *node = NULL;
    for (uint32_t level = map->height; level-- > 0;) {
        node = links[level];
        while (node != NULL && compare(node, lead, key) < 0) {
            links = node->next;
            node = links[level];
        }
        path[level] = &links[level];
    }
    return node;
}

cs_onode_t *cs_omap_seek(const cs_omap_t *map, cs_slice_t key)
{
    uint64_t lead = lead_of(key);
    cs_onode_t *const *links = map->head;
    cs_onode_t *node = NULL,
               *above = NULL; /* above: known to be >= key from the level before */
    for (uint32_t level = map->height; level-- > 0;) {
        node = links[level];
        while (node != NULL && node != above && compare(node, lead, key) < 0) {
            links = node->next;
            node = links[level];
        }
        above = node;
    }
    return node;
}

cs_onode_t *cs_omap_first(const cs_omap_t *map)
{
    return map->height == 0 ? NULL : map->head[0];
}

/* --- the buckets */

static uint32_t hash_of(cs_slice_t key)
{
    return (uint32_t)XXH3_64bits(key.data, key.len);
}

static void hang(cs_omap_t *map, cs_onode_t *node)
{
    cs_onode_t **bucket = &map->bucket[node->hash & (map->buckets - 1)];
    node->chain = *bucket;
    node->link = bucket;
    if (node->chain != NULL) node->chain->link = &node->chain;
    *bucket = node;
}

static void unhang(cs_onode_t *node)
{
    if (node->link == NULL) return; /* there were no buckets yet */
    *node->link = node->chain;
    if (node->chain != NULL) node->chain->link = node->link;
}

static void grow(cs_omap_t *map)
{
    cs_free(map->bucket);
    map->buckets = map->buckets == 0 ? BUCKETS_MIN : map->buckets * 2;
    map->bucket = cs_calloc(map->buckets, sizeof(cs_onode_t *));
    for (cs_onode_t *node = cs_omap_first(map); node != NULL; node = node->next[0]) {
        hang(map, node);
    }
}

/* False: the bucket does not tell. */
static bool find_in_bucket(const cs_omap_t *map, cs_slice_t key, cs_onode_t **ret)
{
    if (map->buckets == 0) return false;
    uint32_t hash = hash_of(key);
    cs_onode_t *node = map->bucket[hash & (map->buckets - 1)];
    for (unsigned i = 0; node != NULL && i < CHAIN_MAX; i++, node = node->chain) {
        if (node->hash != hash || !cs_slice_eq(cs_onode_key(node), key)) continue;
        *ret = node;
        return true;
    }
    *ret = NULL;
    return node == NULL;
}

/* --- */

static cs_onode_t *find_by_order(const cs_omap_t *map, cs_slice_t key)
{
    uint64_t lead = lead_of(key);
    cs_onode_t *const *links = map->head;
    const cs_onode_t *above = NULL; /* known to be > key from the level before */
    for (uint32_t level = map->height; level-- > 0;) {
        cs_onode_t *node = links[level];
        while (node != NULL && node != above) {
            int order = compare(node, lead, key);
            if (order == 0) return node;
            if (order > 0) break;
            links = node->next;
            node = links[level];
        }
        above = node;
    }
    return NULL;
}

cs_onode_t *cs_omap_find(const cs_omap_t *map, cs_slice_t key)
{
    cs_onode_t *found;
    return find_in_bucket(map, key, &found) ? found : find_by_order(map, key);
}

static uint8_t random_height(cs_omap_t *map)
{
    uint64_t x = map->random == 0 ? 0x9e3779b97f4a7c15u : map->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    map->random = x;
    uint8_t height = 1;
    for (x >>= 8; height < CS_OMAP_HEIGHT && (x & 3) == 0; x >>= 2) {
        height++;
    }
    return height;
}

cs_onode_t *cs_omap_insert(cs_omap_t *map, cs_slice_t key, bool *ret_new)
{
    cs_onode_t **path[CS_OMAP_HEIGHT];
    uint64_t lead = lead_of(key);
    cs_onode_t *found = NULL;
    *ret_new = !find_in_bucket(map, key, &found) || found == NULL;
    if (!*ret_new) return found;
    found = descend(map, lead, key, path);
    *ret_new = found == NULL || !cs_slice_eq(cs_onode_key(found), key);
    if (!*ret_new) return found;

    uint8_t height = random_height(map);
    for (; map->height < height; map->height++) {
        path[map->height] = &map->head[map->height];
    }
    cs_onode_t *node = cs_malloc(sizeof *node + height * sizeof(cs_onode_t *) + key.len);
    memset(node, 0, sizeof *node);
    node->lead = lead;
    node->hash = hash_of(key);
    node->key_len = (uint32_t)key.len;
    node->height = height;
    if (key.len > 0) memcpy(&node->next[height], key.data, key.len);
    for (uint32_t level = 0; level < height; level++) {
        node->next[level] = *path[level];
        *path[level] = node;
    }
    map->len++;
    if (map->len > map->buckets && map->len >= BUCKETS_MIN) {
        grow(map); /* it, too */
    } else if (map->buckets > 0) {
        hang(map, node);
    }
    return node;
}

void cs_omap_remove(cs_omap_t *map, cs_onode_t *node)
{
    cs_onode_t **path[CS_OMAP_HEIGHT];
    cs_onode_t *found = descend(map, node->lead, cs_onode_key(node), path);
    CS_ASSERT(found == node);
    for (uint32_t level = 0; level < node->height; level++) {
        *path[level] = node->next[level];
    }
    map->len--;
    unhang(node);
    cs_free(node);
}

void cs_omap_fini(cs_omap_t *map, void (*drop)(void *value))
{
    cs_onode_t *next = NULL;
    for (cs_onode_t *node = cs_omap_first(map); node != NULL; node = next) {
        next = node->next[0];
        if (drop != NULL && node->value != NULL) drop(node->value);
        cs_free(node);
    }
    cs_free(map->bucket);
    map->bucket = NULL;
    map->buckets = 0;
    memset(map->head, 0, sizeof map->head);
    map->height = 0;
    map->len = 0;
}
