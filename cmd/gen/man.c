/* man.c - the directives of the manual page, in mdoc. */
#include <ctype.h>
#include <string.h>

#include "cmd/gen/gen.h"

#define LINE_COLUMNS 72u

/* --- text */

/* One word of prose, such that troff prints just that: option dashes do not become hyphens. */
static void put_word(cs_buf_t *out, const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        bool dash = word[i] == '-' && (i == 0 || !isalnum((unsigned char)word[i - 1]));
        if (word[i] == '\\') {
            cs_buf_printf(out, "\\e");
        } else if (word[i] == '"') {
            cs_buf_printf(out, "\\(dq");
        } else if (word[i] == '\'') {
            cs_buf_printf(out, "\\(aq");
        } else if (word[i] == '`') {
            cs_buf_printf(out, i == 0 ? "\\(oq" : "\\(cq");
        } else if (word[i] == '~') {
            cs_buf_printf(out, "\\(ti");
        } else if (dash) {
            cs_buf_printf(out, "\\-");
        } else {
            cs_buf_put_u8(out, (uint8_t)word[i]);
        }
    }
}

/* A paragraph: short lines, each sentence on a new one, capital and full stop added. */
static void put_prose(cs_buf_t *out, const char *text)
{
    size_t column = 0;
    bool first = true;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > 0 && column + 1 + len > LINE_COLUMNS) {
            cs_buf_put_u8(out, '\n');
            column = 0;
        } else if (column > 0) {
            cs_buf_put_u8(out, ' ');
        }
        if (column == 0 && strchr(".'", *text) != NULL) cs_buf_printf(out, "\\&");
        char capital = (char)toupper((unsigned char)*text);
        if (first) cs_buf_put_u8(out, (uint8_t)capital);
        put_word(out, text + first, len - first);
        first = false;
        column += len + 1;
        text += len;
        text += *text == ' ';
    }
    cs_buf_printf(out, ".\n");
}

/* The same as one quoted argument of a macro. */
static void put_quoted(cs_buf_t *out, const char *text, size_t len)
{
    cs_buf_put_u8(out, '"');
    put_word(out, text, len);
    cs_buf_put_u8(out, '"');
}

/* --- commands */

static void put_synopsis(cs_buf_t *out, const cs_command_t *command)
{
    const char *at = command->synopsis;
    for (;;) {
        cs_word_t word = cs_synopsis_next(command, &at);
        const char *text = (const char *)word.text.data;
        switch (word.kind) {
        case CS_WORD_END:
            cs_buf_put_u8(out, '\n');
            return;
        case CS_WORD_OPEN:
            cs_buf_printf(out, " Oo");
            break;
        case CS_WORD_CLOSE:
            cs_buf_printf(out, " Oc");
            break;
        case CS_WORD_REPEAT:
            cs_buf_printf(out, " Ns \\&...");
            break;
        case CS_WORD_OPTION:
            cs_buf_printf(out, " Fl %.*s", (int)word.text.len - 1, text + 1);
            break;
        case CS_WORD_VALUE:
        case CS_WORD_PLACE:
            cs_buf_printf(out, " Ar ");
            put_quoted(out, text, word.text.len);
            break;
        }
    }
}

static void put_options(cs_buf_t *out, const cs_option_t *option)
{
    if (option == NULL || option->name == NULL) return;
    cs_buf_printf(out, ".Bl -tag -width Ds\n");
    for (; option->name != NULL; option++) {
        cs_buf_printf(out, ".It ");
        if (option->letter != 0) cs_buf_printf(out, "Fl %c , ", option->letter);
        cs_buf_printf(out, "Fl \\-%s", option->name);
        if (option->arg != NULL) {
            cs_buf_printf(out, " Ar ");
            put_quoted(out, option->arg, strlen(option->arg));
        }
        cs_buf_put_u8(out, '\n');
        put_prose(out, option->help);
    }
    cs_buf_printf(out, ".El\n");
}

/* The text after the line "@NAME" of the notes, up to the next such line. */
static void put_note(cs_gen_t *gen, const char *name)
{
    const char *at = (const char *)gen->notes.data, *end = at + gen->notes.len;
    size_t len = strlen(name);
    bool ours = false;
    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        size_t line = (size_t)(eol - at);
        if (*at == '@') {
            ours = line == len + 1 && memcmp(at + 1, name, len) == 0;
            if (ours) cs_buf_printf(&gen->out, ".Pp\n");
        } else if (ours) {
            cs_buf_put(&gen->out, at, line + 1);
        }
        at = eol + 1;
    }
}

static void put_command(cs_gen_t *gen, const cs_command_t *command)
{
    cs_buf_printf(&gen->out, ".It Cm ");
    put_quoted(&gen->out, command->name, strlen(command->name));
    put_synopsis(&gen->out, command);
    put_prose(&gen->out, command->summary);
    put_note(gen, command->name);
    put_options(&gen->out, command->options);
    cs_buf_printf(&gen->out, ".Pp\n.Dl ");
    cs_buf_t line = {0};
    cs_buf_printf(&line, "crdtsync %s", command->example);
    put_quoted(&gen->out, (const char *)line.data, line.len);
    cs_buf_fini(&line);
    cs_buf_put_u8(&gen->out, '\n');
}

/* --- directives */

/* "@commands set-up" */
static bool print_commands(cs_gen_t *gen, const char *argument)
{
    cs_section_t section = 0;
    while (section < CS_SECTIONS && strcmp(cs_section_titles[section], argument) != 0) {
        section++;
    }
    if (section == CS_SECTIONS) return false;
    cs_buf_printf(&gen->out, ".Bl -tag -width Ds\n");
    for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
        if (command->section == section) put_command(gen, command);
    }
    cs_buf_printf(&gen->out, ".El\n");
    return true;
}

static bool print_common(cs_gen_t *gen, const char *argument)
{
    put_options(&gen->out, cs_common_options);
    return argument[0] == '\0';
}

const cs_directive_t cs_man_directives[] = {
    {"commands", print_commands},
    {"common-options", print_common},
    {0},
};
