/* synopsis.c - reads synopses, and knows what their words in capitals stand for. */
#include <ctype.h>
#include <string.h>

#include "cmd/gen/gen.h"
#include "io/records.h"

static bool takes_value(const cs_command_t *command, cs_slice_t word)
{
    for (const cs_option_t *option = command->options; option != NULL && option->name != NULL;
         option++) {
        bool same = strlen(option->name) + 2 == word.len &&
                    memcmp(option->name, word.data + 2, word.len - 2) == 0;
        if (same) return option->arg != NULL;
    }
    return false;
}

/* The word before `at` is an option with a value. */
static bool after_option(const cs_command_t *command, const char *at)
{
    const char *end = at;
    while (end > command->synopsis && end[-1] == ' ') {
        end--;
    }
    const char *begin = end;
    while (begin > command->synopsis && strchr(" []", begin[-1]) == NULL) {
        begin--;
    }
    cs_slice_t word = cs_slice(begin, (size_t)(end - begin));
    return word.len > 2 && begin[0] == '-' && takes_value(command, word);
}

cs_word_t cs_synopsis_next(const cs_command_t *command, const char **at_p)
{
    const char *at = *at_p + strspn(*at_p, " ");
    cs_word_t word = {.text = cs_slice(at, 1)};
    if (*at == '\0') {
        word.kind = CS_WORD_END;
        word.text.len = 0;
    } else if (*at == '[') {
        word.kind = CS_WORD_OPEN;
    } else if (*at == ']') {
        word.kind = CS_WORD_CLOSE;
    } else if (strncmp(at, "...", 3) == 0) {
        word.kind = CS_WORD_REPEAT;
        word.text.len = 3;
    } else {
        word.text.len = strcspn(at, " []");
        const char *dots = strstr(at, "...");
        if (dots != NULL && dots < at + word.text.len) word.text.len = (size_t)(dots - at);
        word.kind = *at == '-'                  ? CS_WORD_OPTION
                    : after_option(command, at) ? CS_WORD_VALUE
                                                : CS_WORD_PLACE;
    }
    *at_p = at + word.text.len;
    return word;
}

cs_places_t cs_synopsis_places(const cs_command_t *command)
{
    cs_places_t places = {0};
    bool after_place = false; /* "..." is of a place, perhaps with its ']' between */
    const char *at = command->synopsis;
    for (;;) {
        cs_word_t word = cs_synopsis_next(command, &at);
        if (word.kind == CS_WORD_END) return places;
        if (word.kind == CS_WORD_PLACE) {
            CS_ASSERT(places.count < CS_PLACES_MAX);
            snprintf(places.at[places.count++], sizeof places.at[0], "%.*s", (int)word.text.len,
                     (const char *)word.text.data);
        }
        if (word.kind == CS_WORD_REPEAT && after_place) places.repeated = true;
        if (word.kind != CS_WORD_CLOSE) after_place = word.kind == CS_WORD_PLACE;
    }
}

cs_completes_t cs_word_completes(const char *word)
{
    static const struct {
        const char *word;
        cs_completes_t completes;
    } known[] = {
        {"FOLDER", CS_COMPLETES_FOLDERS},     {"PEER", CS_COMPLETES_PEERS},
        {"PATH", CS_COMPLETES_FILES},         {"FILE", CS_COMPLETES_FILES},
        {"DIR", CS_COMPLETES_DIRS},           {"SIBLING", CS_COMPLETES_FILES},
        {"KEY=VALUE", CS_COMPLETES_SETTINGS},
    };
    if (strchr(word, '|') != NULL) return CS_COMPLETES_CHOICES;
    for (size_t i = 0; i < CS_COUNT_OF(known); i++) {
        if (strcmp(known[i].word, word) == 0) return known[i].completes;
    }
    return CS_COMPLETES_NOTHING;
}

void cs_word_choices(cs_buf_t *out, const char *word)
{
    const char *gap = "";
    while (*word != '\0') {
        size_t len = strcspn(word, "|");
        if (!isupper((unsigned char)word[0])) {
            cs_buf_printf(out, "%s%.*s", gap, (int)len, word);
            gap = " ";
        }
        word += len;
        word += *word == '|';
    }
}

void cs_word_settings(cs_buf_t *out)
{
    for (cs_setting_t setting = 0; setting < CS_SETTING_COUNT; setting++) {
        cs_buf_printf(out, "%s%s=", setting > 0 ? " " : "", cs_setting_key(setting));
    }
}
