/* zap.h - who may connect: the ZAP handler of a ZeroMQ context.
 *
 * libzmq asks inproc://zeromq.zap.01 at each handshake of a CURVE server. Our answer depends on
 * an allow-list in memory alone, so a key comes and goes without a file or a restart. Admitted
 * frames carry the key as `User-Id` (64 hex digits). A key that is not listed hears 400,
 * and so does everybody while the node is full: our dialler comes again after it, while 300
 * ("not yet") is no answer at all, and holds both descriptors until the handshake times out.
 * Live connections are not asked again: whoever denies a key ends its links as well. */
#ifndef CS_IO_ZAP_H
#define CS_IO_ZAP_H

#include "io/keyset.h"

#define CS_ZAP_DOMAIN "crdtsync"

typedef struct cs_zap cs_zap_t;

/* Must stand before the first server socket of `context` binds. NULL: no descriptors left, or
 * the context has a handler already. */
cs_zap_t *cs_zap_new(void *context);
void cs_zap_destroy(cs_zap_t **zap_p); /* before zmq_ctx_term */

/* In force for every handshake that is judged after the return. */
void cs_zap_allow(cs_zap_t *zap, const uint8_t key[CS_CURVE_KEY_BYTES]);
void cs_zap_deny(cs_zap_t *zap, const uint8_t key[CS_CURVE_KEY_BYTES]);
void cs_zap_set_full(cs_zap_t *zap, bool full);

#endif
