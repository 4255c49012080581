/* invite_internal.h - open invites and a join under way. Private to invite*.c. */
#ifndef CS_IO_INVITE_INTERNAL_H
#define CS_IO_INVITE_INTERNAL_H

#include "io/commands_internal.h"
#include "io/invite.h"
#include "proto/frame.h"

/* An invite whose one-time key is let in. */
typedef struct cs_open_invite {
    cs_invite_record_t record; /* uses_left 0: used up, kept until its last link has gone */
    size_t links;
} cs_open_invite_t;

typedef struct cs_invite_link {
    cs_link_t link;
    uint8_t key[CS_KEY_BYTES]; /* the one-time key */
    bool joined;               /* one JOIN a link */
} cs_invite_link_t;

typedef struct cs_join cs_join_t; /* invite_join.c */

typedef struct cs_invites {
    cs_open_invite_t *open; /* owned */
    size_t open_count, open_cap;
    cs_invite_link_t *link; /* owned */
    size_t link_count, link_cap;
    cs_join_t *join; /* owned by its pending request; NULL: none */
} cs_invites_t;

cs_invites_t *cs__invites(cs_daemon_t *daemon); /* made at the first use */

void cs__join_link_up(cs_daemon_t *daemon, cs_join_t *join, cs_link_t link);
void cs__join_link_down(cs_join_t *join, cs_link_t link);
bool cs__join_has_link(const cs_join_t *join, cs_link_t link);
void cs__join_message(cs_daemon_t *daemon, cs_join_t *join, const cs_msg_t *msg);
bool cs__join_dials(const cs_join_t *join, const uint8_t *key);
void cs__join_refused(cs_daemon_t *daemon, cs_join_t *join);

#endif
