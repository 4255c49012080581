/* cli.h - crdtsync-sim: a developer finds out in a minute whether a change can lose a file. */
#ifndef CS_SIM_CLI_H
#define CS_SIM_CLI_H

#include "io/exit_codes.h"
#include "sim/run.h"

#define CS_SIM_FAILURE_FILE_BYTES 64u

/* What is given on the command line. */
typedef struct cs_sim_args {
    const char *command;
    cs_sim_options_t options; /* those of the seed, with what is given in their place */
    bool given[64];           /* of the options, in order of the table */
    bool has_seed, json, lines, quiet;
    uint64_t seed, seconds, jobs, count, tries, changes, churn;
    const char *report;          /* file; NULL: none */
    const char *nodes, *members; /* of scale; NULL: not given */
    const char *rest[8];
    size_t rest_count;
} cs_sim_args_t;

/* argv[2..]. False: it was complained of. */
CS_MUST_USE bool cs_sim_args_read(cs_sim_args_t *ret, int argc, char **argv);
/* An option of histories: was it given? */
bool cs_sim_args_given(const cs_sim_args_t *args, const char *name);
/* The history of a seed, with what is given in place of what the seed draws. */
void cs_sim_args_history(const cs_sim_args_t *args, uint64_t seed, cs_history_t *ret);
/* "crdtsync-sim run --seed 7 --nodes 3": the one command that replays it. */
void cs_sim_args_replay(const cs_sim_args_t *args, uint64_t seed, cs_buf_t *ret);

void cs_sim_complain(const char *format, ...) CS_PRINTF(1, 2);
uint64_t cs_sim_fresh_seed(void);
uint64_t cs_sim_clock_ms(void);

/* In a process of its own, so that an assertion is a failure like others. */
void cs_sim_apart(const cs_history_t *history, bool twice, cs_sim_result_t *ret);

int cs_sim_cmd_run(const cs_sim_args_t *args);
int cs_sim_cmd_swarm(const cs_sim_args_t *args);
int cs_sim_cmd_replay(const cs_sim_args_t *args);
int cs_sim_cmd_shrink(const cs_sim_args_t *args);
int cs_sim_cmd_scale(const cs_sim_args_t *args);
int cs_sim_cmd_scenario(const cs_sim_args_t *args);

/* Histories to be read: sim/scenarios/NAME.history, compiled in, sorted by name. */
typedef struct cs_scenario {
    const char *name, *text;
} cs_scenario_t;
extern const cs_scenario_t cs_scenarios[];
extern const size_t cs_scenario_count;

/* "sim: seed S: N nodes, E events, trace <64 hex>: ok", or the same as JSON. */
void cs_sim_show(const cs_sim_args_t *args, const cs_history_t *history,
                 const cs_sim_result_t *result);

#endif
