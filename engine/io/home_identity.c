/* home_identity.c - the secret key of a home. */
#include "base/mem.h"
#include "io/file.h"
#include "io/home_internal.h"

cs_err_t cs_home_read_identity(cs_home_t *home, cs_buf_t *ret_detail)
{
    if (home->has_identity) return CS_OK;
    cs_buf_t text = {0};
    cs_mistakes_t mistakes = {0};
    char *path = cs__home_join(home->path, NULL, "identity");
    cs_err_t err = cs_file_read(path, &text, ret_detail);
    if (err == CS_OK) {
        cs_identity_load(cs_buf_slice(&text), &home->identity, &mistakes);
        err = cs__home_report(path, &mistakes, ret_detail);
    }
    home->has_identity = err == CS_OK;
    cs__home_wipe(&text);
    cs_free(path);
    return err;
}

cs_err_t cs_home_open(const char *path, cs_home_t **ret, cs_buf_t *ret_detail)
{
    cs_home_t *home = NULL;
    cs_err_t err = cs_home_find(path, &home, ret_detail);
    if (err == CS_OK) err = cs_home_read_identity(home, ret_detail);
    if (err != CS_OK) {
        cs_home_close(&home);
        return err;
    }
    *ret = home;
    return CS_OK;
}

const cs_identity_t *cs_home_identity(const cs_home_t *home)
{
    CS_ASSERT(home->has_identity);
    return &home->identity;
}
