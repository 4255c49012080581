/* fish.c - the directives of the completion for fish: one `complete` for each word and option.
 */
#include <string.h>

#include "cmd/gen/gen.h"

/* In single quotes, fish knows \\ and \'. */
static void put_text(cs_buf_t *out, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (strchr("\\'", text[i]) != NULL) cs_buf_put_u8(out, '\\');
        cs_buf_put_u8(out, (uint8_t)text[i]);
    }
}

static void put_candidates(cs_buf_t *out, const char *word)
{
    switch (cs_word_completes(word)) {
    case CS_COMPLETES_NOTHING:
        return;
    case CS_COMPLETES_FOLDERS:
        cs_buf_printf(out, " -a '(__crdtsync_folders)'");
        return;
    case CS_COMPLETES_PEERS:
        cs_buf_printf(out, " -a '(__crdtsync_ids peers)'");
        return;
    case CS_COMPLETES_FILES:
        cs_buf_printf(out, " -F");
        return;
    case CS_COMPLETES_DIRS:
        cs_buf_printf(out, " -a '(__fish_complete_directories)'");
        return;
    case CS_COMPLETES_SETTINGS:
        cs_buf_printf(out, " -a '");
        cs_word_settings(out);
        cs_buf_put_u8(out, '\'');
        return;
    case CS_COMPLETES_CHOICES:
        cs_buf_printf(out, " -a '");
        cs_word_choices(out, word);
        cs_buf_put_u8(out, '\'');
        return;
    }
}

static void put_option(cs_buf_t *out, const char *condition, const cs_option_t *option)
{
    cs_buf_printf(out, "complete -c crdtsync%s -l %s", condition, option->name);
    if (option->letter != 0) cs_buf_printf(out, " -s %c", option->letter);
    if (option->arg != NULL) {
        bool files = cs_word_completes(option->arg) == CS_COMPLETES_FILES;
        cs_buf_printf(out, files ? " -r" : " -x");
        put_candidates(out, option->arg);
    }
    cs_buf_printf(out, " -d '");
    put_text(out, option->help, strlen(option->help));
    cs_buf_printf(out, "'\n");
}

static void put_word(cs_buf_t *out, const char *group, const char *word,
                     const cs_command_t *command)
{
    cs_buf_printf(out, "complete -c crdtsync -n '__crdtsync_at \"%s\" 0' -a %s -d '", group,
                  word);
    put_text(out, command->summary, cs_command_short_len(command));
    cs_buf_printf(out, "'\n");
}

/* A first word that is no command by itself is described by the second ones. */
static void put_group(cs_buf_t *out, const char *group)
{
    cs_buf_printf(out, "complete -c crdtsync -n '__crdtsync_at \"\" 0' -a %s -d '", group);
    cs_group_words(out, group, ", ");
    cs_buf_printf(out, "'\n");
}

/* The commands of two words, and the options with a value: what the shell code looks up. */
static bool print_lists(cs_gen_t *gen, const char *argument)
{
    cs_buf_printf(&gen->out, "set -g __crdtsync_commands");
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        cs_buf_printf(&gen->out, " '%s'", command->name);
    }
    const cs_command_t *command;
    const char *word;
    cs_buf_printf(&gen->out, "\nset -g __crdtsync_groups");
    for (size_t i = 0; (word = cs_first_word(i, &command)) != NULL; i++) {
        if (cs_is_group(word)) cs_buf_printf(&gen->out, " %s", word);
    }
    cs_buf_printf(&gen->out, "\nset -g __crdtsync_valued");
    for (const cs_option_t *option = cs_common_options; option->name != NULL; option++) {
        if (option->arg != NULL) cs_buf_printf(&gen->out, " '--%s'", option->name);
    }
    for (command = cs_commands; command->name != NULL; command++) {
        const cs_option_t *option = command->options;
        for (; option != NULL && option->name != NULL; option++) {
            if (option->arg == NULL) continue;
            cs_buf_printf(&gen->out, " '%s --%s'", command->name, option->name);
        }
    }
    cs_buf_printf(&gen->out, "\n");
    return argument[0] == '\0';
}

static void put_command(cs_buf_t *out, const cs_command_t *command)
{
    char condition[96];
    snprintf(condition, sizeof condition, " -n '__crdtsync_at \"%s\"'", command->name);
    for (const cs_option_t *option = command->options; option != NULL && option->name != NULL;
         option++) {
        put_option(out, condition, option);
    }
    cs_places_t places = cs_synopsis_places(command);
    for (size_t i = 0; i < places.count; i++) {
        bool repeated = places.repeated && i + 1 == places.count;
        if (cs_word_completes(places.at[i]) == CS_COMPLETES_NOTHING) continue;
        cs_buf_printf(out, "complete -c crdtsync -n '__crdtsync_at \"%s\" %zu%s'",
                      command->name, i, repeated ? " more" : "");
        put_candidates(out, places.at[i]);
        cs_buf_put_u8(out, '\n');
    }
}

static bool print_completions(cs_gen_t *gen, const char *argument)
{
    const cs_command_t *command;
    const char *word;
    for (const cs_option_t *option = cs_common_options; option->name != NULL; option++) {
        put_option(&gen->out, "", option);
    }
    for (size_t i = 0; (word = cs_first_word(i, &command)) != NULL; i++) {
        if (strcmp(command->name, word) == 0) {
            put_word(&gen->out, "", word, command);
        } else {
            put_group(&gen->out, word);
        }
    }
    for (command = cs_commands; command->name != NULL; command++) {
        const char *second = strchr(command->name, ' ');
        char group[32];
        snprintf(group, sizeof group, "%.*s", (int)strcspn(command->name, " "), command->name);
        if (second != NULL) put_word(&gen->out, group, second + 1, command);
        put_command(&gen->out, command);
    }
    return argument[0] == '\0';
}

const cs_directive_t cs_fish_directives[] = {
    {"lists", print_lists},
    {"completions", print_completions},
    {0},
};
