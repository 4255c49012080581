/* mutants.c - every deliberate mistake of the first table of base/mutation.h must be found: by
 * a vector of core.md 11, or within a bounded number of random histories. A test of the tests.
 *
 *   mutants [NAME]   only this one */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/script.h"
#include "support/vectors.h"
#include "t2/t2.h"

#define HISTORIES 20000u /* each is found in fewer than 4000 */
#define FOUND     3      /* exit status of a child that found the mistake */

static const struct {
    const char *name, *text;
} mutants[] = {{"NONE", "no mistake: must pass"},
#define X(name, text) {#name, text},
               CS_MUTATION_T2_MAP(X)
#undef X
};

/* How many histories it took, 0: none failed. */
static unsigned in_histories(void)
{
    static t2_world_t world;
    for (unsigned i = 1; i <= HISTORIES; i++) {
        t2_op_t ops[T2_STEPS_MAX];
        int len, replicas;
        cs_prng_t prng;
        cs_prng_init(&prng, 77000000u + i);
        t2_random_ops(&prng, ops, &len, &replicas);
        t2_run(&world, ops, len, replicas, cs_prng_u64(&prng));
        if (!t2_failed(&world)) continue;
        printf("history %u: %s", i, world.failure);
        return i;
    }
    return 0;
}

static int hunt(void)
{
    for (size_t i = 0; i < cs_vector_count; i++) {
        const char *failure = cs_script_run(cs_vectors[i].script, false);
        if (failure == NULL) continue;
        printf("vector %d: %s", cs_vectors[i].number, failure);
        return FOUND;
    }
    return in_histories() > 0 ? FOUND : 0;
}

/* In a process of its own: a mistake may well end in an assertion. */
static bool is_found(int mutation)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        cs_mutation = (cs_mutation_t)mutation;
        fclose(stderr);
        int status = hunt();
        fflush(stdout);
        _exit(status);
    }
    int status = 0;
    waitpid(child, &status, 0);
    bool told = WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == FOUND);
    if (!told) printf("an assertion or a sanitizer");
    return WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != 0);
}

int main(int argc, char **argv)
{
    int missed = 0;
    for (int i = 0; i < (int)CS_COUNT_OF(mutants); i++) {
        if (argc > 1 && strcmp(argv[1], mutants[i].name) != 0) continue;
        printf("%-14s ", mutants[i].name);
        bool found = is_found(i);
        if (found == (i != CS_MUT_NONE)) {
            printf("%s\n", found ? "" : "nothing found, as it should be");
            continue;
        }
        printf("%s: %s\n", found ? "\nFOUND WITHOUT A MISTAKE" : "SURVIVED", mutants[i].text);
        missed++;
    }
    return missed > 0;
}
