/* err.h - what can go wrong, and who is to blame.
 *
 * One table gives code, name and message, so they cannot drift apart. The class decides the
 * reaction: PEER (drop the peer), LOCAL (report, retry later), STATE (core.md 6.4), USER (tell
 * him), AGAIN (not an error: wait). Shells translate errno and library codes at their own door.
 * Allocation failure is not among them: base/mem.h. */
#ifndef CS_BASE_ERR_H
#define CS_BASE_ERR_H

#include "base/base.h"

CS_HEADER_BEGIN

#define CS_ERR_MAP(X)                                                 \
    X(OK, "done")                                                     \
    /* PEER: bytes from outside */                                    \
    X(MALFORMED, "malformed bytes")                                   \
    X(LIMIT, "beyond a limit")                                        \
    X(VERSION, "unknown protocol version")                            \
    X(MISMATCH, "the bytes do not have the promised hash")            \
    X(UNSIGNED, "it names numbers that their replica did not sign")   \
    /* LOCAL: disk, permission, races with the user */                \
    X(IO, "input/output error")                                       \
    X(NOT_FOUND, "does not exist")                                    \
    X(EXISTS, "exists already")                                       \
    X(DENIED, "permission denied")                                    \
    X(NOSPACE, "no space left on the disk")                           \
    X(READ_ONLY, "read-only file system")                             \
    X(CHANGED, "changed under our hands")                             \
    X(NOT_EMPTY, "directory not empty")                               \
    X(NOT_DIR, "not a directory")                                     \
    X(IS_DIR, "is a directory")                                       \
    X(ESCAPES, "a symbolic link leads out of the folder")             \
    X(CROSS_DEVICE, "on another file system")                         \
    X(UNSUPPORTED, "not supported by this file system")               \
    X(NAME, "name cannot be represented here")                        \
    X(NOT_MOUNTED, "folder is not mounted, or its marker is missing") \
    X(HELD, "held by a safety brake")                                 \
    X(BUSY, "in use by another process")                              \
    /* STATE: the database cannot be trusted */                       \
    X(CORRUPT, "database is corrupt")                                 \
    X(STALE, "database is stale")                                     \
    X(REUSE, "two writings have the same number")                     \
    /* USER */                                                        \
    X(USAGE, "wrong usage")                                           \
    X(REFUSED, "refused by the other side")                           \
    X(OFFLINE, "no node is running")                                  \
    X(TIMEOUT, "timed out")                                           \
    /* AGAIN */                                                       \
    X(AGAIN, "not now")

typedef enum cs_err {
#define X(name, text) CS_ERR_##name,
    CS_ERR_MAP(X)
#undef X
        CS_ERR_COUNT
} cs_err_t;

#define CS_OK CS_ERR_OK

/* Lower-case identifier ("not_found"), stable: it appears in logs and JSON. */
const char *cs_err_name(cs_err_t err);

/* One clause for people, without a capital or a full stop. */
const char *cs_err_text(cs_err_t err);

/* What a person can do about a LOCAL one, as a clause; "" where there is nothing to be done. */
const char *cs_err_remedy(cs_err_t err);

CS_HEADER_END

#endif
