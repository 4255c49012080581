/* home_internal.h - what the files of a home's implementation share. */
#ifndef CS_IO_HOME_INTERNAL_H
#define CS_IO_HOME_INTERNAL_H

#include "io/home.h"

#define CS_HOME_NUMBER_FILE "next-folder"

struct cs_home {
    char *path, *db, *socket; /* owned, absolute */
    cs_identity_t identity;   /* if has_identity */
    bool has_identity;
    int lock_fd; /* -1: not locked */
};

/* "dir/name" or "dir/sub/name"; owned by the caller. sub may be NULL. */
char *cs__home_join(const char *dir, const char *sub, const char *name);

/* CS_OK without mistakes; else CS_ERR_MALFORMED, and the first one in ret_detail. Ends them. */
cs_err_t cs__home_report(const char *path, cs_mistakes_t *mistakes, cs_buf_t *ret_detail);

/* Reads a small file that may hold a secret; wipe it with cs__home_wipe. */
void cs__home_wipe(cs_buf_t *buf);

/* What errno says; "cannot <what> <path>: why; <todo>" in ret_detail. */
cs_err_t cs__home_failed(cs_buf_t *ret_detail, const char *what, const char *path,
                         const char *todo);

/* Replaces what ret_detail holds. */
void cs__home_detail(cs_buf_t *ret_detail, const char *format, ...) CS_PRINTF(2, 3);

#endif
