/* claim.h - a note in a directory that is being made a folder, until its record is kept:
 * whoever begins anew after a crash knows what he began. To anybody else the directory is
 * taken. */
#ifndef CS_IO_CLAIM_H
#define CS_IO_CLAIM_H

#include "base/buf.h"
#include "io/records.h"

#define CS_CLAIM_CHARS 32u

/* Names this node, this folder and this path. */
void cs_claim_of(const uint8_t node[CS_KEY_BYTES], const char *id, const char *root,
                 char ret[CS_CLAIM_CHARS + 1]);
bool cs_claim_holds(const char *root, const char *claim);
/* Makes .crdtsync, if need be. Durable on return. */
CS_MUST_USE cs_err_t cs_claim_write(const char *root, const char *claim, cs_buf_t *ret_detail);
void cs_claim_remove(const char *root); /* one that is left is of no use to anybody */

#endif
