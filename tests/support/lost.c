/* lost.c - base tables know what is on disk. */
#include "support/lost.h"

static bool found(void *arg, cs_slice_t path)
{
    (void)path;
    *(bool *)arg = true;
    return false;
}

static bool is_somewhere(cs_replica_t *const *all, size_t count, const cs_content_t *content)
{
    bool ret = content->kind == CS_KIND_DIR;
    for (size_t i = 0; i < count && !ret; i++) {
        cs_replica_each_content(all[i], content, found, &ret);
    }
    return ret;
}

bool test_lacks_only_the_lost(cs_replica_t *const *all, size_t count, cs_replica_t *one)
{
    bool ret = true;
    cs_buf_t from = {0}, path = {0};
    while (ret && cs_replica_pending(one, cs_buf_slice(&from), &path)) {
        cs_items_t items = {0};
        bool lost = false;
        ret = cs_replica_project(one, cs_buf_slice(&path), &items) == CS_OK;
        for (uint32_t i = 0; i < items.len; i++) {
            lost = lost || !is_somewhere(all, count, &items.item[i].content);
        }
        ret = ret && lost;
        cs_items_fini(&items);
        cs_buf_clear(&from);
        cs_buf_put_slice(&from, cs_buf_slice(&path));
        cs_buf_put_u8(&from, 0);
    }
    cs_buf_fini(&from);
    cs_buf_fini(&path);
    return ret;
}
