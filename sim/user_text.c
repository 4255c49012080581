/* user_text.c - what of texts.h a user's doing changes. */
#include <string.h>

#include "base/path.h"
#include "sim/world.h"

uint32_t cs_sim_user_text_in(cs_mem_fd_t *fd)
{
    char bytes[CS_TEXT_BYTES];
    size_t len = 0;
    if (cs_mem_user_pread(fd, 0, bytes, sizeof bytes, &len) != CS_OK) return CS_TEXT_NONE;
    return cs_text_of(bytes, len);
}

uint32_t cs_sim_user_text(cs_sim_node_t *node, const char *path, bool leaves)
{
    cs_mem_fd_t *fd;
    cs_stat_t here, held;
    cs_slice_t at = cs_slice(path, strlen(path));
    if (cs_mem_user_open(node->volume, at, 0, 0, &fd) != CS_OK) return CS_TEXT_NONE;
    uint32_t number = cs_sim_user_text_in(fd);
    bool same = node->held != NULL && cs_mem_user_fstat(fd, &here) == CS_OK &&
                cs_mem_user_fstat(node->held, &held) == CS_OK &&
                here.print.ino == held.print.ino;
    cs_mem_user_close(&fd);
    if (same && leaves) cs_sim_user_let_go(node);
    return number;
}

void cs_sim_user_let_go(cs_sim_node_t *node)
{
    if (node->held != NULL) cs_mem_user_close(&node->held);
}

typedef struct looking {
    uint32_t number;
    bool found;
} looking_t;

static void look(void *arg, const cs_mem_item_t *item)
{
    looking_t *looking = arg;
    if (cs_path_is_private(item->path)) return;
    looking->found |= item->stat.type == CS_NODE_FILE &&
                      cs_text_of(item->bytes.data, item->bytes.len) == looking->number;
}

void cs_sim_user_removed(cs_sim_node_t *node, uint32_t number)
{
    if (number == CS_TEXT_NONE) return;
    cs_sim_line(node->sim, node->index, "his own doing: text %06u goes", number);
    cs_texts_removed(node->sim->texts, number, node->index);
    if (!cs_texts_is_owed(node->sim->texts, number)) return;
    looking_t looking = {number, false};
    cs_mem_volume_walk(node->volume, look, &looking);
    if (!looking.found) cs_texts_gone(node->sim->texts, number);
}

typedef struct moving {
    cs_sim_node_t *node;
    cs_slice_t top;
} moving_t;

static void note_moved(void *arg, const cs_mem_item_t *item)
{
    const moving_t *moving = arg;
    if (item->stat.type != CS_NODE_FILE || !cs_path_is_within(item->path, moving->top)) return;
    uint32_t number = cs_text_of(item->bytes.data, item->bytes.len);
    cs_texts_moved(moving->node->sim->texts, number, moving->node->index);
}

void cs_sim_user_moves(cs_sim_node_t *node, const char *path)
{
    moving_t moving = {node, cs_slice(path, strlen(path))};
    cs_mem_volume_walk(node->volume, note_moved, &moving);
}
