/* records.c - a table of fields for each kind of record. */
#include "io/records.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/standing_text.h"

#define USES_MAX     1000000u
#define HEX_TEXT_MAX (2u * CS_PATH_MAX + 1)

static const char *take_hex(void *ret, size_t len, const char *value)
{
    bool good = cs_unhex(ret, len, cs_slice_text(value));
    if (good) return NULL;
    return len == CS_KEY_BYTES ? "must be 64 hex digits" : "must be 32 hex digits";
}

static const char *take_bool(bool *ret, const char *value, const char *no, const char *yes)
{
    *ret = strcmp(value, yes) == 0;
    return *ret || strcmp(value, no) == 0 ? NULL : "is none of the allowed words";
}

static const char *take_id(char ret[CS_ID_TEXT], const char *value)
{
    const char *why = cs_check_folder_id(value);
    if (why == NULL) memcpy(ret, value, strlen(value) + 1);
    return why;
}

static void take_text(char **ret, const char *value)
{
    cs_free(*ret);
    *ret = cs_strdup(value);
}

static const char *folder_id(void *record, const char *value)
{
    return take_id(((cs_folder_record_t *)record)->id, value);
}

static const char *folder_number(void *record, const char *value)
{
    bool good = cs_parse_u32(value, 1, UINT32_MAX, &((cs_folder_record_t *)record)->number);
    return good ? NULL : "must be a number from 1";
}

static const char *folder_path(void *record, const char *value)
{
    if (value[0] != '/') return "must begin with /";
    take_text(&((cs_folder_record_t *)record)->path, value);
    return NULL;
}

static const char *folder_path_hex(void *record, const char *value)
{
    static const char why[] = "must be the hex digits of a path that begins with /";
    size_t digits = strlen(value);
    if (digits == 0 || digits % 2 != 0 || digits >= HEX_TEXT_MAX) return why;
    char *path = cs_calloc(1, digits / 2 + 1);
    bool good = cs_unhex(path, digits / 2, cs_slice(value, digits)) && path[0] == '/' &&
                strlen(path) == digits / 2;
    if (good) take_text(&((cs_folder_record_t *)record)->path, path);
    cs_free(path);
    return good ? NULL : why;
}

static const char *folder_secret(void *record, const char *value)
{
    return take_hex(((cs_folder_record_t *)record)->secret, CS_SECRET_BYTES, value);
}

static const char *folder_marker(void *record, const char *value)
{
    return take_hex(((cs_folder_record_t *)record)->marker, CS_MARKER_BYTES, value);
}

static const char *folder_modes(void *record, const char *value)
{
    return take_bool(&((cs_folder_record_t *)record)->modes_exec, value, "all", "exec");
}

static const char *folder_paused(void *record, const char *value)
{
    return take_bool(&((cs_folder_record_t *)record)->paused, value, "no", "yes");
}

static const char *take_setting(void *record, cs_setting_t setting, const char *value)
{
    const char *why = cs_setting_check(setting, value);
    if (why == NULL) take_text(&((cs_folder_record_t *)record)->setting[setting], value);
    return why;
}

/* The table takes functions, so each setting has one. */
#define X(name, key)                                                   \
    static const char *setting_##name(void *record, const char *value) \
    {                                                                  \
        return take_setting(record, CS_SETTING_##name, value);         \
    }
CS_SETTING_MAP(X)
#undef X

static const cs_zpl_field_t folder_fields[] = {
    {"folder", "id", true, false, folder_id},
    {"folder", "number", true, false, folder_number},
    {"folder", "path", false, false, folder_path},
    {"folder", "path-hex", false, false, folder_path_hex},
    {"folder", "secret", true, false, folder_secret},
    {"folder", "marker", true, false, folder_marker},
    {"folder", "modes", true, false, folder_modes},
    {"folder", "paused", false, false, folder_paused},
#define X(name, key) {"settings", key, false, false, setting_##name},
    CS_SETTING_MAP(X)
#undef X
};

static const char *peer_key(void *record, const char *value)
{
    return take_hex(((cs_peer_record_t *)record)->key, CS_KEY_BYTES, value);
}

static const char *peer_name(void *record, const char *value)
{
    const char *why = cs_check_name(value);
    if (why == NULL) take_text(&((cs_peer_record_t *)record)->name, value);
    return why;
}

static const char *peer_endpoint(void *record, const char *value)
{
    const char *why = cs_check_endpoint(value);
    if (why == NULL) take_text(&((cs_peer_record_t *)record)->endpoint, value);
    return why;
}

static const char *peer_heard(void *record, const char *value)
{
    cs_peer_record_t *peer = record;
    const char *why = cs_check_endpoint(value);
    if (why == NULL && peer->heard.count == CS_ENDPOINTS_MAX) why = "must not occur so often";
    if (why == NULL) cs_strings_add(&peer->heard, value);
    return why;
}

static const char *peer_folder(void *record, const char *value)
{
    cs_peer_record_t *peer = record;
    const char *why = cs_check_folder_id(value);
    if (why == NULL && cs_strings_has(&peer->folders, value)) why = "occurs twice";
    if (why == NULL) cs_strings_add(&peer->folders, value);
    return why;
}

static const char *peer_removed(void *record, const char *value)
{
    return take_bool(&((cs_peer_record_t *)record)->removed, value, "no", "yes");
}

static const char *peer_cut_off(void *record, const char *value)
{
    return take_bool(&((cs_peer_record_t *)record)->cut_off, value, "no", "yes");
}

static const char *peer_standing(void *record, const char *value)
{
    char folder[CS_ID_TEXT];
    cs_standing_t standing;
    bool good = cs_standing_parse(value, folder, &standing);
    if (good) cs_strings_add(&((cs_peer_record_t *)record)->standings, value);
    return good ? NULL : "must be a folder, a number, in or out, and two runs of hex digits";
}

static const cs_zpl_field_t peer_fields[] = {
    {"peer", "key", true, false, peer_key},
    {"peer", "name", false, false, peer_name},
    {"peer", "endpoint", false, false, peer_endpoint},
    {"peer", "heard", false, true, peer_heard},
    {"peer", "folder", false, true, peer_folder},
    {"peer", "removed", false, false, peer_removed},
    {"peer", "cut-off", false, false, peer_cut_off},
    {"peer", "standing", false, true, peer_standing},
};

static const char *invite_key(void *record, const char *value)
{
    return take_hex(((cs_invite_record_t *)record)->key, CS_KEY_BYTES, value);
}

static const char *invite_folder(void *record, const char *value)
{
    return take_id(((cs_invite_record_t *)record)->folder, value);
}

static const char *invite_uses(void *record, const char *value)
{
    bool good = cs_parse_u32(value, 1, USES_MAX, &((cs_invite_record_t *)record)->uses_left);
    return good ? NULL : "must be a number from 1 to 1000000";
}

static const cs_zpl_field_t invite_fields[] = {
    {"invite", "key", true, false, invite_key},
    {"invite", "folder", true, false, invite_folder},
    {"invite", "uses", true, false, invite_uses},
};

void cs_folder_record_load(cs_slice_t text, cs_folder_record_t *ret, cs_mistakes_t *mistakes)
{
    *ret = (cs_folder_record_t){0};
    cs_zpl_load(text, folder_fields, CS_COUNT_OF(folder_fields), ret, mistakes);
    if (ret->path == NULL && mistakes->count == 0) {
        cs_mistakes_add(mistakes, 0, "key 'path' of section 'folder' is missing");
    }
}

void cs_peer_record_load(cs_slice_t text, cs_peer_record_t *ret, cs_mistakes_t *mistakes)
{
    *ret = (cs_peer_record_t){0};
    cs_zpl_load(text, peer_fields, CS_COUNT_OF(peer_fields), ret, mistakes);
}

void cs_invite_record_load(cs_slice_t text, cs_invite_record_t *ret, cs_mistakes_t *mistakes)
{
    *ret = (cs_invite_record_t){0};
    cs_zpl_load(text, invite_fields, CS_COUNT_OF(invite_fields), ret, mistakes);
}

static void check_text(const char *field, const char *value,
                       const char *(*check)(const char *text), cs_mistakes_t *mistakes)
{
    const char *why = value != NULL ? check(value) : NULL;
    if (why != NULL) cs_mistakes_add(mistakes, 0, "%s '%s' %s", field, value, why);
}

void cs_folder_record_check(const cs_folder_record_t *record, cs_mistakes_t *mistakes)
{
    check_text("folder", record->id, cs_check_folder_id, mistakes);
    if (record->number == 0) cs_mistakes_add(mistakes, 0, "the folder has no number");
    if (record->path == NULL || record->path[0] != '/' || strlen(record->path) > CS_PATH_MAX) {
        cs_mistakes_add(mistakes, 0, "the path must begin with / and have at most 4096 bytes");
    }
    for (size_t i = 0; i < CS_SETTING_COUNT; i++) {
        if (record->setting[i] == NULL) continue;
        const char *why = cs_setting_check((cs_setting_t)i, record->setting[i]);
        if (why == NULL) continue;
        cs_mistakes_add(mistakes, 0, "%s = '%s' %s", cs_setting_key((cs_setting_t)i),
                        record->setting[i], why);
    }
}

void cs_peer_record_check(const cs_peer_record_t *record, cs_mistakes_t *mistakes)
{
    check_text("name", record->name, cs_check_name, mistakes);
    check_text("endpoint", record->endpoint, cs_check_endpoint, mistakes);
    for (size_t i = 0; i < record->heard.count; i++) {
        check_text("heard", record->heard.at[i], cs_check_endpoint, mistakes);
    }
    for (size_t i = 0; i < record->folders.count; i++) {
        check_text("folder", record->folders.at[i], cs_check_folder_id, mistakes);
    }
}

void cs_invite_record_check(const cs_invite_record_t *record, cs_mistakes_t *mistakes)
{
    check_text("folder", record->folder, cs_check_folder_id, mistakes);
    if (record->uses_left == 0 || record->uses_left > USES_MAX) {
        cs_mistakes_add(mistakes, 0, "uses must be from 1 to 1000000");
    }
}

static void put_hex(cs_buf_t *buf, const char *key, const void *data, size_t len)
{
    char *hex = cs_malloc(2 * len + 1);
    cs_hex(hex, data, len);
    cs_zpl_put(buf, key, hex);
    explicit_bzero(hex, 2 * len);
    cs_free(hex);
}

static void put_number(cs_buf_t *buf, const char *key, uint32_t number)
{
    cs_buf_printf(buf, "    %s = %u\n", key, number);
}

void cs_folder_record_text(const cs_folder_record_t *record, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_zpl_put_section(ret, "folder");
    cs_zpl_put(ret, "id", record->id);
    put_number(ret, "number", record->number);
    if (cs_zpl_holds(record->path)) {
        cs_zpl_put(ret, "path", record->path);
    } else {
        put_hex(ret, "path-hex", record->path, strlen(record->path));
    }
    put_hex(ret, "secret", record->secret, sizeof record->secret);
    put_hex(ret, "marker", record->marker, sizeof record->marker);
    cs_zpl_put(ret, "modes", record->modes_exec ? "exec" : "all");
    cs_zpl_put(ret, "paused", record->paused ? "yes" : "no");
    cs_zpl_put_section(ret, "settings");
    for (size_t i = 0; i < CS_SETTING_COUNT; i++) {
        const char *key = cs_setting_key((cs_setting_t)i);
        if (record->setting[i] != NULL) cs_zpl_put(ret, key, record->setting[i]);
    }
}

void cs_peer_record_text(const cs_peer_record_t *record, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_zpl_put_section(ret, "peer");
    put_hex(ret, "key", record->key, sizeof record->key);
    if (record->name != NULL) cs_zpl_put(ret, "name", record->name);
    if (record->endpoint != NULL) cs_zpl_put(ret, "endpoint", record->endpoint);
    for (size_t i = 0; i < record->heard.count; i++) {
        cs_zpl_put(ret, "heard", record->heard.at[i]);
    }
    for (size_t i = 0; i < record->folders.count; i++) {
        cs_zpl_put(ret, "folder", record->folders.at[i]);
    }
    if (record->removed) cs_zpl_put(ret, "removed", "yes");
    if (record->cut_off) cs_zpl_put(ret, "cut-off", "yes");
    for (size_t i = 0; i < record->standings.count; i++) {
        cs_zpl_put(ret, "standing", record->standings.at[i]);
    }
}

void cs_invite_record_text(const cs_invite_record_t *record, cs_buf_t *ret)
{
    cs_buf_clear(ret);
    cs_zpl_put_section(ret, "invite");
    put_hex(ret, "key", record->key, sizeof record->key);
    cs_zpl_put(ret, "folder", record->folder);
    put_number(ret, "uses", record->uses_left);
}

void cs_folder_record_copy(cs_folder_record_t *to, const cs_folder_record_t *from)
{
    *to = *from;
    if (from->path != NULL) to->path = cs_strdup(from->path);
    for (size_t i = 0; i < CS_SETTING_COUNT; i++) {
        if (from->setting[i] != NULL) to->setting[i] = cs_strdup(from->setting[i]);
    }
}

void cs_folder_record_fini(cs_folder_record_t *record)
{
    cs_free(record->path);
    for (size_t i = 0; i < CS_SETTING_COUNT; i++) {
        cs_free(record->setting[i]);
    }
    explicit_bzero(record, sizeof *record);
}

void cs_peer_record_remove(cs_peer_record_t *record)
{
    cs_strings_fini(&record->folders);
    cs_strings_fini(&record->heard);
    cs_free(record->endpoint);
    record->endpoint = NULL;
    record->removed = true;
}

bool cs_peer_record_is_out(const cs_peer_record_t *record)
{
    return record->removed || record->cut_off;
}

void cs_peer_record_admit(cs_peer_record_t *record, const char *folder)
{
    record->removed = record->cut_off = false;
    if (folder == NULL || cs_strings_has(&record->folders, folder)) return;
    cs_strings_add(&record->folders, folder);
}

void cs_peer_record_fini(cs_peer_record_t *record)
{
    cs_free(record->name);
    cs_free(record->endpoint);
    cs_strings_fini(&record->heard);
    cs_strings_fini(&record->folders);
    cs_strings_fini(&record->standings);
    *record = (cs_peer_record_t){0};
}
