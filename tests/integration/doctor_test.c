/* doctor_test.c - `doctor`: what is offered, what is weaker, and commands that can be run. */
#include <stdio.h>

#include "support/shell.h"

static shell_t *docs(void)
{
    shell_t *shell = shell_new();
    EXPECT(shell, 0, "docs",
           "$B init --home h --listen 'tcp://127.0.0.1:*' && mkdir \"it's\" && echo x "
           ">\"it's/f\" && "
           "$B folder add it* --id docs --home h");
    EXPECT(shell, 0, "1 added", "$B scan --home h");
    return shell;
}

static void examines(shell_t *shell)
{
    static const char *const checks[] = {
        "kernel",      "open-files", "watches",   "memory", "clock",    "home",
        "file-system", "exchange",   "noreplace", "modes",  "symlinks", "birth-time",
        "time-step",   "case",       "names",     "space",  "replicas"};
    EXPECT(shell, 0, "good    docs: modes: permission bits are kept", "$B doctor --home h");
    EXPECT(shell, 0,
           "{\"folder\":null,\"check\":\"kernel\",\"grade\":\"good\",\"found\":\"Linux ",
           "$B doctor docs --json --home h");
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        char key[64];
        snprintf(key, sizeof key, "\"check\":\"%s\",\"grade\":\"", checks[i]);
        EXPECT_ALSO(shell, key);
    }
    EXPECT_ALSO(shell, "\"remedy\":null}");
    /* It leaves nothing behind. */
    EXPECT(shell, 0, "f\n", "ls -A it*/.crdtsync/tmp it* | grep -v crdtsync");
    EXPECT_NOT(shell, "doctor");
    EXPECT_NOT(shell, "probe");
    EXPECT(shell, 0, "", "$B doctor -q --home h | grep good; true");
    cr_assert_str_eq(shell->out, "");
    EXPECT(shell, 1, "no such folder", "$B doctor dosc --home h");
}

Test(doctor, tries_out_what_is_offered, .timeout = 120)
{
    shell_t *shell = docs();
    examines(shell);
    EXPECT(shell, 0, "",
           "{ $B node --home h >log 2>&1 & } && echo $! >pid && until $B ping --home h "
           "2>/dev/null; do kill -0 $! || exit 9; done");
    examines(shell);
    EXPECT(shell, 0, "", "kill $(cat pid)");
    shell_free(shell);
}

Test(doctor, names_the_command_that_mends_it, .timeout = 120)
{
    shell_t *shell = docs();
    EXPECT(shell, 0, "weaker  open-files: 300 may be open at once; 50 peers need up to 456",
           "ulimit -n 300; $B doctor -q --home h");
    EXPECT_ALSO(shell, "        mend it: ulimit -n 456\n");
    EXPECT(shell, 1, "bad     docs: root: ", "mv it* away; $B doctor -q --home h");
    EXPECT_ALSO(shell, "it's: folder is not mounted");
    EXPECT_ALSO(shell, "/it'\\''s'\n");
    EXPECT(shell, 1, "\"grade\":\"bad\"", "$B doctor --json --home h");
    shell_free(shell);
}
