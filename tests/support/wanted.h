/* wanted.h - bytes searched for the order that test vectors want (core.md 11).
 *
 * Vectors name contents by symbols ("c0", "cA", "new") and say who wins by the order of the
 * symbols; replicas order contents by kind, keyed hash, size. For a given folder secret,
 * `bytes` of a symbol are "<symbol> <number>\n" with the smallest number that puts the content
 * into the place its symbol has among all symbols in bytewise order. */
#ifndef CS_TESTS_WANTED_H
#define CS_TESTS_WANTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WANTED_MAX       64u
#define WANTED_BYTES     32u
#define WANTED_TAG_BYTES 33u /* 32 hex digits and a NUL */

typedef struct wanted_item {
    char symbol[8];
    char bytes[WANTED_BYTES]; /* a text */
    char tag[WANTED_TAG_BYTES];
} wanted_item_t;

typedef struct wanted {
    wanted_item_t item[WANTED_MAX]; /* by symbol */
    size_t count;
} wanted_t;

/* symbols: separated by blanks, in any order, each once. secret: 32 bytes. */
void wanted_search(wanted_t *wanted, const uint8_t *secret, const char *symbols);

/* Stops the test if the symbol, of `len` bytes, is not there. */
const wanted_item_t *wanted_get(const wanted_t *wanted, const char *symbol, size_t len);

/* Text with each #symbol replaced by the first 8 digits of its tag. */
void wanted_expand(const wanted_t *wanted, const char *text, char *ret, size_t bytes);

#endif
