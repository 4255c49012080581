/* coverage.c - which patterns a history contains: from operations to connected sets. */
#include "sim/coverage.h"

#include <string.h>

#include "base/mem.h"
#include "sim/coverage_i.h"

cs_coverage_t *cs_coverage_new(void)
{
    cs_coverage_t *coverage = cs_calloc(1, sizeof *coverage);
    coverage->op = cs_calloc(COV_OPS_MAX, sizeof *coverage->op);
    cs_keys_derive(&coverage->keys, cs_sim_secret);
    return coverage;
}

void cs_coverage_destroy(cs_coverage_t **coverage_p)
{
    if (*coverage_p == NULL) return;
    cs_free((*coverage_p)->op);
    cs_free(*coverage_p);
    *coverage_p = NULL;
}

void cs_coverage_run(cs_coverage_t *coverage, const cs_history_t *history, cs_sim_result_t *ret)
{
    coverage->len = 0;
    coverage->batches = 0;
    coverage->restored = coverage->unapplied = false;
    cs_sim_watched(history, &(cs_sim_setup_t){.coverage = coverage}, ret);
}

/* --- relations */

static bool is_one_name(const cov_place_t *a, const cov_place_t *b)
{
    size_t len = strcspn(a->path, "/");
    return len > 0 && strcspn(b->path, "/") == len && memcmp(a->path, b->path, len) == 0;
}

static bool are_related(const cov_op_t *a, const cov_op_t *b)
{
    bool lineage =
        memcmp(&a->bucket, &b->bucket, sizeof a->bucket) == 0 && cs_dot_eq(a->lin, b->lin);
    return lineage || is_one_name(&a->at, &b->at) || is_one_name(&a->from, &b->at) ||
           is_one_name(&a->at, &b->from) || is_one_name(&a->from, &b->from);
}

static bool change_places(const cov_op_t *a, const cov_op_t *b)
{
    static const uint8_t none[COV_NAME_BYTES];
    return memcmp(a->was, none, sizeof none) != 0 && memcmp(a->was, b->is, sizeof none) == 0 &&
           memcmp(a->is, none, sizeof none) != 0;
}

bool cov_are_joined(const cov_op_t *ops, size_t i, size_t k)
{
    const cov_op_t *a = &ops[i], *b = &ops[k];
    if (a->node == b->node && a->batch == b->batch) {
        return are_related(a, b) || change_places(a, b) || change_places(b, a);
    }
    return k - i <= COV_WINDOW && (b->apart >> (k - i - 1) & 1) != 0 && are_related(a, b);
}

/* --- sets */

static uint32_t root_of(uint32_t *set, uint32_t i)
{
    while (set[i] != i) {
        i = set[i] = set[set[i]];
    }
    return i;
}

static void connect(const cs_coverage_t *coverage, uint32_t *ret_set)
{
    for (uint32_t k = 0; k < coverage->len; k++) {
        ret_set[k] = k;
        uint32_t from = k > COV_WINDOW ? k - COV_WINDOW : 0;
        for (uint32_t i = from; i < k; i++) {
            if (cov_are_joined(coverage->op, i, k)) {
                ret_set[root_of(ret_set, i)] = root_of(ret_set, k);
            }
        }
    }
}

void cs_coverage_each(cs_coverage_t *coverage, void *arg,
                      void (*each)(void *arg, const char *pattern))
{
    char pattern[CS_COVERAGE_TEXT_BYTES];
    uint32_t *set = cs_calloc(coverage->len + 1, sizeof *set);
    const cov_op_t **ops = cs_calloc(coverage->len + 1, sizeof(const cov_op_t *));
    connect(coverage, set);
    for (uint32_t first = 0; first < coverage->len; first++) {
        size_t count = 0;
        bool known = true, seen = false;
        for (uint32_t k = 0; k < coverage->len; k++) {
            if (root_of(set, k) != root_of(set, first)) continue;
            seen = seen || k < first;
            known = known && coverage->op[k].kind != '\0';
            ops[count++] = &coverage->op[k];
        }
        if (!seen && known && cov_print(ops, count, pattern)) each(arg, pattern);
    }
    if (coverage->restored) each(arg, CS_COVERAGE_RESTORED);
    if (coverage->unapplied) each(arg, CS_COVERAGE_UNAPPLIED);
    cs_free(ops);
    cs_free(set);
}
