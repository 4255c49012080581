/* help.c - what --help and --version print. */
#include <stdio.h>
#include <string.h>

#include "cmd/command.h"

#define NAME_WIDTH 16

void cs_print_version(void)
{
    printf("crdtsync %s\n", CRDTSYNC_VERSION);
}

const char *const cs_section_titles[CS_SECTIONS] = {
    [CS_SETUP] = "set-up",
    [CS_RUNNING] = "running",
    [CS_LOOKING] = "looking",
};

size_t cs_command_short_len(const cs_command_t *command)
{
    return strcspn(command->summary, ":;");
}

static void put_command(const cs_command_t *command)
{
    printf("  %-*s %.*s\n", NAME_WIDTH, command->name, (int)cs_command_short_len(command),
           command->summary);
}

static void put_section(cs_section_t section)
{
    printf("%s:\n", cs_section_titles[section]);
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        if (command->section == section) put_command(command);
    }
    putchar('\n');
}

void cs_print_overview(void)
{
    printf("crdtsync keeps folders on several machines equal, whoever is online.\n\n"
           "usage: crdtsync COMMAND [OPTION]... [ARGUMENT]...\n\n");
    for (cs_section_t section = 0; section < CS_SECTIONS; section++) {
        put_section(section);
    }
    printf("  crdtsync COMMAND --help   says more about one of them; so does crdtsync(1)\n"
           "  crdtsync --version        prints the version\n\n"
           "example: crdtsync demo\n");
}

void cs_print_group(const char *group)
{
    size_t len = strlen(group);
    printf("usage: crdtsync %s COMMAND [OPTION]... [ARGUMENT]...\n\ncommands:\n", group);
    const cs_command_t *first = NULL;
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        if (strncmp(command->name, group, len) != 0 || command->name[len] != ' ') continue;
        if (first == NULL) first = command;
        put_command(command);
    }
    if (first != NULL) printf("\nexample: crdtsync %s\n", first->example);
}

#define HELP_COLUMN 27 /* where the text about an option begins */
#define LINE_WIDTH  80

/* Words from `column` on, in lines that begin at `indent`. */
static void put_wrapped(const char *text, int column, int indent)
{
    for (bool first = true; *text != '\0'; first = false) {
        int len = (int)strcspn(text, " ");
        if (!first && column + 1 + len > LINE_WIDTH) {
            printf("\n%*s", indent, "");
            column = indent;
        } else if (!first) {
            putchar(' ');
            column++;
        }
        printf("%.*s", len, text);
        column += len;
        text += len;
        text += *text == ' ';
    }
    putchar('\n');
}

static void put_options(const cs_option_t *option)
{
    for (; option != NULL && option->name != NULL; option++) {
        char head[96];
        char letter[8] = "    ";
        if (option->letter != 0) snprintf(letter, sizeof letter, "-%c, ", option->letter);
        snprintf(head, sizeof head, "  %s--%s%s%s", letter, option->name,
                 option->arg != NULL ? " " : "", option->arg != NULL ? option->arg : "");
        printf("%-*s", HELP_COLUMN - 1, head);
        if (strlen(head) >= HELP_COLUMN) printf("\n%*s", HELP_COLUMN - 1, "");
        putchar(' ');
        put_wrapped(option->help, HELP_COLUMN, HELP_COLUMN);
    }
}

void cs_print_help(const cs_command_t *command)
{
    printf("usage: crdtsync %s%s%s\n\n", command->name, command->synopsis[0] != '\0' ? " " : "",
           command->synopsis);
    put_wrapped(command->summary, 0, 0);
    printf("\noptions:\n");
    put_options(command->options);
    put_options(cs_common_options);
    printf("\nexample: crdtsync %s\n", command->example);
}
