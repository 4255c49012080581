/* run_trash.c - trash: what others' changes replaced or deleted, and taking it out again. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/table.h"
#include "io/request.h"

static void trash_row(void *arg, const json_t *document)
{
    char when[32] = "";
    time_t since = (time_t)cs_number_of(document, "since");
    struct tm parts;
    if (localtime_r(&since, &parts) != NULL) strftime(when, sizeof when, "%F %R", &parts);
    cs_table_add(arg, cs_text_of(document, "folder"));
    cs_table_add(arg, when);
    cs_table_add_bytes(arg, cs_number_of(document, "size"));
    cs_table_add(arg, cs_text_of(document, "path"));
    cs_table_add(arg, cs_text_of(document, "file"));
}

static void print_table(void *arg)
{
    cs_table_print(arg, stdout, cs_wants_color(STDOUT_FILENO));
}

int cs_run_trash(cs_run_t *run)
{
    static const char *const header[] = {"FOLDER", "SINCE", ">SIZE", "PATH", "FILE"};
    cs_table_t table = cs_table(header, CS_COUNT_OF(header));
    cs_show_t show = {.item = trash_row, .done = print_table, .arg = &table};
    json_t *request = cs_request_new(run, "trash", 0);
    int exit_code = cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
    cs_table_fini(&table);
    return exit_code;
}

static void print_restored(void *arg, const json_t *document)
{
    (void)arg;
    cs_buf_t line = {0};
    cs_put_visible(&line, cs_text_of(document, "path"));
    printf("%s: %.*s is back\n", cs_text_of(document, "folder"), (int)line.len,
           (const char *)line.data);
    cs_buf_fini(&line);
}

int cs_run_trash_restore(cs_run_t *run)
{
    const char *args[] = {run->args.rest[0], cs_args_value(&run->args, "to")};
    json_t *request = cs_request("trash restore", args, args[1] != NULL ? 2 : 1);
    cs_show_t show = {.item = run->loudness < 0 ? NULL : print_restored};
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
