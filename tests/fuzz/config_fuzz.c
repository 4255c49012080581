/* config_fuzz.c - any config file under any variable of the environment: mistakes are named,
 * and what has none is within its bounds and is written so that it loads again. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/config.h"
#include "support/feed.h"

static const char *const variables[] = {"CRDTSYNC_NODE_NAME", "CRDTSYNC_NODE_LISTEN",
                                        "CRDTSYNC_LIMITS_MAX_PEERS",
                                        "CRDTSYNC_LIMITS_MEMORY_MIB", "CRDTSYNC_LOG_LEVEL"};

static void check(const cs_config_t *config)
{
    cs_config_t again;
    cs_mistakes_t mistakes = {0};
    cs_buf_t text = {0};
    require(config->peers_max >= 1 && config->peers_max <= CS_CONFIG_PEERS_MAX);
    require(config->memory_mib >= CS_CONFIG_MEMORY_MIN);
    require(config->memory_mib <= CS_CONFIG_MEMORY_MAX);
    require(cs_check_name(config->node_name) == NULL && config->listen.count > 0);
    cs_config_text(config->node_name, &config->listen, &text);
    for (size_t i = 0; i < CS_COUNT_OF(variables); i++)
        unsetenv(variables[i]);
    cs_config_load(cs_buf_slice(&text), &again, &mistakes);
    require(mistakes.count == 0 && strcmp(again.node_name, config->node_name) == 0);
    require(again.listen.count == config->listen.count);
    cs_config_fini(&again);
    cs_mistakes_fini(&mistakes);
    cs_buf_fini(&text);
}

/* u8 variable (beyond the known: none), its value up to a line end, the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size == 0 ? NULL : memchr(data, '\n', size);
    if (end == NULL) return 0;
    size_t len = (size_t)(end - data);
    cs_config_t config;
    cs_mistakes_t mistakes = {0};
    if (data[0] - '0' < (int)CS_COUNT_OF(variables) && data[0] >= '0') {
        char *value = cs_malloc(len);
        memcpy(value, data + 1, len - 1);
        value[len - 1] = '\0';
        setenv(variables[data[0] - '0'], value, 1);
        cs_free(value);
    }
    cs_config_load(cs_slice(end + 1, size - len - 1), &config, &mistakes);
    if (mistakes.count == 0) check(&config);
    for (size_t i = 0; i < CS_COUNT_OF(variables); i++)
        unsetenv(variables[i]);
    cs_config_fini(&config);
    cs_mistakes_fini(&mistakes);
    return 0;
}
