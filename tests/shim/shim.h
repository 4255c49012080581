/* shim.h - what a test and the process under its shim share: a mapped file. */
#ifndef CS_TESTS_SHIM_H
#define CS_TESTS_SHIM_H

#include <stdint.h>

#define SHIM_ROOTS "SHIM_ROOTS" /* directories, separated by ':' */
#define SHIM_STATE "SHIM_STATE" /* path of the mapped file */
#define SHIM_STASH "SHIM_STASH" /* undo.h */

typedef struct shim_state {
    uint32_t at;  /* the process dies before its so-manieth change, from 1; 0: never */
    uint32_t cut; /* 0: it is only killed; else the power is cut: undo_how_t */
    uint32_t names_kept, data, seed;
    uint32_t calls; /* changes, made or not */
    char last[512]; /* the one at which it died */
} shim_state_t;

#endif
