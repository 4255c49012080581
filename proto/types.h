/* types.h - which body belongs to which message type; shared by encoder and decoder. */
#ifndef CS_PROTO_TYPES_H
#define CS_PROTO_TYPES_H

#include <protobuf-c/protobuf-c.h>

#include "proto/frame.h"

/* NULL: no such type. */
const ProtobufCMessageDescriptor *cs__msg_body(uint32_t type);

#endif
