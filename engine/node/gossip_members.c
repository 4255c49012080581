/* gossip_members.c - who belongs to the folder, and what is known of each one's state. */
#include <string.h>

#include "base/mem.h"
#include "node/gossip_internal.h"

void cs__members_fini(cs_gossip_t *gossip)
{
    cs_free(gossip->members);
    cs_free(gossip->states);
}

/* The place of key in the sorted list, taken or to be taken. */
static size_t place_of(const cs_gossip_t *gossip, const uint8_t *key)
{
    size_t low = 0, high = gossip->member_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (memcmp(gossip->members[mid].key.b, key, CS_KEY_BYTES) < 0) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

static bool is_at(const cs_gossip_t *gossip, size_t at, const uint8_t *key)
{
    return at < gossip->member_count &&
           memcmp(gossip->members[at].key.b, key, CS_KEY_BYTES) == 0;
}

/* Lists of peers are sorted as this one is, and much the same. */
bool cs__member_index(cs_gossip_t *gossip, const uint8_t *key, size_t *ret)
{
    *ret = gossip->member_guess;
    if (!is_at(gossip, *ret, key)) *ret = place_of(gossip, key);
    gossip->member_guess = *ret + 1;
    return is_at(gossip, *ret, key);
}

static void *open_gap(void *array, size_t item_bytes, size_t at, size_t count)
{
    uint8_t *place = (uint8_t *)array + at * item_bytes;
    memmove(place + item_bytes, place, (count - at) * item_bytes);
    memset(place, 0, item_bytes);
    return place;
}

static void grow(cs_gossip_t *gossip)
{
    if (gossip->member_count < gossip->member_cap) return;
    size_t cap = cs_grow(gossip->member_cap, gossip->member_count + 1);
    gossip->members = cs_realloc_array(gossip->members, cap, sizeof *gossip->members);
    gossip->states = cs_realloc_array(gossip->states, cap, sizeof *gossip->states);
    for (size_t i = 0; i < gossip->peer_count; i++) {
        cs__peer_t *peer = gossip->peers[i];
        peer->stamps = cs_realloc_array(peer->stamps, cap, sizeof *peer->stamps);
    }
    gossip->member_cap = cap;
}

static void tell_all(cs_gossip_t *gossip)
{
    for (size_t i = 0; i < gossip->peer_count && !gossip->stopped; i++) {
        cs__peer_t *peer = gossip->peers[i];
        peer->member_news = true; /* an unchecked one hears it once its HELLO came */
        if (peer->checked) cs__sooner(&peer->hello_due_ms, gossip->now_ms);
    }
}

void cs_gossip_add_member(cs_gossip_t *gossip, const cs_member_t *member)
{
    size_t at;
    if (cs__member_index(gossip, member->key.b, &at)) {
        cs_member_t *known = &gossip->members[at];
        if (known->name[0] == '\0') memcpy(known->name, member->name, sizeof known->name);
        return;
    }
    if (gossip->member_count == CS_MEMBERS_MAX) return;
    grow(gossip);
    size_t count = gossip->member_count++;
    cs_member_t *place = open_gap(gossip->members, sizeof *gossip->members, at, count);
    *place = *member;
    open_gap(gossip->states, sizeof *gossip->states, at, count);
    for (size_t i = 0; i < gossip->peer_count; i++) {
        open_gap(gossip->peers[i]->stamps, sizeof(uint64_t), at, count);
    }
    gossip->self_at = place_of(gossip, gossip->config.self.b);
    tell_all(gossip);
}

static void close_gap(void *array, size_t item_bytes, size_t at, size_t count)
{
    uint8_t *place = (uint8_t *)array + at * item_bytes;
    memmove(place, place + item_bytes, (count - at - 1) * item_bytes);
}

void cs_gossip_remove_member(cs_gossip_t *gossip, const cs_key_t *key)
{
    size_t at;
    CS_ASSERT(memcmp(key->b, gossip->config.self.b, CS_KEY_BYTES) != 0);
    if (!cs__member_index(gossip, key->b, &at)) return;
    size_t count = gossip->member_count--;
    close_gap(gossip->members, sizeof *gossip->members, at, count);
    close_gap(gossip->states, sizeof *gossip->states, at, count);
    for (size_t i = 0; i < gossip->peer_count; i++) {
        close_gap(gossip->peers[i]->stamps, sizeof(uint64_t), at, count);
    }
    gossip->self_at = place_of(gossip, gossip->config.self.b);
}

const cs_member_t *cs_gossip_members(const cs_gossip_t *gossip, size_t *ret_count)
{
    *ret_count = gossip->member_count;
    return gossip->members;
}

void cs__members_hash(const cs_gossip_t *gossip, uint8_t ret[CS_HASH_BYTES])
{
    cs_buf_t keys = {0};
    for (size_t i = 0; i < gossip->member_count; i++) {
        cs_buf_put(&keys, gossip->members[i].key.b, CS_KEY_BYTES);
    }
    cs_slice_t part = cs_buf_slice(&keys);
    cs_hash(ret, CS_HASH_BYTES, gossip->config.keys->item, 32, &part, 1);
    cs_buf_fini(&keys);
}

cs_msg_member_t *cs__members_for(const cs_gossip_t *gossip, size_t *ret_count)
{
    cs_msg_member_t *ret = cs_calloc(gossip->member_count, sizeof *ret);
    for (size_t i = 0; i < gossip->member_count; i++) {
        const cs_member_t *member = &gossip->members[i];
        bool self = i == gossip->self_at;
        ret[i] = (cs_msg_member_t){.key = member->key.b,
                                   .name = cs_slice_text(member->name),
                                   .rid = self ? cs__state(gossip)->rid : member->rid};
    }
    *ret_count = gossip->member_count;
    return ret;
}

void cs__member_met(cs_gossip_t *gossip, size_t at, uint64_t rid)
{
    cs_member_t *member = &gossip->members[at];
    if (rid == 0 || member->rid == rid) return;
    member->rid = rid;
    if (at == gossip->self_at || gossip->host.met == NULL) return;
    gossip->host.met(gossip->host.arg, &member->key, rid);
}

void cs__members_take(cs_gossip_t *gossip, const cs_msg_members_t *members)
{
    for (size_t i = 0; i < members->count; i++) {
        const cs_msg_member_t *from = &members->items[i];
        size_t at;
        if (cs__member_index(gossip, from->key, &at)) {
            cs__member_met(gossip, at, from->rid);
            continue;
        }
        cs_member_t member = {.rid = 0};
        memcpy(member.key.b, from->key, CS_KEY_BYTES);
        if (from->name.len > 0) memcpy(member.name, from->name.data, from->name.len);
        if (!gossip->host.member(gossip->host.arg, &member)) continue;
        cs_gossip_add_member(gossip, &member);
        if (cs__member_index(gossip, from->key, &at)) cs__member_met(gossip, at, from->rid);
    }
}

/* --- reports */

/* Others heard greater stamps of us: the database was lost, and the clock goes back. What we
 * say would be taken for old. */
static void catch_up(cs_gossip_t *gossip, cs__member_state_t *own, uint64_t stamp)
{
    bool ahead = own->known ? own->stamp >= stamp : gossip->config.stamp > stamp;
    if (ahead || stamp == UINT64_MAX) return;
    own->known = false;
    gossip->config.stamp = stamp + 1;
    for (size_t i = 0; i < gossip->peer_count; i++) {
        cs__have_soon(gossip, gossip->peers[i], CS__SOON_MS);
    }
}

/* While changes spread, the state of a member is another one with each of them, and what others
 * wait for is that all are where they are: worth a relay is what is as ours is, or lasts. */
static bool is_worth_telling(const cs_gossip_t *gossip, const cs__member_state_t *state)
{
    const cs_state_t *mine = cs__state(gossip);
    bool equal = state->n == mine->n && memcmp(state->root, mine->root, CS_HASH_BYTES) == 0;
    return equal || gossip->now_ms >= state->heard_ms + CS__SETTLED_MS;
}

bool cs__report_take(cs_gossip_t *gossip, cs__peer_t *from, const cs_msg_report_t *report)
{
    size_t at;
    if (!cs__member_index(gossip, report->key, &at)) return false;
    if (memcmp(report->key, gossip->config.self.b, CS_KEY_BYTES) == 0) {
        catch_up(gossip, &gossip->states[at], report->stamp);
        return false;
    }
    if (from->stamps[at] < report->stamp) from->stamps[at] = report->stamp;
    cs__member_state_t *state = &gossip->states[at];
    if (state->known && state->stamp >= report->stamp) {
        bool is_behind =
            state->stamp > report->stamp && memcmp(report->key, from->key.b, CS_KEY_BYTES) == 0;
        if (is_behind) cs__have_soon(gossip, from, CS__SOON_MS); /* tells it what we heard */
        return false;
    }
    bool news = !state->known || state->n != report->n || state->applied != report->applied ||
                memcmp(state->root, report->root, CS_HASH_BYTES) != 0;
    *state = (cs__member_state_t){
        .known = true,
        .applied = report->applied,
        .stamp = report->stamp,
        .n = report->n,
        .heard_ms = gossip->now_ms,
        .list_again_ms = state->list_again_ms,
    };
    memcpy(state->root, report->root, CS_HASH_BYTES);
    return news && is_worth_telling(gossip, state);
}

/* A HAVE that was lost on the way is not missed by anybody: what was told once is told again.
 */
static void tell_again(cs_gossip_t *gossip, cs__peer_t *peer)
{
    if (gossip->now_ms < peer->reports_again_ms) return;
    peer->reports_again_ms = gossip->now_ms + CS__REPORTS_MS;
    for (size_t i = 0; i < gossip->member_count; i++) {
        bool own = memcmp(gossip->members[i].key.b, peer->key.b, CS_KEY_BYTES) == 0;
        if (!own) peer->stamps[i] = 0;
    }
}

/* What we know of a member is news for the peer. */
static bool is_news_for(const cs_gossip_t *gossip, const cs__peer_t *peer, size_t member)
{
    const cs__member_state_t *state = &gossip->states[member];
    if (!state->known || peer->stamps[member] >= state->stamp) return false;
    if (member == gossip->self_at || !is_worth_telling(gossip, state)) return false;
    if (peer->stamps[member] > 0) return true;
    /* Of itself it may not have said yet what it is at. */
    return memcmp(gossip->members[member].key.b, peer->key.b, CS_KEY_BYTES) != 0;
}

bool cs__has_reports_for(const cs_gossip_t *gossip, const cs__peer_t *peer)
{
    for (size_t i = 0; i < gossip->member_count; i++) {
        if (is_news_for(gossip, peer, i)) return true;
    }
    return false;
}

size_t cs__reports_for(cs_gossip_t *gossip, cs__peer_t *peer, cs_msg_report_t *ret)
{
    size_t count = 0;
    tell_again(gossip, peer);
    for (size_t i = 0; i < gossip->member_count && count < CS_REPORTS_MAX; i++) {
        if (!is_news_for(gossip, peer, i)) continue;
        const cs__member_state_t *state = &gossip->states[i];
        const uint8_t *key = gossip->members[i].key.b;
        ret[count++] = (cs_msg_report_t){.key = key,
                                         .stamp = state->stamp,
                                         .root = state->root,
                                         .n = state->n,
                                         .applied = state->applied};
        peer->stamps[i] = state->stamp;
    }
    return count;
}

static cs__member_state_t *own_of(const cs_gossip_t *gossip)
{
    CS_ASSERT(gossip->self_at < gossip->member_count);
    return &gossip->states[gossip->self_at];
}

static bool is_present(const cs_gossip_t *gossip, const cs__member_state_t *own)
{
    const cs_state_t *state = cs__state(gossip);
    return own->known && own->n == state->n && own->applied == cs__is_applied(gossip) &&
           memcmp(own->root, state->root, CS_HASH_BYTES) == 0;
}

bool cs__is_own_stamp(const cs_gossip_t *gossip, uint64_t stamp)
{
    const cs__member_state_t *own = own_of(gossip);
    return own->stamp == stamp && is_present(gossip, own);
}

uint64_t cs__own_stamp(cs_gossip_t *gossip)
{
    cs__member_state_t *own = own_of(gossip);
    const cs_state_t *state = cs__state(gossip);
    if (is_present(gossip, own)) return own->stamp;
    uint64_t stamp = own->known ? own->stamp + 1 : gossip->config.stamp;
    *own = (cs__member_state_t){
        .known = true, .applied = cs__is_applied(gossip), .stamp = stamp, .n = state->n};
    memcpy(own->root, state->root, CS_HASH_BYTES);
    return stamp;
}

static const cs__peer_t *connected(const cs_gossip_t *gossip, const cs_key_t *key)
{
    for (size_t i = 0; i < gossip->peer_count; i++) {
        const cs__peer_t *peer = gossip->peers[i];
        if (!peer->dropped && memcmp(peer->key.b, key->b, CS_KEY_BYTES) == 0) return peer;
    }
    return NULL;
}

cs_report_t *cs_gossip_reports(const cs_gossip_t *gossip, size_t *ret_count)
{
    cs_report_t *ret = cs_calloc(gossip->member_count, sizeof *ret);
    const cs_state_t *mine = cs__state(gossip);
    size_t count = 0;
    for (size_t i = 0; i < gossip->member_count; i++) {
        const cs_key_t *key = &gossip->members[i].key;
        if (i == gossip->self_at) continue;
        const cs__member_state_t *state = &gossip->states[i];
        bool equal = state->known && state->n == mine->n &&
                     memcmp(state->root, mine->root, CS_HASH_BYTES) == 0;
        const cs__peer_t *peer = connected(gossip, key);
        cs_report_t *report = &ret[count++];
        *report = (cs_report_t){.key = *key,
                                .known = state->known,
                                .equal = equal,
                                .applied = state->applied,
                                .connected = peer != NULL};
        if (peer == NULL) continue;
        report->ended = peer->ended;
        report->end = peer->end;
        report->exchanging = peer->exchange != NULL;
        if (report->exchanging) cs__account_now(peer, gossip->now_ms, &report->facts);
    }
    *ret_count = count;
    return ret;
}
