/* onlooker.c - see onlooker.h. */
#include "support/onlooker.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

void others_do_not_notice(cluster_t *cluster, const char *what, void (*pass)(void *arg),
                          void *arg)
{
    static unsigned notes;
    printf("%s\n", what);
    for (int from = 0; from < 2; from++) {
        char path[32];
        double end = test_now() + ONLOOKER_SOON_S;
        snprintf(path, sizeof path, "note-%u", notes++);
        node_text(&cluster->node[from], path, path);
        cluster_do(cluster, from, NULL, "scan %s", cluster->folder);
        while (!node_reads(&cluster->node[1 - from], path, path)) {
            if (test_now() > end)
                test_fail("%s: %s does not reach node %d", what, path, 1 - from);
            pass(arg);
        }
    }
    cluster_do(cluster, 0, NULL, "ping");
}

unsigned log_lines(const cluster_node_t *node, const char *event, const char *words)
{
    unsigned count = 0;
    char line[1024];
    FILE *file = fopen(node->log, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        count += strstr(line, event) != NULL && strstr(line, words) != NULL;
    }
    if (file != NULL) fclose(file);
    return count;
}

void expect_lines(const cluster_node_t *node, const char *what, const char *event,
                  const char *words, void (*pass)(void *arg), void *arg)
{
    double end = test_now() + ONLOOKER_SOON_S;
    unsigned lines;
    while ((lines = log_lines(node, event, words)) == 0) {
        if (test_now() > end) test_fail("%s: no line %s", what, event);
        pass(arg);
    }
    if (lines > ONLOOKER_LINES_MAX) test_fail("%s: %u lines %s", what, lines, event);
    if (log_lines(node, "warning", event) > 0 && log_lines(node, event, "; ") < lines)
        test_fail("%s: %s does not say what can be done", what, event);
}

long peak_memory_kib(const cluster_node_t *node)
{
    char path[64], line[256];
    long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)node->pid);
    FILE *file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) break;
    }
    if (file != NULL) fclose(file);
    return kib;
}

void check_memory(const cluster_node_t *node, const char *what, long mib_max)
{
    long kib = peak_memory_kib(node);
    printf("%s: %ld MiB at most\n", what, kib / 1024);
    if (kib <= 0 || kib > mib_max * 1024) test_fail("%s: %ld KiB of memory", what, kib);
}

int open_files(const cluster_node_t *node)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)node->pid);
    DIR *dir = opendir(path);
    if (dir == NULL) test_fail("%s: %s", path, strerror(errno));
    while (readdir(dir) != NULL)
        count++;
    closedir(dir);
    return count;
}
