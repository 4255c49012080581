/* suggest.c - see suggest.h. */
#include "io/suggest.h"

#include <stdint.h>
#include <string.h>

#define WORD_MAX 63u

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t cs_edit_distance(const char *a, const char *b)
{
    size_t rows = strlen(a), columns = strlen(b);
    size_t cost[WORD_MAX + 2][WORD_MAX + 2]; /* [i][j]: of the first i and j letters */
    if (rows > WORD_MAX || columns > WORD_MAX) return SIZE_MAX;
    for (size_t i = 0; i <= rows; i++) {
        cost[i][0] = i;
    }
    for (size_t j = 0; j <= columns; j++) {
        cost[0][j] = j;
    }
    for (size_t i = 1; i <= rows; i++) {
        for (size_t j = 1; j <= columns; j++) {
            size_t replaced = cost[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            cost[i][j] = least(replaced, least(cost[i - 1][j], cost[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = least(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[rows][columns];
}

const char *cs_suggest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t best = 2 + strlen(word) / 3; /* one less is near enough */
    for (; *candidates != NULL; candidates++) {
        size_t distance = cs_edit_distance(word, *candidates);
        if (distance >= best) continue;
        best = distance;
        nearest = *candidates;
    }
    return nearest;
}
