/* run_home.c - config check, ping: what is about the home, and needs no request. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/client.h"
#include "io/json_out.h"

static void print_mistake(const cs_run_t *run, const cs_mistake_t *mistake)
{
    if (!run->json) {
        if (mistake->line > 0) {
            printf("config:%u: %s\n", mistake->line, mistake->text);
        } else {
            printf("config: %s\n", mistake->text);
        }
        return;
    }
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_u64(&json, "line", mistake->line);
    cs_json_put_text(&json, "problem", mistake->text);
    cs_json_end(&json, '}');
    printf("%.*s\n", (int)json.buf.len, (const char *)json.buf.data);
    cs_json_fini(&json);
}

int cs_run_config_check(cs_run_t *run)
{
    cs_home_t *home = NULL;
    cs_mistakes_t mistakes = {0};
    cs_buf_t detail = {0};
    int exit_code = cs_client_home(run, &home);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    if (cs_home_config_check(home, &mistakes, &detail) != CS_OK) {
        exit_code = cs_complain_buf(CS_EXIT_FAILED, &detail);
    }
    for (size_t i = 0; i < mistakes.count; i++) {
        print_mistake(run, &mistakes.at[i]);
    }
    if (mistakes.count > 0) exit_code = CS_EXIT_FAILED;
    cs_mistakes_fini(&mistakes);
    cs_buf_fini(&detail);
    cs_home_close(&home);
    return exit_code;
}

/* Where there is no home, no node runs either. */
int cs_run_ping(cs_run_t *run)
{
    cs_buf_t detail = {0};
    char *path = NULL;
    cs_home_t *home = NULL;
    cs_err_t err = cs_home_resolve(cs_args_value(&run->args, "home"), &path, &detail);
    if (err == CS_OK) err = cs_home_find(path, &home, &detail);
    cs_home_close(&home);
    cs_free(path);
    int exit_code = CS_EXIT_DONE;
    if (err == CS_ERR_NOT_FOUND) exit_code = cs_complain_buf(CS_EXIT_NO_NODE, &detail);
    cs_buf_fini(&detail);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    json_t *request = cs_request_new(run, "ping", 0);
    return cs_client_ask(run, &request, CS_NEEDS_NODE, NULL);
}
