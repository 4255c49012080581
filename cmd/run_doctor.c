/* run_doctor.c - doctor: findings, the worse ones marked, each with its remedy. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/client.h"
#include "cmd/show.h"

static const char *color_of(const char *grade)
{
    if (!cs_wants_color(STDOUT_FILENO)) return "";
    return grade[0] == 'b' ? "\033[31m" : grade[0] == 'w' ? "\033[33m" : "\033[32m";
}

/* -q: only what is not good. */
static void print_finding(void *arg, const json_t *finding)
{
    const cs_run_t *run = arg;
    const char *grade = cs_text_of(finding, "grade"), *folder = cs_text_of(finding, "folder");
    const char *color = color_of(grade);
    if (run->loudness < 0 && strcmp(grade, "good") == 0) return;
    printf("%s%-6s%s  %s%s%s: ", color, grade, color[0] != '\0' ? "\033[0m" : "", folder,
           folder[0] != '\0' ? ": " : "", cs_text_of(finding, "check"));
    cs_print_visible(cs_text_of(finding, "found"));
    putchar('\n');
    if (cs_text_of(finding, "remedy")[0] == '\0') return;
    printf("        mend it: ");
    cs_print_visible(cs_text_of(finding, "remedy"));
    putchar('\n');
}

int cs_run_doctor(cs_run_t *run)
{
    cs_show_t show = {.item = print_finding, .arg = run};
    json_t *request = cs_request_new(run, "doctor", 0);
    return cs_client_ask(run, &request, CS_NEEDS_HOME, &show);
}
