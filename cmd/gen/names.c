/* names.c - first words and groups of the table of commands. */
#include <string.h>

#include "cmd/gen/gen.h"

static bool in_group(const cs_command_t *command, const char *group)
{
    size_t len = strlen(group);
    return strncmp(command->name, group, len) == 0 && command->name[len] == ' ';
}

const cs_command_t *cs_group_next(const char *group, const cs_command_t *after)
{
    const cs_command_t *command = after != NULL ? after + 1 : cs_commands;
    while (command->name != NULL && !in_group(command, group)) {
        command++;
    }
    return command->name != NULL ? command : NULL;
}

bool cs_is_group(const char *name)
{
    return cs_group_next(name, NULL) != NULL;
}

void cs_group_words(cs_buf_t *out, const char *group, const char *gap)
{
    const cs_command_t *command = cs_group_next(group, NULL);
    for (const char *before = ""; command != NULL; before = gap) {
        cs_buf_printf(out, "%s%s", before, strchr(command->name, ' ') + 1);
        command = cs_group_next(group, command);
    }
}

/* No command before this one has the same first word. */
static bool is_first(const cs_command_t *command, size_t len)
{
    for (const cs_command_t *other = cs_commands; other < command; other++) {
        if (strcspn(other->name, " ") == len && strncmp(other->name, command->name, len) == 0) {
            return false;
        }
    }
    return true;
}

const char *cs_first_word(size_t index, const cs_command_t **ret_command)
{
    static char word[32];
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        size_t len = strcspn(command->name, " ");
        if (!is_first(command, len) || index-- > 0) continue;
        snprintf(word, sizeof word, "%.*s", (int)len, command->name);
        *ret_command = command;
        return word;
    }
    return NULL;
}
