/* table_test.c - columns for people. */
#include <criterion/criterion.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/table.h"

static const char *const header[] = {"NAME", ">SIZE", "PATH"};

static char *printed(const cs_table_t *table, bool bold)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    cs_table_print(table, out, bold);
    fclose(out);
    return text;
}

Test(table, columns_are_aligned)
{
    cs_table_t table = cs_table(header, 3);
    cs_table_add(&table, "a");
    cs_table_add_u64(&table, 5);
    cs_table_add(&table, "x");
    cs_table_add(&table, "longer");
    cs_table_add_u64(&table, 12345);
    cs_table_add(&table, "y");
    char *text = printed(&table, false);
    cr_assert_str_eq(text, "NAME     SIZE  PATH\n"
                           "a           5  x\n"
                           "longer  12345  y\n");
    free(text);
    cs_table_fini(&table);
}

Test(table, letters_count_as_wide_as_they_are)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    cr_assert_eq(cs_text_width("gr\xc3\xbc\xc3\x9f"), 4);
    cr_assert_eq(cs_text_width("\xe6\xbc\xa2"), 2, "a wide one");
    cr_assert_eq(cs_text_width("e\xcc\x81"), 1, "a combining accent");
}

Test(table, nothing_in_a_name_reaches_the_terminal_as_a_command)
{
    cs_buf_t buf = {0};
    cs_put_visible(&buf, "a\033[2Jb\nc\xff\xc2\x9b");
    cs_buf_put_u8(&buf, 0);
    cr_assert_str_eq((const char *)buf.data, "a\\x1b[2Jb\\x0ac\\xff\\xc2\\x9b");
    cs_buf_fini(&buf);
}

static void expect_size(uint64_t bytes, const char *text)
{
    cs_buf_t buf = {0};
    cs_put_size(&buf, bytes);
    cs_buf_put_u8(&buf, 0);
    cr_assert_str_eq((const char *)buf.data, text);
    cs_buf_fini(&buf);
}

Test(table, sizes_have_a_unit_that_fits)
{
    expect_size(0, "0 B");
    expect_size(1023, "1023 B");
    expect_size(1024, "1.0 KiB");
    expect_size(1536, "1.5 KiB");
    expect_size((1u << 20) - 1, "1.0 MiB");
    expect_size(UINT64_MAX, "16.0 EiB");
}

Test(table, bold_only_where_it_is_wanted)
{
    cs_table_t table = cs_table(header, 3);
    char *plain = printed(&table, false);
    char *bold = printed(&table, true);
    cr_assert_null(strchr(plain, '\033'));
    cr_assert_not_null(strchr(bold, '\033'));
    free(plain);
    free(bold);
    cs_table_fini(&table);
}
