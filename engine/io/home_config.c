/* home_config.c - the config of a home, and the counter of its folders. */
#include "io/file.h"
#include "io/home_internal.h"

#include "base/mem.h"

static cs_err_t config_read(const cs_home_t *home, char **ret_path, cs_config_t *ret,
                            cs_mistakes_t *mistakes, cs_buf_t *ret_detail)
{
    cs_buf_t text = {0};
    *ret_path = cs__home_join(home->path, NULL, "config");
    cs_err_t err = cs_file_read(*ret_path, &text, ret_detail);
    if (err == CS_ERR_NOT_FOUND) {
        cs_buf_clear(ret_detail);
        err = CS_OK;
    }
    if (err == CS_OK) cs_config_load(cs_buf_slice(&text), ret, mistakes);
    cs_buf_fini(&text);
    return err;
}

cs_err_t cs_home_config(const cs_home_t *home, cs_config_t *ret, cs_buf_t *ret_detail)
{
    char *path = NULL;
    cs_mistakes_t mistakes = {0};
    cs_config_t config = {0};
    cs_err_t err = config_read(home, &path, &config, &mistakes, ret_detail);
    if (err == CS_OK) err = cs__home_report(path, &mistakes, ret_detail);
    if (err == CS_OK) {
        *ret = config;
    } else {
        cs_config_fini(&config);
    }
    cs_free(path);
    return err;
}

cs_err_t cs_home_config_check(const cs_home_t *home, cs_mistakes_t *ret, cs_buf_t *ret_detail)
{
    char *path = NULL;
    cs_config_t config = {0};
    cs_err_t err = config_read(home, &path, &config, ret, ret_detail);
    cs_config_fini(&config);
    cs_free(path);
    return err;
}

static const char *parse_next(void *record, const char *value)
{
    return cs_parse_u32(value, 1, UINT32_MAX - 1, record) ? NULL : "must be a number from 1";
}

static const cs_zpl_field_t number_fields[] = {{"folders", "next", true, false, parse_next}};

/* The counter's file; without it, 1. */
static cs_err_t number_read(const char *path, uint32_t *ret, cs_buf_t *ret_detail)
{
    cs_buf_t text = {0};
    cs_err_t err = cs_file_read(path, &text, ret_detail);
    if (err == CS_OK) {
        cs_mistakes_t mistakes = {0};
        cs_zpl_load(cs_buf_slice(&text), number_fields, CS_COUNT_OF(number_fields), ret,
                    &mistakes);
        err = cs__home_report(path, &mistakes, ret_detail);
    } else if (err == CS_ERR_NOT_FOUND) {
        cs_buf_clear(ret_detail);
        *ret = 1;
        err = CS_OK;
    }
    cs_buf_fini(&text);
    return err;
}

/* The store may still hold rows of a removed folder, so its number must not come back: the
 * counter has a file of its own, and is never below a number in use. */
cs_err_t cs_home_folder_number(cs_home_t *home, uint32_t *ret, cs_buf_t *ret_detail)
{
    CS_ASSERT(home->lock_fd >= 0);
    cs_folder_record_t *folders = NULL;
    size_t count = 0;
    cs_err_t err = cs_home_folders(home, &folders, &count, ret_detail);
    if (err != CS_OK) return err;

    uint32_t next = 1;
    char *path = cs__home_join(home->path, NULL, CS_HOME_NUMBER_FILE);
    err = number_read(path, &next, ret_detail);
    for (size_t i = 0; i < count; i++) {
        if (folders[i].number >= next) next = folders[i].number + 1;
    }
    cs_home_folders_free(&folders, count);
    if (err == CS_OK) {
        cs_buf_t text = {0};
        cs_zpl_put_section(&text, "folders");
        cs_buf_printf(&text, "    next = %u\n", next + 1);
        err = cs_file_write(path, cs_buf_slice(&text), ret_detail);
        cs_buf_fini(&text);
    }
    if (err == CS_OK) *ret = next;
    cs_free(path);
    return err;
}
