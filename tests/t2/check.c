/* check.c - the oracle: what must hold after each scan, and when all have met (I1-I6). */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "crdt/scan_i.h"
#include "sim/mem_store.h"
#include "t2/t2.h"

void t2_fail(t2_world_t *world, const char *format, ...)
{
    va_list args;
    if (t2_failed(world)) return; /* the first one tells */
    va_start(args, format);
    vsnprintf(world->failure, sizeof world->failure, format, args);
    va_end(args);
}

bool t2_failed(const t2_world_t *world)
{
    return world->failure[0] != '\0';
}

void t2_world_begin(t2_world_t *world, int replicas)
{
    world->replicas = replicas;
    world->next_text = 0;
    world->failure[0] = '\0';
    world->minted.len = world->removed.len = 0;
    for (int i = 0; i < replicas; i++) {
        cs_tree_t tree = world->peer[i].tree; /* its array is kept */
        cs_mem_disk_t *disk = world->with_store ? cs_mem_disk_new() : NULL;
        cs_store_t *store = NULL;
        cs_err_t err = disk != NULL ? cs_mem_store_open(disk, &store) : CS_OK;
        CS_ASSERT(err == CS_OK);
        cs_peer_init(&world->peer[i], 0xa0u + (uint64_t)i, store);
        world->peer[i].disk = disk;
        world->peer[i].replica->cleanup_off = true;
        world->peer[i].replica->batch_max = world->batch_max;
        cs_tree_clear(&tree);
        world->peer[i].tree = tree;
    }
}

void t2_world_end(t2_world_t *world)
{
    for (int i = 0; i < world->replicas; i++) {
        cs_peer_t *peer = &world->peer[i];
        cs_replica_destroy(&peer->replica);
        if (peer->store != NULL) cs_store_close(&peer->store);
        if (peer->disk != NULL) cs_mem_disk_destroy(&peer->disk);
    }
}

/* --- dots */

static t2_dot_t *push(t2_dots_t *dots)
{
    if (dots->len == dots->cap) {
        dots->cap = (uint32_t)cs_grow(dots->cap, dots->len + 64u);
        dots->at = cs_realloc_array(dots->at, dots->cap, sizeof *dots->at);
    }
    t2_dot_t *dot = &dots->at[dots->len++];
    memset(dot, 0, sizeof *dot);
    return dot;
}

static void add(t2_dots_t *dots, const cs_entry_t *e, cs_dotstore_t store, cs_dot_t dot,
                cs_dot_t lin, bool hinted)
{
    *push(dots) = (t2_dot_t){
        .bucket = e->bucket, .store = (uint8_t)store, .dot = dot, .lin = lin, .hinted = hinted};
}

static void add_entry(t2_dots_t *ret, const cs_entry_t *e)
{
    for (uint32_t i = 0; i < e->l_len; i++) {
        add(ret, e, CS_L, e->l[i].dot, e->l[i].lin, e->l[i].hint.kind != CS_KIND_NONE);
    }
    for (uint32_t i = 0; i < e->k_len; i++)
        add(ret, e, CS_K, e->k[i].dot, cs_entry_owner(e, &e->k[i]), false);
    for (uint32_t i = 0; i < e->a_len; i++)
        add(ret, e, CS_A, e->a[i].dot, e->a[i].lin, false);
}

static void live_dots(cs_peer_t *peer, t2_dots_t *ret)
{
    ret->len = 0;
    for (cs_onode_t *node = cs_peer_first(peer, CS_T_ENTRY); node != NULL;
         node = cs_peer_next(node)) {
        add_entry(ret, &((cs_cell_t *)node->value)->entry);
    }
}

/* All dots that the user knows: in the backing of base rows. */
static void known_dots(cs_peer_t *peer, t2_dots_t *ret)
{
    cs_onode_t *node = cs_peer_first(peer, CS_T_BASE);
    ret->len = 0;
    for (; node != NULL; node = cs_peer_next(node)) {
        const cs_item_t *row = node->value;
        for (uint32_t i = 0; i < row->back_len; i++) {
            const cs_back_t *back = &row->back[i];
            cs_entry_t at = {.bucket = back->bucket};
            add(ret, &at, CS_K, back->k, back->lin, false);
            for (uint32_t j = 0; j < back->l_len; j++)
                add(ret, &at, CS_L, back->l_dots[j], back->lin, false);
            for (uint32_t j = 0; j < back->a_len; j++)
                add(ret, &at, CS_A, back->a_dots[j], back->lin, false);
        }
    }
}

static bool same_dot(const t2_dot_t *a, const t2_dot_t *b)
{
    return a->dot.ctr == b->dot.ctr && a->dot.rid == b->dot.rid && a->store == b->store &&
           memcmp(&a->bucket, &b->bucket, sizeof a->bucket) == 0;
}

bool t2_has(const t2_dots_t *dots, const t2_dot_t *dot)
{
    for (uint32_t i = 0; i < dots->len; i++) {
        if (same_dot(&dots->at[i], dot)) return true;
    }
    return false;
}

/* Nothing of the lineage can be shown any more: clean-up may take what is left of it. */
static bool is_dead(const t2_dots_t *live, const t2_dot_t *dot)
{
    for (uint32_t i = 0; i < live->len; i++) {
        const t2_dot_t *other = &live->at[i];
        if (!cs_dot_eq(other->lin, dot->lin) ||
            memcmp(&other->bucket, &dot->bucket, sizeof dot->bucket) != 0)
            continue;
        if (other->store == CS_K || other->hinted) return false;
    }
    return dot->store != CS_K && !dot->hinted;
}

static uint16_t mode_shown(cs_peer_t *peer, const cs_item_t *row)
{
    cs_link_t link[16];
    cs_links_t links = {link, 0};
    for (uint32_t i = 0; i < row->back_len && i < CS_COUNT_OF(link); i++) {
        link[links.len++] = (cs_link_t){row->back[i].bucket, row->back[i].lin, row->back[i].k};
    }
    return cs__mode_of(peer->replica, &links);
}

static void note_stale_modes(t2_world_t *world, cs_peer_t *peer)
{
    world->stale_len = 0;
    if (!cs_workset_any(&peer->replica->ws, CS_T_WANTED, cs_slice(NULL, 0))) return;
    cs_onode_t *node = cs_peer_first(peer, CS_T_BASE);
    for (; node != NULL && world->stale_len < T2_STALE_MAX; node = cs_peer_next(node)) {
        const cs_item_t *row = node->value;
        uint16_t shown =
            row->content.kind == CS_KIND_FILE ? mode_shown(peer, row) : CS_MODE_NONE;
        if (shown == CS_MODE_NONE || shown == row->attr.mode) continue;
        t2_stale_t *stale = &world->stale[world->stale_len++];
        strcpy(stale->path, row->path->data);
        stale->mode = row->attr.mode;
        stale->content = row->content;
    }
}

/* 5.4 (2) spares unseen chmods: where the user left a file alone, no A value is minted over
 * one. */
static void check_stale_modes(t2_world_t *world, cs_peer_t *peer, uint64_t ctr)
{
    for (uint32_t i = 0; i < world->stale_len; i++) {
        const t2_stale_t *stale = &world->stale[i];
        const cs_tree_node_t *node = cs_tree_find(&peer->tree, stale->path);
        if (node == NULL || node->mode != stale->mode) continue;
        if (!cs_content_eq(&node->content, &stale->content)) continue;
        const cs_item_t *row = cs__row(peer->replica, cs_slice(node->path, node->len));
        for (uint32_t j = 0; row != NULL && j < row->back_len; j++) {
            const cs_back_t *back = &row->back[j];
            for (uint32_t k = 0; k < back->a_len; k++) {
                bool mine = back->a_dots[k].rid == peer->replica->state.rid &&
                            back->a_dots[k].ctr > ctr;
                if (mine)
                    t2_fail(world, "5.4: %s was pinned over an unseen chmod", stale->path);
            }
        }
    }
}

/* A scan removes only what the user knew (5.3), mints only with its own id, and never twice. */
void t2_scan(t2_world_t *world, cs_peer_t *peer)
{
    uint64_t ctr = peer->replica->state.ctr;
    live_dots(peer, &world->before);
    known_dots(peer, &world->known);
    note_stale_modes(world, peer);
    if (peer->disk != NULL && cs_prng_chance(&world->cuts, 1, 4))
        cs_peer_scan_cut(peer, &world->cuts);
    cs_peer_scan(peer);
    cs_omap_fini(&peer->replica->pushed, NULL);
    if (peer->replica->state.ctr == ctr) return;
    check_stale_modes(world, peer, ctr);
    live_dots(peer, &world->after);
    for (uint32_t i = 0; i < world->before.len; i++) {
        const t2_dot_t *dot = &world->before.at[i];
        if (t2_has(&world->after, dot)) continue;
        *push(&world->removed) = *dot;
        bool ok = t2_has(&world->known, dot) ||
                  (!peer->replica->cleanup_off && is_dead(&world->after, dot));
        if (!ok)
            t2_fail(world, "5.3: a dot in store %u was removed that the user never saw",
                    dot->store);
    }
    for (uint32_t i = 0; i < world->after.len; i++) {
        const t2_dot_t *dot = &world->after.at[i];
        if (dot->dot.rid == peer->replica->state.rid && dot->dot.ctr > ctr)
            *push(&world->minted) = *dot;
    }
}

/* I3: live dots == minted - removed, in each store. */
static void check_oracle(t2_world_t *world, cs_peer_t *peer)
{
    uint32_t expected = 0;
    live_dots(peer, &world->after);
    for (uint32_t i = 0; i < world->minted.len; i++) {
        const t2_dot_t *dot = &world->minted.at[i];
        bool live = t2_has(&world->after, dot), removed = t2_has(&world->removed, dot);
        if (!removed) expected++;
        if (live == removed) {
            t2_fail(world, "I3: dot %llx:%llu in store %u is %s",
                    (unsigned long long)dot->dot.rid, (unsigned long long)dot->dot.ctr,
                    dot->store, live ? "back" : "lost");
        }
    }
    if (expected != world->after.len) t2_fail(world, "I3: a dot is live that nobody minted");
}

void t2_garbage(cs_peer_t *peer, t2_dots_t *ret)
{
    ret->len = 0;
    for (cs_onode_t *node = cs_peer_first(peer, CS_T_ENTRY); node != NULL;
         node = cs_peer_next(node)) {
        const cs_entry_t *e = &((cs_cell_t *)node->value)->entry;
        cs_dot_t lin;
        if (!cs__entry_dead_lineage(e, &lin)) continue;
        live_dots(peer, ret);
        uint32_t kept = 0;
        for (uint32_t i = 0; i < ret->len; i++) {
            if (is_dead(ret, &ret->at[i])) ret->at[kept++] = ret->at[i];
        }
        ret->len = kept;
        return;
    }
}

static void check_live(t2_world_t *world, cs_peer_t *a, cs_peer_t *b)
{
    cs_onode_t *x = cs_peer_first(a, CS_T_ENTRY), *y = cs_peer_first(b, CS_T_ENTRY);
    for (; x != NULL && y != NULL; x = cs_peer_next(x), y = cs_peer_next(y)) {
        bool same =
            cs_entry_live_eq(&((cs_cell_t *)x->value)->entry, &((cs_cell_t *)y->value)->entry);
        if (!same) t2_fail(world, "I1: live states differ");
    }
    if (x != NULL || y != NULL) t2_fail(world, "I1, I6: an entry is at one replica only");
}

void t2_check_equal(t2_world_t *world)
{
    uint8_t root[CS_HASH_BYTES];
    check_oracle(world, &world->peer[0]);
    for (int i = 1; i < world->replicas; i++)
        check_live(world, &world->peer[0], &world->peer[i]);
    if (world->next_text % 8 != 0)
        return; /* hashes cost most of all: in one history of eight */
    for (int i = 0; i < world->replicas; i++) {
        const cs_state_t *state = cs_replica_state(world->peer[i].replica);
        if (i == 0) memcpy(root, state->root, sizeof root);
        if (memcmp(root, state->root, sizeof root) != 0) t2_fail(world, "I1: roots differ");
    }
}
