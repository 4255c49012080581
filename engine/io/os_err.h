/* os_err.h - errno as our error, for every shell of io. */
#ifndef CS_IO_OS_ERR_H
#define CS_IO_OS_ERR_H

#include "base/err.h"

/* `error` is a value of errno, not 0. Unknown ones are CS_ERR_IO. */
cs_err_t cs_os_err(int error);

#endif
