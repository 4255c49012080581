/* scale.h - the results of `scale`, and how they are shown. */
#ifndef CS_SIM_CLI_SCALE_H
#define CS_SIM_CLI_SCALE_H

#include "sim/cli/cli.h"
#include "sim/scale.h"

#define CS_SCALE_POINTS_MAX 32u /* numbers of nodes, times topologies, in one call */

typedef struct cs_scale_point {
    cs_scale_config_t config;
    cs_scale_result_t result;
    double real_s, memory_mib; /* of the process that ran it: at most, in memory */
} cs_scale_point_t;

typedef struct cs_scale_points {
    cs_scale_point_t *item;
    size_t len;
} cs_scale_points_t;

/* Kinds of messages that belong together. */
typedef enum cs_scale_part {
    CS_SCALE_HELLO,    /* and PEX: who is there */
    CS_SCALE_HAVE,     /* digests, and what is known of others */
    CS_SCALE_ENTRIES,  /* pushed at once */
    CS_SCALE_EXCHANGE, /* reconciliation */
    CS_SCALE_CONTENT,  /* bytes of files, and questions for them */
    CS_SCALE_PARTS
} cs_scale_part_t;
extern const char *const cs_scale_part_name[CS_SCALE_PARTS];
cs_scale_part_t cs_scale_part_of(unsigned type);
/* Bytes of each part. */
void cs_scale_parts_of(const cs_scale_window_t *window, double ret[CS_SCALE_PARTS]);

/* "mesh" or "eight". */
const char *cs_scale_topology(const cs_scale_config_t *config);
void cs_scale_page(const cs_scale_points_t *points, cs_buf_t *ret);

#endif
