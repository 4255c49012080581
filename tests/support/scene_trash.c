/* scene_trash.c - what a scene's steps took away. */
#include <criterion/criterion.h>

#include "disk/trash.h"
#include "support/scene.h"

void scene_put_in_trash(scene_t *scene, const char *path, const char *text)
{
    scene_file(scene, path, text);
    scene_delete(scene, path);
    scene_apply_all(scene);
    cs_steps_fini(&scene->steps);
}

static bool append_item(void *arg, const cs_trash_item_t *item)
{
    cs_buf_t *list = arg;
    cs_buf_put_slice(list, item->path);
    cs_buf_printf(list, ":%u ", (unsigned)item->stat.print.size);
    return true;
}

void scene_expect_trash(const scene_t *scene, const char *expected)
{
    cs_buf_t list = {0};
    cr_assert_eq(cs_trash_each(scene->config.fs, &list, append_item), CS_OK);
    cr_assert(cs_slice_eq(cs_buf_slice(&list), cs_slice_text(expected)), "%.*s", (int)list.len,
              (const char *)list.data);
    cs_buf_fini(&list);
}
