/* err.c - the table of errors, spelled out. */
#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

const char *cs_err_name(cs_err_t err)
{
    static const char *const names[] = {
#define X(name, text) #name,
        CS_ERR_MAP(X)
#undef X
    };
    static char lower[CS_ERR_COUNT][16];
    CS_ASSERT(err < CS_ERR_COUNT);
    for (size_t i = 0; names[err][i] != '\0' && i + 1 < sizeof lower[0]; i++) {
        lower[err][i] = (char)tolower((unsigned char)names[err][i]);
    }
    return lower[err];
}

const char *cs_err_text(cs_err_t err)
{
    static const char *const texts[] = {
#define X(name, text) text,
        CS_ERR_MAP(X)
#undef X
    };
    CS_ASSERT(err < CS_ERR_COUNT);
    return texts[err];
}

void cs_assert_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "crdtsync: internal error: %s:%d: assertion failed: %s\n", file, line,
            condition);
    abort();
}
