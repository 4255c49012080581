/* neighbours.c - see neighbours.h. */
#include "node/neighbours.h"

#include <string.h>

#include "base/mem.h"
#include "node/peers.h"

typedef struct choice {
    cs_neighbours_t *all;
    const cs_key_t *self;
    const cs_neighbour_view_t *view;
    uint64_t now_ms;
    bool dialled; /* some more */
} choice_t;

void cs_neighbours_init(cs_neighbours_t *neighbours, const cs_key_t *self, uint64_t seed)
{
    uint64_t own;
    memcpy(&own, self->b, sizeof own);
    *neighbours = (cs_neighbours_t){.due_ms = UINT64_MAX};
    cs_prng_init(&neighbours->prng, seed ^ own);
}

void cs_neighbours_fini(cs_neighbours_t *neighbours)
{
    cs_free(neighbours->item);
    *neighbours = (cs_neighbours_t){0};
}

/* --- who there is */

static size_t place_of(const cs_neighbours_t *neighbours, const cs_key_t *key)
{
    size_t low = 0, high = neighbours->len;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (cs_key_cmp(&neighbours->item[mid].key, key) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static cs_neighbour_t *find(const cs_neighbours_t *neighbours, const cs_key_t *key)
{
    size_t at = place_of(neighbours, key);
    bool found = at < neighbours->len && cs_key_cmp(&neighbours->item[at].key, key) == 0;
    return found ? &neighbours->item[at] : NULL;
}

bool cs_neighbours_wants(const cs_neighbours_t *neighbours, const cs_key_t *key)
{
    const cs_neighbour_t *item = find(neighbours, key);
    return item == NULL || item->wanted;
}

static cs_neighbour_t *make(cs_neighbours_t *neighbours, const cs_key_t *key)
{
    cs_neighbour_t *known = find(neighbours, key);
    if (known != NULL) return known;
    if (neighbours->len == neighbours->cap) {
        neighbours->cap = cs_grow(neighbours->cap, neighbours->len + 1);
        neighbours->item =
            cs_realloc_array(neighbours->item, neighbours->cap, sizeof *neighbours->item);
    }
    size_t at = place_of(neighbours, key);
    cs_neighbour_t *item = &neighbours->item[at];
    memmove(item + 1, item, (neighbours->len - at) * sizeof *item);
    neighbours->len++;
    *item = (cs_neighbour_t){.key = *key, .wanted = true, .fresh = true};
    return item;
}

static void note_members(choice_t *choice)
{
    cs_neighbours_t *all = choice->all;
    for (size_t i = 0; i < all->len; i++) {
        all->item[i].member = all->item[i].small = false;
    }
    for (size_t f = 0; f < choice->view->folder_count; f++) {
        size_t count;
        const cs_member_t *members = choice->view->members(choice->view->arg, f, &count);
        for (size_t i = 0; i < count; i++) {
            if (cs_key_cmp(&members[i].key, choice->self) == 0) continue;
            cs_neighbour_t *item = make(all, &members[i].key);
            item->member = true;
            item->small = item->small || count <= CS_MESH_MEMBERS_MAX;
        }
    }
    size_t kept = 0;
    for (size_t i = 0; i < all->len; i++) {
        if (all->item[i].member) all->item[kept++] = all->item[i];
    }
    all->len = kept;
}

/* --- links */

static cs_neighbour_link_t link_of(const choice_t *choice, const cs_neighbour_t *item)
{
    return choice->view->link(choice->view->arg, &item->key);
}

static void set_wanted(choice_t *choice, cs_neighbour_t *item, bool on)
{
    if (item->wanted == on) return;
    item->wanted = on;
    item->tried_ms = choice->now_ms;
    choice->view->want(choice->view->arg, &item->key, on);
}

static void avoid(choice_t *choice, cs_neighbour_t *item, uint64_t ms)
{
    item->avoid_ms = choice->now_ms + ms;
    set_wanted(choice, item, false);
}

/* What came of the links since it was looked last. */
static void note_link(choice_t *choice, cs_neighbour_t *item)
{
    cs_neighbour_link_t link = link_of(choice, item);
    uint64_t now_ms = choice->now_ms;
    bool lost = item->up && !link.up;
    if (link.up && (!item->up || link.up_ms != item->up_ms)) {
        item->ending = false;
        item->stays = item->turned_ms != 0 && now_ms < item->turned_ms + CS_NEIGHBOUR_AVOID_MS;
        item->up_ms = link.up_ms;
    }
    item->up = link.up;
    if (link.way_ms > 0) item->way_ms = link.way_ms;
    if (lost) item->lost_ms = now_ms;
    if (link.up || lost || item->fresh) item->tried_ms = now_ms;
    if (item->small || link.up || !item->wanted) return;
    if (lost) {
        /* If there are others: whoever ended it had a reason. */
        bool brief = now_ms < item->up_ms + CS_NEIGHBOUR_SHORT_MS;
        avoid(choice, item, brief ? CS_NEIGHBOUR_AVOID_MS : CS_NEIGHBOUR_SHORT_MS);
    } else if (item->tried_ms + CS_NEIGHBOUR_TRY_MS <= now_ms) {
        avoid(choice, item, CS_NEIGHBOUR_AVOID_MS);
    }
}

/* --- choosing */

/* Of the members of a large folder: how many are linked, or may be soon. */
static size_t count_folder(const choice_t *choice, const cs_member_t *members, size_t count)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        const cs_neighbour_t *item = find(choice->all, &members[i].key);
        if (item == NULL) continue; /* this node */
        found += item->up || (item->counted && !item->small);
    }
    return found;
}

static bool is_candidate(const choice_t *choice, const cs_neighbour_t *item)
{
    bool free = !item->up && !item->counted && item->avoid_ms <= choice->now_ms;
    return free && link_of(choice, item).dialable;
}

/* The one that takes the shortest way, if that is shorter than to any that is linked. */
static cs_neighbour_t *nearest(const choice_t *choice, const cs_member_t *members, size_t count)
{
    cs_neighbour_t *best = NULL;
    uint64_t best_ms = UINT64_MAX;
    for (size_t i = 0; i < count; i++) {
        cs_neighbour_t *item = find(choice->all, &members[i].key);
        if (item == NULL || item->way_ms == 0 || item->way_ms > best_ms) continue;
        if (item->way_ms == best_ms && !item->up) continue;
        best = item;
        best_ms = item->way_ms;
    }
    return best != NULL && is_candidate(choice, best) ? best : NULL;
}

/* Of those of whom nothing bad is known, if there are any: so all are tried before one is
 * again. */
static cs_neighbour_t *random_one(const choice_t *choice, const cs_member_t *members,
                                  size_t count)
{
    cs_neighbour_t *ret = NULL;
    uint64_t met = 0;
    for (size_t i = 0; i < count; i++) {
        cs_neighbour_t *item = find(choice->all, &members[i].key);
        if (item == NULL || !is_candidate(choice, item)) continue;
        bool better = ret != NULL && item->avoid_ms == 0 && ret->avoid_ms != 0;
        if (ret != NULL && ret->avoid_ms == 0 && item->avoid_ms != 0) continue;
        if (better) met = 0;
        if (cs_prng_below(&choice->all->prng, ++met) == 0) ret = item;
    }
    return ret;
}

/* For who has no link at all: whom it lost a while ago; `tried`: or the one that it tried
 * longest ago. So when the network is there again some are being dialled. */
static cs_neighbour_t *any_one(const choice_t *choice, const cs_member_t *members, size_t count,
                               bool tried)
{
    cs_neighbour_t *ret = NULL;
    for (size_t i = 0; i < count; i++) {
        cs_neighbour_t *item = find(choice->all, &members[i].key);
        if (item == NULL) continue;
        if (item->up) return NULL;
        bool was = item->up_ms != 0 && item->lost_ms + CS_NEIGHBOUR_TRY_MS <= choice->now_ms;
        bool may = was || tried;
        if (!may || item->counted || !link_of(choice, item).dialable) continue;
        if (ret == NULL || item->avoid_ms < ret->avoid_ms) ret = item;
    }
    return ret;
}

/* Of those that are dialled: who was linked before. The others are for who was not. */
#define LOST_MAX (CS_NEIGHBOURS_WANTED / 4)

static size_t count_lost(const choice_t *choice)
{
    size_t found = 0;
    for (size_t i = 0; i < choice->all->len; i++) {
        const cs_neighbour_t *item = &choice->all->item[i];
        found += item->counted && !item->small && item->up_ms != 0;
    }
    return found;
}

/* Half of what is missing at a time: others may dial this node meanwhile, and where all begin
 * at once all would have twice what they want. */
static void choose_folder(choice_t *choice, const cs_member_t *members, size_t count)
{
    size_t have = count_folder(choice, members, count);
    if (have >= CS_NEIGHBOURS_WANTED || choice->now_ms < choice->all->dial_ms) return;
    size_t more = (CS_NEIGHBOURS_WANTED - have + 1) / 2;
    cs_neighbour_t *lost = NULL;
    if (count_lost(choice) < LOST_MAX) lost = any_one(choice, members, count, false);
    for (; more > 0; more--) {
        cs_neighbour_t *item = lost;
        lost = NULL;
        if (item == NULL) item = nearest(choice, members, count);
        if (item == NULL) item = random_one(choice, members, count);
        if (item == NULL) item = any_one(choice, members, count, true);
        if (item == NULL) return;
        item->counted = true;
        choice->dialled = true;
    }
}

static void choose(choice_t *choice)
{
    cs_neighbours_t *all = choice->all;
    for (size_t i = 0; i < all->len; i++) {
        cs_neighbour_t *item = &all->item[i];
        /* Who is new has to be chosen like anybody else. */
        item->counted = item->small || (item->wanted && !item->up && !item->fresh);
        item->fresh = false;
    }
    for (size_t f = 0; f < choice->view->folder_count; f++) {
        size_t count;
        const cs_member_t *members = choice->view->members(choice->view->arg, f, &count);
        if (count > CS_MESH_MEMBERS_MAX) choose_folder(choice, members, count);
    }
    for (size_t i = 0; i < all->len; i++) {
        cs_neighbour_t *item = &all->item[i];
        if (!item->up) set_wanted(choice, item, item->counted);
    }
    if (choice->dialled) all->dial_ms = choice->now_ms + CS_NEIGHBOUR_PACE_MS;
}

/* --- too many, too long */

/* The oldest of those that others dialled: it had the time to find more. ret_up: how many links
 * there are; ret_due_ms: when one more may be ended. */
static cs_neighbour_t *oldest_guest(const choice_t *choice, size_t *ret_up,
                                    uint64_t *ret_due_ms)
{
    cs_neighbour_t *oldest = NULL;
    *ret_up = 0;
    *ret_due_ms = UINT64_MAX;
    for (size_t i = 0; i < choice->all->len; i++) {
        cs_neighbour_t *item = &choice->all->item[i];
        if (!item->up || item->small || item->ending) continue;
        ++*ret_up;
        if (item->stays || link_of(choice, item).outgoing) continue;
        uint64_t ripe_ms = item->up_ms + CS_NEIGHBOUR_GREET_MS;
        if (ripe_ms > choice->now_ms) {
            if (ripe_ms < *ret_due_ms) *ret_due_ms = ripe_ms;
        } else if (oldest == NULL || item->up_ms < oldest->up_ms) {
            oldest = item;
        }
    }
    return oldest;
}

/* One of eight that are too many at a time: where all have too many, the others end some, too.
 */
static void turn_away(choice_t *choice)
{
    size_t up;
    uint64_t now_ms = choice->now_ms, due_ms;
    cs_neighbour_t *item = oldest_guest(choice, &up, &due_ms);
    if (up <= CS_NEIGHBOURS_MAX) return;
    if (item != NULL && choice->all->turn_ms <= now_ms) {
        choice->all->turn_ms = now_ms + CS_NEIGHBOUR_GREET_MS;
        for (size_t more = (up - CS_NEIGHBOURS_MAX + 7) / 8; more > 0 && item != NULL; more--) {
            item->turned_ms = now_ms;
            item->wanted = item->ending = true; /* wanted: so that it is told */
            avoid(choice, item, CS_NEIGHBOUR_AVOID_MS);
            item = oldest_guest(choice, &up, &due_ms);
        }
    }
    if (item != NULL) due_ms = choice->all->turn_ms;
    if (due_ms < choice->all->due_ms) choice->all->due_ms = due_ms;
}

static bool is_own_choice(const choice_t *choice, const cs_neighbour_t *item)
{
    return item->up && !item->small && link_of(choice, item).outgoing;
}

/* One of those that this node dialled, but for the nearest. */
static cs_neighbour_t *oldest_choice(const choice_t *choice)
{
    cs_neighbours_t *all = choice->all;
    const cs_neighbour_t *near = NULL;
    for (size_t i = 0; i < all->len; i++) {
        const cs_neighbour_t *item = &all->item[i];
        if (item->way_ms == 0 || !is_own_choice(choice, item)) continue;
        if (near == NULL || item->way_ms < near->way_ms) near = item;
    }
    cs_neighbour_t *oldest = NULL;
    for (size_t i = 0; i < all->len; i++) {
        cs_neighbour_t *item = &all->item[i];
        if (item == near || !item->wanted || !is_own_choice(choice, item)) continue;
        if (oldest == NULL || item->up_ms < oldest->up_ms) oldest = item;
    }
    return oldest;
}

static void rotate(choice_t *choice)
{
    cs_neighbours_t *all = choice->all;
    if (all->rotate_ms == 0) all->rotate_ms = choice->now_ms + CS_NEIGHBOUR_HOUR_MS;
    if (choice->now_ms < all->rotate_ms) return;
    all->rotate_ms = choice->now_ms + CS_NEIGHBOUR_HOUR_MS;
    size_t up = 0;
    for (size_t i = 0; i < all->len; i++) {
        up += all->item[i].up && !all->item[i].small;
    }
    for (unsigned i = 0; i < CS_NEIGHBOURS_ROTATED && up >= CS_NEIGHBOURS_WANTED; i++) {
        cs_neighbour_t *item = oldest_choice(choice);
        if (item == NULL) return;
        avoid(choice, item, CS_NEIGHBOUR_HOUR_MS);
        item->up = false;
    }
}

static void plan(choice_t *choice)
{
    cs_neighbours_t *all = choice->all;
    bool large = false;
    for (size_t i = 0; i < all->len; i++) {
        const cs_neighbour_t *item = &all->item[i];
        if (item->small) continue;
        large = true;
        uint64_t due_ms = UINT64_MAX;
        if (item->wanted && !item->up) due_ms = item->tried_ms + CS_NEIGHBOUR_TRY_MS;
        if (!item->wanted && item->avoid_ms > choice->now_ms) due_ms = item->avoid_ms;
        if (due_ms < all->due_ms) all->due_ms = due_ms;
    }
    if (!large) return;
    if (all->rotate_ms < all->due_ms) all->due_ms = all->rotate_ms;
    if (all->dial_ms > choice->now_ms && all->dial_ms < all->due_ms) all->due_ms = all->dial_ms;
}

void cs_neighbours_choose(cs_neighbours_t *neighbours, const cs_key_t *self,
                          const cs_neighbour_view_t *view, uint64_t now_ms)
{
    choice_t choice = {.all = neighbours, .self = self, .view = view, .now_ms = now_ms};
    neighbours->due_ms = UINT64_MAX;
    note_members(&choice);
    for (size_t i = 0; i < neighbours->len; i++) {
        note_link(&choice, &neighbours->item[i]);
    }
    rotate(&choice);
    choose(&choice);
    turn_away(&choice);
    plan(&choice);
}
