/* watch_inbox.c - a stack that is taken whole, and turned over then. */
#include "io/watch_inbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"

void cs__watch_inbox_init(cs_watch_inbox_t *inbox)
{
    atomic_init(&inbox->head, NULL);
    inbox->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

void cs__watch_note_free(cs_watch_note_t *note)
{
    cs_deeds_destroy(&note->deeds);
    cs_str_unref(&note->dir);
    cs_free(note);
}

void cs__watch_inbox_fini(cs_watch_inbox_t *inbox)
{
    cs_watch_note_t *next = NULL;
    for (cs_watch_note_t *note = cs__watch_inbox_take(inbox); note != NULL; note = next) {
        next = note->next;
        cs__watch_note_free(note);
    }
    if (inbox->fd >= 0) close(inbox->fd);
}

void cs__watch_inbox_put(cs_watch_inbox_t *inbox, cs_watch_note_t *note)
{
    const uint64_t one = 1;
    note->next = atomic_load(&inbox->head);
    while (!atomic_compare_exchange_weak(&inbox->head, &note->next, note)) {
        continue;
    }
    ssize_t written = write(inbox->fd, &one, sizeof one);
    (void)written; /* full: it is readable as it is */
}

cs_watch_note_t *cs__watch_inbox_take(cs_watch_inbox_t *inbox)
{
    uint64_t count;
    ssize_t got = read(inbox->fd, &count, sizeof count);
    (void)got; /* what counts is the list */
    cs_watch_note_t *newest = atomic_exchange(&inbox->head, NULL), *oldest = NULL;
    while (newest != NULL) {
        cs_watch_note_t *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}
