/* neighbours.h - with whom links are wanted (core.md 7.4).
 *
 * Up to 32 members of a folder all are linked with all. In a larger one a node sees to it that
 * it has links with eight of them, whoever dialled: chosen at random they make a net that holds
 * together when a good part of it goes. It dials no more than it lacks; where the one with the
 * shortest way is known it is among them. Two of those that it dialled give way to others every
 * hour, so that what a node knows of the rest does not grow old. Of more than sixteen links
 * with members of large folders alone those that others dialled are ended, the oldest first,
 * few at a time, once there was time to hear who else there is. Who was turned away tries
 * others; who comes back has nobody else, and stays. */
#ifndef CS_NODE_NEIGHBOURS_H
#define CS_NODE_NEIGHBOURS_H

#include "node/gossip.h"

#define CS_MESH_MEMBERS_MAX   32u /* of a folder, this node included */
#define CS_NEIGHBOURS_WANTED  8u
#define CS_NEIGHBOURS_MAX     16u
#define CS_NEIGHBOURS_ROTATED 2u
/* Then a dialled one is taken for unreachable; and who has no link dials again whom it lost. */
#define CS_NEIGHBOUR_TRY_MS   30000u
#define CS_NEIGHBOUR_SHORT_MS 60000u  /* a link that lasted less was not welcome */
#define CS_NEIGHBOUR_AVOID_MS 600000u /* so long neither is tried again */
#define CS_NEIGHBOUR_HOUR_MS                                                               \
    3600000u                       /* between rotations; and who gave way comes not before \
                                    */
#define CS_NEIGHBOUR_PACE_MS 5000u /* between dialling some, and some more */
/* A link lasts so long before it may be one too many; and between ending two. */
#define CS_NEIGHBOUR_GREET_MS 5000u

typedef struct cs_neighbour {
    cs_key_t key;
    bool member;        /* of some folder */
    bool small;         /* of one that is linked as a mesh */
    bool wanted;        /* may be dialled; true of who is new, and nothing is said of it then */
    bool fresh;         /* nothing was decided about it yet */
    bool ending;        /* it was turned away, and its link is not down yet */
    bool stays;         /* it was turned away, and came back soon */
    bool up;            /* when it was looked at last */
    bool counted;       /* scratch: it stays wanted */
    uint64_t tried_ms;  /* wanted and not up, since then */
    uint64_t avoid_ms;  /* until then */
    uint64_t up_ms;     /* its last link came; 0: there was none */
    uint64_t lost_ms;   /* and went */
    uint64_t turned_ms; /* it was turned away; 0: never */
    uint64_t way_ms;    /* as below, of the last link */
} cs_neighbour_t;

typedef struct cs_neighbours {
    cs_neighbour_t *item; /* owned; sorted by key */
    size_t len, cap;
    cs_prng_t prng;
    uint64_t due_ms; /* to be looked at again; UINT64_MAX: when something changes */
    uint64_t rotate_ms, dial_ms, turn_ms; /* not before */
} cs_neighbours_t;

/* What the node knows. */
typedef struct cs_neighbour_link {
    bool up;
    bool outgoing;   /* and only this node dialled it */
    bool dialable;   /* an address is known */
    uint64_t up_ms;  /* since when */
    uint64_t way_ms; /* from then to its first message, and 1; 0: there was none yet */
} cs_neighbour_link_t;

typedef struct cs_neighbour_view {
    void *arg;
    size_t folder_count;
    /* Sorted by key; this node may be among them. */
    const cs_member_t *(*members)(void *arg, size_t folder, size_t *ret_count);
    cs_neighbour_link_t (*link)(void *arg, const cs_key_t *key);
    /* It is to be dialled from now on, or not any more, and what links there are with it are to
     * end. */
    void (*want)(void *arg, const cs_key_t *key, bool on);
} cs_neighbour_view_t;

void cs_neighbours_init(cs_neighbours_t *neighbours, const cs_key_t *self, uint64_t seed);
void cs_neighbours_fini(cs_neighbours_t *neighbours);
/* After members, links or addresses changed, and when it is due. */
void cs_neighbours_choose(cs_neighbours_t *neighbours, const cs_key_t *self,
                          const cs_neighbour_view_t *view, uint64_t now_ms);
/* May it be dialled? Of who is not known yet: yes. */
bool cs_neighbours_wants(const cs_neighbours_t *neighbours, const cs_key_t *key);

#endif
