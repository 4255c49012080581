/* str.h - immutable, counted byte strings, shared by reference.
 *
 * Paths and attribute TLVs sit in many values of an entry at once; a join copies values, never
 * their bytes. The count is not atomic: a string belongs to one thread. Names are bytes: any
 * but NUL and '/' in a component, valid UTF-8 not required. */
#ifndef CS_BASE_STR_H
#define CS_BASE_STR_H

#include <string.h>

#include "base/base.h"

CS_HEADER_BEGIN

/* Borrowed bytes. */
typedef struct cs_slice {
    const uint8_t *data;
    size_t len;
} cs_slice_t;

typedef struct cs_str {
    uint32_t refs; /* > 0 */
    uint32_t len;  /* bytes, without the NUL */
    char data[];   /* NUL-terminated for the convenience of system calls */
} cs_str_t;

cs_str_t *cs_str_new(const void *data, size_t len); /* refs = 1 */
cs_str_t *cs_str_from(const char *text);
cs_str_t *cs_str_ref(cs_str_t *str);                  /* NULL stays NULL */
void cs_str_unref(cs_str_t **str_p);                  /* nulls it; NULL is fine */
int cs_str_cmp(const cs_str_t *a, const cs_str_t *b); /* bytewise; a prefix sorts first */
bool cs_str_eq(const cs_str_t *a, const cs_str_t *b); /* both may be NULL: equal */

cs_slice_t cs_slice_text(const char *text);
bool cs_slice_has_prefix(cs_slice_t slice, cs_slice_t prefix);

static inline cs_slice_t cs_slice(const void *data, size_t len)
{
    cs_slice_t slice = {(const uint8_t *)data, len};
    return slice;
}

static inline cs_slice_t cs_slice_str(const cs_str_t *str)
{
    return cs_slice(str->data, str->len);
}

static inline bool cs_slice_eq(cs_slice_t a, cs_slice_t b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* Bytewise; a prefix sorts first. */
static inline int cs_slice_cmp(cs_slice_t a, cs_slice_t b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

CS_HEADER_END

#endif
