/* os_err.c - one table. */
#include "io/os_err.h"

#include <errno.h>

cs_err_t cs_os_err(int error)
{
    static const struct {
        int error;
        cs_err_t err;
    } known[] = {
        {ENOENT, CS_ERR_NOT_FOUND},   {EEXIST, CS_ERR_EXISTS},
        {EACCES, CS_ERR_DENIED},      {EPERM, CS_ERR_DENIED},
        {ENOSPC, CS_ERR_NOSPACE},     {EDQUOT, CS_ERR_NOSPACE},
        {EROFS, CS_ERR_READ_ONLY},    {ENOTEMPTY, CS_ERR_NOT_EMPTY},
        {ENOTDIR, CS_ERR_NOT_DIR},    {EISDIR, CS_ERR_IS_DIR},
        {EXDEV, CS_ERR_CROSS_DEVICE}, {EOPNOTSUPP, CS_ERR_UNSUPPORTED},
        {ENOSYS, CS_ERR_UNSUPPORTED}, {ENAMETOOLONG, CS_ERR_NAME},
        {EILSEQ, CS_ERR_NAME},        {EBUSY, CS_ERR_BUSY},
        {EWOULDBLOCK, CS_ERR_BUSY},   {ETIMEDOUT, CS_ERR_TIMEOUT},
    };
    for (size_t i = 0; i < CS_COUNT_OF(known); i++) {
        if (known[i].error == error) return known[i].err;
    }
    return CS_ERR_IO;
}
