/* machine.c - what a node's process runs on: its disks and its wall clock. */
#include "base/mem.h"
#include "disk/scan.h"
#include "sim/world.h"

#define YEAR_2026_NS 1767225600000000000ll
/* Clocks differ by multiples of this, the largest granularity: whether two writes fall into one
 * tick is the disk's affair, and drawn elsewhere. */
#define JUMP_NS 2000000000ll
#define JUMPS   157680000u /* ten years */

const uint8_t cs_sim_marker[16] = {5, 5, 5};
const uint8_t cs_sim_secret[CS_SECRET_BYTES] = {7};

/* --- the clock */

void cs_sim_node_set_clock(cs_sim_node_t *node)
{
    int64_t now_ns = (int64_t)node->sim->now_us * 1000;
    cs_mem_volume_set_time(node->volume, node->wall_ns + now_ns);
}

/* ret: as much less of it as is asked for. Between clocks, and before and after a jump, what
 * was earlier stays so. */
static int64_t jumped_ns(const cs_sim_t *sim, int64_t jumps)
{
    uint64_t by = sim->setup.clocks_by;
    if (by == CS_SIM_CLOCKS_STILL) {
        jumps = 0;
    } else if (by > 1) {
        jumps /= (int64_t)by;
    }
    return YEAR_2026_NS + jumps * JUMP_NS;
}

void cs_sim_node_jump(cs_sim_node_t *node, uint64_t seconds)
{
    int64_t now_ns = (int64_t)node->sim->now_us * 1000;
    int64_t to_ns = (int64_t)seconds * 1000000000 - now_ns;
    node->wall_ns = jumped_ns(node->sim, (to_ns - YEAR_2026_NS) / JUMP_NS);
    cs_sim_node_set_clock(node);
}

static int64_t first_clock(cs_sim_t *sim, unsigned index)
{
    if (sim->options.clocks == 0) return YEAR_2026_NS;
    return jumped_ns(sim, (int64_t)cs_sim_draw(sim, CS_DRAW_LIFE, index, 2, JUMPS));
}

/* --- the disks */

void cs_sim_node_init(cs_sim_t *sim, unsigned index)
{
    static const int64_t grains[] = {1, 1000000, 1000000000, 2000000000};
    const cs_sim_options_t *options = &sim->options;
    cs_sim_node_t *node = &sim->node[index];
    *node = (cs_sim_node_t){.sim = sim, .index = index, .wall_ns = first_clock(sim, index)};
    node->denied = cs_calloc(sim->node_count, sizeof *node->denied);
    cs_mem_config_t config = {
        .device = index + 1,
        .granularity_ns = grains[options->grain],
        .no_exchange = options->plain & 1,
        .no_btime = options->plain & 2,
        .power_cuts = options->power && options->crashes > 0,
        .no_shares = cs_sim_draw(sim, CS_DRAW_LIFE, index, 4, 2) == 0,
        .reuse_inodes = true,
        .ordered_data = cs_sim_draw(sim, CS_DRAW_LIFE, index, 3, 2) == 0,
        .umask = CS_SIM_UMASK,
    };
    node->volume = cs_mem_volume_new(&config);
    cs_sim_node_set_clock(node);
    if (cs_mem_fs_open(node->volume, NULL, &node->fs) != CS_OK ||
        cs_folder_mark(node->fs, cs_sim_marker) != CS_OK) {
        cs_sim_fail(sim, "node %c: no folder", 'A' + index);
    }
    node->fs->ops->close_fs(&node->fs);
    cs_mem_volume_flush(node->volume);
    node->disk = cs_mem_disk_new();
}

void cs_sim_node_fini(cs_sim_node_t *node)
{
    if (node->up) {
        cs_sim_node_end(node);
    }
    cs_effects_fini(&node->fx);
    for (unsigned i = 0; i < node->image_count; i++) {
        cs_mem_disk_destroy(&node->image[i].disk);
        cs_oracle_image_destroy(&node->image[i].known);
    }
    cs_mem_disk_destroy(&node->disk);
    cs_sim_user_let_go(node);
    cs_mem_volume_destroy(&node->volume);
    cs_touched_fini(&node->touched);
    cs_free(node->denied);
    cs_free(node->links);
    cs_free(node->ids);
}
