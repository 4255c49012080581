/* asking.h - a request on its way, for client.c and own.c. */
#ifndef CS_CMD_ASKING_H
#define CS_CMD_ASKING_H

#include "cmd/client.h"
#include "cmd/own.h"
#include "io/control_client.h"

struct cs_asking {
    const cs_run_t *run;
    const cs_show_t *show;
    cs_home_t *home;
    const json_t *request;
    cs_needs_t needs;
    cs_control_answer_t answer;
};

/* To the node. False: none runs, and nothing was said. */
bool cs__asking_node(cs_asking_t *asking, int *ret_exit_code);
/* Shows a document of the answer; arg: the cs_asking_t. */
void cs__asking_data(void *arg, cs_slice_t document);
/* asking->answer is there: what is shown last, or the complaint. The exit code. */
int cs__asking_end(cs_asking_t *asking);

#endif
