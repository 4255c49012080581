/* watch_inbox.h - messages to a watcher's thread: a list that is pushed and taken atomically.
 */
#ifndef CS_IO_WATCH_INBOX_H
#define CS_IO_WATCH_INBOX_H

#include <stdatomic.h>

#include "base/str.h"
#include "node/deeds.h"

typedef enum cs_watch_word {
    CS_WORD_STOP,
    CS_WORD_LOOKED,
    CS_WORD_EXPECT, /* deeds */
    CS_WORD_APPLIED,
    CS_WORD_WARM /* dir */
} cs_watch_word_t;

typedef struct cs_watch_note {
    struct cs_watch_note *next;
    cs_watch_word_t word;
    cs_deeds_t *deeds; /* owned */
    cs_str_t *dir;     /* owned */
} cs_watch_note_t;

typedef struct cs_watch_inbox {
    _Atomic(cs_watch_note_t *) head; /* newest first */
    int fd;                          /* an eventfd, readable while there are any */
} cs_watch_inbox_t;

void cs__watch_inbox_init(cs_watch_inbox_t *inbox);
void cs__watch_inbox_fini(cs_watch_inbox_t *inbox);
void cs__watch_inbox_put(cs_watch_inbox_t *inbox,
                         cs_watch_note_t *note);                /* taken; any thread */
cs_watch_note_t *cs__watch_inbox_take(cs_watch_inbox_t *inbox); /* all, oldest first; owned */
void cs__watch_note_free(cs_watch_note_t *note);

#endif
