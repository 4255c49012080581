/* scene.h - a real folder, steps for cs_apply, and questions about what became of the files. */
#ifndef CS_TESTS_SCENE_H
#define CS_TESTS_SCENE_H

#include "disk/apply.h"
#include "support/spy_fs.h"

#define SCENE_STEPS_MAX 32

typedef struct scene {
    char *dir;
    cs_fs_t *real;
    spy_fs_t spy;
    cs_chunker_table_t *table;
    cs_apply_config_t config; /* with the spy */
    cs_steps_t steps;
    const char *old_text[SCENE_STEPS_MAX], *new_text[SCENE_STEPS_MAX]; /* by step; NULL: none */
} scene_t;

void scene_open(scene_t *scene);
void scene_close(scene_t *scene);

/* --- the folder */
void scene_file(scene_t *scene, const char *path, const char *text); /* mode 0644 */
/* Its bytes are years older than its name will be. */
void scene_age(scene_t *scene, const char *path);
void scene_pass_tick(scene_t *scene); /* what is born now has another time than what was */
/* Bytes of a file, or "-> target" of a symbolic link; NULL: neither. The caller frees it. */
char *scene_read(const scene_t *scene, const char *path);
bool scene_holds(const scene_t *scene, const char *path, const char *text);
bool scene_has(const scene_t *scene, const char *path);
/* Whether some file holds these bytes: in the tree, or also in .crdtsync. */
bool scene_tree_holds(const scene_t *scene, const char *text);
bool scene_anywhere(const scene_t *scene, const char *text);
size_t scene_count(const scene_t *scene, const char *dir); /* entries of a directory; 0: none */

bool scene_in_trash(const scene_t *scene, const char *text);  /* and not in the tree */
cs_stat_t scene_stat(const scene_t *scene, const char *path); /* it must be there */

/* --- steps; a base row is what is on disk at the moment */
cs_content_t scene_content(const scene_t *scene, const char *text); /* "-> target": a link */
void scene_stage(scene_t *scene, const char *text);
cs_step_t *scene_write(scene_t *scene, const char *path,
                       const char *text); /* staged by the caller */
cs_step_t *scene_copy(scene_t *scene, const char *from, const char *path);
cs_step_t *scene_move(scene_t *scene, const char *from, const char *path);
cs_step_t *scene_delete(scene_t *scene, const char *path);
cs_step_t *scene_chmod(scene_t *scene, const char *path, uint16_t mode);
cs_step_t *scene_mkdir(scene_t *scene, const char *path);
cs_step_t *scene_rmdir(scene_t *scene, const char *path);

/* Performs the steps; a step may fail, or each must do and leave nothing half made. */
void scene_apply(scene_t *scene);
void scene_apply_all(scene_t *scene);

/* --- the trash */
void scene_put_in_trash(scene_t *scene, const char *path, const char *text); /* in a run */
/* "<path>:<size> " for each file, the newest first. */
void scene_expect_trash(const scene_t *scene, const char *expected);

#endif
