/* scans.c - counts how often .crdtsync/tmp/now is made. */
#include "support/scans.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

void scans_open(scans_t *scans, const cluster_node_t *node)
{
    char dir[512];
    *scans = (scans_t){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK)};
    snprintf(dir, sizeof dir, "%s/.crdtsync/tmp", node->root);
    if (scans->fd < 0 || inotify_add_watch(scans->fd, dir, IN_CREATE | IN_DELETE) < 0)
        test_fail("%s: %s", dir, strerror(errno));
}

size_t scans_count(scans_t *scans)
{
    _Alignas(struct inotify_event) char bytes[1u << 16];
    for (ssize_t len; (len = read(scans->fd, bytes, sizeof bytes)) > 0;) {
        for (const char *at = bytes; at < bytes + len;) {
            const struct inotify_event *event = (const void *)at;
            if ((event->mask & IN_Q_OVERFLOW) != 0) test_fail("scans cannot be counted");
            /* Of two equal events in a row the kernel keeps one: hence those of its end. */
            bool made = (event->mask & IN_CREATE) != 0;
            if (made && strcmp(event->name, "now") == 0) scans->count++;
            at += sizeof *event + event->len;
        }
    }
    return scans->count;
}

void scans_close(scans_t *scans)
{
    close(scans->fd);
}
