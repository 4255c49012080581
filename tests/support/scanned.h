/* scanned.h - a folder of real files with base rows, and what a scan of it sees. */
#ifndef CS_TESTS_SCANNED_H
#define CS_TESTS_SCANNED_H

#include "disk/scan.h"

typedef struct cs_test_seen {
    cs_sighting_t sighting; /* path: owned bytes, see cs_test_scanned_clear */
    bool is_trouble;
    cs_trouble_t trouble;
    char *path; /* owned */
} cs_test_seen_t;

typedef struct cs_test_scanned {
    char *dir;
    cs_fs_t *fs;
    cs_store_t *store;
    cs_chunker_table_t *table;
    cs_scan_config_t config;
    cs_scan_stats_t stats;
    cs_test_seen_t *seen; /* sightings and troubles in order */
    size_t len, cap;
    size_t rows;    /* rows that the scan handed over */
    size_t threads; /* that hash beside the test's own (io/scan_pool.h) */
} cs_test_scanned_t;

void cs_test_scanned_init(cs_test_scanned_t *t); /* a marked, empty folder */
void cs_test_scanned_fini(cs_test_scanned_t *t);
void cs_test_scanned_clear(cs_test_scanned_t *t); /* forgets what was seen */

/* Returns when what is written has another time than what was: prints of that vouch now. The
 * path is free, and is used. */
void cs_test_pass_tick(const char *path);
void cs_test_scanned_pass_tick(const cs_test_scanned_t *t);

/* Writes a file whose times are long ago, so that its print is proof. */
void cs_test_scanned_old(cs_test_scanned_t *t, const char *path, const char *text);
void cs_test_scanned_put_row(cs_test_scanned_t *t, const char *path,
                             const cs_base_front_t *row);
void cs_test_scanned_drop_row(cs_test_scanned_t *t, const char *path);
/* The row of what is on disk now; false: there is nothing of which rows are kept. */
bool cs_test_scanned_row_of(cs_test_scanned_t *t, const char *path, cs_base_front_t *ret);
/* Makes that the row at path. */
void cs_test_scanned_accept(cs_test_scanned_t *t, const char *path);

/* Adds to t->seen. */
cs_err_t cs_test_scanned_run(cs_test_scanned_t *t);
/* "appeared a,vanished b,socket c": what was seen, in order. Owned by the caller. */
char *cs_test_scanned_text(const cs_test_scanned_t *t);
/* Forgets what was seen, runs, and says that text; must not fail. */
char *cs_test_scanned_look(cs_test_scanned_t *t);

#endif
