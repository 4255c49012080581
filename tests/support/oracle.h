/* oracle.h - which byte strings must be there in the end: written from the user's side only.
 *
 * Every string that a user saves is unique: it begins with its number and its length, the rest
 * follows from them, so that a file's bytes either are one whole known string or are none. A
 * string is owed from the moment it was saved until a user's own action provably removed these
 * very bytes:
 *
 *   in place    the old bytes were read through the file that was then written through
 *   taken away  a file was renamed out of the folder, to a private directory that is never
 *               emptied: what lies there in the end was removed knowingly, nothing else was
 *
 * Nothing is concluded from names, times, or from what the engine says. Thread-safe. */
#ifndef CS_TESTS_ORACLE_H
#define CS_TESTS_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ORACLE_STRING_MIN 48u /* bytes: the header */
#define ORACLE_NONE       UINT32_MAX
#define ORACLE_ROOTS_MAX  8

typedef struct oracle oracle_t;

oracle_t *oracle_new(void);
void oracle_destroy(oracle_t **oracle_p);

/* A new string of `len` bytes (at least ORACLE_STRING_MIN), not owed yet. */
uint32_t oracle_draw(oracle_t *oracle, size_t len);
size_t oracle_len(oracle_t *oracle, uint32_t number);
/* ret: oracle_len bytes. */
void oracle_bytes(oracle_t *oracle, uint32_t number, char *ret);

/* The user's save of it is complete: it is owed. `where` says how, for a report. */
void oracle_saved(oracle_t *oracle, uint32_t number, const char *where);
/* Written through an open file that the engine had already replaced at its path. */
void oracle_saved_late(oracle_t *oracle, uint32_t number, const char *where);
void oracle_replaced(oracle_t *oracle, uint32_t number);

/* The known string that these bytes are, whole; ORACLE_NONE. */
uint32_t oracle_identify(oracle_t *oracle, const char *bytes, size_t len);

/* Everything below `dir` was removed knowingly. */
void oracle_take_away(oracle_t *oracle, const char *dir);

typedef struct oracle_verdict {
    uint32_t saved, late;           /* strings that were saved, late ones among them */
    uint32_t owed;                  /* of them not replaced */
    uint32_t missing, missing_late; /* owed, and not in every root; late ones apart */
} oracle_verdict_t;

/* Is each owed string the content of a file, or the target of a link, below each root? What is
 * missing is printed to stderr. */
oracle_verdict_t oracle_judge(oracle_t *oracle, const char *const *roots, int root_count);

#endif
