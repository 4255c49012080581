/* mutation.c - which mistake is active, in the copy of the layers built for the tests. */
#include "base/mutation.h"

#ifdef CS_MUTATIONS
cs_mutation_t cs_mutation = CS_MUT_NONE;
#endif
