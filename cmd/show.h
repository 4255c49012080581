/* show.h - bits of a document, as people are shown them. */
#ifndef CS_CMD_SHOW_H
#define CS_CMD_SHOW_H

#include <jansson.h>

#include "cmd/table.h"

#define CS_SHORT_HASH 12 /* digits that tell contents and nodes apart for people */

const char *cs_text_of(const json_t *document, const char *key); /* never NULL */
uint64_t cs_number_of(const json_t *document, const char *key);
bool cs_true_of(const json_t *document, const char *key);
/* On stdout, with what a terminal must not see made visible. */
void cs_print_visible(const char *text);
/* "1.5 MiB", flush right in so many columns. */
void cs_print_size(uint64_t bytes, int width);
/* "12 looked at of 345"; false, and nothing appended: no scan runs. */
bool cs_put_scan(const json_t *folder, cs_buf_t *buf);
/* What is said of a folder that a peer shares: "exchanging, 12 of 34 differences", why nothing
 * goes on. If there is nothing to say nothing is appended, `before` and `after` neither. */
void cs_put_shared(const json_t *folder, const char *before, const char *after, cs_buf_t *buf);
/* The first digits of a text under a key. */
void cs_short_of(const json_t *document, const char *key, char ret[CS_SHORT_HASH + 1]);

#endif
