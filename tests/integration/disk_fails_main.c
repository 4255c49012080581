/* disk_fails_main.c - calls that fail, one kind after the other, while a folder is read and
 * written: nothing is deleted anywhere, what is wrong is named with its path, also in the log,
 * and the folder goes on by itself when the cause is gone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/mishap.h"

/* Two nodes that run, equal; calls of node 1 can be made to fail. */
static faults_t *run_pair(cluster_t *c)
{
    mishap_pair(c);
    faults_t *faults = mishap_faults(c, 1);
    cluster_start(c, 0);
    cluster_start(c, 1);
    cluster_settle(c, SETTLE_S);
    return faults;
}

static void cannot_read(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    faults_t *faults = run_pair(&c);
    mishap_fail(faults, FAULT_READ, EIO, "/bad");
    node_text(&c.node[1], "bad", "sector");
    node_text(&c.node[1], "good", "one");
    cluster_do(&c, 1, out, "scan --json");
    if (strstr(out, "{\"path\":\"bad\",\"reason\":\"unreadable\"") == NULL)
        test_fail("a file that cannot be read: %s", out);
    mishap_await(&c, 0, "ls shared good --json", "\"on_disk\":true");
    if (node_has(&c.node[0], "bad")) test_fail("half a file was sent");
    mishap_heal(faults);
    mishap_agree(&c, "the file can be read again");

    /* A file that was read once: it is served from a disk that fails, and not deleted. */
    mishap_random_file(&c.node[1], "bad", 300);
    mishap_fail(faults, FAULT_OPEN | FAULT_READ, EIO, "/bad");
    cluster_do(&c, 1, NULL, "scan");
    if (!node_reads(&c.node[0], "bad", "sector")) test_fail("a failing disk deleted a file");
    mishap_heal(faults);
    mishap_agree(&c, "the file can be opened again");
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

static void cannot_write(void)
{
    cluster_t c;
    faults_t *faults = run_pair(&c);
    const uint32_t calls[] = {FAULT_OPEN, FAULT_WRITE, FAULT_RENAME,
                              FAULT_SYNC, FAULT_MKDIR, FAULT_RESIZE};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char text[32], in_new[32];
        snprintf(text, sizeof text, "edit %zu", i);
        mishap_fail(faults, calls[i], EIO, c.node[1].root);
        node_text(&c.node[0], "one", text);
        node_text(&c.node[0], text, text);
        snprintf(in_new, sizeof in_new, "new %zu/file", i);
        node_text(&c.node[0], in_new, text);
        mishap_random_file(&c.node[0], "large", 600); /* in parts */
        cluster_do(&c, 0, NULL, "scan");
        mishap_await(&c, 1, "status --json", "input/output error\",\"remedy\"");
        if (faults->hits == 0) test_fail("no call failed: %s", text);
        mishap_heal(faults);
        mishap_agree(&c, text);
    }
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* A short list would look like deletions. */
static void cannot_list(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    faults_t *faults = run_pair(&c);
    node_text(&c.node[1], "dir/a", "1");
    node_text(&c.node[1], "dir/sub/b", "2");
    cluster_settle(&c, SETTLE_S);
    const uint32_t calls[] = {FAULT_LIST, FAULT_LATER, FAULT_STAT, FAULT_OPEN};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        char news[32];
        snprintf(news, sizeof news, "news %zu", i);
        mishap_fail(faults, calls[i], EIO, "/dir");
        node_text(&c.node[1], news, news);
        cluster_do(&c, 1, out, "scan --json");
        if (strstr(out, "{\"path\":\"dir\",\"reason\":\"unreadable\"") == NULL)
            test_fail("%s: a directory that cannot be listed: %s", news, out);
        if (strstr(out, "\"removed\":0") == NULL) test_fail("%s: deletions: %s", news, out);
        mishap_await(&c, 1, "status --json", "{\"path\":\"dir\",\"reason\":\"unreadable\"");
        mishap_await(&c, 0, "ls shared news --json", news);
        cluster_do(&c, 0, NULL, "scan --full");
        if (!node_reads(&c.node[0], "dir/a", "1") || !node_reads(&c.node[0], "dir/sub/b", "2"))
            test_fail("%s: a failing disk deleted files", news);
        cluster_do(&c, 1, NULL, "scan");
        if (mishap_log_lines(&c.node[1], "scan.trouble") != (int)i + 1)
            test_fail("%s: not one line of the log about it", news);
        mishap_heal(faults);
        mishap_agree(&c, news);
        if (!node_has(&c.node[0], "dir/sub/b")) test_fail("%s: files are gone", news);
        cluster_do(&c, 1, out, "status --json");
        if (strstr(out, "unreadable") != NULL) test_fail("it is said for ever: %s", out);
    }
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* The folder's own directory. */
static void cannot_list_root(void)
{
    cluster_t c;
    char out[CLUSTER_TEXT];
    faults_t *faults = run_pair(&c);
    const uint32_t calls[] = {FAULT_LIST, FAULT_LATER, FAULT_STAT};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        mishap_fail(faults, calls[i], EIO, c.node[1].root);
        int code = mishap_ask(&c, 1, out, "scan");
        if (code != 1 || strstr(out, c.node[1].root) == NULL ||
            strstr(out, "input/output error") == NULL)
            test_fail("scan of a folder that cannot be listed: %d, %s", code, out);
        mishap_await(&c, 1, "status --json", "\"state\":\"error\"");
        mishap_heal(faults);
        mishap_agree(&c, "the folder can be listed again");
        if (!node_has(&c.node[1], "one") || !node_has(&c.node[1], "two"))
            test_fail("files are gone");
    }
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

/* What others deleted stays until it can be deleted. */
static void cannot_delete(void)
{
    cluster_t c;
    faults_t *faults = run_pair(&c);
    const uint32_t calls[] = {FAULT_UNLINK, FAULT_RENAME};
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
        node_text(&c.node[0], "dir/sub/file", "1");
        mishap_agree(&c, "it is there");
        mishap_fail(faults, calls[i], EIO, c.node[1].root);
        test_shell("rm -r %s/dir", c.node[0].root);
        cluster_do(&c, 0, NULL, "scan");
        mishap_await(&c, 1, "status --json", "\"reason\":\"input/output error");
        mishap_await(&c, 1, "status --json", "{\"path\":\"dir");
        cluster_do(&c, 1, NULL, "scan");
        if (node_has(&c.node[0], "dir")) test_fail("what cannot be deleted came back");
        mishap_heal(faults);
        mishap_agree(&c, "it can be deleted");
        if (node_has(&c.node[1], "dir")) test_fail("it is not deleted");
    }
    mishap_no_conflicts(&c);
    cluster_destroy(&c);
}

#define FIFOS 25 /* more than a scan names in the log */

/* Once each, though every scan meets them. */
static void fifos_in_the_log(void)
{
    cluster_t c;
    mishap_start_pair(&c);
    char out[CLUSTER_TEXT];
    const cluster_node_t *node = &c.node[1];
    test_shell("i=10; while [ $i -lt %d ]; do mkfifo %s/fifo$i; i=$((i+1)); done", 10 + FIFOS,
               node->root);
    cluster_do(&c, 1, NULL, "scan");
    cluster_do(&c, 1, NULL, "scan shared %s/fifo10", node->root);
    cluster_do(&c, 1, out, "status --json");
    const char *named = strstr(out, "fifo10");
    if (named == NULL || strstr(named + 1, "fifo10") != NULL)
        test_fail("not named once: %s", out);
    cluster_do(&c, 1, NULL, "scan");
    if (mishap_log_lines(node, "scan.trouble") != 11 ||
        !mishap_logged(node, "path=\"fifo10\"") || !mishap_logged(node, "15 more paths; ") ||
        !mishap_logged(node, ".crdtsyncignore"))
        test_fail("the log does not name ten fifos, and how many more: %s", node->log);
    test_shell("rm %s/fifo10", node->root);
    cluster_do(&c, 1, NULL, "scan");
    test_shell("mkfifo %s/fifo10", node->root);
    cluster_do(&c, 1, NULL, "scan");
    if (mishap_log_lines(node, "scan.trouble") != 12) test_fail("a new one is not told");
    cluster_destroy(&c);
}

int main(int argc, char **argv)
{
    static const mishap_t mishaps[] = {
        {"cannot write", cannot_write, false, false},
        {"cannot read", cannot_read, false, false},
        {"cannot list", cannot_list, false, false},
        {"cannot list root", cannot_list_root, false, false},
        {"cannot delete", cannot_delete, false, false},
        {"fifos in the log", fifos_in_the_log, false, false},
    };
    return mishap_main(argc, argv, mishaps, sizeof mishaps / sizeof mishaps[0]);
}
