/* shell.h - the command line as scripts see it: shell lines in a directory of their own. */
#ifndef CS_TESTS_SHELL_H
#define CS_TESTS_SHELL_H

#include <criterion/criterion.h>
#include <string.h>

#include "support/support.h"

#define SHELL_OUT_BYTES 65536

typedef struct shell {
    tmp_t tmp;
    char out[SHELL_OUT_BYTES]; /* of the last line: stdout and stderr */
} shell_t;

shell_t *shell_new(void);
/* With a home `h` and its folder `docs` at `r`, which is empty. */
shell_t *shell_with_folder(void);
void shell_free(shell_t *shell); /* removes the directory */

/* Runs a line in the directory, $B being the program; the exit code. */
int shell_run(shell_t *shell, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define EXPECT(shell, code, part, ...)                                                        \
    do {                                                                                      \
        int got_ = shell_run(shell, __VA_ARGS__);                                             \
        cr_assert_eq(got_, code, "exit code %d: %s", got_, (shell)->out);                     \
        cr_assert_not_null(strstr((shell)->out, part), "no '%s' in: %s", part, (shell)->out); \
    } while (0)

/* Of what the last line printed. */
#define EXPECT_ALSO(shell, part) \
    cr_assert_not_null(strstr((shell)->out, part), "no '%s' in: %s", part, (shell)->out)
#define EXPECT_NOT(shell, part) \
    cr_assert_null(strstr((shell)->out, part), "'%s' in: %s", part, (shell)->out)

#endif
