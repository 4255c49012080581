/* tales.c - see tales.h. */
#include "support/tales.h"

static void new_file(scene_t *s)
{
    scene_stage(s, "new");
    scene_write(s, "d/f", "new");
}

static void replaced_file(scene_t *s)
{
    scene_file(s, "f", "old");
    scene_stage(s, "new");
    scene_write(s, "f", "new");
}

static void replaced_by_copy(scene_t *s)
{
    scene_file(s, "f", "old");
    scene_file(s, "g", "source");
    scene_copy(s, "g", "f");
}

static void same_content_twice(scene_t *s)
{
    scene_file(s, "f", "old");
    scene_stage(s, "new");
    scene_write(s, "f", "new");
    scene_write(s, "g", "new");
}

static void swapped(scene_t *s)
{
    scene_file(s, "a", "A");
    scene_file(s, "b", "B");
    scene_copy(s, "b", "a");
    scene_copy(s, "a", "b");
}

static void links(scene_t *s)
{
    scene_file(s, "f", "-> old");
    scene_file(s, "g", "bytes");
    scene_stage(s, "-> new");
    scene_write(s, "f", "-> new");
    scene_write(s, "g", "-> new");
}

static void deleted(scene_t *s)
{
    scene_file(s, "d/f", "old");
    scene_delete(s, "d/f");
    scene_rmdir(s, "d");
}

static void moved(scene_t *s)
{
    scene_file(s, "f", "old");
    scene_move(s, "f", "d/g")->item.attr.mode = 0600;
}

static void moved_over(scene_t *s)
{
    scene_file(s, "f", "moved");
    scene_file(s, "g", "under");
    scene_move(s, "f", "g");
}

static void moved_below_itself(scene_t *s)
{
    scene_file(s, "p", "text");
    scene_move(s, "p", "p/x");
}

static void moved_over_its_directory(scene_t *s)
{
    scene_file(s, "d/x", "text");
    scene_file(s, "d/y", "gone");
    scene_move(s, "d/x", "d");
    scene_delete(s, "d/y");
    scene_rmdir(s, "d");
}

static void moved_directory(scene_t *s)
{
    scene_file(s, "D/1", "one");
    scene_file(s, "D/s/2", "two");
    scene_move(s, "D/1", "E/1");
    scene_move(s, "D/s/2", "E/s/2");
    scene_rmdir(s, "D/s");
    scene_rmdir(s, "D");
}

static void changed_mode(scene_t *s)
{
    scene_file(s, "f", "old");
    scene_chmod(s, "f", 0600);
}

const tale_t tales[] = {
    {"new file", new_file, {"d/f", "d"}},
    {"replaced file", replaced_file, {"f"}},
    {"replaced by copy", replaced_by_copy, {"f", "g"}},
    {"same content twice", same_content_twice, {"f", "g"}},
    {"swapped", swapped, {"a", "b"}},
    {"links", links, {"f", "g"}},
    {"deleted", deleted, {"d/f", "d/new", "d"}},
    {"moved", moved, {"f", "d/g", "d"}},
    {"moved over", moved_over, {"f", "g"}},
    {"moved below itself", moved_below_itself, {"p", "p/x"}},
    {"moved over its directory", moved_over_its_directory, {"d/x", "d/y", "d", "d/new"}},
    {"moved directory", moved_directory, {"D/1", "D/s/2", "E/1", "D/new"}},
    {"changed mode", changed_mode, {"f"}},
};

const size_t tale_count = CS_COUNT_OF(tales);

void tale_take_away(scene_t *scene, lack_t lack)
{
    if (lack != NOTHING) scene->spy.fs.features.exchange = false;
    if (lack == LINKS) scene->spy.fs.features.noreplace = scene->spy.fs.features.links = false;
    scene->spy.no_links = lack == LINKS;
}

size_t tale_count_calls(const tale_t *tale, lack_t lack)
{
    scene_t scene;
    scene_open(&scene);
    tale_take_away(&scene, lack);
    tale->build(&scene);
    cs_err_t err = cs_apply(&scene.config, &scene.steps);
    CS_ASSERT(err == CS_OK);
    for (size_t i = 0; i < scene.steps.len; i++) {
        CS_ASSERT(scene.steps.item[i].err == CS_OK);
    }
    size_t calls = scene.spy.calls;
    scene_close(&scene);
    return calls;
}
