/* demo.c - several nodes on this machine. */
#include "cmd/command.h"

int cs_run_demo(cs_run_t *run)
{
    (void)run;
    return CS_EXIT_FAILED;
}
