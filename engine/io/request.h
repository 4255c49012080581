/* request.h - makes the requests of daemon.h.
 *
 * Options of a command are further keys of the object, set by the caller: the program's sources
 * in cmd/ are the list. */
#ifndef CS_IO_REQUEST_H
#define CS_IO_REQUEST_H

#include <jansson.h>
#include <stddef.h>

#include "base/base.h"

CS_HEADER_BEGIN

/* {"cmd": CMD, "args": [...]}, owned by the caller. An argument may be any bytes, and is also
 * resolved as a path, against the working directory of this process: with all links, and with
 * all but the last component's. */
json_t *cs_request(const char *cmd, const char *const *args, size_t count);

CS_HEADER_END

#endif
