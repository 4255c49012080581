/* script.h - little histories of a few users, as text: the vectors of core.md section 11.
 *
 *   new AB              empty replicas
 *   base AB p=c q=d     with files, synced
 *   put A p c [octal]   rm A p   mv A p q   chmod A p octal   mkdir A d   rmtree A d
 *   mvdir A d e
 *   scan AB             each scans and materialises
 *   look A              scans only
 *   show A              materialises
 *   xchg A B            an atomic exchange
 *   sync AB             all are equal, on disk too, and nothing is left to collect
 *   save B S            S is a copy of B from now on
 *   newrid S n
 *   is A p=c q=d* d/    A's tree; `*` 0755, `-` 0600, `d/` an empty directory
 *   avalues A n         A values in A's state
 *   flags S A           S notices that it was restored
 *   alarm A             A met a dot with two values
 *
 * `#x` in a path is the tag of x.
 *
 * Commands end with `;`. */
#ifndef CS_TESTS_SCRIPT_H
#define CS_TESTS_SCRIPT_H

#include <stdbool.h>

/* NULL, or what went wrong (static text). with_store: each replica lives in a store, and is
 * reopened after every command. */
const char *cs_script_run(const char *text, bool with_store);

#endif
