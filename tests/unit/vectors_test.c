/* vectors_test.c - core.md section 11, in memory and over a store that is reopened at every
 * step. */
#include <criterion/criterion.h>

#include "support/script.h"
#include "support/vectors.h"

static void run_all(bool with_store)
{
    for (size_t i = 0; i < cs_vector_count; i++) {
        const cs_vector_t *vector = &cs_vectors[i];
        const char *failure = cs_script_run(vector->script, with_store);
        cr_expect(failure == NULL, "vector %d (%s): %s", vector->number, vector->what, failure);
    }
}

Test(vectors, hold_in_memory)
{
    run_all(false);
}

Test(vectors, hold_over_a_store_reopened_at_every_step)
{
    run_all(true);
}

/* An editor's backup of a sibling: what looks like a tag is its extension. */
Test(vectors, a_backup_of_a_sibling_is_a_file_like_others)
{
#define BACKUP "f.conflict-01234567~"
    const char *failure =
        cs_script_run("base AB " BACKUP "=c0; put A " BACKUP " cA; put B " BACKUP
                      " cB; scan AB; sync AB; is A " BACKUP
                      "=cB f.conflict-#cA.conflict-01234567~=cA; rm A " BACKUP
                      "; scan A; sync AB; is B f.conflict-#cA.conflict-01234567~=cA",
                      true);
    cr_assert(failure == NULL, "%s", failure);
}
