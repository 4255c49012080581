/* records_settings.c - the settings of a folder: their keys, and what they may be. */
#include <string.h>

#include "base/mem.h"
#include "io/records.h"

#define TRASH_MIB_MAX    (1u << 30) /* a pebibyte */
#define PERCENT_MAX      100u
#define SETTING_TEXT_MAX 200u

static const char *const setting_keys[] = {
#define X(name, key) [CS_SETTING_##name] = (key),
    CS_SETTING_MAP(X)
#undef X
};

cs_setting_t cs_setting_find(const char *key)
{
    size_t i = 0;
    while (i < CS_SETTING_COUNT && strcmp(setting_keys[i], key) != 0) {
        i++;
    }
    return (cs_setting_t)i;
}

const char *cs_setting_key(cs_setting_t setting)
{
    CS_ASSERT(setting < CS_SETTING_COUNT);
    return setting_keys[setting];
}

static bool is_brake(const char *value)
{
    uint32_t number;
    if (strcmp(value, "off") == 0 || cs_parse_u32(value, 1, UINT32_MAX, &number)) return true;
    size_t len = strlen(value);
    if (len < 2 || len > 4 || value[len - 1] != '%') return false;
    char digits[4] = {0};
    memcpy(digits, value, len - 1);
    return cs_parse_u32(digits, 1, PERCENT_MAX, &number);
}

#define IS_ONE_OF(known, value) is_one_of(known, CS_COUNT_OF(known), value)
static bool is_one_of(const char *const *known, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(known[i], value) == 0) return true;
    }
    return false;
}

/* With words of older versions: "on" is auto, "batch" is group, "file" is strict. */
static const char *const watches[] = {"auto", "inotify", "fanotify", "off", "on"};
static const char *const durabilities[] = {"strict", "group", "none", "batch", "file"};

const char *cs_setting_check(cs_setting_t setting, const char *value)
{
    uint32_t number;
    switch (setting) {
    case CS_SETTING_SCAN:
    case CS_SETTING_VERIFY:
    case CS_SETTING_PAUSE:
    case CS_SETTING_RESUME:
        if (value[0] != '\0' && strlen(value) <= SETTING_TEXT_MAX && cs_zpl_holds(value)) {
            return NULL;
        }
        return "must be a schedule: five cron fields, @hourly, @daily or @every 30s";
    case CS_SETTING_WATCH:
        return IS_ONE_OF(watches, value) ? NULL : "must be auto, inotify, fanotify or off";
    case CS_SETTING_BRAKE:
        return is_brake(value) ? NULL
                               : "must be off, a number of files, or a percentage like 25%";
    case CS_SETTING_TRASH_MIB:
        return cs_parse_u32(value, 0, TRASH_MIB_MAX, &number) ? NULL
                                                              : "must be a number of MiB";
    case CS_SETTING_DURABILITY:
        return IS_ONE_OF(durabilities, value) ? NULL : "must be strict, group or none";
    case CS_SETTING_COUNT:
        break;
    }
    CS_ASSERT(false);
    return NULL;
}
