/* bash.c - the directives of the completion for bash: branches of one `case`. */
#include <string.h>

#include "cmd/gen/gen.h"

/* What follows an option or stands in a place, as a word that the template's shell code knows.
 */
static void put_kind(cs_buf_t *out, const char *word)
{
    switch (cs_word_completes(word)) {
    case CS_COMPLETES_NOTHING:
        cs_buf_printf(out, "nothing");
        return;
    case CS_COMPLETES_FOLDERS:
        cs_buf_printf(out, "folders");
        return;
    case CS_COMPLETES_PEERS:
        cs_buf_printf(out, "peers");
        return;
    case CS_COMPLETES_FILES:
        cs_buf_printf(out, "files");
        return;
    case CS_COMPLETES_DIRS:
        cs_buf_printf(out, "dirs");
        return;
    case CS_COMPLETES_SETTINGS:
        cs_buf_printf(out, "words ");
        cs_word_settings(out);
        return;
    case CS_COMPLETES_CHOICES:
        cs_buf_printf(out, "words ");
        cs_word_choices(out, word);
        return;
    }
}

static void put_words(cs_buf_t *out, const char *group)
{
    if (!cs_is_group(group)) return;
    cs_buf_printf(out, " words='");
    cs_group_words(out, group, " ");
    cs_buf_printf(out, "'");
}

static void put_options(cs_buf_t *out, const cs_option_t *option)
{
    const char *gap = "";
    cs_buf_printf(out, " options='");
    for (; option != NULL && option->name != NULL; option++) {
        cs_buf_printf(out, "%s--%s", gap, option->name);
        gap = " ";
    }
    cs_buf_printf(out, "'");
}

/* 'folder add --id') value=nothing ;; */
static void put_values(cs_buf_t *out, const char *command, const cs_option_t *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        if (option->arg == NULL) continue;
        cs_buf_printf(out, "    '%s%s--%s') value='", command, command[0] != '\0' ? " " : "",
                      option->name);
        put_kind(out, option->arg);
        cs_buf_printf(out, "' ;;\n");
    }
}

static void put_command(cs_buf_t *out, const cs_command_t *command)
{
    cs_places_t places = cs_synopsis_places(command);
    cs_buf_printf(out, "    '%s')", command->name);
    put_words(out, command->name);
    put_options(out, command->options);
    if (places.count > 0) cs_buf_printf(out, " places=(");
    for (size_t i = 0; i < places.count; i++) {
        cs_buf_printf(out, "%s'", i > 0 ? " " : "");
        put_kind(out, places.at[i]);
        cs_buf_printf(out, "'");
    }
    if (places.count > 0) cs_buf_printf(out, ")");
    if (places.repeated) cs_buf_printf(out, " repeated=1");
    cs_buf_printf(out, " ;;\n");
    put_values(out, command->name, command->options);
}

static bool print_commands(cs_gen_t *gen, const char *argument)
{
    const cs_command_t *command;
    const char *word;
    cs_buf_printf(&gen->out, "    '') words='");
    for (size_t i = 0; (word = cs_first_word(i, &command)) != NULL; i++) {
        cs_buf_printf(&gen->out, "%s%s", i > 0 ? " " : "", word);
    }
    cs_buf_printf(&gen->out, " help' options='--version' ;;\n");
    for (size_t i = 0; (word = cs_first_word(i, &command)) != NULL; i++) {
        if (strcmp(command->name, word) == 0) continue; /* a command as well: comes below */
        cs_buf_printf(&gen->out, "    '%s')", word);
        put_words(&gen->out, word);
        cs_buf_printf(&gen->out, " ;;\n");
    }
    for (command = cs_commands; command->name != NULL; command++) {
        put_command(&gen->out, command);
    }
    return argument[0] == '\0';
}

static bool print_common(cs_gen_t *gen, const char *argument)
{
    cs_buf_printf(&gen->out, "    local");
    put_options(&gen->out, cs_common_options);
    cs_buf_printf(&gen->out, "\n");
    return argument[0] == '\0';
}

static bool print_common_values(cs_gen_t *gen, const char *argument)
{
    put_values(&gen->out, "", cs_common_options);
    return argument[0] == '\0';
}

const cs_directive_t cs_bash_directives[] = {
    {"commands", print_commands},
    {"common-options", print_common},
    {"common-values", print_common_values},
    {0},
};
