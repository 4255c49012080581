/* entries.c - see entries.h. */
#include "support/entries.h"

#include <stdio.h>
#include <string.h>

#define RID_STEP 0x0100000000000001u /* so that both ends of a rid matter */

static void must(cs_err_t err)
{
    CS_ASSERT(err == CS_OK);
}

void test_keys(cs_keys_t *ret)
{
    uint8_t secret[CS_SECRET_BYTES];
    for (size_t i = 0; i < sizeof secret; i++) {
        secret[i] = (uint8_t)i;
    }
    cs_keys_derive(ret, secret);
}

cs_lval_t test_lval(cs_dot_t dot, cs_dot_t lin, const char *path)
{
    return (cs_lval_t){
        .dot = dot, .lin = lin, .gen = 1, .how = CS_STAY, .path = cs_str_from(path)};
}

cs_kval_t test_kval(cs_dot_t dot, cs_dot_t lin, const char *path)
{
    return (cs_kval_t){.dot = dot,
                       .lin = lin,
                       .gen = 1,
                       .content = {.kind = CS_KIND_FILE, .hash = {0xaa}, .size = 5},
                       .attr = {.mode = 0644},
                       .path = cs_str_from(path)};
}

cs_aval_t test_aval(cs_dot_t dot, cs_dot_t lin, uint16_t mode)
{
    return (cs_aval_t){.dot = dot, .lin = lin, .gen = 1, .attr = {.mode = mode}};
}

static cs_str_t *random_path(cs_prng_t *prng)
{
    char path[32];
    snprintf(path, sizeof path, "d%u/f%u", (unsigned)cs_prng_below(prng, 2),
             (unsigned)cs_prng_below(prng, 4));
    return cs_str_from(path);
}

static cs_content_t random_content(cs_prng_t *prng)
{
    cs_content_t content = {.kind = (uint8_t)(CS_KIND_FILE + cs_prng_below(prng, 3))};
    if (content.kind == CS_KIND_DIR) return content;
    content.hash[0] = (uint8_t)cs_prng_below(prng, 4);
    content.size = cs_prng_below(prng, 1000);
    return content;
}

static cs_attr_t random_attr(cs_prng_t *prng, uint8_t kind)
{
    cs_attr_t attr = {0};
    if (kind != CS_KIND_FILE) return attr;
    attr.mode = (uint16_t)cs_prng_below(prng, CS_MODE_MAX + 1);
    if (cs_prng_chance(prng, 1, 8)) attr.tlv = cs_str_from("attribute");
    return attr;
}

void test_entry_put(cs_entry_t *entry, cs_dot_t dot, uint64_t variant)
{
    cs_prng_t prng;
    cs_prng_init(&prng, dot.rid * 31 + dot.ctr);
    uint64_t store = cs_prng_below(&prng, 3);
    if (variant > 0) cs_prng_init(&prng, dot.rid * 31 + dot.ctr + variant * 1000003);
    cs_dot_t lin = {cs_prng_chance(&prng, 1, 2) ? dot.rid : RID_STEP,
                    1 + cs_prng_below(&prng, 3)};
    uint32_t gen = (uint32_t)cs_prng_below(&prng, 300);

    if (store == CS_L) {
        cs_lval_t l = {.dot = dot, .lin = lin, .gen = gen, .path = random_path(&prng)};
        l.how = (uint8_t)cs_prng_below(&prng, 2);
        if (cs_prng_chance(&prng, 1, 2)) l.hint = random_content(&prng);
        l.hint_attr = random_attr(&prng, l.hint.kind);
        must(cs_entry_add_l(entry, &l));
    } else if (store == CS_K) {
        cs_kval_t k = {.dot = dot, .lin = lin, .gen = gen, .path = random_path(&prng)};
        k.content = random_content(&prng);
        k.attr = random_attr(&prng, k.content.kind);
        k.mtime_ns = (int64_t)cs_prng_u64(&prng);
        must(cs_entry_add_k(entry, &k));
    } else {
        cs_aval_t a = {.dot = dot, .lin = lin, .gen = gen};
        a.attr = random_attr(&prng, CS_KIND_FILE);
        must(cs_entry_add_a(entry, &a));
    }
}

/* --- scopes and sets */

cs_dot_t test_scope_dot(test_scope_t scope, uint32_t bit)
{
    return (cs_dot_t){(bit / scope.ctrs + 1) * RID_STEP, bit % scope.ctrs + 1};
}

uint64_t test_known_random(cs_prng_t *prng, test_scope_t scope)
{
    uint64_t known = 0;
    for (uint32_t rid = 0; rid < scope.rids; rid++) {
        uint64_t ctr = cs_prng_below(prng, scope.ctrs + 1);
        known |= ((UINT64_C(1) << ctr) - 1) << (rid * scope.ctrs);
    }
    return known;
}

test_sets_t test_sets_random(cs_prng_t *prng, test_scope_t scope)
{
    uint64_t known = test_known_random(prng, scope);
    uint64_t live = known & cs_prng_u64(prng);
    if (cs_prng_chance(prng, 1, 2)) {
        live &= cs_prng_u64(prng); /* real entries are mostly thin */
    }
    return (test_sets_t){live, known};
}

test_sets_t test_sets_join(test_sets_t a, uint64_t ia, test_sets_t b, uint64_t ib)
{
    uint64_t ca = a.known | ia, cb = b.known | ib;
    return (test_sets_t){.live = (a.live & b.live) | (a.live & ~cb) | (b.live & ~ca),
                         .known = a.known | b.known};
}

void test_vv_of(test_scope_t scope, uint64_t known, cs_vv_t *ret)
{
    cs_vv_fini(ret);
    for (uint32_t bit = 0; bit < scope.rids * scope.ctrs; bit++) {
        if (known >> bit & 1) must(cs_vv_raise(ret, test_scope_dot(scope, bit)));
    }
}

void test_entry_of(test_scope_t scope, test_sets_t sets, cs_prng_t *prng, cs_entry_t *ret)
{
    cs_entry_fini(ret);
    for (uint32_t bit = 0; bit < scope.rids * scope.ctrs; bit++) {
        cs_dot_t dot = test_scope_dot(scope, bit);
        if (sets.live >> bit & 1) {
            test_entry_put(ret, dot, prng == NULL ? 0 : cs_prng_below(prng, 16) / 14);
        }
        if (sets.known >> bit & 1) must(cs_entry_cover(ret, dot));
    }
}

test_sets_t test_sets_of(test_scope_t scope, const cs_entry_t *entry)
{
    test_sets_t sets = {0};
    for (uint32_t bit = 0; bit < scope.rids * scope.ctrs; bit++) {
        cs_dot_t dot = test_scope_dot(scope, bit);
        bool live = cs_entry_find_l(entry, dot) != NULL ||
                    cs_entry_find_k(entry, dot) != NULL || cs_entry_find_a(entry, dot) != NULL;
        if (live) sets.live |= UINT64_C(1) << bit;
        if (cs_vv_has(&entry->ctx, dot)) sets.known |= UINT64_C(1) << bit;
    }
    return sets;
}
