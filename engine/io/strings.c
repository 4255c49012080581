/* strings.c - see strings.h. */
#include "io/strings.h"

#include <string.h>

#include "base/mem.h"

#define ID_BYTES_MAX       64u
#define ENDPOINT_BYTES_MAX 255u /* of a host name, and far more than any address */
#define PORT_MAX           65535u

void cs_strings_add(cs_strings_t *strings, const char *text)
{
    if (strings->count == strings->cap) {
        strings->cap = cs_grow(strings->cap, strings->count + 1);
        strings->at = cs_realloc_array(strings->at, strings->cap, sizeof strings->at[0]);
    }
    strings->at[strings->count++] = cs_strdup(text);
}

bool cs_strings_has(const cs_strings_t *strings, const char *text)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (strcmp(strings->at[i], text) == 0) return true;
    }
    return false;
}

void cs_strings_drop(cs_strings_t *strings, const char *text)
{
    for (size_t i = 0; i < strings->count; i++) {
        if (strcmp(strings->at[i], text) != 0) continue;
        cs_free(strings->at[i]);
        strings->at[i] = strings->at[--strings->count];
        return;
    }
}

bool cs_strings_eq(const cs_strings_t *a, const cs_strings_t *b)
{
    bool same = a->count == b->count;
    for (size_t i = 0; same && i < a->count; i++) {
        same = strcmp(a->at[i], b->at[i]) == 0;
    }
    return same;
}

void cs_strings_fini(cs_strings_t *strings)
{
    for (size_t i = 0; i < strings->count; i++) {
        cs_free(strings->at[i]);
    }
    cs_free(strings->at);
    *strings = (cs_strings_t){0};
}

const char *cs_check_folder_id(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(text);
    if (len == 0 || len > ID_BYTES_MAX || strspn(text, allowed) != len) {
        return "must be 1 to 64 of a-z 0-9 . _ -";
    }
    return text[0] == '.' ? "must not begin with a dot" : NULL;
}

const char *cs_check_name(const char *text)
{
    size_t len = strlen(text);
    bool good = len > 0 && len <= ID_BYTES_MAX;
    for (size_t i = 0; good && i < len; i++) {
        good = (uint8_t)text[i] >= ' ' && text[i] != '"' && text[i] != 0x7f;
    }
    return good ? NULL : "must be 1 to 64 bytes without control characters and double quotes";
}

static bool is_endpoint(const char *text, bool wildcards)
{
    static const char scheme[] = "tcp://";
    size_t len = strlen(text);
    if (len > ENDPOINT_BYTES_MAX || strncmp(text, scheme, sizeof scheme - 1) != 0) return false;
    const char *host = text + sizeof scheme - 1;
    const char *colon = strrchr(host, ':');
    if (colon == NULL || colon == host) return false;
    for (const char *at = host; *at != '\0'; at++) {
        bool printable = (uint8_t)*at > ' ' && (uint8_t)*at < 0x7f;
        if (!printable || strchr("\"'#,;/", *at) != NULL) return false;
    }
    bool star = colon == host + 1 && host[0] == '*';
    bool bracketed = host[0] == '[' && colon[-1] == ']';
    bool plain = memchr(host, ':', (size_t)(colon - host)) == NULL;
    if ((star && !wildcards) || (!bracketed && !plain)) return false;
    uint32_t port;
    if (strcmp(colon + 1, "*") == 0) return wildcards;
    return cs_parse_u32(colon + 1, 1, PORT_MAX, &port);
}

const char *cs_check_endpoint(const char *text)
{
    return is_endpoint(text, false) ? NULL
                                    : "must be tcp://HOST:PORT (IPv6: tcp://[ADDRESS]:PORT)";
}

const char *cs_check_listen(const char *text)
{
    return is_endpoint(text, true) ? NULL : "must be tcp://ADDRESS:PORT, '*' for any";
}

bool cs_parse_u32(const char *text, uint32_t min, uint32_t max, uint32_t *ret)
{
    uint64_t value = 0;
    size_t len = strlen(text);
    if (len == 0 || len > 10 || strspn(text, "0123456789") != len) return false;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    if (value < min || value > max) return false;
    *ret = (uint32_t)value;
    return true;
}
