/* small_scope_test.c - every state of three replicas with two events each (core.md 13).
 *
 * 7 states a replica (which of its events are known, and of those which live), 343 in all. The
 * real join is compared with plain sets on all pairs, the laws are checked with it on all
 * pairs, and associativity on all 40,353,607 triples with the sets it was found equal to. */
#include <criterion/criterion.h>

#include "support/entries.h"

enum { RIDS = 3, CTRS = 2, BITS = RIDS * CTRS, PER_RID = 7, STATES = 343, VECTORS = 27 };

static const test_scope_t scope = {RIDS, CTRS};
static test_sets_t sets[STATES];
static cs_entry_t entries[STATES];
static uint64_t vector_known[VECTORS];
static cs_vv_t vectors[VECTORS];
static uint16_t state_at[1 << BITS][1 << BITS]; /* [live][known] -> number of the state */
static uint16_t joined_state[STATES][STATES];

/* Number -> state: each replica is one of these digits. */
static void set_up(void)
{
    static const struct {
        uint64_t live, known;
    } digits[PER_RID] = {{0, 0}, {0, 1}, {1, 1}, {0, 3}, {1, 3}, {2, 3}, {3, 3}};
    for (unsigned i = 0; i < STATES; i++) {
        for (unsigned rid = 0, rest = i; rid < RIDS; rid++, rest /= PER_RID) {
            sets[i].live |= digits[rest % PER_RID].live << (rid * CTRS);
            sets[i].known |= digits[rest % PER_RID].known << (rid * CTRS);
        }
        state_at[sets[i].live][sets[i].known] = (uint16_t)i;
        test_entry_of(scope, sets[i], NULL, &entries[i]);
    }
    for (unsigned i = 0; i < VECTORS; i++) {
        for (unsigned rid = 0, rest = i; rid < RIDS; rid++, rest /= CTRS + 1) {
            vector_known[i] |= ((UINT64_C(1) << rest % (CTRS + 1)) - 1) << (rid * CTRS);
        }
        test_vv_of(scope, vector_known[i], &vectors[i]);
    }
}

static void tear_down(void)
{
    for (unsigned i = 0; i < STATES; i++) {
        cs_entry_fini(&entries[i]);
    }
    for (unsigned i = 0; i < VECTORS; i++) {
        cs_vv_fini(&vectors[i]);
    }
}

TestSuite(small_scope, .init = set_up, .fini = tear_down, .timeout = 300);

static bool sets_eq(test_sets_t a, test_sets_t b)
{
    return a.live == b.live && a.known == b.known;
}

/* The real join of two states under implicit contexts of these numbers (0 is the empty one). */
static test_sets_t real_join(unsigned a, unsigned ia, unsigned b, unsigned ib,
                             cs_entry_t *scratch)
{
    cs_dot_t reuse;
    cs_err_t err = cs_entry_join(&entries[a], ia == 0 ? NULL : &vectors[ia], &entries[b],
                                 ib == 0 ? NULL : &vectors[ib], scratch, &reuse);
    cr_assert_eq(err, CS_OK);
    cr_assert(cs_dot_is_null(reuse));
    return test_sets_of(scope, scratch);
}

static void expect_as_sets(unsigned a, unsigned ia, unsigned b, unsigned ib,
                           cs_entry_t *scratch)
{
    test_sets_t want = test_sets_join(sets[a], vector_known[ia], sets[b], vector_known[ib]);
    test_sets_t have = real_join(a, ia, b, ib, scratch);
    if (!sets_eq(want, have)) cr_assert_fail("states %u, %u under %u, %u", a, b, ia, ib);
}

Test(small_scope, the_real_join_is_that_of_sets_on_all_pairs)
{
    cs_entry_t scratch = {0};
    for (unsigned a = 0; a < STATES; a++) {
        for (unsigned b = 0; b < STATES; b++) {
            expect_as_sets(a, 0, b, 0, &scratch);
            for (unsigned i = 1; i < VECTORS; i++) {
                expect_as_sets(a, i, b, 0, &scratch);
                expect_as_sets(a, 0, b, i, &scratch);
            }
            /* Both contexts: every combination of two comes up with 161 or more pairs. */
            unsigned both = (a * STATES + b) % (VECTORS * VECTORS);
            expect_as_sets(a, both / VECTORS, b, both % VECTORS, &scratch);
        }
    }
    cs_entry_fini(&scratch);
}

Test(small_scope, join_commutes_is_idempotent_and_absorbs_on_all_pairs)
{
    cs_entry_t ab = {0}, ba = {0}, again = {0};
    for (unsigned a = 0; a < STATES; a++) {
        for (unsigned b = 0; b < STATES; b++) {
            real_join(a, 0, b, 0, &ab);
            real_join(b, 0, a, 0, &ba);
            cr_assert(cs_entry_live_eq(&ab, &ba) && cs_vv_eq(&ab.ctx, &ba.ctx), "%u %u", a, b);
            cr_assert_eq(cs_entry_join(&ab, NULL, &entries[b], NULL, &again, NULL), CS_OK);
            cr_assert(cs_entry_live_eq(&ab, &again) && cs_vv_eq(&ab.ctx, &again.ctx));
            if (a == b) cr_assert(cs_entry_live_eq(&ab, &entries[a]), "state %u", a);
        }
    }
    cs_entry_fini(&ab);
    cs_entry_fini(&ba);
    cs_entry_fini(&again);
}

Test(small_scope, collected_garbage_is_not_missed_on_all_pairs)
{
    cs_entry_t stripped = {0}, full = {0}, lean = {0};
    for (unsigned a = 0; a < STATES; a++) {
        cs_entry_copy(&stripped, &entries[a]);
        cs_entry_strip(&stripped);
        for (unsigned i = 0; i < VECTORS; i++) {
            if (!cs_vv_covers(&vectors[i], &entries[a].ctx)) continue; /* core.md 6.2 */
            for (unsigned b = 0; b < STATES; b++) {
                real_join(a, i, b, 0, &full);
                cr_assert_eq(
                    cs_entry_join(&stripped, &vectors[i], &entries[b], NULL, &lean, NULL),
                    CS_OK);
                cr_assert(cs_entry_live_eq(&full, &lean), "states %u, %u under %u", a, b, i);
                cr_assert_eq(cs_vv_merge(&full.ctx, &vectors[i]), CS_OK);
                cr_assert_eq(cs_vv_merge(&lean.ctx, &vectors[i]), CS_OK);
                cr_assert(cs_vv_eq(&full.ctx, &lean.ctx));
            }
        }
    }
    cs_entry_fini(&stripped);
    cs_entry_fini(&full);
    cs_entry_fini(&lean);
}

Test(small_scope, join_is_associative_on_all_triples)
{
    for (unsigned a = 0; a < STATES; a++) {
        for (unsigned b = 0; b < STATES; b++) {
            test_sets_t ab = test_sets_join(sets[a], 0, sets[b], 0);
            joined_state[a][b] = state_at[ab.live][ab.known];
            cr_assert(sets_eq(ab, sets[joined_state[a][b]]), "%u, %u leave the scope", a, b);
        }
    }
    unsigned long wrong = 0;
    for (unsigned a = 0; a < STATES; a++) {
        for (unsigned b = 0; b < STATES; b++) {
            unsigned ab = joined_state[a][b];
            for (unsigned c = 0; c < STATES; c++) {
                wrong += joined_state[ab][c] != joined_state[a][joined_state[b][c]];
            }
        }
    }
    cr_assert_eq(wrong, 0);
}
