/* run_init.c - init, id, join: what needs the secret key of a home, or makes one. */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/mem.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "io/token.h"

static void print_id(const cs_run_t *run, const cs_home_t *home)
{
    char id[CS_KEY_TEXT];
    cs_hex(id, cs_home_identity(home)->public_key, CS_KEY_BYTES);
    printf(run->json ? "{\"id\":\"%s\"}\n" : "%s\n", id);
}

int cs_run_init(cs_run_t *run)
{
    cs_strings_t listen = {0};
    cs_buf_t detail = {0};
    char *path = NULL;
    cs_home_t *home = NULL;
    for (size_t i = 0; i < run->args.given_count; i++) {
        if (strcmp(run->args.given[i].name, "listen") == 0) {
            cs_strings_add(&listen, run->args.given[i].value);
        }
    }
    cs_err_t err = cs_home_resolve(cs_args_value(&run->args, "home"), &path, &detail);
    if (err == CS_OK) {
        err = cs_home_init(path, cs_args_value(&run->args, "name"), &listen, &detail);
    }
    if (err == CS_OK) err = cs_home_open(path, &home, &detail);
    int exit_code = err == CS_ERR_USAGE ? CS_EXIT_USAGE : CS_EXIT_FAILED;
    if (err == CS_OK) {
        print_id(run, home);
        exit_code = CS_EXIT_DONE;
    } else {
        (void)cs_complain_buf(exit_code, &detail);
    }
    cs_home_close(&home);
    cs_free(path);
    cs_buf_fini(&detail);
    cs_strings_fini(&listen);
    return exit_code;
}

int cs_run_id(cs_run_t *run)
{
    cs_home_t *home = NULL;
    cs_buf_t detail = {0};
    int exit_code = cs_client_home(run, &home);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    if (cs_home_read_identity(home, &detail) == CS_OK) {
        print_id(run, home);
    } else {
        exit_code = cs_complain_buf(CS_EXIT_FAILED, &detail);
    }
    cs_home_close(&home);
    cs_buf_fini(&detail);
    return exit_code;
}

/* --- join */

/* Who joins needs no `init` before. */
static int make_home(const cs_run_t *run)
{
    static const cs_strings_t no_listen = {0};
    cs_buf_t detail = {0};
    char *path = NULL;
    cs_home_t *home = NULL;
    cs_err_t err = cs_home_resolve(cs_args_value(&run->args, "home"), &path, &detail);
    if (err == CS_OK) err = cs_home_open(path, &home, &detail);
    if (err == CS_ERR_NOT_FOUND) {
        cs_buf_clear(&detail);
        err = cs_home_init(path, cs_args_value(&run->args, "name"), &no_listen, &detail);
    }
    int exit_code = err == CS_ERR_USAGE ? CS_EXIT_USAGE : CS_EXIT_FAILED;
    if (err == CS_OK) exit_code = CS_EXIT_DONE;
    if (err != CS_OK) (void)cs_complain_buf(exit_code, &detail);
    cs_home_close(&home);
    cs_free(path);
    cs_buf_fini(&detail);
    return exit_code;
}

static void print_joined(void *arg, const json_t *document)
{
    (void)arg;
    printf("%s\n", cs_text_of(document, "id"));
}

int cs_run_join(cs_run_t *run)
{
    json_t *request = cs_request_new(run, "join", 1);
    const char *token = run->args.rest[0];
    if (json_object_set_new(request, "token", json_string(token)) != 0) {
        cs_complain("cannot join: this is no invite; copy all of what crdtsync invite prints");
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    if (!cs_request_option(run, request, "name", "name") || !cs_request_timeout(run, request)) {
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    cs_token_t checked = {0};
    if (cs_token_decode(cs_slice_text(token), &checked) != CS_OK) {
        cs_complain(
            "cannot join: this is no invite, or a part of one; copy all of what crdtsync "
            "invite prints");
        return cs_request_drop(request, CS_EXIT_USAGE);
    }
    cs_token_fini(&checked);
    int exit_code = make_home(run);
    if (exit_code != CS_EXIT_DONE) return cs_request_drop(request, exit_code);
    cs_show_t show = {.item = print_joined};
    return cs_client_ask(run, &request, CS_NEEDS_NETWORK, &show);
}
