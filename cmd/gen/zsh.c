/* zsh.c - the directives of the completion for zsh: specifications for _arguments and
 * _describe. */
#include <string.h>

#include "cmd/gen/gen.h"

/* Text in single quotes, where _arguments gives ':', '[' and ']' a meaning. */
static void put_text(cs_buf_t *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\'') {
            cs_buf_printf(out, "'\\''");
            continue;
        }
        if (strchr("[]:\\", text[i]) != NULL) cs_buf_put_u8(out, '\\');
        cs_buf_put_u8(out, (uint8_t)text[i]);
    }
}

/* ":MESSAGE:ACTION" */
static void put_action(cs_buf_t *out, const char *word)
{
    cs_buf_put_u8(out, ':');
    put_text(out, word, strlen(word));
    cs_buf_put_u8(out, ':');
    switch (cs_word_completes(word)) {
    case CS_COMPLETES_NOTHING:
        cs_buf_put_u8(out, ' ');
        return;
    case CS_COMPLETES_FOLDERS:
        cs_buf_printf(out, "_crdtsync_folders");
        return;
    case CS_COMPLETES_PEERS:
        cs_buf_printf(out, "_crdtsync_peers");
        return;
    case CS_COMPLETES_FILES:
        cs_buf_printf(out, "_files");
        return;
    case CS_COMPLETES_DIRS:
        cs_buf_printf(out, "_files -/");
        return;
    case CS_COMPLETES_SETTINGS:
        cs_buf_printf(out, "_crdtsync_settings");
        return;
    case CS_COMPLETES_CHOICES:
        cs_buf_put_u8(out, '(');
        cs_word_choices(out, word);
        cs_buf_put_u8(out, ')');
        return;
    }
}

static void put_option(cs_buf_t *out, const cs_option_t *option)
{
    const char *equals = option->arg != NULL ? "=" : "";
    if (option->letter != 0) {
        cs_buf_printf(out, " {-%c,--%s%s}'[", option->letter, option->name, equals);
    } else {
        cs_buf_printf(out, " '*--%s%s[", option->name, equals);
    }
    put_text(out, option->help, strlen(option->help));
    cs_buf_put_u8(out, ']');
    if (option->arg != NULL) put_action(out, option->arg);
    cs_buf_put_u8(out, '\'');
}

static void put_described(cs_buf_t *out, const char *word, const cs_command_t *command)
{
    cs_buf_printf(out, " '%s:", word);
    put_text(out, command->summary, cs_command_short_len(command));
    cs_buf_put_u8(out, '\'');
}

static bool print_common(cs_gen_t *gen, const char *argument)
{
    cs_buf_printf(&gen->out, "    common=(");
    for (const cs_option_t *option = cs_common_options; option->name != NULL; option++) {
        put_option(&gen->out, option);
    }
    cs_buf_printf(&gen->out, ")\n");
    return argument[0] == '\0';
}

/* The first words; one that is no command by itself is described by the second ones. */
static bool print_first(cs_gen_t *gen, const char *argument)
{
    const cs_command_t *command;
    const char *word;
    cs_buf_printf(&gen->out, "    first=(");
    for (size_t i = 0; (word = cs_first_word(i, &command)) != NULL; i++) {
        if (strcmp(command->name, word) == 0) {
            put_described(&gen->out, word, command);
        } else {
            cs_buf_printf(&gen->out, " '%s:", word);
            cs_group_words(&gen->out, word, ", ");
            cs_buf_put_u8(&gen->out, '\'');
        }
    }
    cs_buf_printf(&gen->out, " 'help:say more about a command')\n");
    return argument[0] == '\0';
}

/* folder) second=('add:...' ...) ;; */
static bool print_groups(cs_gen_t *gen, const char *argument)
{
    const cs_command_t *command;
    const char *word;
    for (size_t i = 0; (word = cs_first_word(i, &command)) != NULL; i++) {
        if (!cs_is_group(word)) continue;
        cs_buf_printf(&gen->out, "    %s) second=(", word);
        for (command = cs_group_next(word, NULL); command != NULL;
             command = cs_group_next(word, command)) {
            put_described(&gen->out, strchr(command->name, ' ') + 1, command);
        }
        cs_buf_printf(&gen->out, ") ;;\n");
    }
    return argument[0] == '\0';
}

/* 'folder add') own=('--id=[...]:NAME: ' '1:PATH:_files') ;; */
static bool print_commands(cs_gen_t *gen, const char *argument)
{
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        cs_places_t places = cs_synopsis_places(command);
        cs_buf_printf(&gen->out, "    '%s') own=(", command->name);
        for (const cs_option_t *option = command->options;
             option != NULL && option->name != NULL; option++) {
            put_option(&gen->out, option);
        }
        for (size_t i = 0; i < places.count; i++) {
            bool repeated = places.repeated && i + 1 == places.count;
            cs_buf_printf(&gen->out, repeated ? " '*" : " '%zu", i + 1);
            put_action(&gen->out, places.at[i]);
            cs_buf_put_u8(&gen->out, '\'');
        }
        cs_buf_printf(&gen->out, ") ;;\n");
    }
    return argument[0] == '\0';
}

static bool print_settings(cs_gen_t *gen, const char *argument)
{
    cs_buf_printf(&gen->out, "    compadd -S '' -- ");
    cs_word_settings(&gen->out);
    cs_buf_printf(&gen->out, "\n");
    return argument[0] == '\0';
}

const cs_directive_t cs_zsh_directives[] = {
    {"common-options", print_common}, {"first-words", print_first}, {"groups", print_groups},
    {"commands", print_commands},     {"settings", print_settings}, {0},
};
