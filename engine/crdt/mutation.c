/* mutation.c - which mistake is active, in the copy of this layer built for the tests. */
#include "crdt/mutation.h"

#ifdef CS_MUTATIONS
cs_mutation_t cs_mutation = CS_MUT_NONE;
#endif
