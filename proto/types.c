/* types.c - the table of message types. */
#include "proto/types.h"

#include "proto/crdtsync.pb-c.h"

static const struct {
    const char *name;
    const ProtobufCMessageDescriptor *body;
} types[CS_MSG_TYPE_END] = {
    [CS_MSG_ERROR] = {"error", &crdtsync__error__descriptor},
    [CS_MSG_HELLO] = {"hello", &crdtsync__hello__descriptor},
    [CS_MSG_HAVE] = {"have", &crdtsync__have__descriptor},
    [CS_MSG_ENTRIES] = {"entries", &crdtsync__entries__descriptor},
    [CS_MSG_RECON_REQ] = {"recon_req", &crdtsync__recon_req__descriptor},
    [CS_MSG_SYMS] = {"syms", &crdtsync__syms__descriptor},
    [CS_MSG_CREDIT] = {"credit", &crdtsync__credit__descriptor},
    [CS_MSG_WANT] = {"want", &crdtsync__packed__descriptor},
    [CS_MSG_PUSH] = {"push", &crdtsync__push__descriptor},
    [CS_MSG_PUSH_REPLY] = {"push_reply", &crdtsync__push__descriptor},
    [CS_MSG_GONE] = {"gone", &crdtsync__packed__descriptor},
    [CS_MSG_FIN] = {"fin", &crdtsync__fin__descriptor},
    [CS_MSG_LIST_REQ] = {"list_req", &crdtsync__packed__descriptor},
    [CS_MSG_LIST] = {"list", &crdtsync__list__descriptor},
    [CS_MSG_PEX] = {"pex", &crdtsync__pex__descriptor},
    [CS_MSG_NWANT] = {"nwant", &crdtsync__packed__descriptor},
    [CS_MSG_NODE] = {"node", &crdtsync__node__descriptor},
    [CS_MSG_MAP] = {"map", &crdtsync__map__descriptor},
    [CS_MSG_CWANT] = {"cwant", &crdtsync__cwant__descriptor},
    [CS_MSG_CHUNK] = {"chunk", &crdtsync__chunk__descriptor},
    [CS_MSG_CNONE] = {"cnone", &crdtsync__packed__descriptor},
    [CS_MSG_JOIN] = {"join", &crdtsync__join__descriptor},
    [CS_MSG_WELCOME] = {"welcome", &crdtsync__welcome__descriptor},
    [CS_MSG_CHAVE] = {"chave", &crdtsync__packed__descriptor},
    [CS_MSG_PARTS] = {"parts", &crdtsync__parts__descriptor},
    [CS_MSG_STANDINGS] = {"standings", &crdtsync__standings__descriptor},
    [CS_MSG_MARKS] = {"marks", &crdtsync__marks__descriptor},
};

const ProtobufCMessageDescriptor *cs__msg_body(uint32_t type)
{
    return type < CS_COUNT_OF(types) ? types[type].body : NULL;
}

const char *cs_msg_type_name(cs_msg_type_t type)
{
    uint32_t number = (uint32_t)type;
    return cs__msg_body(number) != NULL ? types[number].name : "unknown";
}
