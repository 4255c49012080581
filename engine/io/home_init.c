/* home_init.c - making a home. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "io/file.h"
#include "io/home_internal.h"
#include "io/places.h"

static const char *const record_dirs[] = {"folders", "peers", "invites"};

/* Makes `path` and what is missing above it, all 0700. */
static cs_err_t make_dirs(const char *path, cs_buf_t *ret_detail)
{
    char *part = cs_strdup(path);
    cs_err_t err = CS_OK;
    for (size_t i = 1; err == CS_OK && part[0] != '\0'; i++) {
        char byte = part[i];
        if (byte != '/' && byte != '\0') continue;
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            err = cs__home_failed(ret_detail, "make the directory", part,
                                  "check the path above it");
        }
        part[i] = byte;
        if (byte == '\0') break;
    }
    cs_free(part);
    return err;
}

static bool is_empty_dir(const char *home, const char *name)
{
    char *path = cs__home_join(home, NULL, name);
    DIR *dir = opendir(path);
    cs_free(path);
    if (dir == NULL) return false;
    int count = 0;
    while (count <= 2 && readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count == 2; /* "." and ".." */
}

static bool has_text(const char *home, const char *name, const cs_buf_t *text)
{
    char *path = cs__home_join(home, NULL, name);
    cs_buf_t found = {0}, detail = {0};
    bool ret = cs_file_read(path, &found, &detail) == CS_OK &&
               cs_slice_eq(cs_buf_slice(&found), cs_buf_slice(text));
    cs_buf_fini(&found);
    cs_buf_fini(&detail);
    cs_free(path);
    return ret;
}

/* What the same command leaves when it is killed, or power fails, before it is done. */
static bool is_unfinished(const char *home, const char *name, const cs_buf_t *config)
{
    for (size_t i = 0; i < CS_COUNT_OF(record_dirs); i++) {
        if (strcmp(name, record_dirs[i]) == 0) return is_empty_dir(home, name);
    }
    if (strcmp(name, "config") == 0) return has_text(home, name, config);
    return strcmp(name, ".config.tmp") == 0 || strcmp(name, ".identity.tmp") == 0;
}

/* Refuses a directory with anything else in it, so that a wrong --home harms nothing. */
static cs_err_t check_empty(const char *path, const cs_buf_t *config, cs_buf_t *ret_detail)
{
    DIR *dir = opendir(path);
    if (dir == NULL) return cs__home_failed(ret_detail, "read", path, "give another --home");
    bool is_home = false, is_empty = true;
    struct dirent *entry;
    while ((entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        is_home = is_home || strcmp(name, "identity") == 0;
        is_empty = is_empty && is_unfinished(path, name, config);
    }
    closedir(dir);
    if (is_home) {
        cs__home_detail(
            ret_detail,
            "cannot make a home in %s: there is one; use it, or give another --home", path);
        return CS_ERR_EXISTS;
    }
    if (!is_empty) {
        cs__home_detail(
            ret_detail,
            "cannot make a home in %s: it is not empty; empty it, or give another --home",
            path);
        return CS_ERR_NOT_EMPTY;
    }
    return CS_OK;
}

static cs_err_t check_init(const char *name, const cs_strings_t *listen, cs_buf_t *ret_detail)
{
    const char *why = name != NULL ? cs_check_name(name) : NULL;
    if (why != NULL) {
        cs__home_detail(ret_detail, "cannot make a home: the name %s; give another --name",
                        why);
        return CS_ERR_USAGE;
    }
    for (size_t i = 0; i < listen->count; i++) {
        why = cs_check_listen(listen->at[i]);
        if (why == NULL) continue;
        cs__home_detail(ret_detail, "cannot make a home: '%.200s' %s; give another --listen",
                        listen->at[i], why);
        return CS_ERR_USAGE;
    }
    return CS_OK;
}

static cs_err_t write_in(const char *home, const char *name, const cs_buf_t *text,
                         cs_buf_t *ret_detail)
{
    char *path = cs__home_join(home, NULL, name);
    cs_err_t err = cs_file_write(path, cs_buf_slice(text), ret_detail);
    cs_free(path);
    return err;
}

/* The identity comes last: with it the directory is a home. */
static cs_err_t fill(const char *path, const cs_buf_t *config, cs_buf_t *ret_detail)
{
    if (chmod(path, 0700) != 0) {
        return cs__home_failed(ret_detail, "protect", path, "give a --home of your own");
    }
    for (size_t i = 0; i < CS_COUNT_OF(record_dirs); i++) {
        char *dir = cs__home_join(path, NULL, record_dirs[i]);
        bool made = mkdir(dir, 0700) == 0 || errno == EEXIST;
        cs_err_t err =
            made ? CS_OK : cs__home_failed(ret_detail, "make", dir, "check the file system");
        cs_free(dir);
        if (err != CS_OK) return err;
    }
    cs_err_t err = write_in(path, "config", config, ret_detail);
    if (err == CS_OK) {
        cs_buf_t text = {0};
        cs_identity_t identity;
        cs_identity_generate(&identity);
        cs_identity_text(&identity, &text);
        err = write_in(path, "identity", &text, ret_detail);
        cs_identity_wipe(&identity);
        cs__home_wipe(&text);
    }
    return err == CS_OK ? cs_file_sync_parent(path, ret_detail) : err;
}

cs_err_t cs_home_init(const char *path, const char *name, const cs_strings_t *listen,
                      cs_buf_t *ret_detail)
{
    cs_err_t err = check_init(name, listen, ret_detail);
    if (err != CS_OK) return err;
    cs_buf_t config = {0};
    cs_config_text(name, listen, &config);
    err = cs_check_home_place(path, ret_detail);
    if (err == CS_OK) err = make_dirs(path, ret_detail);
    if (err == CS_OK) err = check_empty(path, &config, ret_detail);
    if (err == CS_OK) err = fill(path, &config, ret_detail);
    cs_buf_fini(&config);
    return err;
}
