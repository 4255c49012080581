/* peers_test.c - links become peers; both ends agree on the link that counts. */
#include <criterion/criterion.h>

#include "node/peers.h"

static cs_key_t key(uint8_t byte)
{
    cs_key_t ret = {{byte}};
    return ret;
}

static cs_peer_change_t up(cs_peers_t *peers, uint8_t self, uint8_t other, cs_link_t link,
                           bool outgoing)
{
    cs_key_t me = key(self);
    cs_key_t them = key(other);
    cs_peer_entry_t *peer;
    return cs_peers_link_up(peers, &me, &them, link, outgoing, &peer);
}

static cs_peer_change_t down(cs_peers_t *peers, uint8_t self, cs_link_t link)
{
    cs_key_t me = key(self);
    cs_peer_entry_t was;
    return cs_peers_link_down(peers, &me, link, &was);
}

static cs_link_t active(const cs_peers_t *peers, uint8_t other)
{
    cs_key_t them = key(other);
    return cs_peers_by_key(peers, &them)->active;
}

Test(peers, the_link_dialled_by_the_smaller_key_counts)
{
    cs_peers_t small = {0};
    cs_peers_t large = {0};
    cr_assert_eq(up(&small, 1, 2, 10, false), CS_PEER_UP); /* 2 dialled 1 first */
    cr_assert_eq(up(&large, 2, 1, 20, true), CS_PEER_UP);
    cr_assert_eq(up(&small, 1, 2, 11, true), CS_PEER_MOVED); /* then 1 dialled 2 */
    cr_assert_eq(up(&large, 2, 1, 21, false), CS_PEER_MOVED);
    cr_assert_eq(active(&small, 2), 11);
    cr_assert_eq(active(&large, 1), 21);
    cs_peers_fini(&small);
    cs_peers_fini(&large);
}

Test(peers, a_lost_link_falls_back_to_the_other_one)
{
    cs_peers_t peers = {0};
    up(&peers, 1, 2, 10, true);
    cr_assert_eq(up(&peers, 1, 2, 11, false), CS_PEER_SAME);
    cr_assert_eq(down(&peers, 1, 10), CS_PEER_MOVED);
    cr_assert_eq(active(&peers, 2), 11);
    cr_assert_eq(down(&peers, 1, 11), CS_PEER_DOWN);
    cr_assert_eq(peers.len, 0);
    cs_peers_fini(&peers);
}

Test(peers, a_newer_incoming_link_replaces_the_older_one)
{
    cs_peers_t peers = {0};
    up(&peers, 2, 1, 10, false);
    cr_assert_eq(up(&peers, 2, 1, 11, false), CS_PEER_MOVED);
    cr_assert_eq(down(&peers, 2, 10), CS_PEER_SAME, "nobody speaks on it any more");
    cr_assert_eq(active(&peers, 1), 11);
    cs_peers_fini(&peers);
}

Test(peers, are_sorted_by_key_and_keep_their_handles)
{
    cs_peers_t peers = {0};
    for (uint8_t other = 9; other > 1; other--)
        up(&peers, 1, other, other, true);
    for (size_t i = 1; i < peers.len; i++) {
        cr_assert_lt(cs_key_cmp(&peers.item[i - 1].key, &peers.item[i].key), 0);
    }
    cs_peer_t id = cs_peers_by_link(&peers, 5)->id;
    down(&peers, 1, 2);
    cr_assert_eq(cs_peers_by_id(&peers, id)->active, 5);
    cs_peers_fini(&peers);
}
