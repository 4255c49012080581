/* duet.h - two sites with a folder in common, and what their users saved and destroyed.
 *
 * Every text that is written is a new one, so that a file's bytes tell who wrote them. Whoever
 * overwrites or removes a file destroys the text that he could see in it at that moment; each
 * other text is owed to him: it must be in both trees in the end. That is all the oracle knows.
 */
#ifndef CS_TESTS_DUET_H
#define CS_TESTS_DUET_H

#include "support/site.h"

#define DUET_TEXTS_MAX 64
#define DUET_TEXT      16
#define DUET_PATH      512
#define DUET_OUTSIDE   "-outside" /* how the target of a link to somewhere else ends */

typedef struct duet {
    sites_t sites; /* 0: here, 1: there */
    char text[DUET_TEXTS_MAX][DUET_TEXT];
    bool gone[DUET_TEXTS_MAX];
    size_t texts;
    bool fine_times; /* no two changes of a file bear the same ctime, however fast */
} duet_t;

/* In memory, unless TMPDIR says where. */
void duet_open(duet_t *duet);
void duet_close(duet_t *duet);
/* Both have scanned, exchanged and applied everything, and the prints of their base rows vouch
 * for what is there, as those of files that have been at rest for a while. So do later ones, as
 * far as the file system tells any two changes apart. */
void duet_rest(duet_t *duet);
/* All is done, at last: a row that vouches for other bytes than are there is not noticed. */
void duet_settle(duet_t *duet);
/* The one that is not written yet. All are equally long. */
const char *duet_new_text(duet_t *duet);

/* --- users; `at`: which site. Missing parents are made. */
char *duet_path(const duet_t *duet, int at, const char *path, char ret[DUET_PATH]);
void duet_write(duet_t *duet, int at, const char *path); /* in place, cut first */
void duet_rename(duet_t *duet, int at, const char *from, const char *to);
void duet_remove(duet_t *duet, int at,
                 const char *path); /* a file, a link or an empty directory */
void duet_mode(duet_t *duet, int at, const char *path, unsigned mode);
void duet_link(duet_t *duet, int at, const char *path); /* symbolic, to a new text */
void duet_mkdir(duet_t *duet, int at, const char *path);
/* The text at this path, or behind this descriptor, is destroyed by what comes next. */
void duet_destroy(duet_t *duet, int at, const char *path);
void duet_destroy_open(duet_t *duet, int fd);

/* Which text is owed and not in both trees, or what there is that nobody wrote; NULL: all is
 * well. Trees are expected to be equal (sites_settle). */
const char *duet_fault(duet_t *duet);

#endif
