/* wanted_test.c - bytes are found for the order of their symbols, and tags go into names. */
#include "support/wanted.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "xfer/content.h"

Test(wanted, contents_order_as_their_symbols)
{
    uint8_t secret[CS_SECRET_BYTES] = {7};
    wanted_t wanted;
    wanted_search(&wanted, secret, "new c0 cB cA s2 s1 d0");
    cr_assert(wanted.count == 7);

    cs_keys_t keys;
    cs_keys_derive(&keys, secret);
    cs_chunker_table_t *table = cs_chunker_table_new(&keys);
    cs_content_t before = {0};
    for (size_t i = 0; i < wanted.count; i++) {
        cs_content_t content;
        cs_content_of(table, CS_KIND_FILE, cs_slice_text(wanted.item[i].bytes), &content);
        cr_assert(memcmp(before.hash, content.hash, CS_HASH_BYTES) < 0);
        if (i > 0) cr_assert(strcmp(wanted.item[i - 1].symbol, wanted.item[i].symbol) < 0);
        before = content;
    }
    cs_chunker_table_destroy(&table);
    cr_assert_str_eq(wanted_get(&wanted, "cA", 2)->symbol, "cA");
}

Test(wanted, expands_each_tag_in_a_text)
{
    uint8_t secret[CS_SECRET_BYTES] = {7};
    wanted_t wanted;
    wanted_search(&wanted, secret, "c0 cA");
    char text[100], expected[100];
    wanted_expand(&wanted, "r.conflict-#cA.txt=c0 p-#c0", text, sizeof text);
    snprintf(expected, sizeof expected, "r.conflict-%.8s.txt=c0 p-%.8s", wanted.item[1].tag,
             wanted.item[0].tag);
    cr_assert_str_eq(text, expected);
}
