/* entries.h - entries for tests: values made from their dot, and the algebra as plain sets.
 *
 * A scope is a small universe of dots, numbered as bits. test_sets_t is core.md 3 taken
 * literally: which dots are live, which are known. Every well-formed entry of the scope is such
 * a pair with live within known, and known closed downwards in each replica. */
#ifndef CS_TESTS_SUPPORT_ENTRIES_H
#define CS_TESTS_SUPPORT_ENTRIES_H

#include "base/prng.h"
#include "crdt/entry.h"

void test_keys(cs_keys_t *ret); /* of the secret 00 01 02 .. 1f */

cs_lval_t test_lval(cs_dot_t dot, cs_dot_t lin, const char *path); /* gen 1, STAY, no hint */
cs_kval_t test_kval(cs_dot_t dot, cs_dot_t lin,
                    const char *path);                          /* gen 1, a file, mode 0644 */
cs_aval_t test_aval(cs_dot_t dot, cs_dot_t lin, uint16_t mode); /* gen 1 */

/* Add a value whose store and fields depend on dot alone; `variant` > 0 gives another value of
 * the same store, as a dot reused by mistake would. */
void test_entry_put(cs_entry_t *entry, cs_dot_t dot, uint64_t variant);

typedef struct test_scope {
    uint32_t rids, ctrs; /* rids * ctrs <= 64 */
} test_scope_t;

typedef struct test_sets {
    uint64_t live, known; /* bits: (rid index) * ctrs + ctr - 1 */
} test_sets_t;

cs_dot_t test_scope_dot(test_scope_t scope, uint32_t bit);
uint64_t test_known_random(cs_prng_t *prng, test_scope_t scope); /* closed downwards */
test_sets_t test_sets_random(cs_prng_t *prng, test_scope_t scope);
/* core.md 3; ia, ib: dots known implicitly. */
test_sets_t test_sets_join(test_sets_t a, uint64_t ia, test_sets_t b, uint64_t ib);

void test_vv_of(test_scope_t scope, uint64_t known,
                cs_vv_t *ret); /* ret initialised, replaced */
/* ret initialised, replaced. prng: NULL, or now and then a dot gets a second value. */
void test_entry_of(test_scope_t scope, test_sets_t sets, cs_prng_t *prng, cs_entry_t *ret);
test_sets_t test_sets_of(test_scope_t scope, const cs_entry_t *entry);

#endif
