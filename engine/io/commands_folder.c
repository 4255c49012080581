/* commands_folder.c - `folder set`: settings of a folder, kept in its record and taken up at
 * once. */
#include <string.h>

#include "base/mem.h"
#include "io/commands_internal.h"
#include "io/daemon_shell.h"
#include "io/exit_codes.h"
#include "io/suggest.h"

static const char *check_value(cs_setting_t setting, const char *value, cs_buf_t *why)
{
    const char *refused = cs_setting_check(setting, value);
    if (refused != NULL || !cs__schedule_has(setting)) return refused;
    cs_cron_t cron;
    if (cs__schedule_parse(setting, value, &cron, why) == CS_OK) return NULL;
    cs_buf_put_u8(why, 0);
    return (const char *)why->data;
}

static int unknown_key(cs_ask_t *ask, const char *key)
{
    const char *keys[CS_SETTING_COUNT + 1] = {0};
    for (size_t i = 0; i < CS_SETTING_COUNT; i++) {
        keys[i] = cs_setting_key((cs_setting_t)i);
    }
    const char *nearest = cs_suggest(key, keys);
    return cs__ask_fail(
        ask, CS_EXIT_USAGE,
        "cannot set %s: there is no such setting; %s%s%sthere are scan, verify, "
        "pause, resume, watch, brake, trash-mib and durability",
        key, nearest != NULL ? "did you mean '" : "", nearest != NULL ? nearest : "",
        nearest != NULL ? "'? " : "");
}

/* One KEY=VALUE; an empty value goes back to the default. */
static int set_one(cs_ask_t *ask, const char *text, cs_folder_record_t *record)
{
    char key[32];
    const char *equals = strchr(text, '=');
    size_t len = equals != NULL ? (size_t)(equals - text) : 0;
    if (len == 0 || len >= sizeof key) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot set '%.100s': it is not KEY=VALUE; see folder set --help",
                            text);
    }
    memcpy(key, text, len);
    key[len] = '\0';
    cs_setting_t setting = cs_setting_find(key);
    if (setting == CS_SETTING_COUNT) {
        return unknown_key(ask, key);
    }
    const char *value = equals + 1;
    cs_buf_t detail = {0};
    const char *why = *value != '\0' ? check_value(setting, value, &detail) : NULL;
    int exit_code = CS_EXIT_DONE;
    if (why != NULL) {
        exit_code =
            cs__ask_fail(ask, CS_EXIT_USAGE, "cannot set %s to '%.100s': %.200s; give another",
                         key, value, why);
    } else {
        cs_free(record->setting[setting]);
        record->setting[setting] = *value != '\0' ? cs_strdup(value) : NULL;
    }
    cs_buf_fini(&detail);
    return exit_code;
}

/* A setting that can cost something says so. */
static void put_notes(const cs_folder_record_t *record, cs_json_t *json)
{
    const char *durability = record->setting[CS_SETTING_DURABILITY];
    cs_json_key(json, "notes");
    cs_json_begin(json, '[');
    if (durability != NULL && strcmp(durability, "none") == 0) {
        cs_json_text(json,
                     "durability=none: what a power cut makes of files that the system had not "
                     "written yet is shared as if you had done it; others keep what it "
                     "replaces in their trash");
    }
    cs_json_end(json, ']');
}

static void answer_settings(cs_ask_t *ask, const cs_folder_record_t *record)
{
    cs_json_t json = {0};
    cs_json_begin(&json, '{');
    cs_json_put_text(&json, "folder", record->id);
    for (size_t i = 0; i < CS_SETTING_COUNT; i++) {
        cs_json_put_text(&json, cs_setting_key((cs_setting_t)i), record->setting[i]);
    }
    put_notes(record, &json);
    cs_json_end(&json, '}');
    cs__ask_data(ask, &json);
}

int cs__cmd_folder_set(cs_ask_t *ask)
{
    cs_arg_t arg;
    size_t count = cs__ask_arg_count(ask);
    if (count < 2 || !cs__ask_arg(ask, 0, &arg)) {
        return cs__ask_fail(ask, CS_EXIT_USAGE,
                            "cannot set anything: give a folder and KEY=VALUE");
    }
    cs_mounted_t *folder = cs__ask_folder(ask, &arg);
    cs__arg_fini(&arg);
    if (folder == NULL) return CS_EXIT_FAILED;

    cs_folder_record_t record = {0};
    cs_folder_record_copy(&record, &folder->record);
    int exit_code = CS_EXIT_DONE;
    for (size_t i = 1; i < count && exit_code == CS_EXIT_DONE; i++) {
        if (!cs__ask_arg(ask, i, &arg)) break;
        exit_code = set_one(ask, arg.raw, &record);
        cs__arg_fini(&arg);
    }
    if (exit_code == CS_EXIT_DONE) {
        cs_err_t err = cs_home_folder_put(ask->daemon->home, &record, &ask->detail);
        exit_code = err == CS_OK ? CS_EXIT_DONE : CS_EXIT_FAILED;
    }
    if (exit_code == CS_EXIT_DONE) {
        cs_folder_record_fini(&folder->record);
        folder->record = record;
        cs_daemon_settings_changed(ask->daemon, folder);
        answer_settings(ask, &folder->record);
    } else {
        cs_folder_record_fini(&record);
    }
    return exit_code;
}
