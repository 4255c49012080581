/* rows_key.h - how many bytes of a name go into a key (rows.h has the table). Names are keyed
 * hashes: a part of one is as good as a random number, and whoever reads a row checks the whole
 * name. */
#ifndef CS_XFER_ROWS_KEY_H
#define CS_XFER_ROWS_KEY_H

#include "base/buf.h"

#define CS_ROW_CHUNK_BYTES   12u
#define CS_ROW_LEAF_BYTES    4u
#define CS_ROW_NODE_BYTES    16u
#define CS_ROW_CONTENT_BYTES 16u
#define CS_ROW_HEAD_BYTES    6u /* folder, table, '/' */

/* ret is replaced. */
void cs_row_key(uint32_t folder, char table, const void *id, size_t len, cs_buf_t *ret);

#endif
