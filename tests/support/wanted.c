/* wanted.c - the search, and tags of siblings. */
#include "support/wanted.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cluster.h"
#include "xfer/content.h"

#define TRIES_MAX 100000u

static int by_symbol(const void *a, const void *b)
{
    return strcmp(((const wanted_item_t *)a)->symbol, ((const wanted_item_t *)b)->symbol);
}

static void split(wanted_t *wanted, const char *symbols)
{
    char copy[1024];
    char *rest = NULL;
    snprintf(copy, sizeof copy, "%s", symbols);
    for (char *at = strtok_r(copy, " ", &rest); at != NULL; at = strtok_r(NULL, " ", &rest)) {
        if (wanted->count == WANTED_MAX || strlen(at) >= sizeof wanted->item[0].symbol)
            test_fail("too many symbols, or too long: %s", at);
        wanted_item_t *item = &wanted->item[wanted->count++];
        snprintf(item->symbol, sizeof item->symbol, "%s", at);
    }
    qsort(wanted->item, wanted->count, sizeof *wanted->item, by_symbol);
    for (size_t i = 1; i < wanted->count; i++) {
        if (by_symbol(&wanted->item[i - 1], &wanted->item[i]) == 0)
            test_fail("symbol given twice: %s", wanted->item[i].symbol);
    }
}

/* sib() of core.md 4. */
static void make_tag(const cs_content_t *content, char *ret)
{
    cs_buf_t text = {0};
    uint8_t tag[16];
    cs_content_encode(content, &text);
    cs_slice_t part = cs_slice(text.data, text.len);
    cs_hash(tag, sizeof tag, NULL, 0, &part, 1);
    cs_hex(ret, tag, sizeof tag);
    cs_buf_fini(&text);
}

/* Place `index` of `count` is the hashes whose first two bytes lie in its part of 0..65535. */
static bool in_place(const cs_content_t *content, size_t index, size_t count)
{
    size_t head = (size_t)content->hash[0] << 8 | content->hash[1];
    return head >= 65536 * index / count && head < 65536 * (index + 1) / count;
}

void wanted_search(wanted_t *wanted, const uint8_t *secret, const char *symbols)
{
    *wanted = (wanted_t){0};
    split(wanted, symbols);
    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    cs_chunker_table_t *table = cs_chunker_table_new(&keys);
    for (size_t i = 0; i < wanted->count; i++) {
        wanted_item_t *item = &wanted->item[i];
        cs_content_t content = {0};
        unsigned number = 0;
        do {
            if (number == TRIES_MAX) test_fail("nothing found for %s", item->symbol);
            snprintf(item->bytes, sizeof item->bytes, "%s %u\n", item->symbol, number++);
            cs_content_of(table, CS_KIND_FILE, cs_slice_text(item->bytes), &content);
        } while (!in_place(&content, i, wanted->count));
        make_tag(&content, item->tag);
    }
    cs_chunker_table_destroy(&table);
}

const wanted_item_t *wanted_get(const wanted_t *wanted, const char *symbol, size_t len)
{
    for (size_t i = 0; i < wanted->count; i++) {
        const char *name = wanted->item[i].symbol;
        if (strlen(name) == len && memcmp(name, symbol, len) == 0) return &wanted->item[i];
    }
    test_fail("unknown symbol: %.*s", (int)len, symbol);
}

void wanted_expand(const wanted_t *wanted, const char *text, char *ret, size_t bytes)
{
    size_t used = 0;
    while (*text != '\0' && used + 9 < bytes) {
        if (*text != '#') {
            ret[used++] = *text++;
            continue;
        }
        size_t len = 0;
        while (isalnum((unsigned char)text[1 + len]))
            len++;
        memcpy(ret + used, wanted_get(wanted, text + 1, len)->tag, 8);
        used += 8;
        text += 1 + len;
    }
    ret[used] = '\0';
}
