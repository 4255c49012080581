/* mem.h - allocation that does not fail.
 *
 * Every size that comes from outside is checked against limits.h before it gets here, so memory
 * is bounded and a failed allocation means that the machine is out of memory. Then the process
 * stops with a message (SIGABRT): a crash between any two events is a legal history
 * (core.md 6.5), while a hundred untested failure paths are not. */
#ifndef CS_BASE_MEM_H
#define CS_BASE_MEM_H

#include "base/base.h"

CS_HEADER_BEGIN

void *cs_malloc(size_t bytes);               /* bytes may be 0 */
void *cs_calloc(size_t count, size_t bytes); /* zeroed; overflow is checked */
void *cs_realloc_array(void *old, size_t count, size_t bytes);
void *cs_memdup(const void *data, size_t bytes);
char *cs_strdup(const char *text);
void cs_free(void *memory); /* NULL is fine */

/* Capacity for at least `need` items, growing geometrically from `cap`. */
size_t cs_grow(size_t cap, size_t need);

CS_HEADER_END

#endif
