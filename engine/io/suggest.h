/* suggest.h - the nearest of the words that would have been right. */
#ifndef CS_IO_SUGGEST_H
#define CS_IO_SUGGEST_H

#include <stddef.h>

/* Letters to insert, delete, replace, or swap with their neighbour (Damerau-Levenshtein,
 * optimal string alignment). Words beyond 63 bytes count as far from everything. */
size_t cs_edit_distance(const char *a, const char *b);

/* The nearest candidate, the first of equals; NULL if none is near. The list ends with NULL. */
const char *cs_suggest(const char *word, const char *const *candidates);

#endif
