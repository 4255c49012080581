/* standing_text.h - a word about a member (node/standing.h) as a line of its record:
 * "FOLDER VERSION in|out SIGNER SIGNATURE", the last two in hex. */
#ifndef CS_IO_STANDING_TEXT_H
#define CS_IO_STANDING_TEXT_H

#include "io/records.h"
#include "node/standing.h"

CS_HEADER_BEGIN

/* False: it is none. ret's key is not in the text, and stays as it is. */
bool cs_standing_parse(const char *text, char ret_folder[CS_ID_TEXT], cs_standing_t *ret);
/* What the record has for that folder; false: nothing, and ret is undefined. */
bool cs_standing_get(const cs_peer_record_t *record, const char *folder, cs_standing_t *ret);
/* In the place of what the record has for that folder. */
void cs_standing_put(cs_peer_record_t *record, const char *folder,
                     const cs_standing_t *standing);

CS_HEADER_END

#endif
