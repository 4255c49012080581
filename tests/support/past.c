/* past.c - see past.h. */
#include "support/past.h"

#include <stdio.h>
#include <string.h>

#define FILES 40
#define HISTORY                                                                  \
    3 /* sessions: rows are in tables, in a log, and moved from one to the other \
       */

void past_begin(cluster_t *c)
{
    mishap_pair(c);
    cluster_start(c, 0);
    for (int session = 0; session < HISTORY; session++) {
        cluster_start(c, 1);
        for (int i = 0; i < FILES; i++) {
            char path[64], text[64];
            snprintf(path, sizeof path, "dir%d/%d", session, i);
            snprintf(text, sizeof text, "%s of session %d", path, session);
            node_text(&c->node[i % 2], path, text);
        }
        node_text(&c->node[1], "edited", session == 0 ? "a" : session == 1 ? "b" : "c");
        node_text(&c->node[0], "gone", "soon");
        node_text(&c->node[0], "doomed", "later");
        cluster_settle(c, SETTLE_S);
        test_shell("rm %s/gone && mv %s/dir%d/1 %s/moved%d", c->node[0].root, c->node[0].root,
                   session, c->node[0].root, session);
        cluster_settle(c, SETTLE_S);
        cluster_stop(c, 1);
    }
}

void past_edit(cluster_t *c, int round)
{
    char text[32];
    snprintf(text, sizeof text, "round %d", round);
    node_text(&c->node[0], "dir0/0", text);
    node_text(&c->node[1], "dir1/5", text);
    node_text(&c->node[1], "new", text);
    cluster_do(c, 0, NULL, "scan");
}

void past_check(cluster_t *c, int round, const char *what)
{
    mishap_agree(c, what);
    test_shell("cd %s && grep -qx 'round %d' dir1/5* && grep -qx 'round %d' dir0/0* && "
               "grep -qx 'round %d' new*",
               c->node[0].root, round, round, round);
    if (node_has(&c->node[0], "gone") || node_has(&c->node[0], "dir0/1"))
        test_fail("%s: a deleted file came back", what);
    if (!node_reads(&c->node[0], "moved1", "dir1/1 of session 1") ||
        !node_reads(&c->node[1], "edited", "c"))
        test_fail("%s: a file is lost", what);
    test_shell("test $(find %s/dir? -type f ! -name '*conflict*' | wc -l) = %d",
               c->node[0].root, HISTORY * (FILES - 1));
}

/* Only what was edited on either side since may have two versions: which of them is the older
 * one is what the database knew. What is equal, and that is 120 files, is no conflict. */
#define EDITED 3

void past_siblings(cluster_t *c, const char *what)
{
    char out[CLUSTER_TEXT];
    int count = 0;
    cluster_do(c, 0, out, "conflicts --json");
    for (const char *at = out; (at = strstr(at, "\"siblings\"")) != NULL; at++)
        count++;
    if (count > EDITED) test_fail("%s: %d conflicts: %s", what, count, out);
    test_shell("find %s -name '*conflict*' -delete", c->node[0].root);
    mishap_agree(c, "siblings removed");
}
