/* zpl.c - line by line; nothing is looked at twice. */
#include "io/zpl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define INDENT_SPACES 4u

typedef struct cs_zpl_parser {
    const cs_zpl_field_t *fields; /* borrowed */
    size_t field_count;
    void *record;                           /* borrowed */
    cs_mistakes_t *mistakes;                /* borrowed */
    uint32_t line;                          /* of the text at hand */
    char *section;                          /* owned; NULL before the first */
    bool section_unknown;                   /* reported already, so its keys are not */
    uint32_t first_line[CS_ZPL_FIELDS_MAX]; /* where each field occurred; 0: not yet */
} cs_zpl_parser_t;

void cs_mistakes_add(cs_mistakes_t *mistakes, uint32_t line, const char *format, ...)
{
    cs_buf_t text = {0};
    va_list args;
    va_start(args, format);
    cs_buf_vprintf(&text, format, args);
    va_end(args);

    if (mistakes->count == mistakes->cap) {
        mistakes->cap = cs_grow(mistakes->cap, mistakes->count + 1);
        mistakes->at = cs_realloc_array(mistakes->at, mistakes->cap, sizeof mistakes->at[0]);
    }
    mistakes->at[mistakes->count++] = (cs_mistake_t){.line = line, .text = (char *)text.data};
}

void cs_mistakes_fini(cs_mistakes_t *mistakes)
{
    for (size_t i = 0; i < mistakes->count; i++) {
        cs_free(mistakes->at[i].text);
    }
    cs_free(mistakes->at);
    *mistakes = (cs_mistakes_t){0};
}

static bool is_space(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static bool is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("$-_@.&+/", byte) != NULL);
}

static char *skip_spaces(char *text)
{
    while (is_space(*text)) {
        text++;
    }
    return text;
}

/* Nothing but a comment follows. */
static bool is_end(char *text)
{
    char *at = skip_spaces(text);
    return *at == '\0' || *at == '#';
}

static bool has_section(const cs_zpl_parser_t *parser, const char *section)
{
    for (size_t i = 0; i < parser->field_count; i++) {
        if (strcmp(parser->fields[i].section, section) == 0) return true;
    }
    return false;
}

/* "a, b, c": the keys of a section, or the sections if it is NULL. */
static void list_known(const cs_zpl_parser_t *parser, const char *section, cs_buf_t *ret)
{
    const char *last = "";
    for (size_t i = 0; i < parser->field_count; i++) {
        const cs_zpl_field_t *field = &parser->fields[i];
        if (section != NULL && strcmp(field->section, section) != 0) continue;
        const char *name = section != NULL ? field->key : field->section;
        if (strcmp(name, last) == 0) continue;
        cs_buf_printf(ret, "%s%s", last[0] != '\0' ? ", " : "", name);
        last = name;
    }
    cs_buf_put_u8(ret, '\0');
}

static void take_section(cs_zpl_parser_t *parser, const char *name)
{
    cs_free(parser->section);
    parser->section = cs_strdup(name);
    parser->section_unknown = !has_section(parser, name);
    if (!parser->section_unknown) return;
    cs_buf_t known = {0};
    list_known(parser, NULL, &known);
    cs_mistakes_add(parser->mistakes, parser->line, "unknown section '%s'; there are: %s", name,
                    (const char *)known.data);
    cs_buf_fini(&known);
}

static void report_unknown_key(cs_zpl_parser_t *parser, const char *key)
{
    cs_buf_t known = {0};
    list_known(parser, parser->section, &known);
    cs_mistakes_add(parser->mistakes, parser->line,
                    "unknown key '%s' in section '%s'; there are: %s", key, parser->section,
                    (const char *)known.data);
    cs_buf_fini(&known);
}

static void take_key(cs_zpl_parser_t *parser, const char *key, const char *value)
{
    if (parser->section == NULL) {
        cs_mistakes_add(parser->mistakes, parser->line, "key '%s' stands before any section",
                        key);
        return;
    }
    if (parser->section_unknown) return;
    for (size_t i = 0; i < parser->field_count; i++) {
        const cs_zpl_field_t *field = &parser->fields[i];
        if (strcmp(field->section, parser->section) != 0) continue;
        if (strcmp(field->key, key) != 0) continue;
        if (parser->first_line[i] != 0 && !field->repeats) {
            cs_mistakes_add(parser->mistakes, parser->line,
                            "key '%s' was given in line %u already", key,
                            parser->first_line[i]);
            return;
        }
        parser->first_line[i] = parser->line;
        const char *why = field->parse(parser->record, value);
        if (why != NULL) {
            cs_mistakes_add(parser->mistakes, parser->line, "%s = '%s' %s", key, value, why);
        }
        return;
    }
    report_unknown_key(parser, key);
}

/* The value after '=', NUL-terminated in place; NULL after a mistake. */
static char *cut_value(cs_zpl_parser_t *parser, char *text)
{
    char *value = skip_spaces(text);
    if (*value == '"' || *value == '\'') {
        char quote = *value++;
        char *end = strchr(value, quote);
        if (end == NULL) {
            cs_mistakes_add(parser->mistakes, parser->line, "the closing %c is missing", quote);
            return NULL;
        }
        if (!is_end(end + 1)) {
            cs_mistakes_add(parser->mistakes, parser->line, "something follows the closing %c",
                            quote);
            return NULL;
        }
        *end = '\0';
        return value;
    }
    size_t len = strcspn(value, "#");
    while (len > 0 && is_space(value[len - 1])) {
        len--;
    }
    value[len] = '\0';
    return value;
}

static void take_line(cs_zpl_parser_t *parser, char *text)
{
    if (is_end(text)) return;
    size_t spaces = strspn(text, " ");
    char *name = text + spaces;
    size_t len = 0;
    while (is_name_byte(name[len])) {
        len++;
    }
    char *rest = skip_spaces(name + len);
    bool has_value = *rest == '=';
    if (len == 0 || (!has_value && !is_end(rest))) {
        cs_mistakes_add(parser->mistakes, parser->line,
                        *name == '\t' ? "a tab indents the line; use four spaces"
                                      : "neither 'section' nor 'key = value'");
    } else if (spaces != 0 && spaces != INDENT_SPACES) {
        cs_mistakes_add(parser->mistakes, parser->line,
                        "%zu spaces before '%.*s'; a section has none, a key four", spaces,
                        (int)len, name);
    } else if (spaces == 0 && has_value) {
        cs_mistakes_add(parser->mistakes, parser->line,
                        "key '%.*s' is not in a section; put four spaces before it", (int)len,
                        name);
    } else if (spaces == 0) {
        name[len] = '\0';
        take_section(parser, name);
    } else if (!has_value) {
        cs_mistakes_add(parser->mistakes, parser->line, "key '%.*s' has no value", (int)len,
                        name);
    } else {
        char *value = cut_value(parser, rest + 1);
        name[len] = '\0';
        if (value != NULL) take_key(parser, name, value);
    }
}

void cs_zpl_load(cs_slice_t text, const cs_zpl_field_t *fields, size_t field_count,
                 void *record, cs_mistakes_t *mistakes)
{
    CS_ASSERT(field_count <= CS_ZPL_FIELDS_MAX);
    cs_zpl_parser_t parser = {
        .fields = fields, .field_count = field_count, .record = record, .mistakes = mistakes};
    for (size_t at = 0; at < text.len;) {
        const uint8_t *end = memchr(text.data + at, '\n', text.len - at);
        size_t len = end != NULL ? (size_t)(end - (text.data + at)) : text.len - at;
        parser.line++;
        if (memchr(text.data + at, '\0', len) != NULL) {
            cs_mistakes_add(mistakes, parser.line, "a NUL byte");
        } else {
            char *line = cs_malloc(len + 1);
            memcpy(line, text.data + at, len);
            line[len] = '\0';
            take_line(&parser, line);
            cs_free(line);
        }
        at += len + 1;
    }
    for (size_t i = 0; i < field_count; i++) {
        if (!fields[i].required || parser.first_line[i] != 0) continue;
        cs_mistakes_add(mistakes, 0, "key '%s' of section '%s' is missing", fields[i].key,
                        fields[i].section);
    }
    cs_free(parser.section);
}

void cs_zpl_put_section(cs_buf_t *buf, const char *section)
{
    cs_buf_printf(buf, "%s\n", section);
}

void cs_zpl_put(cs_buf_t *buf, const char *key, const char *value)
{
    CS_ASSERT(cs_zpl_holds(value));
    cs_buf_printf(buf, "    %s = \"%s\"\n", key, value);
}

bool cs_zpl_holds(const char *value)
{
    for (; *value != '\0'; value++) {
        uint8_t byte = (uint8_t)*value;
        if (byte < ' ' || byte == '"' || byte == 0x7f) return false;
    }
    return true;
}
