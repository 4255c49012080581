/* own.c - see own.h: a request to the home itself, by a daemon that lives as long as it. */
#include <string.h>

#include "cmd/asking.h"
#include "io/daemon.h"

#define LOCK_WAIT_MS 10000u
#define LOCK_STEP_MS 100u /* then the socket is tried again: a node may be starting */

typedef struct own {
    cs_asking_t *asking;
    cs_daemon_t *daemon;
    bool ended;
} own_t;

static void on_data(void *arg, cs_slice_t document)
{
    cs__asking_data(((own_t *)arg)->asking, document);
}

static void on_end(void *arg, int exit_code, const char *error)
{
    own_t *own = arg;
    cs_control_answer_t *answer = &own->asking->answer;
    own->ended = true;
    answer->exit_code = exit_code;
    if (error != NULL) cs_buf_put(&answer->error, error, strlen(error));
    cs_daemon_stop(own->daemon);
}

static cs_log_level_t log_level(const cs_run_t *run)
{
    if (run->loudness > 1) return CS_LOG_DEBUG;
    if (run->loudness > 0) return CS_LOG_INFO;
    return CS_LOG_ERROR;
}

static int ask_home(cs_asking_t *asking)
{
    cs_daemon_config_t config = {
        .home = asking->home,
        .network = asking->needs == CS_NEEDS_NETWORK,
        .log_level = log_level(asking->run),
    };
    own_t own = {.asking = asking};
    cs_buf_t detail = {0};
    int exit_code = CS_EXIT_FAILED;
    cs_err_t err = cs_home_read_identity(asking->home, &detail);
    if (err == CS_OK) err = cs_daemon_new(&config, &own.daemon, &detail);
    if (err != CS_OK) {
        (void)cs_complain_buf(exit_code, &detail);
        cs_buf_fini(&detail);
        return exit_code;
    }
    cs_reply_t reply = {.arg = &own, .data = on_data, .end = on_end};
    (void)cs_daemon_request(own.daemon, asking->request, &reply);
    if (!own.ended) err = cs_daemon_run(own.daemon);
    if (own.ended) {
        exit_code = cs__asking_end(asking);
    } else {
        cs_complain("the request was not done: %s; see what is wrong with the disk of the home",
                    cs_err_text(err));
    }
    cs_daemon_destroy(&own.daemon);
    cs_buf_fini(&detail);
    return exit_code;
}

cs_err_t cs_own_lock(cs_home_t *home, bool (*answers)(void *arg), void *arg,
                     cs_buf_t *ret_detail)
{
    cs_err_t err = CS_ERR_BUSY;
    for (uint32_t waited = 0; waited <= LOCK_WAIT_MS; waited += LOCK_STEP_MS) {
        cs_buf_clear(ret_detail);
        err = cs_home_lock(home, LOCK_STEP_MS, ret_detail);
        if (err != CS_ERR_BUSY || answers(arg)) break;
    }
    return err;
}

typedef struct answered {
    cs_asking_t *asking;
    bool is;
    int exit_code;
} answered_t;

static bool node_answers(void *arg)
{
    answered_t *answered = arg;
    answered->is = cs__asking_node(answered->asking, &answered->exit_code);
    return answered->is;
}

int cs_own_ask(cs_asking_t *asking)
{
    cs_buf_t detail = {0};
    answered_t answered = {.asking = asking, .exit_code = CS_EXIT_FAILED};
    cs_err_t err = cs_own_lock(asking->home, node_answers, &answered, &detail);
    int exit_code = answered.exit_code;
    if (err == CS_OK) {
        exit_code = ask_home(asking);
    } else if (!answered.is) {
        exit_code = cs_complain_buf(exit_code, &detail);
    }
    cs_buf_fini(&detail);
    return exit_code;
}
