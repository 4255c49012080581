/* options.h - options and arguments of a subcommand, by getopt_long. */
#ifndef CS_CMD_OPTIONS_H
#define CS_CMD_OPTIONS_H

#include "base/buf.h"

typedef struct cs_option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: none */
    const char *arg;  /* NULL: it takes none */
    const char *help;
} cs_option_t;

/* Those that every subcommand takes: --home, --json, -v, -q, --help. */
extern const cs_option_t cs_common_options[];

#define CS_OPTIONS_MAX 32u /* of one subcommand, with the common ones */

typedef struct cs_given {
    const char *name;  /* of the option */
    const char *value; /* NULL if it takes none */
} cs_given_t;

typedef struct cs_args {
    cs_given_t *given; /* owned; in order */
    size_t given_count, given_cap;
    char **rest; /* owned array; the arguments, borrowed */
    size_t rest_count;
} cs_args_t;

/* Adds what argv[1..] gives. `options` may be NULL. With ret_next: ends at the first argument,
 * whose index in argv that is (argc: none); with NULL argv is permuted, and its arguments are
 * ret->rest. CS_ERR_USAGE: ret_error says "what: why; what to do". */
CS_MUST_USE cs_err_t cs_args_parse(cs_args_t *ret, const cs_option_t *options, int argc,
                                   char **argv, int *ret_next, cs_buf_t *ret_error);
void cs_args_fini(cs_args_t *args);

bool cs_args_has(const cs_args_t *args, const char *name);
const char *cs_args_value(const cs_args_t *args, const char *name); /* the last; NULL: none */
size_t cs_args_count(const cs_args_t *args, const char *name);

#endif
