/* dispatch.c - from argv to a subcommand. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "cmd/table.h"
#include "io/suggest.h"

#define NAMES_MAX 64u

/* --- errors */

int cs_complain_buf(int exit_code, const cs_buf_t *detail)
{
    cs_buf_t text = {0};
    cs_buf_t line = {0};
    cs_buf_put_slice(&text, cs_buf_slice(detail));
    cs_buf_put_u8(&text, 0);
    cs_buf_printf(&line, "crdtsync: ");
    cs_put_visible(&line, (const char *)text.data);
    cs_buf_put_u8(&line, '\n');
    fflush(stdout);
    fwrite(line.data, 1, line.len, stderr);
    cs_buf_fini(&line);
    cs_buf_fini(&text);
    return exit_code;
}

void cs_complain(const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    cs_buf_t detail = {0};
    cs_buf_put(&detail, text, strlen(text));
    (void)cs_complain_buf(0, &detail);
    cs_buf_fini(&detail);
}

bool cs_wants_color(int fd)
{
    const char *no = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    if (no != NULL && no[0] != '\0') return false;
    return isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
}

/* --- names: "scan", or a group and a word in it */

static bool is_group(const char *word)
{
    size_t len = strlen(word);
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        if (strncmp(command->name, word, len) == 0 && command->name[len] == ' ') return true;
    }
    return false;
}

static const cs_command_t *find(const char *first, const char *second)
{
    char name[128];
    snprintf(name, sizeof name, "%.60s%s%.60s", first, second != NULL ? " " : "",
             second != NULL ? second : "");
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        if (strcmp(command->name, name) == 0) return command;
    }
    return NULL;
}

/* First words, or the second words of a group; each once. */
static void list_names(const char *group, char names[NAMES_MAX][32],
                       const char *ret[NAMES_MAX + 1])
{
    size_t count = 0;
    size_t skip = group != NULL ? strlen(group) + 1 : 0;
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        if (group != NULL &&
            (strncmp(command->name, group, skip - 1) != 0 || command->name[skip - 1] != ' ')) {
            continue;
        }
        const char *word = command->name + skip;
        snprintf(names[count], sizeof names[count], "%.*s", (int)strcspn(word, " "), word);
        if (count > 0 && strcmp(names[count], names[count - 1]) == 0) continue;
        CS_ASSERT(count < NAMES_MAX - 1);
        ret[count] = names[count];
        count++;
    }
    ret[count] = NULL;
}

static int unknown(const char *group, const char *word)
{
    char names[NAMES_MAX][32];
    const char *candidates[NAMES_MAX + 1];
    const char *gap = group != NULL ? " " : "";
    const char *head = group != NULL ? group : "";
    list_names(group, names, candidates);
    const char *nearest = cs_suggest(word, candidates);
    if (nearest != NULL) {
        cs_complain("wrong usage: there is no command '%s%s%s'; did you mean '%s%s%s'?", head,
                    gap, word, head, gap, nearest);
    } else {
        cs_complain("wrong usage: there is no command '%s%s%s'; see crdtsync %s%s--help", head,
                    gap, word, head, gap);
    }
    return CS_EXIT_USAGE;
}

/* --- a run */

/* `trash restor x`: a command with a word too many may be a mistyped word of its group. */
static void too_much(const cs_run_t *run)
{
    const cs_command_t *command = run->command;
    char names[NAMES_MAX][32];
    const char *candidates[NAMES_MAX + 1];
    const char *nearest = NULL;
    if (is_group(command->name)) {
        list_names(command->name, names, candidates);
        nearest = cs_suggest(run->args.rest[0], candidates);
    }
    if (nearest != NULL) {
        cs_complain("wrong usage: there is no command '%s %s'; did you mean '%s %s'?",
                    command->name, run->args.rest[0], command->name, nearest);
    } else {
        cs_complain("wrong usage: '%s' is too much; give: crdtsync %s %s",
                    run->args.rest[command->args_max], command->name, command->synopsis);
    }
}

static int run_command(cs_run_t *run, int argc, char **argv)
{
    cs_buf_t error = {0};
    const cs_command_t *command = run->command;
    cs_err_t err = cs_args_parse(&run->args, command->options, argc, argv, NULL, &error);
    int exit_code = CS_EXIT_USAGE;
    if (err != CS_OK) {
        (void)cs_complain_buf(exit_code, &error);
    } else if (cs_args_has(&run->args, "help")) {
        cs_print_help(command);
        exit_code = CS_EXIT_DONE;
    } else if (run->args.rest_count < command->args_min) {
        cs_complain("wrong usage: something is missing; give: crdtsync %s %s", command->name,
                    command->synopsis);
    } else if (run->args.rest_count > command->args_max) {
        too_much(run);
    } else {
        run->json = cs_args_has(&run->args, "json");
        run->loudness =
            (int)cs_args_count(&run->args, "verbose") - (int)cs_args_count(&run->args, "quiet");
        exit_code = command->run(run);
    }
    cs_buf_fini(&error);
    return exit_code;
}

/* Options before a word; then argv[0] of what is returned is that word. NULL: *ret_exit_code.
 */
static char **skip_options(cs_run_t *run, int *argc, char **argv, const char *group,
                           int *ret_exit_code)
{
    static const cs_option_t top[] = {{"version", 0, NULL, NULL}, {0}};
    cs_buf_t error = {0};
    int next = 0;
    cs_err_t err =
        cs_args_parse(&run->args, group == NULL ? top : NULL, *argc, argv, &next, &error);
    *ret_exit_code = CS_EXIT_USAGE;
    if (err != CS_OK) (void)cs_complain_buf(0, &error);
    cs_buf_fini(&error);
    if (err != CS_OK) return NULL;
    bool version = cs_args_has(&run->args, "version");
    bool help = cs_args_has(&run->args, "help");
    if (version) cs_print_version();
    if (help && !version && group == NULL && next >= *argc) cs_print_overview();
    if (help && group != NULL) cs_print_group(group);
    if (version || (help && (group != NULL || next >= *argc))) {
        *ret_exit_code = CS_EXIT_DONE;
        return NULL;
    }
    *argc -= next;
    return argv + next;
}

/* "help", "help WORD", "help GROUP WORD" */
static int help_on(int argc, char **argv)
{
    if (argc < 2) {
        cs_print_overview();
        return CS_EXIT_DONE;
    }
    const cs_command_t *command = argc > 2 ? find(argv[1], argv[2]) : NULL;
    if (command == NULL) command = find(argv[1], NULL);
    if (command != NULL) {
        cs_print_help(command);
    } else if (is_group(argv[1])) {
        cs_print_group(argv[1]);
    } else {
        return unknown(NULL, argv[1]);
    }
    return CS_EXIT_DONE;
}

static int dispatch(cs_run_t *run, int argc, char **argv)
{
    int exit_code;
    char **at = skip_options(run, &argc, argv, NULL, &exit_code);
    if (at == NULL) return exit_code;
    if (argc == 0) {
        cs_complain("wrong usage: no command is given; see crdtsync --help");
        return CS_EXIT_USAGE;
    }
    if (strcmp(at[0], "help") == 0) return help_on(argc, at);
    const char *word = at[0];
    run->command = find(word, NULL);
    /* `invite`, `held` are commands, and `invite list` is one as well. */
    if (is_group(word) && (run->command == NULL || (argc > 1 && find(word, at[1]) != NULL))) {
        const char *group = word;
        at = skip_options(run, &argc, at, group, &exit_code);
        if (at == NULL) return exit_code;
        if (argc == 0) {
            cs_complain("wrong usage: %s needs one more word; see crdtsync %s --help", group,
                        group);
            return CS_EXIT_USAGE;
        }
        run->command = find(group, at[0]);
        if (run->command == NULL) return unknown(group, at[0]);
    }
    if (run->command == NULL) return unknown(NULL, word);
    return run_command(run, argc, at);
}

/* What could not be printed was not done; a reader that had enough is none of our business. */
static int close_output(int exit_code)
{
    errno = 0;
    bool bad = fflush(stdout) != 0 || ferror(stdout) != 0;
    if (!bad) return exit_code;
    if (errno != EPIPE && errno != 0) {
        cs_complain("cannot print: %s; see where the output goes", strerror(errno));
    }
    return exit_code == CS_EXIT_DONE ? CS_EXIT_FAILED : exit_code;
}

/* A file opened later must not become standard output because that was closed. What is opened
 * here fails when it is used, as a closed one does. */
static void fill_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) continue;
        int got = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);
        if (got != fd && got >= 0) close(got);
    }
}

int cs_main(int argc, char **argv)
{
    fill_standard_descriptors();
    signal(SIGPIPE, SIG_IGN);
    cs_run_t run = {0};
    int exit_code = dispatch(&run, argc, argv);
    cs_args_fini(&run.args);
    return close_output(exit_code);
}
