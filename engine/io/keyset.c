/* keyset.c - binary search in a sorted array of keys. */
#include "io/keyset.h"

#include <string.h>

#include "base/mem.h"

/* Index of the first key >= `key`. */
static size_t lower_bound(const cs_keyset_t *set, const uint8_t *key)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (memcmp(set->keys[mid], key, CS_CURVE_KEY_BYTES) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool is_at(const cs_keyset_t *set, size_t at, const uint8_t *key)
{
    return at < set->count && memcmp(set->keys[at], key, CS_CURVE_KEY_BYTES) == 0;
}

void cs_keyset_fini(cs_keyset_t *set)
{
    cs_free(set->keys);
    *set = (cs_keyset_t){0};
}

bool cs_keyset_has(const cs_keyset_t *set, const uint8_t key[CS_CURVE_KEY_BYTES])
{
    return is_at(set, lower_bound(set, key), key);
}

bool cs_keyset_add(cs_keyset_t *set, const uint8_t key[CS_CURVE_KEY_BYTES])
{
    size_t at = lower_bound(set, key);
    if (is_at(set, at, key)) return false;
    if (set->count == set->cap) {
        set->cap = cs_grow(set->cap, set->count + 1);
        set->keys = cs_realloc_array(set->keys, set->cap, CS_CURVE_KEY_BYTES);
    }
    memmove(set->keys + at + 1, set->keys + at, (set->count - at) * CS_CURVE_KEY_BYTES);
    memcpy(set->keys[at], key, CS_CURVE_KEY_BYTES);
    set->count++;
    return true;
}

bool cs_keyset_remove(cs_keyset_t *set, const uint8_t key[CS_CURVE_KEY_BYTES])
{
    size_t at = lower_bound(set, key);
    if (!is_at(set, at, key)) return false;
    set->count--;
    memmove(set->keys + at, set->keys + at + 1, (set->count - at) * CS_CURVE_KEY_BYTES);
    return true;
}
