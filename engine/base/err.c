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

const char *cs_err_remedy(cs_err_t err)
{
    static const char *const remedies[CS_ERR_COUNT] = {
        [CS_ERR_IO] = "see what is wrong with that disk",
        [CS_ERR_DENIED] = "check the owner and the mode",
        [CS_ERR_NOSPACE] = "make room there",
        [CS_ERR_READ_ONLY] = "remount it for writing",
        [CS_ERR_CROSS_DEVICE] = "unmount what is mounted there, or make it a folder of its own",
        [CS_ERR_UNSUPPORTED] = "move the folder to another file system",
        [CS_ERR_NAME] = "give it another name where it was made",
        [CS_ERR_NOT_MOUNTED] = "mount it, or put its .crdtsync/id back",
        [CS_ERR_HELD] = "look, then: crdtsync held accept, or held reject",
        [CS_ERR_BUSY] = "end the program that uses it",
        [CS_ERR_REUSE] = "a home was copied: give the copy a home of its own",
    };
    CS_ASSERT(err < CS_ERR_COUNT);
    return remedies[err] != NULL ? remedies[err] : "";
}

void cs_assert_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "crdtsync: internal error: %s:%d: assertion failed: %s\n", file, line,
            condition);
    abort();
}
