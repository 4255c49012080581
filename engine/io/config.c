/* config.c - one table of keys for the file, the environment and the defaults. */
#include "io/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "io/records.h"

#define VARIABLE_BYTES_MAX 64u

static const char *parse_name(void *record, const char *value)
{
    cs_config_t *config = record;
    const char *why = cs_check_name(value);
    if (why != NULL) return why;
    cs_free(config->node_name);
    config->node_name = cs_strdup(value);
    return NULL;
}

static const char *parse_listen(void *record, const char *value)
{
    cs_config_t *config = record;
    const char *why = cs_check_listen(value);
    if (why != NULL) return why;
    if (cs_strings_has(&config->listen, value)) return "occurs twice";
    cs_strings_add(&config->listen, value);
    return NULL;
}

static const char *parse_watch(void *record, const char *value)
{
    cs_config_t *config = record;
    const char *why = cs_setting_check(CS_SETTING_WATCH, value);
    if (why != NULL) return why;
    cs_free(config->watch);
    config->watch = cs_strdup(value);
    return NULL;
}

static const char *parse_find_peers(void *record, const char *value)
{
    cs_config_t *config = record;
    bool yes = strcmp(value, "yes") == 0;
    if (!yes && strcmp(value, "no") != 0) return "must be yes or no";
    config->no_finding = !yes;
    return NULL;
}

static const char *parse_peers_max(void *record, const char *value)
{
    cs_config_t *config = record;
    bool good = cs_parse_u32(value, 1, CS_CONFIG_PEERS_MAX, &config->peers_max);
    return good ? NULL : "must be a number from 1 to 1000";
}

static const char *parse_memory(void *record, const char *value)
{
    cs_config_t *config = record;
    bool good =
        cs_parse_u32(value, CS_CONFIG_MEMORY_MIN, CS_CONFIG_MEMORY_MAX, &config->memory_mib);
    return good ? NULL : "must be a number of MiB from 64 to 65536";
}

static const char *parse_rate(void *record, cs_rate_kind_t kind, const char *value)
{
    cs_config_t *config = record;
    bool good = cs_rate_plan_parse(value, &config->rate[kind]) == CS_OK;
    return good
               ? NULL
               : "must be a number of KiB a second, 0 for no limit, and up to 8 changes, as in "
                 "'0; 0 8 * * mon-fri = 500; 0 18 * * mon-fri = 0'";
}

static const char *parse_up(void *record, const char *value)
{
    return parse_rate(record, CS_RATE_UP, value);
}

static const char *parse_down(void *record, const char *value)
{
    return parse_rate(record, CS_RATE_DOWN, value);
}

static const char *parse_peer_up(void *record, const char *value)
{
    return parse_rate(record, CS_RATE_PEER_UP, value);
}

static const char *parse_peer_down(void *record, const char *value)
{
    return parse_rate(record, CS_RATE_PEER_DOWN, value);
}

static const char *parse_log_level(void *record, const char *value)
{
    cs_config_t *config = record;
    bool good = cs_log_level_parse(value, &config->log_level);
    return good ? NULL : "must be error, warning, info or debug";
}

static const cs_zpl_field_t fields[] = {
    {"node", "name", false, false, parse_name},
    {"node", "listen", false, true, parse_listen},
    {"node", "watch", false, false, parse_watch},
    {"node", "find-peers", false, false, parse_find_peers},
    {"limits", "max-peers", false, false, parse_peers_max},
    {"limits", "memory-mib", false, false, parse_memory},
    {"limits", "up-kib", false, false, parse_up},
    {"limits", "down-kib", false, false, parse_down},
    {"limits", "peer-up-kib", false, false, parse_peer_up},
    {"limits", "peer-down-kib", false, false, parse_peer_down},
    {"log", "level", false, false, parse_log_level},
};

bool cs_log_level_parse(const char *name, cs_log_level_t *ret)
{
    static const struct {
        const char *name;
        cs_log_level_t level;
    } levels[] = {{"error", CS_LOG_ERROR},
                  {"warning", CS_LOG_WARNING},
                  {"info", CS_LOG_INFO},
                  {"debug", CS_LOG_DEBUG}};
    for (size_t i = 0; i < CS_COUNT_OF(levels); i++) {
        if (strcmp(levels[i].name, name) != 0) continue;
        *ret = levels[i].level;
        return true;
    }
    return false;
}

static void variable_name(const cs_zpl_field_t *field, char ret[VARIABLE_BYTES_MAX])
{
    snprintf(ret, VARIABLE_BYTES_MAX, "CRDTSYNC_%s_%s", field->section, field->key);
    for (char *at = ret; *at != '\0'; at++) {
        if (*at == '-') *at = '_';
        *at = (char)toupper((unsigned char)*at);
    }
}

/* Gives the field each of the values that commas separate. */
static void override_each(const cs_zpl_field_t *field, const char *variable, const char *text,
                          cs_config_t *config, cs_mistakes_t *mistakes)
{
    char *copy = cs_strdup(text), *rest = copy, *value;
    while ((value = strsep(&rest, field->repeats ? "," : "")) != NULL) {
        const char *why = field->parse(config, value);
        if (why != NULL) cs_mistakes_add(mistakes, 0, "%s = '%s' %s", variable, value, why);
    }
    cs_free(copy);
}

static void override_all(cs_config_t *config, cs_mistakes_t *mistakes)
{
    for (size_t i = 0; i < CS_COUNT_OF(fields); i++) {
        char variable[VARIABLE_BYTES_MAX];
        variable_name(&fields[i], variable);
        const char *text = getenv(variable);
        if (text == NULL || text[0] == '\0') continue;
        if (fields[i].repeats) cs_strings_fini(&config->listen);
        override_each(&fields[i], variable, text, config, mistakes);
    }
}

/* A variable that looks like one of ours, and is none. */
static void refuse_unknown(cs_mistakes_t *mistakes)
{
    for (char **at = environ; *at != NULL; at++) {
        const char *equals = strchr(*at, '=');
        size_t len = equals != NULL ? (size_t)(equals - *at) : 0;
        bool ours = false, known = false;
        for (size_t i = 0; len > 0 && i < CS_COUNT_OF(fields); i++) {
            char variable[VARIABLE_BYTES_MAX];
            variable_name(&fields[i], variable);
            size_t section = strlen("CRDTSYNC_") + strlen(fields[i].section) + 1;
            ours = ours || strncmp(*at, variable, section) == 0;
            known = known || (strlen(variable) == len && memcmp(*at, variable, len) == 0);
        }
        if (ours && !known) {
            cs_mistakes_add(mistakes, 0, "%.*s is the variable of no key", (int)len, *at);
        }
    }
}

static char *host_name(void)
{
    char name[65]; /* cs_check_name takes 64 */
    bool good = gethostname(name, sizeof name) == 0;
    name[sizeof name - 1] = '\0';
    return cs_strdup(good && cs_check_name(name) == NULL ? name : "node");
}

void cs_config_load(cs_slice_t text, cs_config_t *ret, cs_mistakes_t *mistakes)
{
    *ret = (cs_config_t){
        .peers_max = CS_PEERS_MAX,
        .memory_mib = CS_CONFIG_MEMORY_DEFAULT,
        .log_level = CS_LOG_INFO,
    };
    cs_zpl_load(text, fields, CS_COUNT_OF(fields), ret, mistakes);
    override_all(ret, mistakes);
    refuse_unknown(mistakes);
    if (ret->node_name == NULL) ret->node_name = host_name();
    if (ret->listen.count == 0) cs_strings_add(&ret->listen, CS_CONFIG_LISTEN_DEFAULT);
}

void cs_config_fini(cs_config_t *config)
{
    cs_free(config->node_name);
    cs_free(config->watch);
    cs_strings_fini(&config->listen);
    *config = (cs_config_t){0};
}

void cs_config_text(const char *node_name, const cs_strings_t *listen, cs_buf_t *ret)
{
    char *host = node_name == NULL ? host_name() : NULL;
    cs_buf_clear(ret);
    cs_buf_printf(ret, "# Configuration of this node. Check it with: crdtsync config check\n");
    cs_zpl_put_section(ret, "node");
    cs_zpl_put(ret, "name", node_name != NULL ? node_name : host);
    for (size_t i = 0; i < listen->count; i++) {
        cs_zpl_put(ret, "listen", listen->at[i]);
    }
    if (listen->count == 0) cs_zpl_put(ret, "listen", CS_CONFIG_LISTEN_DEFAULT);
    cs_zpl_put_section(ret, "limits");
    cs_buf_printf(ret, "    max-peers = %u      # connected at a time\n", CS_PEERS_MAX);
    cs_buf_printf(
        ret, "    memory-mib = %u    # of which contents in flight take what is left of 40\n",
        CS_CONFIG_MEMORY_DEFAULT);
    cs_buf_printf(ret, "    up-kib = 0          # KiB a second to all peers together, down-kib "
                       "from them; 0: no limit\n");
    cs_zpl_put_section(ret, "log");
    cs_buf_printf(ret, "    level = \"info\"    # error, warning, info or debug\n");
    cs_free(host);
}
