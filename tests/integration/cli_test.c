/* cli_test.c - the command line as scripts see it: exit codes, and what is printed. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cmd/command.h"
#include "support/cluster.h"
#include "support/support.h"

#define OUT_BYTES 8192

typedef struct fixture {
    tmp_t tmp;
    char out[OUT_BYTES]; /* of the last command: stdout and stderr */
} fixture_t;

/* A shell line in the temporary directory, $B being the program; the exit code. */
static int sh(fixture_t *fix, const char *format, ...)
{
    char line[2048], command[3072];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd %s && export B=%s && { %s ; } 2>&1", fix->tmp.path,
             getenv("CRDTSYNC_BIN"), line);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t len = fread(fix->out, 1, sizeof fix->out - 1, pipe);
    fix->out[len] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

#define EXPECT(fix, code, part, ...)                                                      \
    do {                                                                                  \
        int got_ = sh(fix, __VA_ARGS__);                                                  \
        cr_assert_eq(got_, code, "exit code %d: %s", got_, (fix)->out);                   \
        cr_assert_not_null(strstr((fix)->out, part), "no '%s' in: %s", part, (fix)->out); \
    } while (0)

static fixture_t begin(void)
{
    fixture_t fix = {.tmp = tmp_new()};
    unsetenv("CRDTSYNC_HOME");
    return fix;
}

/* --- usage */

Test(cli, mistakes_are_named_with_what_was_meant)
{
    fixture_t fix = begin();
    EXPECT(&fix, 2, "did you mean 'status'?", "$B stauts");
    EXPECT(&fix, 2, "did you mean 'folder list'?", "$B folder lsit");
    EXPECT(&fix, 2, "did you mean --json?", "$B status --jsno");
    EXPECT(&fix, 2, "folder needs one more word", "$B folder");
    EXPECT(&fix, 2, "something is missing", "$B folder add");
    EXPECT(&fix, 2, "is too much", "$B id x");
    EXPECT(&fix, 2, "see crdtsync --help", "$B");
    EXPECT(&fix, 2, "no number of seconds", "$B wait --timeout soon --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, help_is_everywhere)
{
    fixture_t fix = begin();
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        EXPECT(&fix, 0, "usage: crdtsync", "$B %s --help", command->name);
        cr_assert_not_null(strstr(fix.out, "--home DIR"));
        cr_assert_not_null(strstr(fix.out, "\nexample: crdtsync "));
        EXPECT(&fix, 0, command->synopsis, "$B help %s", command->name);
    }
    EXPECT(&fix, 0, "usage: crdtsync folder", "$B folder --help");
    EXPECT(&fix, 0, "set-up:", "$B --help");
    EXPECT(&fix, 0, "crdtsync 0.", "$B --version");
    tmp_remove(&fix.tmp);
}

Test(cli, what_cannot_be_printed_is_no_success)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h"), 0);
    EXPECT(&fix, 1, "cannot print", "$B id --home h >/dev/full");
    EXPECT(&fix, 1, "cannot print", "$B id --home h >&-");
    EXPECT(&fix, 0, "docs", "$B folder add r --id docs --home h </dev/null");
    EXPECT(&fix, 1, "", "$B digest --home h >&- 2>&-");
    EXPECT(&fix, 0, "", "$B digest --home h"); /* nothing was written over the database */
    tmp_remove(&fix.tmp);
}

/* --- homes */

Test(cli, init_makes_a_home_once)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix,
                    "$B init --home h --name a >id1 && $B id --home h >id2 && cmp id1 id2 "
                    "&& grep -qxE '[0-9a-f]{64}' id1"),
                 0, "%s", fix.out);
    EXPECT(&fix, 1, "there is one", "$B init --home h");
    EXPECT(&fix, 2, "must be tcp://", "$B init --home g --listen nonsense");
    EXPECT(&fix, 1, "crdtsync init", "$B id --home nowhere");
    EXPECT(&fix, 0, "{\"id\":\"", "$B --home h id --json");
    tmp_remove(&fix.tmp);
}

Test(cli, config_check_names_every_mistake_with_its_line)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h"), 0);
    EXPECT(&fix, 0, "", "$B config check --home h");
    cr_assert_eq(sh(&fix, "printf 'node\\n    nmae = \"x\"\\nlimits\\n    max-peers = many\\n' "
                          ">h/config"),
                 0);
    EXPECT(&fix, 1, "config:2: ", "$B config check --home h");
    EXPECT(&fix, 1, "CRDTSYNC_NODE_NAEM is the variable of no key",
           "CRDTSYNC_NODE_NAEM=x $B config check --home h");
    cr_assert_not_null(strstr(fix.out, "config:4: "), "%s", fix.out);
    EXPECT(&fix, 1, "{\"line\":2,", "$B config check --json --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, what_needs_a_node_says_so)
{
    fixture_t fix = begin();
    EXPECT(&fix, 3, "crdtsync init", "$B ping --home h");
    cr_assert_eq(sh(&fix, "$B init --home h"), 0);
    EXPECT(&fix, 3, "crdtsync node", "$B ping --home h");
    EXPECT(&fix, 3, "crdtsync node", "$B wait --home h");
    tmp_remove(&fix.tmp);
}

/* --- folders, without a node */

Test(cli, folders_do_not_overlap)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h && mkdir -p a/b c && ln -s a link"), 0);
    EXPECT(&fix, 0, "docs\n", "$B folder add a/b --id docs --home h");
    EXPECT(&fix, 1, "docs", "$B folder add a --id up --home h");
    EXPECT(&fix, 1, "docs", "$B folder add a/b/new --id down --home h");
    EXPECT(&fix, 1, "docs", "$B folder add link/b --id same --home h");
    EXPECT(&fix, 1, "has it already", "$B folder add c --id docs --home h");
    EXPECT(&fix, 1, "home", "$B folder add . --id home --home h");
    EXPECT(&fix, 1, "home", "$B folder add h/x --id home --home h");
    EXPECT(&fix, 2, "must be 1 to 64", "$B folder add c --id 'No!' --home h");
    EXPECT(&fix, 1, "not a directory", "touch f; $B folder add f --home h");
    cr_assert_eq(sh(&fix, "$B init --home g >x"), 0);
    EXPECT(&fix, 1, "a folder already", "$B folder add a/b --home g");
    EXPECT(&fix, 1, "a home", "$B folder add h/y --home g");
    EXPECT(&fix, 0, "docs", "$B folder list --home h");
    cr_assert_null(strstr(fix.out, "up"), "%s", fix.out);
    tmp_remove(&fix.tmp);
}

Test(cli, a_folder_is_found_by_any_path_in_it)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix,
                    "$B init --home h && mkdir -p r/sub && echo x >r/sub/f && echo y >r/g "
                    "&& ln -s r link && $B folder add r --id docs --home h"),
                 0);
    EXPECT(&fix, 0, "docs: 1 added", "$B scan ./r/sub --home h");
    EXPECT(&fix, 0, "docs: 1 added", "$B scan docs g --home h");
    EXPECT(&fix, 0, "\"path\":\"sub/f\"", "$B ls link/sub --json --home h");
    EXPECT(&fix, 1, "lies in none", "$B scan /etc --home h");
    EXPECT(&fix, 1, "no such folder", "$B scan dcos --home h");
    EXPECT(&fix, 1, "did you mean 'list'?", "$B invite lst --home h");
    cr_assert_eq(sh(&fix, "$B digest docs --home h | grep -qxE '[0-9a-f]{64}'"), 0);
    tmp_remove(&fix.tmp);
}

Test(cli, names_are_bytes)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h && mkdir \"$(printf 'r\\377')\" && cd r* && echo x "
                          ">\"$(printf 'b\\377d')\" && cd .. && "
                          "$B folder add \"$(printf 'r\\377')\" --id docs --home h"),
                 0, "%s", fix.out);
    EXPECT(&fix, 0, "docs: 1 added", "$B scan --home h");
    EXPECT(&fix, 0, "\"path\":\"b\\udcffd\",\"path_hex\":\"62ff64\"", "$B ls --json --home h");
    EXPECT(&fix, 0, "b\\xffd", "$B ls --home h");
    EXPECT(&fix, 0, "r\\udcff\"", "$B folder list --json --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, settings_are_checked_and_kept)
{
    fixture_t fix = begin();
    EXPECT(&fix, 0, "", "$B init --home h && mkdir f && $B folder add f --id one --home h");
    EXPECT(&fix, 2, "minute", "$B folder set one scan=xx --home h");
    EXPECT(&fix, 2, "no such setting", "$B folder set one sacn=@hourly --home h");
    EXPECT(&fix, 2, "not KEY=VALUE", "$B folder set one scan --home h");
    EXPECT(&fix, 0, "", "$B folder set one 'scan=*/5 8-18 * * mon-fri' brake=off --home h");
    EXPECT(&fix, 0, "*/5 8-18 * * mon-fri", "$B folder list --json --home h");
    EXPECT(&fix, 0, "", "$B folder set one scan= --home h");
    EXPECT(&fix, 0, "@every 60s", "$B folder list --json --home h");
    tmp_remove(&fix.tmp);
}

Test(cli, static_provisioning_takes_the_key_as_it_was_printed)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home g && $B init --home h && $B folder add r --id docs "
                          "--home g && $B folder key docs --home g >key && grep -qxE "
                          "'[0-9a-f]{64}' key"),
                 0);
    EXPECT(&fix, 2, "with --id", "$B folder add s --key-file key --home h");
    EXPECT(&fix, 0, "docs", "$B folder add s --id docs --key-file key --home h");
    cr_assert_eq(sh(&fix, "$B folder key docs --home h | cmp - key"), 0);
    EXPECT(&fix, 0, "",
           "$B peer add $($B id --home h) tcp://127.0.0.1:9 --name bob --folder "
           "docs --home g");
    EXPECT(&fix, 0, "bob", "$B peer list --home g");
    EXPECT(&fix, 2, "this node itself", "$B peer add $($B id --home g) --home g");
    EXPECT(&fix, 2, "64 hex digits", "$B peer add 1234 --home g");
    EXPECT(&fix, 1, "no folder 'dosc'", "$B peer add $($B id --home h) --folder dosc --home g");
    EXPECT(&fix, 2, "must be tcp://", "$B peer add $($B id --home h) localhost --home g");
    tmp_remove(&fix.tmp);
}

/* --- a running node */

Test(cli_node, a_second_node_is_refused_and_the_first_named, .timeout = 120)
{
    cluster_t cluster;
    fixture_t fix = begin();
    cluster_new(&cluster, 1);
    cluster_start(&cluster, 0);
    char pid[32];
    snprintf(pid, sizeof pid, "process %d", (int)cluster.node[0].pid);
    EXPECT(&fix, 1, pid, "$B node --home %s", cluster.node[0].home);
    cluster_do(&cluster, 0, NULL, "ping");
    cluster_destroy(&cluster);
    tmp_remove(&fix.tmp);
}

Test(cli_node, paths_of_any_length_are_no_hindrance, .timeout = 120)
{
    fixture_t fix = begin();
    char deep[160];
    memset(deep, 'd', sizeof deep - 1);
    deep[sizeof deep - 1] = '\0';
    EXPECT(
        &fix, 0, "stopped 0",
        "mkdir %s && $B init --home %s/h --listen 'tcp://127.0.0.1:*' && { $B node --home %s/h "
        "& } && until $B ping --home %s/h 2>/dev/null; do kill -0 $! || exit 9; done && $B "
        "status --home %s/h && kill $! && wait $!; echo stopped $?",
        deep, deep, deep, deep, deep);
    tmp_remove(&fix.tmp);
}

Test(cli_node, a_brake_holds_a_scan_until_it_is_accepted, .timeout = 120)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h && mkdir r && for i in $(seq 1500); do echo $i "
                          ">r/$i; done && $B folder add r --id docs --home h"),
                 0);
    EXPECT(&fix, 0, "1500 added", "$B scan --home h");
    EXPECT(&fix, 5, "held accept docs", "rm r/* && $B scan --home h");
    EXPECT(&fix, 0, "1500 removed", "$B held accept docs --home h");
    EXPECT(&fix, 0, "0 removed", "$B scan --home h");
    tmp_remove(&fix.tmp);
}

Test(cli_node, a_root_that_is_not_there_is_an_error_and_touches_nothing, .timeout = 120)
{
    fixture_t fix = begin();
    cr_assert_eq(sh(&fix, "$B init --home h && mkdir r && echo x >r/f && $B folder add r --id "
                          "docs --home h && $B scan --home h && mv r away"),
                 0);
    EXPECT(&fix, 1, "is not mounted", "$B scan --home h");
    EXPECT(&fix, 1, "is not mounted", "mkdir r && $B scan --home h");
    EXPECT(&fix, 0, "\"state\":\"error\"", "$B status --json --home h");
    EXPECT(&fix, 0, "1 unchanged", "rmdir r && mv away r && $B scan --home h");
    tmp_remove(&fix.tmp);
}

Test(cli_node, a_schedule_scans_by_itself, .timeout = 120)
{
    cluster_t cluster;
    fixture_t fix = begin();
    cluster_new(&cluster, 1);
    const char *home = cluster.node[0].home;
    cluster_start(&cluster, 0);
    cluster_do(&cluster, 0, NULL, "scan shared");
    node_text(&cluster.node[0], "later", "seen by no scan yet");
    EXPECT(&fix, 0, "", "$B folder set shared 'scan=@every 1s' --home %s", home);
    EXPECT(&fix, 0, "later", "until $B ls shared --home %s | grep later; do :; done", home);
    cluster_destroy(&cluster);
    tmp_remove(&fix.tmp);
}

/* Seconds since 1970. */
static double next_verify(cluster_t *cluster)
{
    char out[CLUSTER_TEXT];
    struct tm at = {0};
    cluster_do(cluster, 0, out, "status --json");
    const char *text = strstr(out, "\"next_verify\":\"");
    cr_assert_not_null(text, "%s", out);
    const char *end = strptime(text + strlen("\"next_verify\":\""), "%Y-%m-%dT%H:%M:%S", &at);
    cr_assert_not_null(end);
    return (double)timegm(&at) + strtod(end, NULL); /* ".123Z" */
}

Test(cli_node, all_is_read_again_by_schedule, .timeout = 120)
{
    cluster_t cluster;
    fixture_t fix = begin();
    cluster_new(&cluster, 1);
    const char *home = cluster.node[0].home;
    cluster_start(&cluster, 0);
    EXPECT(&fix, 0, "", "$B folder set shared 'scan=@yearly' --home %s", home);
    cluster_do(&cluster, 0, NULL, "scan shared");
    node_text(&cluster.node[0], "later", "seen by no scan yet");
    EXPECT(&fix, 0, "", "$B folder set shared 'verify=@every 1s' --home %s", home);
    EXPECT(&fix, 0, "later", "until $B ls shared --home %s | grep later; do :; done", home);
    EXPECT(&fix, 0, "every file is read again by its schedule, @every 1s, next at",
           "$B status -v --home %s", home);
    EXPECT(&fix, 0, "\"next_verify\":\"2", "$B status --json --home %s", home);
    /* In another life of the node it counts on. */
    EXPECT(&fix, 0, "", "$B folder set shared 'verify=@every 1h' --home %s", home);
    double before = next_verify(&cluster), began = test_now();
    cluster_stop(&cluster, 0);
    cluster_start(&cluster, 0);
    double after = next_verify(&cluster), took = test_now() - began;
    cr_assert(after < before + took / 2, "%.3f s later, after %.3f s", after - before, took);
    EXPECT(&fix, 2, "did you mean 'verify'?", "$B folder set shared verfy=@daily --home %s",
           home);
    EXPECT(&fix, 0, "", "$B folder set shared verify= --home %s", home);
    EXPECT(&fix, 0, "\"schedules\":{}", "$B status --json --home %s", home);
    cluster_destroy(&cluster);
    tmp_remove(&fix.tmp);
}

/* In force at once, and what a user does in between holds until the next of the times. */
Test(cli_node, pauses_by_schedule, .timeout = 120)
{
    cluster_t cluster;
    fixture_t fix = begin();
    cluster_new(&cluster, 1);
    const char *home = cluster.node[0].home;
    cluster_start(&cluster, 0);
    EXPECT(&fix, 2, "must be times of the day",
           "$B folder set shared 'pause=@every 1h' --home %s", home);
    EXPECT(&fix, 0, "", "$B folder set shared 'pause=0 0 1 1 *' --home %s", home);
    EXPECT(&fix, 0, "\"state\":\"paused\"", "$B status --json --home %s", home);
    EXPECT(&fix, 0, "shared: pauses by its schedule, 0 0 1 1 *", "$B status --home %s", home);
    EXPECT(&fix, 0, "", "$B resume shared --home %s", home);
    EXPECT(&fix, 0, "", "$B folder set shared trash-mib=77 --home %s", home);
    EXPECT(&fix, 0, "", "$B status --json --home %s | grep -v '\"state\":\"paused\"'", home);
    cluster_stop(&cluster, 0); /* the plan counts where a node starts */
    cluster_start(&cluster, 0);
    EXPECT(&fix, 0, "\"state\":\"paused\"", "$B status --json --home %s", home);
    EXPECT(&fix, 0, "", "$B folder set shared 'resume=* * * * *' --home %s", home);
    EXPECT(&fix, 0, "", "$B status --json --home %s | grep -v '\"state\":\"paused\"'", home);
    EXPECT(&fix, 0, "", "$B folder set shared 'resume=@yearly' --home %s", home);
    EXPECT(&fix, 0, "", "$B status --json --home %s | grep -v '\"state\":\"paused\"'", home);
    cluster_destroy(&cluster);
    tmp_remove(&fix.tmp);
}
