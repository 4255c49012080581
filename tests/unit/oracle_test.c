/* oracle_test.c - the oracle knows whole strings, forgives what was taken away, nothing else.
 */
#include "support/oracle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cluster.h"
#include "support/support.h"

static tmp_t tmp;
static oracle_t *oracle;
static cluster_node_t root[2]; /* only their roots are used */
static char away[300];

static void set_up(void)
{
    tmp = tmp_new();
    oracle = oracle_new();
    for (int i = 0; i < 2; i++) {
        snprintf(root[i].root, sizeof root[i].root, "%.200s/root%d", tmp.path, i);
        cr_assert(mkdir(root[i].root, 0755) == 0);
    }
    snprintf(away, sizeof away, "%s/away", tmp.path);
    cr_assert(mkdir(away, 0755) == 0);
}

static void tear_down(void)
{
    oracle_destroy(&oracle);
    tmp_remove(&tmp);
}

TestSuite(oracle, .init = set_up, .fini = tear_down);

static void put(int where, const char *path, uint32_t number)
{
    size_t len = oracle_len(oracle, number);
    char *bytes = malloc(len);
    oracle_bytes(oracle, number, bytes);
    node_write(&root[where], path, bytes, len);
    free(bytes);
}

static oracle_verdict_t judge(void)
{
    const char *roots[] = {root[0].root, root[1].root};
    return oracle_judge(oracle, roots, 2);
}

Test(oracle, knows_a_string_by_all_of_its_bytes_only)
{
    char bytes[200], other[200];
    uint32_t number = oracle_draw(oracle, 200);
    uint32_t next = oracle_draw(oracle, 200);
    oracle_bytes(oracle, number, bytes);
    oracle_bytes(oracle, next, other);
    cr_assert(oracle_identify(oracle, bytes, 200) == number);
    cr_assert(oracle_identify(oracle, other, 200) == next);
    cr_assert(oracle_identify(oracle, bytes, 199) == ORACLE_NONE, "a prefix is not it");
    memcpy(bytes + 100, other + 100, 100);
    cr_assert(oracle_identify(oracle, bytes, 200) == ORACLE_NONE, "nor is a mixture");
    cr_assert(oracle_identify(oracle, "", 0) == ORACLE_NONE);
}

Test(oracle, owes_what_was_saved_on_every_root)
{
    uint32_t a = oracle_draw(oracle, 100);
    uint32_t b = oracle_draw(oracle, 5000);
    oracle_draw(oracle, 100); /* never saved */
    oracle_saved(oracle, a, "test");
    oracle_saved(oracle, b, "test");
    put(0, "x", a);
    put(1, "deep/er/y", a);
    put(0, "z", b);
    oracle_verdict_t verdict = judge();
    cr_assert(verdict.saved == 2 && verdict.owed == 2 && verdict.missing == 1);
    put(1, "z", b);
    cr_assert(judge().missing == 0);
}

Test(oracle, does_not_look_into_the_private_directory)
{
    uint32_t a = oracle_draw(oracle, 100);
    oracle_saved(oracle, a, "test");
    put(0, ".crdtsync/trash/x", a);
    put(1, ".crdtsync/trash/x", a);
    cr_assert(judge().missing == 1);
    put(0, "sub/.crdtsync/x", a);
    put(1, "sub/.crdtsync/x", a);
    cr_assert(judge().missing == 0, "that name is private in the root only");
}

Test(oracle, does_not_owe_what_was_replaced_or_taken_away)
{
    uint32_t a = oracle_draw(oracle, 100);
    uint32_t b = oracle_draw(oracle, 100);
    oracle_saved(oracle, a, "test");
    oracle_saved(oracle, b, "test");
    cr_assert(judge().missing == 2);
    oracle_replaced(oracle, a);
    cluster_node_t private = {0};
    memcpy(private.root, away, sizeof private.root);
    char bytes[100];
    oracle_bytes(oracle, b, bytes);
    node_write(&private, "gone/file", bytes, sizeof bytes);
    oracle_take_away(oracle, away);
    oracle_verdict_t verdict = judge();
    cr_assert(verdict.saved == 2 && verdict.owed == 0 && verdict.missing == 0);
}

Test(oracle, counts_late_ones_apart_and_finds_links)
{
    uint32_t a = oracle_draw(oracle, 100);
    uint32_t b = oracle_draw(oracle, 100);
    oracle_saved_late(oracle, a, "test");
    oracle_saved(oracle, b, "test");
    char target[101] = "";
    char path[300];
    oracle_bytes(oracle, b, target);
    for (int i = 0; i < 2; i++) {
        node_path(&root[i], "link", path, sizeof path);
        cr_assert(symlink(target, path) == 0);
    }
    oracle_verdict_t verdict = judge();
    cr_assert(verdict.late == 1 && verdict.missing == 0 && verdict.missing_late == 1);
}
