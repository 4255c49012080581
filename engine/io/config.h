/* config.h - the user's configuration of a node (cli.md, Settings).
 *
 * Every key has a default, and an environment variable that overrides the file:
 * CRDTSYNC_<SECTION>_<KEY>, upper case, '-' as '_'; several listen endpoints with commas. */
#ifndef CS_IO_CONFIG_H
#define CS_IO_CONFIG_H

#include "io/rate_plan.h"
#include "io/strings.h"
#include "io/zpl.h"

CS_HEADER_BEGIN

#define CS_CONFIG_LISTEN_DEFAULT "tcp://*:24242"
#define CS_CONFIG_MEMORY_DEFAULT 256u /* MiB */
#define CS_CONFIG_MEMORY_MIN     64u  /* MiB: buffers, cache and mapped tables at their least */
#define CS_CONFIG_MEMORY_MAX     65536u /* MiB */
#define CS_CONFIG_PEERS_MAX      1000u /* 3 sockets each must fit CZMQ's 1024 and the fd limit */

typedef enum cs_log_level {
    CS_LOG_ERROR,
    CS_LOG_WARNING,
    CS_LOG_INFO,
    CS_LOG_DEBUG,
} cs_log_level_t;

typedef enum cs_rate_kind {
    CS_RATE_UP,
    CS_RATE_DOWN,
    CS_RATE_PEER_UP,
    CS_RATE_PEER_DOWN,
    CS_RATE_COUNT
} cs_rate_kind_t;

typedef struct cs_config {
    char *node_name;     /* owned; by default the host's name */
    cs_strings_t listen; /* endpoints, at least one */
    bool no_finding;     /* addresses of peers are not told, and not taken of others */
    char *watch;         /* owned; of folders that set nothing else; NULL: auto */
    uint32_t peers_max;
    uint32_t memory_mib;
    cs_rate_plan_t rate[CS_RATE_COUNT];
    cs_log_level_t log_level;
} cs_config_t;

/* The text of a config file, and the environment; mistakes are added, and ret is usable only if
 * there are none. cs_config_fini in any case. */
void cs_config_load(cs_slice_t text, cs_config_t *ret, cs_mistakes_t *mistakes);
void cs_config_fini(cs_config_t *config);

/* The file that `init` writes, with a comment for each key. */
void cs_config_text(const char *node_name, const cs_strings_t *listen, cs_buf_t *ret);

/* False if `name` is none of error, warning, info, debug. */
bool cs_log_level_parse(const char *name, cs_log_level_t *ret);

CS_HEADER_END

#endif
