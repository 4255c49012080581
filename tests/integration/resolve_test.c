/* resolve_test.c - `resolve`: the conflict ends everywhere, and nothing is lost. */
#include <stdio.h>
#include <stdlib.h>

#include "support/cluster.h"
#include "support/shell.h"

typedef struct conflict {
    cluster_t cluster;
    char path[512];    /* of r.txt on node 0 */
    char sibling[256]; /* name */
    char winner[8], loser[8];
    shell_t *shell;
} conflict_t;

/* r.txt with two concurrent edits, one of which has the name; both nodes run, but for `down`.
 */
static conflict_t *make_conflict(bool down)
{
    char out[CLUSTER_TEXT];
    conflict_t *conflict = calloc(1, sizeof *conflict);
    cluster_t *cluster = &conflict->cluster;
    conflict->shell = shell_new();
    cluster_new(cluster, 2);
    cluster_pair(cluster, 0, 1, 0);
    cluster_setting(cluster, "scan", "@hourly");
    cluster_start(cluster, 0);
    cluster_start(cluster, 1);
    node_text(&cluster->node[0], "r.txt", "c0");
    cluster_settle(cluster, 60);
    cluster_stop(cluster, 1);
    node_text(&cluster->node[0], "r.txt", "cA");
    cluster_do(cluster, 0, NULL, "scan");
    node_text(&cluster->node[1], "r.txt", "cBB");
    cluster_do(cluster, 1, NULL, "scan");
    cluster_start(cluster, 1);
    cluster_settle(cluster, 60);
    node_path(&cluster->node[0], "r.txt", conflict->path, sizeof conflict->path);
    cluster_do(cluster, 0, out, "conflicts --json");
    const char *name = strstr(out, "r.conflict-");
    cr_assert_not_null(name, "%s", out);
    snprintf(conflict->sibling, sizeof conflict->sibling, "%.*s", (int)strcspn(name, "\""),
             name);
    bool a_wins = node_reads(&cluster->node[0], "r.txt", "cA");
    strcpy(conflict->winner, a_wins ? "cA" : "cBB");
    strcpy(conflict->loser, a_wins ? "cBB" : "cA");
    if (down) cluster_stop(cluster, 0);
    return conflict;
}

static void done(conflict_t *conflict)
{
    cluster_stop(&conflict->cluster, 0);
    cluster_stop(&conflict->cluster, 1);
    cluster_destroy(&conflict->cluster);
    shell_free(conflict->shell);
    free(conflict);
}

/* Both nodes show no conflict, and this at r.txt. */
static void check_ended(conflict_t *conflict, const char *text)
{
    char out[CLUSTER_TEXT];
    cluster_settle(&conflict->cluster, 60);
    cluster_check_equal(&conflict->cluster);
    for (int i = 0; i < 2; i++) {
        cluster_do(&conflict->cluster, i, out, "conflicts --json");
        cr_assert_eq(strncmp(out, "[]", 2), 0, "%s", out);
        cr_assert(node_reads(&conflict->cluster.node[i], "r.txt", text));
    }
}

static void check_in_trash(const conflict_t *conflict, const char *text)
{
    EXPECT(conflict->shell, 0, "", "grep -rqx '%s' %s/.crdtsync/trash", text,
           conflict->cluster.node[0].root);
}

static void resolve(conflict_t *conflict, int exit_code, const char *keep, const char *part)
{
    EXPECT(conflict->shell, exit_code, part, "$B resolve %s --keep '%s' --home %s",
           conflict->path, keep, conflict->cluster.node[0].home);
}

Test(resolve, keeps_what_is_shown, .timeout = 120)
{
    conflict_t *conflict = make_conflict(false);
    char removed[300];
    snprintf(removed, sizeof removed, "removed %s", conflict->sibling);
    resolve(conflict, 0, "shown", removed);
    check_ended(conflict, conflict->winner);
    check_in_trash(conflict, conflict->loser);
    resolve(conflict, 1, "shown", "no untouched siblings");
    done(conflict);
}

Test(resolve, keeps_a_sibling, .timeout = 120)
{
    conflict_t *conflict = make_conflict(false);
    resolve(conflict, 2, "r.conflict-nonsense.txt", "names none of its siblings");
    resolve(conflict, 0, conflict->sibling, "replaced r.txt by r.conflict-");
    check_ended(conflict, conflict->loser);
    check_in_trash(conflict, conflict->winner);
    done(conflict);
}

Test(resolve, keeps_all_without_a_node, .timeout = 120)
{
    conflict_t *conflict = make_conflict(true);
    EXPECT(conflict->shell, 0,
           "\"keep\":\"all\",\"removed\":[],\"renamed\":[{\"from\":\"r.conflict-",
           "$B resolve %s --keep all --json --home %s", conflict->path,
           conflict->cluster.node[0].home);
    EXPECT_ALSO(conflict->shell, "\"to\":\"r-2.txt\"}]}");
    cluster_start(&conflict->cluster, 0);
    check_ended(conflict, conflict->winner);
    cr_assert(node_reads(&conflict->cluster.node[1], "r-2.txt", conflict->loser));
    done(conflict);
}

/* What the user wrote since it was shown is neither replaced nor deleted. */
Test(resolve, loses_no_race, .timeout = 120)
{
    conflict_t *conflict = make_conflict(false);
    node_text(&conflict->cluster.node[0], conflict->sibling, "written since");
    resolve(conflict, 1, "shown", "changed under our hands; nothing is lost");
    cr_assert(node_reads(&conflict->cluster.node[0], conflict->sibling, "written since"));
    cr_assert(node_reads(&conflict->cluster.node[0], "r.txt", conflict->winner));
    /* It was scanned: an edited sibling is an ordinary file. */
    check_ended(conflict, conflict->winner);
    done(conflict);
}

Test(resolve, loses_no_race_for_the_name, .timeout = 120)
{
    conflict_t *conflict = make_conflict(false);
    node_text(&conflict->cluster.node[0], "r.txt", "written since");
    resolve(conflict, 1, conflict->sibling, "changed under our hands; nothing is lost");
    cr_assert(node_reads(&conflict->cluster.node[0], conflict->sibling, conflict->loser));
    cr_assert(node_reads(&conflict->cluster.node[0], "r.txt", "written since"));
    done(conflict);
}

Test(resolve, says_what_it_needs)
{
    shell_t *shell = shell_new();
    EXPECT(shell, 0, "docs",
           "$B init --home h && mkdir r && echo x >r/f && $B folder add r --id docs --home h");
    EXPECT(shell, 0, "1 added", "$B scan --home h");
    EXPECT(shell, 2, "--keep is missing", "$B resolve r/f --home h");
    EXPECT(shell, 1, "no untouched siblings", "$B resolve r/f --keep all --home h");
    EXPECT(shell, 1, "no untouched siblings", "$B resolve r/g --keep shown --home h");
    EXPECT(shell, 1, "lies in none", "$B resolve /etc/passwd --keep shown --home h");
    shell_free(shell);
}
