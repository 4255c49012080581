/* node_texts.c - what users of a node world wrote, and what of it must be there in the end.
 *
 * Written from the users' side only. Every text is unique. It is owed from the moment it was
 * written until a user removed it himself: by unlinking or overwriting a file that held it, or
 * by renaming over one. He may make copies: if nobody else touched the text, it is owed until
 * he removed as many files with it as he made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "support/node_world.h"
#include "support/picture.h"

#define NOBODY  (-1)
#define SEVERAL (-2)

struct nw_text {
    bool written;
    int user; /* who moved, copied or removed it: of this node, NOBODY, SEVERAL */
    unsigned copies, removals;
};

unsigned nw_text_new(nw_world_t *world, char ret[NW_TEXT_BYTES])
{
    if (world->text_count == world->text_cap) {
        world->text_cap = cs_grow(world->text_cap, world->text_count + 1);
        world->text = cs_realloc_array(world->text, world->text_cap, sizeof *world->text);
    }
    unsigned number = (unsigned)world->text_count++;
    world->text[number] = (nw_text_t){.user = NOBODY};
    snprintf(ret, NW_TEXT_BYTES, "text %06u", number);
    return number;
}

void nw_text_written(nw_world_t *world, unsigned number)
{
    world->text[number].written = true;
}

unsigned nw_text_of(const nw_world_t *world, const char *bytes)
{
    unsigned number = NW_NO_TEXT;
    if (sscanf(bytes, "text %6u", &number) != 1 || number >= world->text_count) {
        return NW_NO_TEXT;
    }
    return number;
}

static bool holds(const char *picture, unsigned number)
{
    char text[NW_TEXT_BYTES + 2];
    snprintf(text, sizeof text, " text %06u", number);
    return strstr(picture, text) != NULL;
}

static nw_text_t *touch(nw_node_t *node, unsigned number)
{
    nw_text_t *text = &node->world->text[number];
    bool first = text->user == NOBODY || text->user == (int)node->index;
    text->user = first ? (int)node->index : SEVERAL;
    return text;
}

void nw_text_removed(nw_node_t *node, unsigned number)
{
    if (number == NW_NO_TEXT) return;
    nw_trace(node->world, "%u removed text %06u", node->index, number);
    touch(node, number)->removals++;
}

void nw_text_copied(nw_node_t *node, unsigned number)
{
    touch(node, number)->copies++;
}

void nw_texts_moved(nw_node_t *node)
{
    char *picture = tree_picture(node->real);
    for (unsigned number = 0; number < node->world->text_count; number++) {
        if (holds(picture, number)) (void)touch(node, number);
    }
    cs_free(picture);
}

static bool is_owed(const nw_text_t *text)
{
    if (!text->written || text->removals == 0) return text->written;
    return text->user != SEVERAL && text->removals <= text->copies;
}

void nw_texts_check(nw_world_t *world)
{
    for (unsigned i = 0; i < world->node_count; i++) {
        char *picture = tree_picture(world->node[i].real);
        for (unsigned number = 0; number < world->text_count; number++) {
            const nw_text_t *text = &world->text[number];
            if (!is_owed(text) || holds(picture, number)) continue;
            fprintf(stderr, "node %u lost text %06u%s\n", i, number,
                    text->removals == 0 ? "" : " (a copy)");
            nw_fail(world, "a text is lost");
        }
        cs_free(picture);
    }
}
