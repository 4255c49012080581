/* zpl.h - reads ZPL (rfc.zeromq.org/spec:4, the format of CZMQ's zconfig) against a table of
 * fields.
 *
 * zconfig stops at the first mistake and knows no lines afterwards, so this reads by itself and
 * reports every mistake with its line: what is no ZPL, unknown sections and keys, keys given
 * twice, values that a field refuses, required fields that are missing. Files have two levels:
 *
 *     section
 *         key = "value"       # "..." or '...' as is; bare values end at # or the line's end */
#ifndef CS_IO_ZPL_H
#define CS_IO_ZPL_H

#include "base/buf.h"

CS_HEADER_BEGIN

typedef struct cs_mistake {
    uint32_t line; /* from 1; 0: the file as a whole, or the environment */
    char *text;    /* owned; one clause */
} cs_mistake_t;

/* Zero-initialise; in the order of lines. */
typedef struct cs_mistakes {
    cs_mistake_t *at; /* owned */
    size_t count, cap;
} cs_mistakes_t;

void cs_mistakes_add(cs_mistakes_t *mistakes, uint32_t line, const char *format, ...)
    CS_PRINTF(3, 4);
void cs_mistakes_fini(cs_mistakes_t *mistakes);

typedef struct cs_zpl_field {
    const char *section, *key;
    bool required;
    bool repeats; /* may occur again; otherwise a second one is a mistake */
    /* Stores `value` in `record`. NULL, or why it is refused: one clause, "must be ...". */
    const char *(*parse)(void *record, const char *value);
} cs_zpl_field_t;

#define CS_ZPL_FIELDS_MAX 32u /* of one table */

/* Calls parse for each key of `text` in order; adds to `mistakes`. */
void cs_zpl_load(cs_slice_t text, const cs_zpl_field_t *fields, size_t field_count,
                 void *record, cs_mistakes_t *mistakes);

void cs_zpl_put_section(cs_buf_t *buf, const char *section);
/* `value` as cs_zpl_holds allows. */
void cs_zpl_put(cs_buf_t *buf, const char *key, const char *value);
/* False: `value` has a double quote or a control character, for which ZPL has no escape. */
bool cs_zpl_holds(const char *value);

CS_HEADER_END

#endif
