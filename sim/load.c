/* load.c - what nodes hold and links carry, within the bounds of limits.h (world.h: load).
 *
 * A node's memory is what its core and its workers asked for (base/account.h) and nobody has
 * freed: batches that are being stored and messages that wait for it are in it, what was given
 * to the network is not. What the models of file system and store keep is the disk's. */
#include "sim/load.h"

#include "base/account.h"
#include "base/limits.h"
#include "sim/world.h"

/* --- memory */

void cs_sim_load_memory(cs_sim_node_t *node)
{
    size_t held = cs_account_held(CS_SIM_ACCOUNT(node));
    if (held > node->held_max) node->held_max = held;
    uint64_t most = CS_NODE_BYTES_MAX + node->link_count * (uint64_t)CS_NODE_PEER_BYTES_MAX;
    if (held <= most) return;
    cs_sim_fail(node->sim, "memory: %c holds %zu bytes, limits.h allows %llu with %zu peers",
                'A' + node->index, held, (unsigned long long)most, node->link_count);
}

static uint64_t state_max(cs_sim_node_t *node)
{
    cs_folder_status_t status;
    if (!cs_node_folder_status(node->node, CS_SIM_FOLDER, &status)) return 0;
    uint64_t most = status.state->n * CS_REST_ENTRY_BYTES_MAX;
    return most < CS_REST_STATE_BYTES_MAX ? most : CS_REST_STATE_BYTES_MAX;
}

void cs_sim_load_rest(cs_sim_node_t *node)
{
    size_t held = cs_account_held(CS_SIM_ACCOUNT(node));
    if (held > node->sim->rest_max) node->sim->rest_max = held;
    uint64_t most = CS_REST_BYTES_MAX + node->link_count * (uint64_t)CS_REST_PEER_BYTES_MAX;
    if (held <= most) return;
    most += state_max(node);
    if (held <= most) return;
    cs_sim_fail(node->sim,
                "memory: %c holds %zu bytes at rest, limits.h allows %llu with %zu peers",
                'A' + node->index, held, (unsigned long long)most, node->link_count);
}

void cs_sim_load_end(cs_sim_node_t *node)
{
    size_t held = cs_account_held(CS_SIM_ACCOUNT(node));
    if (held == 0) return;
    cs_sim_fail(node->sim, "memory: the process of %c has ended and left %zu bytes",
                'A' + node->index, held);
}

/* --- work */

void cs_sim_load_applies(cs_sim_node_t *node)
{
    cs_sim_t *sim = node->sim;
    if (sim->now_us - node->second.since_us >= 1000000) {
        node->second.since_us = sim->now_us;
        node->second.applies = 0;
    }
    node->second.applies++;
    if (node->second.applies <= CS_SIM_APPLIES_MAX) return;
    cs_sim_fail(sim, "restless: %c changes its folder more than %u times within a second",
                'A' + node->index, CS_SIM_APPLIES_MAX);
}

/* --- links */

void cs_sim_load_sent(cs_sim_t *sim, cs_sim_link_t *link, unsigned end, size_t bytes)
{
    uint64_t queued = 0;
    link->way[end] += bytes;
    if (link->queued[end] > sim->now_us) {
        queued = (link->queued[end] - sim->now_us) * CS_SIM_BYTES_PER_MS / 1000;
    }
    if (queued > sim->queue_max) sim->queue_max = queued;
    if (link->way[end] > sim->way_max) sim->way_max = link->way[end];
    if (queued <= CS_LINK_BYTES_MAX && link->way[end] <= CS_LINK_BYTES_MAX) return;
    cs_sim_fail(sim,
                "link: %llu bytes queued and %llu on the way from %c to %c, limits.h allows %u",
                (unsigned long long)queued, (unsigned long long)link->way[end],
                'A' + link->end[end], 'A' + link->end[1 - end], CS_LINK_BYTES_MAX);
}

void cs_sim_load_gone(cs_sim_t *sim, const cs_sim_frame_t *frame, size_t bytes)
{
    cs_sim_link_t *link = &sim->link[frame->link];
    if (frame->again || link->conn != frame->conn) return;
    CS_ASSERT(link->way[frame->from] >= bytes);
    link->way[frame->from] -= bytes;
}

/* --- disks */

static const cs_fs_ops_t *inner;
static cs_fs_ops_t outer;

/* What a call of the model asks for is no memory of the node that calls. */
#define ON_DISK(call)                                   \
    do {                                                \
        unsigned was = cs_account_use(CS_ACCOUNT_NONE); \
        cs_err_t err = (call);                          \
        (void)cs_account_use(was);                      \
        return err;                                     \
    } while (0)

static cs_err_t disk_create(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    ON_DISK(inner->create(fs, path, ret));
}

static cs_err_t disk_open_write(cs_fs_t *fs, cs_slice_t path, cs_file_t **ret)
{
    ON_DISK(inner->open_write(fs, path, ret));
}

/* The last handle of a file without a name: its number is the disk's again. */
static void disk_close(cs_file_t **file_p)
{
    unsigned was = cs_account_use(CS_ACCOUNT_NONE);
    inner->close(file_p);
    (void)cs_account_use(was);
}

static cs_err_t disk_write(cs_file_t *file, uint64_t offset, const void *data, size_t len)
{
    ON_DISK(inner->write(file, offset, data, len));
}

static cs_err_t disk_truncate(cs_file_t *file, uint64_t size)
{
    ON_DISK(inner->truncate(file, size));
}

static cs_err_t disk_write_zeros(cs_file_t *file, uint64_t offset, uint64_t len)
{
    ON_DISK(inner->write_zeros(file, offset, len));
}

static cs_err_t disk_share(cs_file_t *file, uint64_t offset, cs_file_t *from,
                           uint64_t from_offset, uint64_t len)
{
    ON_DISK(inner->share(file, offset, from, from_offset, len));
}

static cs_err_t disk_set_meta(cs_file_t *file, uint16_t mode, int64_t mtime_ns)
{
    ON_DISK(inner->set_meta(file, mode, mtime_ns));
}

static cs_err_t disk_symlink(cs_fs_t *fs, cs_slice_t target, cs_slice_t path)
{
    ON_DISK(inner->symlink(fs, target, path));
}

static cs_err_t disk_mkdir(cs_fs_t *fs, cs_slice_t path)
{
    ON_DISK(inner->mkdir(fs, path));
}

static cs_err_t disk_rmdir(cs_fs_t *fs, cs_slice_t path)
{
    ON_DISK(inner->rmdir(fs, path));
}

static cs_err_t disk_unlink(cs_fs_t *fs, cs_slice_t path)
{
    ON_DISK(inner->unlink(fs, path));
}

static cs_err_t disk_link(cs_fs_t *fs, cs_slice_t from, cs_slice_t to)
{
    ON_DISK(inner->link(fs, from, to));
}

static cs_err_t disk_rename(cs_fs_t *fs, cs_slice_t from, cs_slice_t to, cs_rename_mode_t mode)
{
    ON_DISK(inner->rename(fs, from, to, mode));
}

static cs_err_t disk_chmod(cs_fs_t *fs, cs_slice_t path, const cs_print_t *expect,
                           uint16_t mode, cs_stat_t *ret)
{
    ON_DISK(inner->chmod(fs, path, expect, mode, ret));
}

static cs_err_t disk_sync(cs_fs_t *fs, const cs_slice_t *paths, size_t count)
{
    ON_DISK(inner->sync(fs, paths, count));
}

void cs_sim_load_disk(cs_fs_t *fs)
{
    if (!cs_account_is_on()) return;
    inner = fs->ops;
    outer = *inner;
    outer.create = disk_create;
    outer.open_write = disk_open_write;
    outer.close = disk_close;
    outer.write = disk_write;
    outer.truncate = disk_truncate;
    outer.write_zeros = disk_write_zeros;
    outer.share = disk_share;
    outer.set_meta = disk_set_meta;
    outer.symlink = disk_symlink;
    outer.mkdir = disk_mkdir;
    outer.rmdir = disk_rmdir;
    outer.unlink = disk_unlink;
    outer.link = disk_link;
    outer.rename = disk_rename;
    outer.chmod = disk_chmod;
    outer.sync = disk_sync;
    fs->ops = &outer;
}
