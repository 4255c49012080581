/* invite.h - redeeming invites: JOIN and WELCOME over a link of a one-time key (cli.md,
 * `join`).
 *
 * The inviter's side: a link whose key is an open invite's. The joiner's: a link dialled with
 * cs_net_dial_as. Such links are never shown to the core; the daemon hands what happens on them
 * here. */
#ifndef CS_IO_INVITE_H
#define CS_IO_INVITE_H

#include "io/daemon_internal.h"

/* Is a link of this kind one of an invite? outgoing: one that cs_invite_join began. */
bool cs_invite_owns(const cs_daemon_t *daemon, const uint8_t key[32], bool outgoing);
void cs_invite_link_up(cs_daemon_t *daemon, cs_link_t link, const uint8_t key[32],
                       bool outgoing);
void cs_invite_link_down(cs_daemon_t *daemon, cs_link_t link);
void cs_invite_message(cs_daemon_t *daemon, cs_link_t link, cs_slice_t header);
void cs_invite_refused(cs_daemon_t *daemon,
                       const uint8_t key[32]); /* our one-time key was turned away */
void cs_invite_fini(cs_daemon_t *daemon);

#endif
