/* strings.h - a short list of strings, and checks of what people type. */
#ifndef CS_IO_STRINGS_H
#define CS_IO_STRINGS_H

#include "base/str.h"

CS_HEADER_BEGIN

/* Zero-initialise. */
typedef struct cs_strings {
    char **at; /* owned, as each of them */
    size_t count, cap;
} cs_strings_t;

void cs_strings_add(cs_strings_t *strings, const char *text); /* copies */
bool cs_strings_has(const cs_strings_t *strings, const char *text);
void cs_strings_drop(cs_strings_t *strings, const char *text);    /* the first; order changes */
bool cs_strings_eq(const cs_strings_t *a, const cs_strings_t *b); /* order counts */
void cs_strings_fini(cs_strings_t *strings);

/* Each gives NULL, or why the text is refused: one clause, "must be ...". */
const char *
cs_check_folder_id(const char *text);            /* [a-z0-9._-]{1,64}, not beginning with '.' */
const char *cs_check_name(const char *text);     /* of a node or peer: 1..64 printable bytes */
const char *cs_check_endpoint(const char *text); /* to dial: tcp://HOST:PORT */
const char *cs_check_listen(const char *text);   /* '*' is allowed for both */

/* Decimal without sign, in min..max; false otherwise. */
bool cs_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret);

CS_HEADER_END

#endif
