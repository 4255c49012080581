/* texts.h - what users wrote, and what of it must be there in the end (core.md 12, I9).
 *
 * Kept from the users' side alone. A text is owed from the moment it was written until a user
 * removed it himself: by unlinking or overwriting a file that held it, or by renaming over one.
 * He may make copies: while nobody else touched the text, it is owed until he removed as many
 * files with it as he made, or the last one that he had: two versions of a file that become
 * equal are one. Texts that are written more than once are nobody's in particular:
 * of them the dots tell (oracle.h). */
#ifndef CS_SIM_TEXTS_H
#define CS_SIM_TEXTS_H

#include "base/buf.h"

#define CS_TEXT_BYTES 24u
#define CS_TEXT_NONE  UINT32_MAX
#define CS_TEXT_MAX   65535u /* greater numbers are texts that nobody is owed */

typedef struct cs_texts cs_texts_t;

cs_texts_t *cs_texts_new(void);
void cs_texts_destroy(cs_texts_t **texts_p);

/* The bytes of a text; their count. */
size_t cs_text_print(uint64_t number, char ret[CS_TEXT_BYTES]);
/* The text that these bytes are, or begin with; CS_TEXT_NONE. */
uint32_t cs_text_of(const void *bytes, size_t len);

void cs_texts_written(cs_texts_t *texts, uint32_t number);
/* By the user of a node. CS_TEXT_NONE: nothing happens. */
void cs_texts_removed(cs_texts_t *texts, uint32_t number, unsigned user);
/* The last one of this node. */
void cs_texts_gone(cs_texts_t *texts, uint32_t number);
void cs_texts_copied(cs_texts_t *texts, uint32_t number, unsigned user);
void cs_texts_moved(cs_texts_t *texts, uint32_t number, unsigned user);

bool cs_texts_is_owed(const cs_texts_t *texts, uint32_t number);
uint32_t cs_texts_end(const cs_texts_t *texts); /* one past the greatest number written */

#endif
