/* ignore.h - which paths are left alone: .crdtsyncignore in any directory, gitignore semantics.
 *
 * The last matching pattern of the deepest rule file decides; "!" takes a path back in; nothing
 * below an ignored directory can be taken back in. Rule files themselves replicate. */
#ifndef CS_DISK_IGNORE_H
#define CS_DISK_IGNORE_H

#include "disk/fs.h"

#define CS_IGNORE_FILE ".crdtsyncignore"

typedef enum cs_verdict { CS_VERDICT_NONE, CS_VERDICT_IGNORE, CS_VERDICT_KEEP } cs_verdict_t;

/* The patterns of one file. Any bytes are accepted; lines that make no sense match nothing. */
typedef struct cs_rules cs_rules_t;
cs_rules_t *cs_rules_parse(cs_slice_t text);
void cs_rules_destroy(cs_rules_t **rules_p);
/* path: relative to the directory of the rule file. */
cs_verdict_t cs_rules_match(const cs_rules_t *rules, cs_slice_t path, bool is_dir);
/* The same, and which line decides (from 1; 0: none); ret_text: that line, borrowed. */
cs_verdict_t cs_rules_find(const cs_rules_t *rules, cs_slice_t path, bool is_dir,
                           size_t *ret_line, cs_slice_t *ret_text);

/* The rule files from the root down to one directory, read through `fs` (borrowed) as needed
 * and kept while the next question is about the same directory or one below: ask in sorted
 * order. */
typedef struct cs_ignore cs_ignore_t;
cs_ignore_t *cs_ignore_new(cs_fs_t *fs);
void cs_ignore_destroy(cs_ignore_t **ignore_p);
void cs_ignore_forget(cs_ignore_t *ignore); /* rule files may have changed */

/* Be in `dir`, or in its topmost ignored ancestor. What is not there, no plain file, or reached
 * through a symbolic link has no rules. DENIED, IO, LIMIT: rules that cannot be known; nothing
 * in that directory may be touched, and the caller is in its parent or higher. */
CS_MUST_USE cs_err_t cs_ignore_enter(cs_ignore_t *ignore, cs_slice_t dir);
/* path: below the directory entered; whether it, or a directory on the way to it, is ignored.
 */
bool cs_ignore_has(const cs_ignore_t *ignore, cs_slice_t path, bool is_dir);

/* Both: enters the parent of path and asks. */
CS_MUST_USE cs_err_t cs_ignore_matches(cs_ignore_t *ignore, cs_slice_t path, bool is_dir,
                                       bool *ret);

/* What decides about a path, or about the directory on the way to it that is ignored. */
typedef struct cs_ignore_why {
    bool ignored;
    cs_buf_t path; /* what the rule matches: the path, or a directory above it */
    cs_buf_t file; /* the rule file */
    size_t line;   /* 0: no rule matches */
    cs_buf_t rule; /* as it is written */
} cs_ignore_why_t;
void cs_ignore_why_fini(cs_ignore_why_t *why);
/* ret initialised (zero). Errors as above. */
CS_MUST_USE cs_err_t cs_ignore_explain(cs_ignore_t *ignore, cs_slice_t path, bool is_dir,
                                       cs_ignore_why_t *ret);

#endif
