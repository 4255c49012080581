/* oracle_rest.c - what must be true when all of a group is connected and quiet. */
#include <string.h>

#include "base/mem.h"
#include "sim/oracle_i.h"

typedef struct or_rest {
    cs_oracle_t *o;
    uint64_t group;  /* bits */
    unsigned first;  /* node of it */
    uint64_t *known; /* by index of rid: what anybody of the group has in seen */
    cs_oracle_counts_t counts;
} or_rest_t;

/* --- I1 */

static bool has_tainted(const cs_oracle_t *o, const or_entry_t *entry)
{
    for (uint32_t i = 0; entry != NULL && i < entry->live_len; i++) {
        uint32_t rid = or_rid_find(o, entry->live[i].rid);
        if (or_is_tainted(o, rid, entry->live[i].ctr)) return true;
    }
    return false;
}

static bool is_live(const or_entry_t *entry)
{
    return entry != NULL && entry->live_len > 0;
}

static bool same_live(const or_entry_t *a, const or_entry_t *b)
{
    if (!is_live(a) || !is_live(b)) return is_live(a) == is_live(b);
    return a->bytes_len == b->bytes_len && memcmp(a->bytes, b->bytes, a->bytes_len) == 0;
}

/* Some dot that one of them has and the other has not, or else any. */
static uint32_t difference(const or_entry_t *a, const or_entry_t *b)
{
    const or_entry_t *both[] = {a, b};
    for (unsigned which = 0; which < 2; which++) {
        const or_entry_t *one = both[which], *other = both[1 - which];
        for (uint32_t i = 0; one != NULL && i < one->live_len; i++) {
            bool found = false;
            for (uint32_t k = 0; other != NULL && k < other->live_len; k++) {
                found |= other->live[k].dot == one->live[i].dot;
            }
            if (!found) return one->live[i].dot;
        }
    }
    return is_live(a) ? a->live[0].dot : OR_NONE;
}

static void check_equal(or_rest_t *rest, unsigned node, uint32_t bucket)
{
    cs_oracle_t *o = rest->o;
    or_entry_t *first = *or_entry_at(o, bucket, rest->first),
               *own = *or_entry_at(o, bucket, node);
    if (same_live(first, own) || has_tainted(o, first) || has_tainted(o, own)) return;
    or_fail(o, node, difference(first, own), "I1: not the state of node %u", rest->first);
}

/* Recomputed from what is durable, whatever was kept. */
static void check_root(const or_rest_t *rest, unsigned node)
{
    cs_oracle_t *o = rest->o;
    uint8_t sum[OR_HASH] = {0};
    uint64_t n = 0;
    for (uint32_t i = 0; i < o->bucket_len; i++) {
        or_entry_t *entry = *or_entry_at(o, i, node), *first = *or_entry_at(o, i, rest->first);
        if (!is_live(entry)) continue;
        or_entry_t *hashed = is_live(first) && same_live(entry, first) ? first : entry;
        or_sum(sum, or_entry_term(o, hashed), true);
        n++;
    }
    if (n != o->node[node].n) or_fail(o, node, OR_NONE, "I1: n is wrong");
    if (memcmp(sum, o->node[node].root, OR_HASH) != 0) {
        or_fail(o, node, OR_NONE, "I1: root is not the sum of the entries");
    }
    bool same = memcmp(o->node[node].root, o->node[rest->first].root, OR_HASH) == 0;
    if (!same && !o->hole) {
        or_fail(o, node, OR_NONE, "I1: not the root of node %u", rest->first);
    }
}

/* --- I3 */

/* Minted by one of the group, or known to one: the others must have heard of it. */
static bool is_known(const or_rest_t *rest, const or_dot_t *dot)
{
    const or_rid_t *rid = &rest->o->rid[dot->rid];
    const or_node_t *holder = &rest->o->node[rid->holder];
    bool own = (rest->group >> rid->holder & 1) != 0 && holder->rid == dot->rid;
    return own || rest->known[dot->rid] >= dot->ctr;
}

static void check_dot(or_rest_t *rest, uint32_t id)
{
    cs_oracle_t *o = rest->o;
    const or_dot_t *dot = &o->dot[id];
    if (or_is_tainted(o, dot->rid, dot->ctr)) return;
    uint64_t live_at = dot->live_at & rest->group;
    if (live_at != 0 && (dot->removed_by & rest->group) != 0) {
        or_fail(o, rest->first, id, "I3: a dot is live that was removed");
    }
    if (live_at == 0 && or_is_owed(o, id) && is_known(rest, dot)) {
        or_fail(o, rest->first, id, "I3: a dot is lost that nobody removed");
    }
}

/* --- I6 */

static void check_tombstone(const or_rest_t *rest, unsigned node, uint32_t bucket)
{
    cs_oracle_t *o = rest->o;
    const or_entry_t *entry = *or_entry_at(o, bucket, node);
    if (entry == NULL || is_live(entry)) return;
    for (uint32_t i = 0; i < entry->ctx_len; i++) {
        uint32_t rid = or_rid_find(o, entry->ctx[i].rid);
        if (rest->known[rid] < entry->ctx[i].ctr) return; /* nobody can forget it yet */
    }
    char name[OR_NAME];
    or_bucket_name(o, bucket, name);
    or_fail(o, node, OR_NONE, "I6: a tombstone is left, bucket %s", name);
}

bool cs_oracle_has_tombstones(const cs_oracle_t *oracle)
{
    for (uint32_t i = 0; i < oracle->bucket_len; i++) {
        for (unsigned node = 0; node < oracle->config.node_count; node++) {
            const or_entry_t *entry = *or_entry_at(oracle, i, node);
            if (entry != NULL && !is_live(entry)) return true;
        }
    }
    return false;
}

/* The lineage that a content belongs to: its own if a location says so. */
static void owner(const or_values_t *values, const or_value_t *k, uint64_t *ret_rid,
                  uint64_t *ret_ctr)
{
    *ret_rid = k->lin_rid;
    *ret_ctr = k->lin_ctr;
    for (size_t i = 0; i < values->len; i++) {
        const or_value_t *l = &values->at[i];
        if (l->store != OR_L || l->lin_rid != k->rid || l->lin_ctr != k->ctr) continue;
        *ret_rid = k->rid;
        *ret_ctr = k->ctr;
    }
}

static bool owns_content(const or_values_t *values, const or_value_t *of)
{
    for (size_t i = 0; i < values->len; i++) {
        if (values->at[i].store != OR_K) continue;
        uint64_t rid, ctr;
        owner(values, &values->at[i], &rid, &ctr);
        if (rid == of->lin_rid && ctr == of->lin_ctr) return true;
    }
    return false;
}

static bool path_below(cs_slice_t a, cs_slice_t b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, len);
    return order != 0 ? order < 0 : a.len < b.len;
}

/* Of two locations, the one that wins (core.md 4); equal ones: by dot, as they are sorted. */
static bool wins(const or_value_t *a, const or_value_t *b)
{
    if (a->gen != b->gen) return a->gen > b->gen;
    if (a->how != b->how) return a->how < b->how;
    return path_below(a->path, b->path);
}

/* The location of a lineage whose hint, or NULL: it has none. */
static const or_value_t *best_hint(const or_values_t *values, const or_value_t *of)
{
    const or_value_t *best = NULL;
    for (size_t i = 0; i < values->len; i++) {
        const or_value_t *l = &values->at[i];
        if (l->store != OR_L || l->kind == 0) continue;
        if (l->lin_rid != of->lin_rid || l->lin_ctr != of->lin_ctr) continue;
        if (best == NULL || wins(l, best)) best = l;
    }
    return best;
}

static void read_entry(cs_oracle_t *o, const or_entry_t *entry)
{
    size_t live;
    bool read =
        or_read_entry(cs_slice(entry->bytes, entry->all_len), &o->values, &o->ctx, &live);
    CS_ASSERT(read); /* as it was before */
}

static void check_lineages(const or_rest_t *rest, unsigned node, uint32_t bucket)
{
    cs_oracle_t *o = rest->o;
    const or_entry_t *entry = *or_entry_at(o, bucket, node);
    if (!is_live(entry)) return;
    read_entry(o, entry);
    for (size_t i = 0; i < o->values.len; i++) {
        const or_value_t *v = &o->values.at[i];
        if (v->store == OR_K || owns_content(&o->values, v)) continue;
        if (best_hint(&o->values, v) != NULL) continue;
        or_fail(o, node, entry->live[i].dot, "I6: a lineage is left that nothing shows");
        return;
    }
}

/* --- contents */

static void each_of_entry(const or_values_t *values, void *arg,
                          void (*each)(void *arg, const cs_oracle_content_t *content))
{
    for (size_t i = 0; i < values->len; i++) {
        const or_value_t *v = &values->at[i];
        bool hint = v->store == OR_L;
        bool shown =
            v->store == OR_K || (hint && !owns_content(values, v) && best_hint(values, v) == v);
        if (!shown) continue;
        cs_oracle_content_t content = {.kind = v->kind,
                                       .mode = v->mode,
                                       .hash = v->hash,
                                       .size = v->size,
                                       .path = v->path,
                                       .is_hint = hint};
        each(arg, &content);
    }
}

void cs_oracle_each_content(const cs_oracle_t *oracle, unsigned node, void *arg,
                            void (*each)(void *arg, const cs_oracle_content_t *content))
{
    CS_ASSERT(node < oracle->config.node_count);
    or_values_t values = {0};
    or_slots_t ctx = {0};
    for (uint32_t i = 0; i < oracle->bucket_len; i++) {
        const or_entry_t *entry = *or_entry_at(oracle, i, node);
        size_t live;
        if (!is_live(entry)) continue;
        bool read = or_read_entry(cs_slice(entry->bytes, entry->all_len), &values, &ctx, &live);
        CS_ASSERT(read);
        each_of_entry(&values, arg, each);
    }
    cs_free(values.at);
    cs_free(ctx.at);
}

static void count_content(void *arg, const cs_oracle_content_t *content)
{
    cs_oracle_counts_t *counts = arg;
    (void)content;
    counts->contents++;
}

/* --- all of it */

static void gather_known(or_rest_t *rest)
{
    cs_oracle_t *o = rest->o;
    rest->known = cs_calloc(o->rid_len + 1, sizeof *rest->known);
    for (unsigned node = 0; node < o->config.node_count; node++) {
        if ((rest->group >> node & 1) == 0) continue;
        for (size_t i = 0; i < o->node[node].seen_len; i++) {
            uint64_t seen = o->node[node].seen[i];
            if (seen > rest->known[i]) rest->known[i] = seen;
        }
    }
}

static void check_node(or_rest_t *rest, unsigned node)
{
    cs_oracle_t *o = rest->o;
    for (uint32_t i = 0; i < o->bucket_len && !or_failed(o); i++) {
        check_equal(rest, node, i);
        check_tombstone(rest, node, i);
        if (node == rest->first) check_lineages(rest, node, i); /* the others are equal */
    }
    if (!or_failed(o)) check_root(rest, node);
}

bool cs_oracle_check_rest(cs_oracle_t *oracle, const bool *in_group, cs_oracle_counts_t *ret)
{
    or_rest_t rest = {.o = oracle};
    if (or_failed(oracle)) return false;
    for (unsigned i = oracle->config.node_count; i-- > 0;) {
        if (!in_group[i]) continue;
        rest.first = i;
        rest.group |= 1ull << i;
    }
    CS_ASSERT(rest.group != 0);
    gather_known(&rest);
    for (uint32_t i = 0; i < oracle->dot_len && !or_failed(oracle); i++) {
        check_dot(&rest, i);
    }
    for (unsigned i = rest.first; i < oracle->config.node_count && !or_failed(oracle); i++) {
        if (in_group[i]) check_node(&rest, i);
    }
    cs_free(rest.known);
    if (or_failed(oracle)) return false;
    if (ret == NULL) return true;
    *ret = (cs_oracle_counts_t){.entries = oracle->node[rest.first].live,
                                .minted = cs_oracle_minted(oracle)};
    for (uint32_t i = 0; i < oracle->dot_len; i++) {
        ret->removed += oracle->dot[i].removed_by != 0;
    }
    cs_oracle_each_content(oracle, rest.first, ret, count_content);
    return true;
}
