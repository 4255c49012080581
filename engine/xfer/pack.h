/* pack.h - payloads made smaller for the way: zstd (RFC 8878), where a sample says that it
 * pays.
 *
 * What does not shrink by an eighth goes as it is: encryption and the network are faster than
 * that. */
#ifndef CS_XFER_PACK_H
#define CS_XFER_PACK_H

#include "base/base.h"
#include "base/buf.h"

#define CS_PACK_MIN 1024u /* bytes; fewer are not worth a call */

/* The memory of a compressor, for one payload after the other. Belongs to one thread. */
typedef struct cs_packer cs_packer_t;
cs_packer_t *cs_packer_new(void);
void cs_packer_destroy(cs_packer_t **packer_p);

/* ret (initialised) is replaced by the packed bytes. False: it does not pay; ret is undefined.
 */
bool cs_pack(cs_packer_t *packer, cs_slice_t bytes, cs_buf_t *ret);

/* ret (initialised) is replaced by what was packed. CS_ERR_MALFORMED: that is not `len` bytes;
 * at most so many are written, whatever the packed bytes say. */
CS_MUST_USE cs_err_t cs_unpack(cs_slice_t packed, size_t len, cs_buf_t *ret);

#endif
