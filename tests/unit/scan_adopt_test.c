/* scan_adopt_test.c - a file that shows what the projection shows is taken for our own work;
 * what the user had done all the same must not suffer from it. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "support/script.h"

static void plays(const char *script)
{
    for (int with_store = 0; with_store < 2; with_store++) {
        const char *failure = cs_script_run(script, with_store == 1);
        cr_expect_null(failure, "%s", failure);
    }
}

/* B moved q=c2 to p. A knows, but did not do it on its disk yet. */
#define MOVED_UNSEEN "base AB q=c2; mv B q p; scan B; xchg A B; "

/* The user came before us: his file at p is the one that B moved. */
#define COPIED MOVED_UNSEEN "put A p c2; look A; "

Test(scan_adopt, both_moved_it_and_the_scan_saw_one_end_first)
{
    plays(COPIED "rm A q; sync AB; is A p=c2");
}

Test(scan_adopt, what_was_copied_is_no_copy_any_more)
{
    plays(COPIED "put A q c4; sync AB; is A p=c2 q=c4");
    plays(COPIED "mv A q z; sync AB; is A p=c2 z=c2");
    plays(COPIED "rm A p; put A q c4; sync AB; is A q=c4");
    plays(COPIED "put A p c5; put A q c4; sync AB; is A p=c5 q=c4");
}

Test(scan_adopt, what_was_copied_leaves_if_nobody_wants_it)
{
    plays(COPIED "sync AB; is A p=c2");
    plays(COPIED "chmod A q 755; sync AB; is A p=c2");
}

/* Two edits, one of which follows its file to where B moved it. */
Test(scan_adopt, a_swap_brings_a_moved_file_to_its_place)
{
    plays("base AB q=c2; put A p c1; scan A; mv B q p; scan B; xchg A B;"
          "mv A p t; mv A q p; mv A t q; sync AB; is A p=c2 p.conflict-#c1=c1");
}

Test(scan_adopt, a_swap_brings_a_sibling_to_its_place)
{
    plays("base AB r=c0; put A r cA; scan A; put B r cB; scan B; xchg A B; show A;"
          "is A r=cB r.conflict-#cA=cA; rm B r; look B; xchg A B;"
          "mv A r t; mv A r.conflict-#cA r; mv A t r.conflict-#cA;"
          "sync AB; is A r=cA r.conflict-#cA=cB");
}

/* A's copy of a sibling stands where B wants a directory, so it shows as the sibling does. */
Test(scan_adopt, a_copy_keeps_what_the_other_file_loses)
{
    plays("new AB; put A d/x c0; scan A; put B d c3; scan B; sync AB;"
          "is A d/x=c0 d.conflict-#c3=c3; put B d/y c1; scan B; xchg A B;"
          "rmtree A d; put A d c3; look A; rm A d.conflict-#c3; look A;"
          "sync AB; is A d/y=c1 d.conflict-#c3=c3");
}

/* Each user kept one of two copies. A had written over the other before B's came there. */
Test(scan_adopt, a_file_changed_already_does_not_take_its_twin_along)
{
    plays("base AB s=cX; put A p cX; look A; put A s cW; xchg A B; scan B;"
          "put B s cY; look B; put B p cY; put B s cX; look B; xchg A B; look A;"
          "sync AB; is A p=cY s=cX s.conflict-#cW=cW");
}

/* A moved it, then removed it: an edit by B, known to A, kept the place. B removed the edit. */
Test(scan_adopt, what_two_users_removed_does_not_come_back_from_a_hint)
{
    plays("base ABC r=c0; put B r cE; look B; xchg B C; rm B r; look B;"
          "mv A r q; look A; xchg A C; rm A q; look A; xchg A B; sync ABC; is A; is B");
}

/* A moved r to q, and two users edited it there: two siblings of what C put there. */
#define MOVED_AND_EDITED                                                                 \
    "base ABC r=c0 w=c1; put C w c2; look C; put C w c3; look C; put C w c4; look C; "   \
    "put C w c5; sync ABC; mv A r q; look A; xchg A B; show B; put A q cX; put B q cY; " \
    "look A; look B; mv C w q; look C; sync ABC; "                                       \
    "is A q=c5 q.conflict-#cX=cX q.conflict-#cY=cY; "

/* Each is taken by a user who still saw the other one: what both had replaced stays so. */
Test(scan_adopt, versions_that_two_users_took_do_not_bring_back_a_third_from_a_hint)
{
    static const char *const taken[][2] = {
        {"rm B q.conflict-#cY", "q=c5"},
        {"mv B q.conflict-#cY s", "q=c5 s=cY"},
        {"put B q.conflict-#cY cZ", "q=c5 q.conflict-#cY=cZ"},
        {"chmod B q.conflict-#cY 755", "q=c5 q.conflict-#cY=cY*"},
    };
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++) {
        char script[600];
        snprintf(script, sizeof script,
                 MOVED_AND_EDITED "rm A q.conflict-#cX; %s; look A; look B; sync ABC; is A %s",
                 taken[i][0], taken[i][1]);
        plays(script);
        snprintf(script, sizeof script,
                 MOVED_AND_EDITED "mv A q.conflict-#cX t; %s; look A; look B; sync ABC; "
                                  "is A %s t=cX",
                 taken[i][0], taken[i][1]);
        plays(script);
    }
}
