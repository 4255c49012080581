/* str.c - counted strings and slices. */
#include "base/str.h"

#include <string.h>

#include "base/mem.h"

cs_str_t *cs_str_new(const void *data, size_t len)
{
    CS_ASSERT(len < UINT32_MAX);
    cs_str_t *str = cs_malloc(sizeof *str + len + 1);
    str->refs = 1;
    str->len = (uint32_t)len;
    if (len > 0) memcpy(str->data, data, len);
    str->data[len] = '\0';
    return str;
}

cs_str_t *cs_str_from(const char *text)
{
    return cs_str_new(text, strlen(text));
}

cs_str_t *cs_str_ref(cs_str_t *str)
{
    if (str != NULL) str->refs++;
    return str;
}

void cs_str_unref(cs_str_t **str_p)
{
    cs_str_t *str = *str_p;
    *str_p = NULL;
    if (str == NULL) return;
    CS_ASSERT(str->refs > 0);
    if (--str->refs == 0) cs_free(str);
}

int cs_str_cmp(const cs_str_t *a, const cs_str_t *b)
{
    return cs_slice_cmp(cs_slice_str(a), cs_slice_str(b));
}

bool cs_str_eq(const cs_str_t *a, const cs_str_t *b)
{
    if (a == b) return true;
    if (a == NULL || b == NULL) return false;
    return cs_slice_eq(cs_slice_str(a), cs_slice_str(b));
}

cs_slice_t cs_slice_text(const char *text)
{
    return cs_slice(text, strlen(text));
}

bool cs_slice_has_prefix(cs_slice_t slice, cs_slice_t prefix)
{
    return slice.len >= prefix.len &&
           (prefix.len == 0 || memcmp(slice.data, prefix.data, prefix.len) == 0);
}
