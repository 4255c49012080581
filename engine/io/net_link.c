/* net_link.c - the life of a link: up, perhaps closing, down, freed. */
#include <czmq.h>

#include "base/mem.h"
#include "io/net_impl.h"

cs__link_t *cs__link_add(cs_net_t *net, const uint8_t *key, cs__dial_t *dial)
{
    cs__link_t *link = cs_calloc(1, sizeof *link);
    link->id = ++net->last_link;
    link->dial = dial;
    link->outgoing = dial != NULL;
    link->fd = -1;
    link->out = cs__out_new(&net->outs);
    link->probe_at_ms = CS__NEVER;
    memcpy(link->key, key, sizeof link->key);
    if (net->link_count == net->link_cap) {
        net->link_cap = cs_grow(net->link_cap, net->link_count + 1);
        net->links = cs_realloc_array(net->links, net->link_cap, sizeof(cs__link_t *));
    }
    net->links[net->link_count++] = link;
    return link;
}

void cs__link_free(cs__link_t *link)
{
    cs__out_unref(&link->out);
    cs_free(link);
}

cs__link_t *cs__link_find(const cs_net_t *net, cs_link_t id)
{
    size_t low = 0, high = net->link_count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (net->links[mid]->id == id) return net->links[mid];
        if (net->links[mid]->id < id) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return NULL;
}

void cs__link_up(cs_net_t *net, cs__link_t *link)
{
    link->known = true;
    net->handler.up(net->handler.arg, link->id, link->key, link->outgoing);
    cs__net_wake(net, 0); /* it is asked at once how long it takes to answer */
}

static void tell_down(cs_net_t *net, cs__link_t *link)
{
    if (!link->known) return;
    link->known = false;
    net->handler.down(net->handler.arg, link->id);
}

/* The attempt ends with its link. */
static void detach(cs__link_t *link)
{
    link->gone = true;
    if (link->dial == NULL) return;
    link->dial->over = true;
    link->dial->gone |= link->dial->last;
    link->dial->link = NULL;
    link->dial = NULL;
}

void cs__link_end(cs_net_t *net, cs__link_t *link)
{
    detach(link);
    cs__net_wake(net, 0);
    tell_down(net, link);
}

void cs__link_close(cs_net_t *net, cs__link_t *link)
{
    if (link->closing || link->gone) return;
    link->closing = true;
    if (link->outgoing) {
        detach(link);
    } else {
        cs__router_eject(net, link);
    }
    cs__net_wake(net, 0);
}

void cs__links_tell_down(cs_net_t *net)
{
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_t *link = net->links[i];
        if (link->closing || link->gone) tell_down(net, link);
    }
}

void cs__links_reap(cs_net_t *net)
{
    size_t kept = 0;
    for (size_t i = 0; i < net->link_count; i++) {
        cs__link_t *link = net->links[i];
        /* One that was marked by a callback meanwhile still owes its down(). */
        if (!link->gone || link->known) {
            net->links[kept++] = link;
            continue;
        }
        cs__link_free(link);
    }
    net->link_count = kept;
}
