/* vectors.h - the histories of core.md section 11 and the trees they must lead to. */
#ifndef CS_TESTS_VECTORS_H
#define CS_TESTS_VECTORS_H

#include <stddef.h>

typedef struct cs_vector {
    int number;
    const char *what, *script;
} cs_vector_t;

extern const cs_vector_t cs_vectors[];
extern const size_t cs_vector_count;

#endif
