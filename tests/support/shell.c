/* shell.c - see shell.h. */
#include "support/shell.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

shell_t *shell_new(void)
{
    shell_t *shell = calloc(1, sizeof *shell);
    if (shell == NULL) abort();
    shell->tmp = tmp_new();
    unsetenv("CRDTSYNC_HOME");
    return shell;
}

shell_t *shell_with_folder(void)
{
    shell_t *shell = shell_new();
    EXPECT(shell, 0, "docs",
           "$B init --home h >id && mkdir r && $B folder add r --id docs --home h");
    return shell;
}

void shell_free(shell_t *shell)
{
    tmp_remove(&shell->tmp);
    free(shell);
}

int shell_run(shell_t *shell, const char *format, ...)
{
    char line[4096], command[5120];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    snprintf(command, sizeof command, "cd %s && export B=%s && { %s ; } 2>&1", shell->tmp.path,
             getenv("CRDTSYNC_BIN"), line);
    FILE *pipe = popen(command, "r");
    cr_assert_not_null(pipe);
    size_t len = fread(shell->out, 1, sizeof shell->out - 1, pipe);
    shell->out[len] = '\0';
    char rest[4096];
    while (fread(rest, 1, sizeof rest, pipe) > 0) {
        continue; /* what has no room is read all the same: the line must not wait */
    }
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
