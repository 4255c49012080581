/* fetching.h - steps of a conversation with a fetch machine, for its tests. */
#ifndef CS_TESTS_SUPPORT_FETCHING_H
#define CS_TESTS_SUPPORT_FETCHING_H

#include "support/contents.h"
#include "xfer/fetch.h"

#define ANN 1u
#define BOB 2u
#define CAT 3u

extern test_contents_t all;
extern cs_fetch_t *fetch;
extern uint64_t now_ms;

void fetching_init(void);
void fetching_fini(void);
const cs_content_t *id(size_t index);
void want(size_t index, cs_peer_t hint);
bool next_any(cs_fetch_action_t *ret); /* but ASK_PARTS and TELL */
cs_fetch_action_t next(cs_fetch_kind_t kind);
void nothing(void);
void done(uint64_t ticket, cs_err_t err);
cs_err_t give_small(cs_peer_t peer, size_t index);
cs_err_t give_chunk(cs_peer_t peer, const cs_name_t *name);
void give_nodes(const cs_fetch_action_t *action); /* all that ASK_NODES asks for */
cs_err_t give_map(cs_peer_t peer, size_t index, uint32_t depth);
cs_fetch_stats_t stats(void);
/* Up to the point where the list is walked. */
void open_large(size_t index);
/* Wanted, and the partial file opened, by the root and depth that ANN says. */
void open_made_up(const cs_content_t *content, const cs_name_t *root, uint32_t depth);
/* A content of `size` bytes by its id, whose root is the one node given. */
cs_content_t made_up(uint64_t size, cs_slice_t node, cs_name_t *ret_root);

#endif
