/* places.c - paths of the machine, compared without links. */
#include "io/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

char *cs_real_path(const char *path)
{
    char *head = cs_strdup(path);
    size_t cut = strlen(head);
    char *real = realpath(head, NULL);
    while (real == NULL && errno == ENOENT && cut > 1) {
        while (cut > 1 && head[cut - 1] != '/') {
            cut--;
        }
        while (cut > 1 && head[cut - 1] == '/') {
            cut--;
        }
        head[cut] = '\0';
        real = realpath(head, NULL);
    }
    cs_free(head);
    if (real == NULL) return NULL;
    const char *rest = path + cut;
    while (*rest == '/') {
        rest++;
    }
    size_t len = strlen(real) + strlen(rest) + 2;
    char *whole = cs_malloc(len);
    bool root = strcmp(real, "/") == 0;
    snprintf(whole, len, "%s%s%s", real, *rest != '\0' && !root ? "/" : "", rest);
    free(real);
    return whole;
}

bool cs_is_in(const char *path, const char *dir)
{
    size_t len = strlen(dir);
    if (len == 1) return true;
    return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool cs_has_entry(const char *dir, const char *name)
{
    cs_buf_t path = {0};
    struct stat st;
    cs_buf_printf(&path, "%s/%s", dir, name);
    cs_buf_put_u8(&path, 0);
    bool there = lstat((const char *)path.data, &st) == 0;
    cs_buf_fini(&path);
    return there;
}

cs_err_t cs_check_home_place(const char *home, cs_buf_t *ret_detail)
{
    char *dir = cs_real_path(home);
    cs_err_t err = CS_OK;
    for (char *cut = dir; err == CS_OK && cut != NULL;) {
        if (cs_has_entry(dir, CS_FOLDER_MARKER)) {
            cs_buf_clear(ret_detail);
            cs_buf_printf(ret_detail,
                          "cannot use %s: the home lies in the folder %s, to whose members its "
                          "secret key would be sent; put it elsewhere",
                          home, dir);
            err = CS_ERR_EXISTS;
        }
        cut = strrchr(dir, '/');
        if (cut != NULL) *cut = '\0';
    }
    cs_free(dir);
    return err;
}
