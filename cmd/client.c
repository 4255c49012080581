/* client.c - see client.h. */
#include "cmd/asking.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/json_out.h"

#define PING_SILENCE_MS 10000u

/* --- what comes */

/* Whoever reads along had enough, and with that such a command is done. Mostly that is heard
 * while nothing is to be written (cs_control_ask: REFUSED). */
static void flush_live(void)
{
    if (fflush(stdout) != 0 && errno == EPIPE) _exit(CS_EXIT_DONE);
}

void cs__asking_data(void *arg, cs_slice_t document)
{
    const cs_asking_t *asking = arg;
    const cs_show_t *show = asking->show;
    if (asking->run->json) {
        fwrite(document.data, 1, document.len, stdout);
        fputc('\n', stdout);
        if (show != NULL && show->live) flush_live();
        return;
    }
    if (show == NULL || show->item == NULL) return;
    cs_buf_t text = {0};
    cs_json_for_people(document, &text);
    json_t *parsed = json_loadb((const char *)text.data, text.len, 0, NULL);
    if (parsed != NULL) show->item(show->arg, parsed);
    if (show->live) flush_live();
    json_decref(parsed);
    cs_buf_fini(&text);
}

int cs__asking_end(cs_asking_t *asking)
{
    int exit_code = asking->answer.exit_code;
    const cs_show_t *show = asking->show;
    bool shown = exit_code == CS_EXIT_DONE && !asking->run->json && show != NULL;
    if (shown && show->done != NULL) show->done(show->arg);
    if (exit_code != CS_EXIT_DONE) (void)cs_complain_buf(exit_code, &asking->answer.error);
    cs_control_answer_fini(&asking->answer);
    return exit_code;
}

/* --- the node */

static bool is_ping(const cs_asking_t *asking)
{
    const char *cmd = json_string_value(json_object_get(asking->request, "cmd"));
    return cmd != NULL && strcmp(cmd, "ping") == 0;
}

bool cs__asking_node(cs_asking_t *asking, int *ret_exit_code)
{
    const cs_control_taker_t taker = {
        .arg = asking,
        .data = cs__asking_data,
        .to_stdout = asking->show != NULL && asking->show->live,
    };
    const char *path = cs_home_path(asking->home);
    char *line = json_dumps(asking->request, JSON_COMPACT);
    cs_err_t err =
        cs_control_ask(cs_home_socket(asking->home), cs_slice_text(line),
                       is_ping(asking) ? PING_SILENCE_MS : 0, &taker, &asking->answer);
    free(line);
    if (err == CS_ERR_OFFLINE) return false;
    *ret_exit_code = err == CS_ERR_TIMEOUT ? CS_EXIT_TIMEOUT : CS_EXIT_FAILED;
    if (err == CS_OK) {
        *ret_exit_code = cs__asking_end(asking);
    } else if (err == CS_ERR_REFUSED) {
        *ret_exit_code = CS_EXIT_DONE; /* `events | head`: the reader had enough */
    } else if (err == CS_ERR_TIMEOUT) {
        cs_complain("the node of %s does not answer: %s; look at its log", path,
                    cs_err_text(err));
    } else {
        cs_complain("the node of %s went away before it was done: %s; ask again", path,
                    cs_err_text(err));
    }
    return true;
}

static int no_node(const cs_asking_t *asking)
{
    const char *path = cs_home_path(asking->home);
    if (!is_ping(asking) || asking->run->loudness >= 0) {
        cs_complain("cannot ask the node of %s: none is running; start it with: crdtsync "
                    "node --home %s",
                    path, path);
    }
    return CS_EXIT_NO_NODE;
}

int cs_client_home(const cs_run_t *run, cs_home_t **ret)
{
    cs_buf_t detail = {0};
    char *path = NULL;
    cs_err_t err = cs_home_resolve(cs_args_value(&run->args, "home"), &path, &detail);
    if (err == CS_OK) err = cs_home_find(path, ret, &detail);
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
    cs_asking_t asking = {.run = run, .show = show, .request = *request_p, .needs = needs};
    int exit_code = cs_client_home(run, &asking.home);
    if (exit_code == CS_EXIT_DONE && !cs__asking_node(&asking, &exit_code)) {
        exit_code = needs == CS_NEEDS_NODE ? no_node(&asking) : cs_own_ask(&asking);
    }
    cs_home_close(&asking.home);
    json_decref(*request_p);
    *request_p = NULL;
    return exit_code;
}
