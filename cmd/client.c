/* client.c - see client.h. */
#include "cmd/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/control_client.h"
#include "io/daemon.h"
#include "io/json_out.h"

#define LOCK_WAIT_MS    10000u
#define LOCK_STEP_MS    100u /* then the socket is tried again: a node may be starting */
#define PING_SILENCE_MS 10000u

typedef struct client {
    const cs_run_t *run;
    const cs_show_t *show;
    cs_daemon_t *daemon; /* ours, where there is no node */
    bool ended;
    cs_control_answer_t answer;
} client_t;

/* --- what comes */

static void on_data(void *arg, cs_slice_t document)
{
    const client_t *client = arg;
    if (client->run->json) {
        fwrite(document.data, 1, document.len, stdout);
        fputc('\n', stdout);
        if (client->show != NULL && client->show->live) fflush(stdout);
        return;
    }
    if (client->show == NULL || client->show->item == NULL) return;
    cs_buf_t text = {0};
    cs_json_for_people(document, &text);
    json_t *parsed = json_loadb((const char *)text.data, text.len, 0, NULL);
    if (parsed != NULL) client->show->item(client->show->arg, parsed);
    if (client->show->live) fflush(stdout);
    json_decref(parsed);
    cs_buf_fini(&text);
}

static int finish(client_t *client)
{
    int exit_code = client->answer.exit_code;
    if (exit_code == CS_EXIT_DONE && !client->run->json && client->show != NULL &&
        client->show->done != NULL) {
        client->show->done(client->show->arg);
    }
    if (exit_code != CS_EXIT_DONE) (void)cs_complain_buf(exit_code, &client->answer.error);
    cs_control_answer_fini(&client->answer);
    return exit_code;
}

/* --- the home itself */

static void on_end(void *arg, int exit_code, const char *error)
{
    client_t *client = arg;
    client->ended = true;
    client->answer.exit_code = exit_code;
    if (error != NULL) cs_buf_put(&client->answer.error, error, strlen(error));
    cs_daemon_stop(client->daemon);
}

static cs_log_level_t log_level(const cs_run_t *run)
{
    if (run->loudness > 1) return CS_LOG_DEBUG;
    if (run->loudness > 0) return CS_LOG_INFO;
    return CS_LOG_ERROR;
}

static int ask_home(client_t *client, cs_home_t *home, const json_t *request, bool network)
{
    cs_daemon_config_t config = {
        .home = home,
        .network = network,
        .log_level = log_level(client->run),
    };
    cs_buf_t detail = {0};
    int exit_code = CS_EXIT_FAILED;
    cs_err_t err = cs_daemon_new(&config, &client->daemon, &detail);
    if (err != CS_OK) {
        (void)cs_complain_buf(exit_code, &detail);
        cs_buf_fini(&detail);
        return exit_code;
    }
    cs_reply_t reply = {.arg = client, .data = on_data, .end = on_end};
    (void)cs_daemon_request(client->daemon, request, &reply);
    if (!client->ended) err = cs_daemon_run(client->daemon);
    if (client->ended) {
        exit_code = finish(client);
    } else {
        cs_complain("the request was not done: %s; see what is wrong with the disk of the home",
                    cs_err_text(err));
    }
    cs_daemon_destroy(&client->daemon);
    cs_buf_fini(&detail);
    return exit_code;
}

/* --- the node */

/* CS_ERR_OFFLINE: none runs; nothing was said. */
static cs_err_t ask_node(client_t *client, const cs_home_t *home, const char *request,
                         bool ping, int *ret_exit_code)
{
    const cs_control_taker_t taker = {
        .arg = client,
        .data = on_data,
        .to_stdout = client->show != NULL && client->show->live,
    };
    cs_err_t err = cs_control_ask(cs_home_socket(home), cs_slice_text(request),
                                  ping ? PING_SILENCE_MS : 0, &taker, &client->answer);
    if (err == CS_ERR_OFFLINE) return err;
    *ret_exit_code = err == CS_ERR_TIMEOUT ? CS_EXIT_TIMEOUT : CS_EXIT_FAILED;
    if (err == CS_OK) {
        *ret_exit_code = finish(client);
    } else if (err == CS_ERR_REFUSED) {
        *ret_exit_code = CS_EXIT_DONE; /* `events | head`: the reader had enough */
    } else if (err == CS_ERR_TIMEOUT) {
        cs_complain("the node of %s does not answer: %s; look at its log", cs_home_path(home),
                    cs_err_text(err));
    } else {
        cs_complain("the node of %s went away before it was done: %s; ask again",
                    cs_home_path(home), cs_err_text(err));
    }
    return CS_OK;
}

static int ask(client_t *client, cs_home_t *home, const json_t *request, cs_needs_t needs)
{
    char *line = json_dumps(request, JSON_COMPACT);
    const char *cmd = json_string_value(json_object_get(request, "cmd"));
    bool ping = cmd != NULL && strcmp(cmd, "ping") == 0;
    cs_buf_t detail = {0};
    int exit_code = CS_EXIT_FAILED;
    cs_err_t err = CS_ERR_BUSY;
    for (uint32_t waited = 0; err == CS_ERR_BUSY && waited <= LOCK_WAIT_MS;
         waited += LOCK_STEP_MS) {
        if (ask_node(client, home, line, ping, &exit_code) == CS_OK) goto out;
        if (needs == CS_NEEDS_NODE) {
            exit_code = CS_EXIT_NO_NODE;
            if (!ping || client->run->loudness >= 0) {
                cs_complain(
                    "cannot ask the node of %s: none is running; start it with: crdtsync "
                    "node --home %s",
                    cs_home_path(home), cs_home_path(home));
            }
            goto out;
        }
        cs_buf_clear(&detail);
        err = cs_home_lock(home, LOCK_STEP_MS, &detail);
    }
    exit_code = err == CS_OK ? ask_home(client, home, request, needs == CS_NEEDS_NETWORK)
                             : cs_complain_buf(CS_EXIT_FAILED, &detail);
out:
    cs_buf_fini(&detail);
    free(line);
    return exit_code;
}

int cs_client_home(const cs_run_t *run, cs_home_t **ret)
{
    cs_buf_t detail = {0};
    char *path = NULL;
    cs_err_t err = cs_home_resolve(cs_args_value(&run->args, "home"), &path, &detail);
    if (err == CS_OK) err = cs_home_open(path, ret, &detail);
    int exit_code = err == CS_ERR_USAGE ? CS_EXIT_USAGE : CS_EXIT_FAILED;
    if (err == CS_OK) exit_code = CS_EXIT_DONE;
    if (err != CS_OK) (void)cs_complain_buf(exit_code, &detail);
    cs_free(path);
    cs_buf_fini(&detail);
    return exit_code;
}

int cs_client_ask(const cs_run_t *run, json_t **request_p, cs_needs_t needs,
                  const cs_show_t *show)
{
    client_t client = {.run = run, .show = show};
    cs_home_t *home = NULL;
    int exit_code = cs_client_home(run, &home);
    if (exit_code == CS_EXIT_DONE) {
        exit_code = ask(&client, home, *request_p, needs);
        cs_home_close(&home);
    }
    json_decref(*request_p);
    *request_p = NULL;
    return exit_code;
}
