/* vectors_table.h - core.md 11 as histories of user actions and the trees they end in.
 *
 * Histories: `;` separates scans, `,` actions within one; `put PATH SYMBOL [MODE]`, `mv`, `rm`,
 * `rmr`, `mkdir`, `chmod MODE PATH`. Trees: PATH=SYMBOL, then * for mode 0755, - for 0600, else
 * 0644; PATH/ is an empty directory. #x is the tag of x.
 *
 * Numbers from 100 on are variants of the vector without the hundred. Not here: 2 (merge
 * orders) and 36-38 (restored homes) have functions of their own. 41, 56, 57 and 60 start where
 * something is joined but not yet on the disk, which a user cannot arrange. */
#ifndef CS_TESTS_VECTORS_TABLE_H
#define CS_TESTS_VECTORS_TABLE_H

/* clang-format off */
#define SYMBOLS "a0 b0 c0 c1 c2 cA cB cC cX d0 dB f0 h1 k0 keep m1 mA mB new pA pc s1 s2 x0 x1 y0"

/* What A, B and C do while all are stopped, and the tree once all are in step again. */
typedef struct step {
    const char *a, *b, *c;
    const char *tree;
} step_t;

typedef struct vector {
    int number;
    const char *base;  /* made by A, known to all */
    const char *early; /* A does this next, in step with B while C is away */
    step_t step[2];    /* the second one may be missing */
} vector_t;

#define S     "r.conflict-#cA.txt"
#define R0    "r.txt=c0"
#define EXEC  "chmod 755 r.txt"
#define EDITS {"put r.txt cA", "put r.txt cB", "", "r.txt=cB " S "=cA"}
#define EXECD {EXEC, "", "", "r.txt=c0*"}
#define CLASH {"put p pA", "put p/c pc", "", "p.conflict-#pA=pA p/c=pc"}

static const vector_t VECTORS[] = {
    {1, R0, "", {EDITS}},
    {3, R0, "", {{"rm r.txt", "put r.txt cB", "", "r.txt=cB"}}},
    {4, R0, "", {{"put r.txt cX", "put r.txt cX", "", "r.txt=cX"}}},
    {5, "", "", {{"put n.txt cX", "put n.txt cX", "", "n.txt=cX"}, {"put n.txt c2", "", "", "n.txt=c2"}}},
    {6, "", "", {{"put n.txt cA", "put n.txt cB", "", "n.txt=cB n.conflict-#cA.txt=cA"}}},
    {7, R0, "", {{"mv r.txt q.txt", "put r.txt cB", "", "q.txt=cB"}}},
    {8, R0, "", {{"mv r.txt q.txt; put q.txt cA", "put r.txt cB", "", "q.txt=cA q.conflict-#cB.txt=cB"}}},
    {9, R0, "", {{"mv r.txt q.txt", "mv r.txt s.txt", "", "q.txt=c0"}}},
    {10, R0, "", {{"mv r.txt q.txt; mv q.txt t.txt", "mv r.txt s.txt", "", "t.txt=c0"}}},
    {11, R0, "", {{"mv r.txt q.txt", "rm r.txt", "", "q.txt=c0"}}},
    {12, R0, "", {{"mv r.txt q.txt; put r.txt new", "put r.txt cB", "", "q.txt=cB r.txt=new"}}},
    {13, R0 " q.txt=d0", "", {{"mv r.txt q.txt", "put q.txt dB", "", "q.txt=dB q.conflict-#c0.txt=c0"}}},
    {14, R0 " q.txt=d0", "", {{"mv r.txt q.txt", "put r.txt cB", "", "q.txt=c0 r.txt=cB"}}},
    {15, R0 " q.txt=d0", "", {{"mv r.txt z.txt", "mv q.txt z.txt", "", "z.txt=d0 z.conflict-#c0.txt=c0"}}},
    {16, "d/x=x0", "", {{"rmr d", "put d/y y0", "", "d/y=y0"}}},
    {17, "d/x=x0 d/k=k0", "", {{"rmr d", "put d/x x1", "", "d/x=x1"}}},
    {18, "d/x=x0 d/k=k0", "", {{"mv d e", "put d/y y0, put d/x x1", "", "d/y=y0 e/k=k0 e/x=x1"}}},
    {19, "", "", {CLASH, {"rmr p", "", "", "p.conflict-#pA=pA"}}},
    {20, "d/", "", {{"rmr d", "put d/f f0", "", "d/f=f0"}}},
    {21, R0, "", {EDITS, {"put r.txt m1", "", "", "r.txt=m1 " S "=cA"}}},
    {22, R0, "", {EDITS, {"put " S " s1", "", "", "r.txt=cB " S "=s1"}}},
    {23, R0, "", {EDITS, {"rm " S, "", "", "r.txt=cB"}}},
    {24, R0, "", {EDITS, {"rm r.txt", "", "", S "=cA"}}},
    {25, R0, "", {EDITS, {"mv " S " r.txt", "", "", "r.txt=cA"}}},
    {26, R0, "", {EDITS, {"mv " S " r2.txt", "put " S " s2", "", "r.txt=cB r2.txt=s2"}}},
    {126, R0, "", {EDITS, {"mv " S " r2.txt", "", "", "r.txt=cB r2.txt=cA"}}},
    {27, R0, "", {EDITS, {"mv r.txt z.txt", "", "", "z.txt=cB " S "=cA"}}},
    {28, R0, "", {EDITS, {"put " S " s1", "put " S " s2", "", "r.txt=cB " S "=s2 r.conflict-#s1.txt=s1"}}},
    {29, R0, "", {EDITS, {"rm " S, "put " S " s2", "", "r.txt=cB " S "=s2"}}},
    {30, R0, "", {EDITS, {"rm " S, "rm r.txt", "", ""}}},
    {31, R0, "", {EDITS, {"mv " S " r.txt", "put " S " s2", "", "r.txt=cA " S "=s2"}}},
    {32, R0, "", {EDITS, {"put r.txt mA", "put r.txt mB", "", "r.txt=mB r.conflict-#mA.txt=mA " S "=cA"}}},
    {33, R0, "rm r.txt", {{"", "", "", ""}}},
    {34, R0, "rm r.txt", {{"", "", "put r.txt cC", "r.txt=cC"}}},
    {35, R0, "rm r.txt", {{"put r.txt new", "", "", "r.txt=new"}}},
    {135, R0, "rm r.txt; put r.txt new", {{"", "", "", "r.txt=new"}}},
    {39, R0, "", {{"mv r.txt q.txt", "", "", "q.txt=c0"}, {"mv q.txt r.txt", "put q.txt cB", "", "r.txt=cB"}}},
    {40, "a=a0 b=b0", "", {{"mv a t, mv b a, mv t b", "", "", "a=b0 b=a0"}}},
    {42, R0, "", {{EXEC, "put r.txt cB", "", "r.txt=cB*"}}},
    {43, R0, "", {{EXEC, "mv r.txt q.txt", "", "q.txt=c0*"}}},
    {44, R0, "", {{EXEC, "rm r.txt", "", ""}}},
    {45, R0, "", {{EXEC, "put r.txt cB", "rm r.txt", "r.txt=cB*"}}},
    {46, R0, "", {EXECD, {"rm r.txt", "put r.txt cB", "", "r.txt=cB*"}}},
    {47, R0, "", {EXECD, {"rm r.txt", "mv r.txt q.txt", "", "q.txt=c0*"}}},
    {48, R0, "", {{EXEC, "chmod 600 r.txt", "", "r.txt=c0-"}}},
    {49, R0, "", {{"chmod 600 r.txt; " EXEC, "chmod 600 r.txt", "", "r.txt=c0*"}}},
    {50, "", "", {{"put n.txt cX 755", "put n.txt cX 644", "", "n.txt=cX"},
                  {"chmod 755 n.txt", "put n.txt c2", "", "n.txt=c2*"}}},
    {51, R0, "", {EDITS, {"chmod 755 " S, "", "", "r.txt=cB " S "=cA*"}}},
    {52, R0, "", {EDITS, {EXEC, "", "", "r.txt=cB* " S "=cA"}}},
    {53, R0, "", {EDITS, {EXEC, "put r.txt mB", "", "r.txt=mB* " S "=cA"}}},
    {54, R0, "", {EDITS, {"chmod 755 " S, "put " S " s2", "", "r.txt=cB " S "=s2*"}}},
    {55, R0, "", {{"chmod 600 r.txt", "mv r.txt q.txt; put r.txt new", "", "q.txt=c0- r.txt=new"}}},
    {58, R0, "rm r.txt", {{"", "", EXEC, ""}}},
    {59, "", "", {CLASH, {"rm p/c", "", "", "p.conflict-#pA=pA p/"}}},
    {61, R0, "", {{"mv r.txt q, mkdir r.txt", "", "", "q=c0 r.txt/"}}},
    {62, R0, "", {{"mv r.txt q", "rm r.txt", "put q/x x0", "q.conflict-#c0=c0 q/x=x0"},
                  {"put q.conflict-#c0 h1", "", "", "q.conflict-#c0=h1 q/x=x0"}}},
    {63, "", "", {{"put n.txt cX; chmod 755 n.txt", "put n.txt cX; chmod 600 n.txt", "", "n.txt=cX-"},
                  {"chmod 755 n.txt", "put n.txt c2", "", "n.txt=c2*"}}},
    {64, "", "", {{"put r.txt c0 755; put r.txt cA", "", "", "r.txt=cA*"}}},
};
/* clang-format on */

#endif
