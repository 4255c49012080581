/* wildmatch.h - glob patterns of gitignore: * ? [class] \ and two stars.
 *
 * One star matches within a component. Two stars that fill a component match any number of
 * components, none included; elsewhere they are one star. Patterns arrive from other members,
 * so time is bounded: O(pattern x text), where the usual recursion is exponential. A star need
 * only be revised if no later one was met, since what lies between two stars has a fixed
 * length; and before two stars, the earliest match is as good as any. */
#ifndef CS_DISK_WILDMATCH_H
#define CS_DISK_WILDMATCH_H

#include "base/str.h"

/* Both without NUL; text is a path. True if the pattern matches all of it. */
bool cs_wildmatch(cs_slice_t pattern, cs_slice_t text);

/* Bytes before the first of * ? [ \ */
size_t cs_wildmatch_literal_len(cs_slice_t pattern);

#endif
