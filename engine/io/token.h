/* token.h - what `invite` prints and `join` takes: where a node is, and how to be let in once.
 *
 *   "crdtsync1:" base64url( u8 version | 32 B server key | 32 B secret key, good for one join
 *                           | u8 len, folder id | u8 count, { u8 len, endpoint }* | 4 B check )
 *
 * The check (of all before it) is there for people: a token cut short or mistyped is told from
 * one that is refused. Whoever reads a token can join, so it is wiped after use. */
#ifndef CS_IO_TOKEN_H
#define CS_IO_TOKEN_H

#include "base/buf.h"
#include "base/limits.h"
#include "io/strings.h"

#define CS_TOKEN_PREFIX "crdtsync1:"

typedef struct cs_token {
    uint8_t server_key[32];
    uint8_t secret[32]; /* its public half: cs_entropy_public_key */
    char folder[CS_FOLDER_ID_MAX + 1];
    cs_strings_t endpoints; /* 1..CS_ENDPOINTS_MAX, as cs_check_endpoint has them */
} cs_token_t;

/* Replaces ret by the text, without a NUL. The token is one that decoding could give. */
void cs_token_encode(const cs_token_t *token, cs_buf_t *ret);
/* Blanks and line ends around the text are ignored. CS_ERR_MALFORMED, CS_ERR_LIMIT,
 * CS_ERR_VERSION (of a later program): ret is unchanged. */
CS_MUST_USE cs_err_t cs_token_decode(cs_slice_t text, cs_token_t *ret);
void cs_token_fini(cs_token_t *token); /* wipes it */

#endif
