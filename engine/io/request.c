/* request.c - see request.h. */
#include "io/request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"

/* --- paths */

/* Appends the components of `rest` to an absolute path without links: "." and ".." as words,
 * for what does not exist has no links. */
static void append_words(cs_buf_t *path, const char *rest)
{
    while (*rest != '\0') {
        size_t len = strcspn(rest, "/");
        if (len == 2 && strncmp(rest, "..", 2) == 0) {
            while (path->len > 0 && path->data[path->len - 1] != '/') {
                path->len--;
            }
            if (path->len > 0) path->len--;
        } else if (len > 0 && !(len == 1 && rest[0] == '.')) {
            cs_buf_put_u8(path, '/');
            cs_buf_put(path, rest, len);
        }
        rest += len;
        while (*rest == '/') {
            rest++;
        }
    }
}

/* Links resolved as far as it exists. NULL: cannot be. */
static char *resolve(const char *path)
{
    char *head = cs_strdup(path);
    size_t cut = strlen(head);
    char *real = realpath(head, NULL);
    while (real == NULL && errno == ENOENT && cut > 0) {
        while (cut > 0 && head[cut - 1] != '/') {
            cut--;
        }
        while (cut > 1 && head[cut - 1] == '/') {
            cut--;
        }
        head[cut] = '\0';
        if (cut == 0) break;
        real = realpath(head, NULL);
    }
    cs_free(head);
    if (real == NULL && cut == 0) real = realpath(".", NULL); /* no part of it exists */
    if (real == NULL) return NULL;
    cs_buf_t whole = {0};
    if (strcmp(real, "/") != 0) cs_buf_put(&whole, real, strlen(real));
    free(real);
    const char *rest = path + cut;
    while (*rest == '/') {
        rest++;
    }
    append_words(&whole, rest);
    if (whole.len == 0) cs_buf_put_u8(&whole, '/');
    cs_buf_put_u8(&whole, 0);
    return (char *)whole.data;
}

/* The last component as it is: it may be a link that is meant itself. */
static char *resolve_parent(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/') {
        len--;
    }
    size_t from = len;
    while (from > 0 && path[from - 1] != '/') {
        from--;
    }
    size_t base = len - from;
    bool dots =
        (base == 1 && path[from] == '.') || (base == 2 && !strncmp(path + from, "..", 2));
    if (base == 0 || dots) return resolve(path);
    cs_buf_t parent = {0};
    if (from == 0) cs_buf_put_u8(&parent, '.');
    cs_buf_put(&parent, path, from);
    cs_buf_put_u8(&parent, 0);
    char *dir = resolve((const char *)parent.data);
    cs_buf_fini(&parent);
    if (dir == NULL) return NULL;
    cs_buf_t whole = {0};
    if (strcmp(dir, "/") != 0) cs_buf_put(&whole, dir, strlen(dir));
    cs_buf_put_u8(&whole, '/');
    cs_buf_put(&whole, path + from, base);
    cs_buf_put_u8(&whole, 0);
    cs_free(dir);
    return (char *)whole.data;
}

static void set_hex(json_t *object, const char *key, const char *text)
{
    if (text == NULL) return;
    size_t len = strlen(text);
    char *hex = cs_malloc(2 * len + 1);
    cs_hex(hex, text, len);
    json_object_set_new(object, key, json_string(hex));
    cs_free(hex);
}

static json_t *argument(const char *text)
{
    json_t *arg = json_object();
    char *absolute = text[0] != '\0' ? resolve_parent(text) : NULL;
    char *real = text[0] != '\0' ? realpath(text, NULL) : NULL;
    set_hex(arg, "raw", text);
    set_hex(arg, "abs", absolute);
    set_hex(arg, "real", real);
    cs_free(absolute);
    free(real);
    return arg;
}

json_t *cs_request(const char *cmd, const char *const *args, size_t count)
{
    json_t *request = json_object();
    json_t *list = json_array();
    json_object_set_new(request, "cmd", json_string(cmd));
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(list, argument(args[i]));
    }
    json_object_set_new(request, "args", list);
    return request;
}
