/* lies.h - what no honest member says: broken frames, exchanges out of order, claims. */
#ifndef CS_TESTS_LIES_H
#define CS_TESTS_LIES_H

#include "support/hostile.h"

/* A frame with the folder's tag and a body of any bytes. */
cs_buf_t lies_frame(const hostile_t *h, uint8_t version, uint8_t type, const void *body,
                    size_t len);
/* Frames of exchanges that nobody began, or, in one that the node began and its own, with
 * numbers that leave out some. */
void lies_out_of_order(hostile_t *h);
/* That it has `count` (a multiple of 100) files of this size, more or less. */
void lies_files(hostile_t *h, unsigned count, uint64_t size);
/* That whatever the others' replicas will write at this path was removed already. */
void lies_numbers(hostile_t *h, const char *path);
/* As many replicas as a vector may have, with numbers beyond all that were ever used. */
void lies_histories(hostile_t *h);

#endif
