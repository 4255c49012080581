/* decode_i.h - what the parts of the decoder share. Slices are borrowed from the unpacked body.
 */
#ifndef CS_PROTO_DECODE_I_H
#define CS_PROTO_DECODE_I_H

#include <protobuf-c/protobuf-c.h>

#include "proto/frame.h"

cs_slice_t cs__slice_of(ProtobufCBinaryData field);
/* MALFORMED: not of this length; not a multiple of it. */
cs_err_t cs__take_fixed(ProtobufCBinaryData field, size_t len, const uint8_t **ret);
cs_err_t cs__take_records(ProtobufCBinaryData field, size_t len, cs_slice_t *ret);
/* Records with their lengths before them, each record_max bytes at most. */
cs_err_t cs__take_packed(ProtobufCBinaryData field, size_t record_max, uint32_t *ret_count,
                         cs_slice_t *ret);

/* --- bodies, by message type (decode_content.c) */
cs_err_t cs__take_node(const void *body, cs_msg_t *ret);
cs_err_t cs__take_map(const void *body, cs_msg_t *ret);
cs_err_t cs__take_cwant(const void *body, cs_msg_t *ret);
cs_err_t cs__take_parts(const void *body, cs_msg_t *ret);
cs_err_t cs__take_chunk(const void *body, cs_msg_t *ret);

#endif
