/* command_table_test.c - what the table of commands says agrees with itself: synopses name the
 * options that there are, examples work, slips are understood. */
#include <criterion/criterion.h>
#include <ctype.h>
#include <string.h>
#include <wordexp.h>

#include "base/mem.h"
#include "cmd/command.h"
#include "io/suggest.h"

#define FOR_EACH_COMMAND(command) \
    for (const cs_command_t *command = cs_commands; (command)->name != NULL; (command)++)

static size_t count_options(const cs_option_t *options)
{
    size_t count = 0;
    while (options != NULL && options[count].name != NULL) {
        count++;
    }
    return count;
}

Test(command_table, texts_are_phrases)
{
    FOR_EACH_COMMAND(command)
    {
        size_t len = strlen(command->summary);
        cr_assert(len > 0 && islower((unsigned char)command->summary[0]), "%s", command->name);
        cr_assert_neq(command->summary[len - 1], '.', "%s", command->name);
        cr_assert_leq(cs_command_short_len(command), 80, "%s: too long for a list",
                      command->name);
        for (size_t i = 0; i < count_options(command->options); i++) {
            const char *help = command->options[i].help;
            cr_assert(help[0] != '\0' && !isupper((unsigned char)help[0]), "%s --%s",
                      command->name, command->options[i].name);
        }
    }
}

/* "[--name NAME]" for each option, and nothing else with dashes. */
Test(command_table, synopses_name_the_options)
{
    FOR_EACH_COMMAND(command)
    {
        size_t dashes = 0;
        const char *at = command->synopsis;
        while ((at = strstr(at, "--")) != NULL) {
            dashes++;
            at += 2;
        }
        cr_assert_eq(dashes, count_options(command->options), "%s", command->name);
        for (size_t i = 0; i < count_options(command->options); i++) {
            const cs_option_t *option = &command->options[i];
            char text[96];
            snprintf(text, sizeof text, "--%s%s%s", option->name, option->arg ? " " : "",
                     option->arg ? option->arg : "");
            cr_assert_not_null(strstr(command->synopsis, text), "%s: %s", command->name, text);
        }
    }
}

/* As a shell would split it; redirections are not the program's. */
static void split(const char *line, wordexp_t *ret)
{
    char text[512];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(line, "><&|;"), line);
    cr_assert_eq(wordexp(text, ret, WRDE_NOCMD), 0, "%s", line);
}

Test(command_table, examples_are_right_usage)
{
    FOR_EACH_COMMAND(command)
    {
        size_t len = strlen(command->name);
        cr_assert(strncmp(command->example, command->name, len) == 0, "%s", command->example);
        wordexp_t words;
        split(command->example + len, &words);
        char **argv = cs_calloc(words.we_wordc + 2, sizeof *argv);
        argv[0] = (char[]){"crdtsync"};
        memcpy(argv + 1, words.we_wordv, words.we_wordc * sizeof *argv);
        cs_args_t args = {0};
        cs_buf_t error = {0};
        cr_assert_eq(
            cs_args_parse(&args, command->options, (int)words.we_wordc + 1, argv, NULL, &error),
            CS_OK, "%s: %.*s", command->example, (int)error.len, (const char *)error.data);
        cr_assert(args.rest_count >= command->args_min && args.rest_count <= command->args_max,
                  "%s: %zu arguments", command->example, args.rest_count);
        cs_args_fini(&args);
        cs_buf_fini(&error);
        cs_free(argv);
        wordfree(&words);
    }
}

/* --- slips: two letters in the middle swapped, or the last one typed twice */

static bool slip(char *word, int kind)
{
    size_t len = strlen(word), middle = len / 2;
    if (kind == 0) {
        word[len + 1] = '\0';
        word[len] = word[len - 1];
        return true;
    }
    char letter = word[middle];
    if (len < 6 || letter == word[middle - 1] || letter == '-') return false;
    word[middle] = word[middle - 1];
    word[middle - 1] = letter;
    return true;
}

static void expect_option(const cs_command_t *command, const char *name)
{
    for (int kind = 0; kind < 2; kind++) {
        char typed[64], hint[64];
        snprintf(typed, sizeof typed - 1, "--%s", name);
        snprintf(hint, sizeof hint, "did you mean --%s?", name);
        if (!slip(typed, kind)) continue;
        char *argv[] = {(char[]){"crdtsync"}, typed, (char[]){"value"}, NULL};
        cs_args_t args = {0};
        cs_buf_t error = {0};
        cr_assert_eq(cs_args_parse(&args, command->options, 3, argv, NULL, &error),
                     CS_ERR_USAGE, "%s %s is taken", command->name, typed);
        cs_buf_put_u8(&error, 0);
        cr_assert_not_null(strstr((const char *)error.data, hint), "%s %s: %s", command->name,
                           typed, (const char *)error.data);
        cs_args_fini(&args);
        cs_buf_fini(&error);
    }
}

Test(command_table, a_mistyped_option_of_each_command_is_understood)
{
    FOR_EACH_COMMAND(command)
    {
        for (size_t i = 0; i < count_options(command->options); i++) {
            expect_option(command, command->options[i].name);
        }
        for (size_t i = 0; i < count_options(cs_common_options); i++) {
            expect_option(command, cs_common_options[i].name);
        }
    }
}

/* The words that stand where `command`'s last one stands: of its group, or first ones. */
static size_t words_beside(const cs_command_t *command, char words[128][32],
                           const char *ret[129])
{
    const char *space = strchr(command->name, ' ');
    size_t skip = space != NULL ? (size_t)(space - command->name) + 1 : 0, count = 0;
    FOR_EACH_COMMAND(other)
    {
        if (strncmp(other->name, command->name, skip) != 0) continue;
        const char *word = other->name + skip;
        cr_assert_lt(count, 128);
        snprintf(words[count], sizeof words[count], "%.*s", (int)strcspn(word, " "), word);
        ret[count] = words[count];
        count++;
    }
    ret[count] = NULL;
    return skip;
}

Test(command_table, a_mistyped_command_is_understood)
{
    static char words[128][32];
    const char *candidates[129];
    FOR_EACH_COMMAND(command)
    {
        size_t skip = words_beside(command, words, candidates);
        for (int kind = 0; kind < 2; kind++) {
            char typed[32];
            snprintf(typed, sizeof typed - 1, "%s", command->name + skip);
            if (!slip(typed, kind)) continue;
            const char *nearest = cs_suggest(typed, candidates);
            cr_assert_not_null(nearest, "%s", typed);
            cr_assert_str_eq(nearest, command->name + skip, "%s", typed);
        }
    }
}
