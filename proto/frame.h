/* frame.h - a message: fixed header, one protobuf body, sometimes raw bytes (PROTOCOL.md).
 *
 *   header part   u8 ver | u8 type | u16 flags | u32 xid | u32 seq | 8 B folder tag | body (protobuf)
 *   payload part  only CHUNK: records {32 B name, u32 len, bytes}
 *
 * Decoded messages are views: slices point into the received bytes or into the message's arena, valid
 * until cs_msg_fini. Lists of packed records (entries, digests, names) stay packed slices; the reader
 * of each is beside it. Every count and length is checked before anything is allocated. */
#ifndef CS_PROTO_FRAME_H
#define CS_PROTO_FRAME_H

#include "crdt/entry.h"

#define CS_PROTOCOL_VERSION 1u
#define CS_FRAME_HEADER_BYTES 20u

typedef enum cs_msg_type {
    CS_MSG_ERROR = 1,
    CS_MSG_HELLO, CS_MSG_HAVE, CS_MSG_ENTRIES,
    CS_MSG_RECON_REQ, CS_MSG_SYMS, CS_MSG_CREDIT, CS_MSG_WANT, CS_MSG_PUSH, CS_MSG_PUSH_REPLY,
    CS_MSG_GONE, CS_MSG_FIN, CS_MSG_LIST_REQ, CS_MSG_LIST, CS_MSG_PEX,
    CS_MSG_NWANT, CS_MSG_NODE, CS_MSG_MAP, CS_MSG_CWANT, CS_MSG_CHUNK, CS_MSG_CNONE,
    CS_MSG_JOIN, CS_MSG_WELCOME /* invites: the tag is zero */
} cs_msg_type_t;

#endif
