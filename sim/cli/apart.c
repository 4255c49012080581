/* apart.c - runs in processes of their own. */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/cli/cli.h"

uint64_t cs_sim_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t cs_sim_fresh_seed(void)
{
    uint64_t seed = 0;
    if (getentropy(&seed, sizeof seed) != 0) seed = cs_sim_clock_ms();
    return seed >> 24; /* short enough to be read out */
}

void cs_sim_apart(const cs_history_t *history, bool twice, cs_sim_result_t *ret)
{
    cs_sim_result_t *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CS_ASSERT(shared != MAP_FAILED);
    *shared = (cs_sim_result_t){.why = "the process died: see above"};
    pid_t child = fork();
    CS_ASSERT(child >= 0);
    if (child == 0) {
        cs_sim_result_t result;
        if (twice) {
            cs_sim_check(history, &result);
        } else {
            cs_sim_once(history, NULL, &result);
        }
        *shared = result;
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    *ret = *shared;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        ret->ok = false;
        snprintf(ret->why, sizeof ret->why, "the process died: an assertion, or memory");
    }
    munmap(shared, sizeof *shared);
}
