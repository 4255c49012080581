/* commands_conflicts.c - conflicts: untouched siblings, from the base table. */
#include <stdlib.h>

#include "base/mem.h"
#include "io/commands_internal.h"

#define WALK_ROWS 2000u /* at once: well below a turn */

static int by_eff(const void *a, const void *b)
{
    const cs_item_t *x = *(const cs_item_t *const *)a;
    const cs_item_t *y = *(const cs_item_t *const *)b;
    int order = cs_str_cmp(x->eff, y->eff);
    return order != 0 ? order : cs_str_cmp(x->path, y->path);
}

/* Sorted by what they stand beside. */
static const cs_item_t **sorted(const cs_items_t *items)
{
    const cs_item_t **siblings = cs_calloc(items->len + 1, sizeof(cs_item_t *));
    for (uint32_t i = 0; i < items->len; i++) {
        siblings[i] = &items->item[i];
    }
    qsort(siblings, items->len, sizeof(cs_item_t *), by_eff);
    return siblings;
}

static size_t run_of(const cs_item_t *const *siblings, size_t count)
{
    size_t len = 1;
    while (len < count && cs_str_eq(siblings[len]->eff, siblings[0]->eff)) {
        len++;
    }
    return len;
}

uint64_t cs__count_conflicts(const cs_items_t *siblings)
{
    const cs_item_t **list = sorted(siblings);
    uint64_t count = 0;
    for (size_t i = 0; i < siblings->len; i += run_of(list + i, siblings->len - i)) {
        count++;
    }
    cs_free(list);
    return count;
}

static cs_err_t put_conflict(cs_daemon_t *daemon, const cs_mounted_t *folder,
                             const cs_item_t *const *siblings, size_t count, cs_json_t *json)
{
    cs_replica_t *replica = cs_node_replica(daemon->node, folder->record.number);
    cs_item_t shown = {0};
    cs_err_t err = cs_replica_base(replica, cs_slice_str(siblings[0]->eff), &shown);
    if (err != CS_OK && err != CS_ERR_NOT_FOUND) return err;
    cs_json_begin(json, '{');
    cs_json_put_path(json, "path", cs_slice_str(siblings[0]->eff));
    cs_json_key(json, "shown");
    if (err == CS_OK) {
        cs_json_begin(json, '{');
        cs__put_version(daemon, folder, &shown, json);
        cs_json_end(json, '}');
    } else {
        cs_json_text(json, NULL);
    }
    cs_json_key(json, "siblings");
    cs_json_begin(json, '[');
    for (size_t i = 0; i < count; i++) {
        cs_json_begin(json, '{');
        cs_json_put_path(json, "path", cs_slice_str(siblings[i]->path));
        cs__put_version(daemon, folder, siblings[i], json);
        cs_json_end(json, '}');
    }
    cs_json_end(json, ']');
    cs_json_put_text(json, "folder", folder->record.id);
    cs_json_end(json, '}');
    cs_item_fini(&shown);
    return CS_OK;
}

/* The document is one array: what was found of all folders waits in `json`. */
typedef struct conflicts {
    uint32_t *folder; /* owned; numbers */
    size_t count, at;
    cs_base_walk_t walk;        /* of folder[at] */
    const cs_item_t **siblings; /* of the walk that is done, sorted; owned */
    size_t told;                /* of them */
    cs_json_t json;
} conflicts_t;

static void folder_done(conflicts_t *conflicts)
{
    cs_free(conflicts->siblings);
    conflicts->siblings = NULL;
    conflicts->told = 0;
    cs_base_walk_fini(&conflicts->walk);
    conflicts->at++;
}

static void conflicts_free(void *state)
{
    conflicts_t *conflicts = state;
    folder_done(conflicts);
    cs_free(conflicts->folder);
    cs_json_fini(&conflicts->json);
    cs_free(conflicts);
}

/* CS_ERR_AGAIN: the turn is over. */
static cs_err_t tell_folder(cs_daemon_t *daemon, const cs_mounted_t *folder,
                            conflicts_t *conflicts, uint64_t until_ms)
{
    cs_replica_t *replica = cs_node_replica(daemon->node, folder->record.number);
    cs_base_walk_t *walk = &conflicts->walk;
    while (!walk->done) {
        if (cs__turn_is_over(until_ms)) return CS_ERR_AGAIN;
        cs_err_t err = cs_replica_walk_base(replica, WALK_ROWS, walk);
        if (err != CS_OK) return err;
    }
    if (conflicts->siblings == NULL) conflicts->siblings = sorted(&walk->siblings);
    while (conflicts->told < walk->siblings.len) {
        const cs_item_t **next = conflicts->siblings + conflicts->told;
        size_t len = run_of(next, walk->siblings.len - conflicts->told);
        if (cs__turn_is_over(until_ms)) return CS_ERR_AGAIN;
        cs_err_t err = put_conflict(daemon, folder, next, len, &conflicts->json);
        if (err != CS_OK) return err;
        conflicts->told += len;
    }
    return CS_OK;
}

static int turn(cs_ask_t *ask, void *state, uint64_t until_ms)
{
    conflicts_t *conflicts = state;
    while (conflicts->at < conflicts->count) {
        const cs_mounted_t *folder =
            cs__folder_numbered(ask->daemon, conflicts->folder[conflicts->at]);
        cs_err_t err = CS_OK; /* also of one that was removed meanwhile */
        if (folder != NULL) err = tell_folder(ask->daemon, folder, conflicts, until_ms);
        if (err == CS_ERR_AGAIN) return CS_TURN_MORE;
        if (err != CS_OK) return cs__index_failed(ask, folder, err);
        folder_done(conflicts);
    }
    cs_json_end(&conflicts->json, ']');
    cs__ask_data(ask, &conflicts->json);
    return CS_EXIT_DONE;
}

int cs__cmd_conflicts(cs_ask_t *ask)
{
    conflicts_t *conflicts = cs_calloc(1, sizeof *conflicts);
    int exit_code = cs__ask_folder_numbers(ask, &conflicts->folder, &conflicts->count);
    if (exit_code != CS_EXIT_DONE) {
        conflicts_free(conflicts);
        return exit_code;
    }
    cs_json_begin(&conflicts->json, '[');
    return cs__ask_turns(ask, turn, conflicts, conflicts_free);
}
