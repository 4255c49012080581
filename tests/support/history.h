/* history.h - histories and trees of test vectors, in their own short notation.
 *
 *   history   "put r.txt cA 755; mv r.txt q.txt, mkdir r.txt"    `;` ends a scan, `,` an action
 *   actions   put PATH SYMBOL [MODE] · mv FROM TO · rm PATH · rmr PATH · mkdir PATH ·
 *             chmod MODE PATH
 *   tree      "q.txt=cA* r.txt/"    PATH=SYMBOL, * for mode 0755, - for 0600, else 0644; PATH/
 *             is an empty directory
 *
 * #x in a path is the tag of x. Every path lies below a directory given with the call. What
 * fails stops the test. */
#ifndef CS_TESTS_HISTORY_H
#define CS_TESTS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>

#include "support/wanted.h"

/* Parts between scans: 0 for an empty history. */
int history_stages(const char *history);
/* Part `stage` of it; nothing if it has fewer. */
void history_play(const wanted_t *wanted, const char *dir, const char *history, int stage);
/* Makes the tree, in an empty directory. */
void history_make(const wanted_t *wanted, const char *dir, const char *tree);
/* Does `dir` hold exactly this tree? ret_found: what it holds, in the same notation. */
bool history_shows(const wanted_t *wanted, const char *dir, const char *tree, char *ret_found,
                   size_t bytes);

#endif
