/* editor.h - one save by a program of the user here (site 0 of a duet), at a moment that the
 * test chooses. */
#ifndef CS_TESTS_EDITOR_H
#define CS_TESTS_EDITOR_H

#include "support/duet.h"

typedef enum edit {
    EDIT_IN_PLACE,    /* as many bytes as before */
    EDIT_TRUNCATE,    /* cut to nothing, then written */
    EDIT_SLOWLY,      /* the same, with one of our system calls in between */
    EDIT_RENAME_OVER, /* a new file beside it, renamed over it */
    EDIT_BACKUP,      /* the old one is renamed to "~", a new one written */
    EDIT_DELETE,
    EDIT_RENAME_AWAY,
    EDIT_CHMOD,
    EDIT_MKDIR,        /* the file makes room for a directory with a file in it */
    EDIT_SWAP_PARENT,  /* its directory becomes a link to one outside of the folder */
    EDIT_HELD,         /* through a descriptor from before the run */
    EDIT_MAPPED,       /* through a mapping from before the run */
    EDIT_MAPPED_AGAIN, /* the same, into a page that was written to before and not flushed since
                        */
    EDIT_COUNT
} edit_t;

typedef struct editor {
    duet_t *duet;
    edit_t edit;
    const char *path;
    int fd;
    char *map;
    char outside[DUET_PATH]; /* a directory that is not the folder's */
    int acted;
} editor_t;

const char *edit_name(edit_t edit);
/* Opens what the save will go through. */
void editor_open(editor_t *editor, duet_t *duet, edit_t edit, const char *path);
/* The save, or its next part; nothing if all is done. What the state of the disk forbids is not
 * done. */
void editor_act(editor_t *editor);
/* The rest of it. NULL, or what happened outside. */
const char *editor_close(editor_t *editor);

#endif
