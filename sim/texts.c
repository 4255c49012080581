/* texts.c - see texts.h. */
#include "sim/texts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/history.h"

#define NOBODY  (-1)
#define SEVERAL (-2)

typedef struct text {
    bool written, common, gone;
    int user; /* who moved, copied or removed it: of that node, NOBODY, SEVERAL */
    unsigned copies, removals;
} text_t;

struct cs_texts {
    text_t *text;
    uint32_t len;
};

cs_texts_t *cs_texts_new(void)
{
    return cs_calloc(1, sizeof(cs_texts_t));
}

void cs_texts_destroy(cs_texts_t **texts_p)
{
    if (*texts_p != NULL) cs_free((*texts_p)->text);
    cs_free(*texts_p);
    *texts_p = NULL;
}

size_t cs_text_print(uint64_t number, char ret[CS_TEXT_BYTES])
{
    return (size_t)snprintf(ret, CS_TEXT_BYTES, "text %06" PRIu64, number % 100000000);
}

uint32_t cs_text_of(const void *bytes, size_t len)
{
    const char *text = bytes;
    uint32_t number = 0;
    if (len < 11 || memcmp(text, "text ", 5) != 0) return CS_TEXT_NONE;
    for (size_t i = 5; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
        number = number * 10 + (uint32_t)(text[i] - '0');
    }
    return number;
}

static text_t *find(cs_texts_t *texts, uint32_t number)
{
    if (number > CS_TEXT_MAX) return NULL; /* CS_TEXT_NONE as well */
    if (number >= texts->len) {
        uint32_t len = number + 64;
        texts->text = cs_realloc_array(texts->text, len, sizeof *texts->text);
        for (uint32_t i = texts->len; i < len; i++) {
            texts->text[i] = (text_t){.user = NOBODY, .common = i < CS_TEXT_COMMON};
        }
        texts->len = len;
    }
    return &texts->text[number];
}

void cs_texts_written(cs_texts_t *texts, uint32_t number)
{
    text_t *text = find(texts, number);
    if (text == NULL) return;
    text->common = text->common || text->written;
    text->written = true;
}

static text_t *touch(cs_texts_t *texts, uint32_t number, unsigned user)
{
    text_t *text = find(texts, number);
    if (text == NULL) return NULL;
    bool first = text->user == NOBODY || text->user == (int)user;
    text->user = first ? (int)user : SEVERAL;
    return text;
}

void cs_texts_removed(cs_texts_t *texts, uint32_t number, unsigned user)
{
    text_t *text = touch(texts, number, user);
    if (text != NULL) text->removals++;
}

void cs_texts_gone(cs_texts_t *texts, uint32_t number)
{
    text_t *text = find(texts, number);
    if (text != NULL) text->gone = true;
}

void cs_texts_copied(cs_texts_t *texts, uint32_t number, unsigned user)
{
    text_t *text = touch(texts, number, user);
    if (text != NULL) text->copies++;
}

void cs_texts_moved(cs_texts_t *texts, uint32_t number, unsigned user)
{
    (void)touch(texts, number, user);
}

bool cs_texts_is_owed(const cs_texts_t *texts, uint32_t number)
{
    if (number >= texts->len) return false;
    const text_t *text = &texts->text[number];
    if (!text->written || text->common) return false;
    if (text->removals == 0) return true;
    return text->user != SEVERAL && text->removals <= text->copies && !text->gone;
}

uint32_t cs_texts_end(const cs_texts_t *texts)
{
    return texts->len;
}
