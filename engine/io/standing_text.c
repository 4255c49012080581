/* standing_text.c - see standing_text.h. */
#include "io/standing_text.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define HEX(bytes) (2 * (bytes))
#define LINE_BYTES 400u

bool cs_standing_parse(const char *text, char ret_folder[CS_ID_TEXT], cs_standing_t *ret)
{
    char version[11], word[4], signer[HEX(CS_KEY_BYTES) + 1],
        signature[HEX(CS_SIGNATURE_BYTES) + 1];
    int end = 0;
    int count = sscanf(text, "%64s %10[0-9] %3[a-z] %64[0-9a-f] %128[0-9a-f]%n", ret_folder,
                       version, word, signer, signature, &end);
    if (count != 5 || text[end] != '\0' || cs_check_folder_id(ret_folder) != NULL) {
        return false;
    }
    ret->out = strcmp(word, "out") == 0;
    return (ret->out || strcmp(word, "in") == 0) &&
           cs_parse_u32(version, 1, UINT32_MAX, &ret->version) &&
           cs_unhex(ret->signer, sizeof ret->signer, cs_slice_text(signer)) &&
           cs_unhex(ret->signature, sizeof ret->signature, cs_slice_text(signature));
}

bool cs_standing_get(const cs_peer_record_t *record, const char *folder, cs_standing_t *ret)
{
    for (size_t i = 0; i < record->standings.count; i++) {
        char id[CS_ID_TEXT];
        bool good = cs_standing_parse(record->standings.at[i], id, ret);
        if (!good || strcmp(id, folder) != 0) continue;
        memcpy(ret->key.b, record->key, sizeof ret->key.b);
        return true;
    }
    return false;
}

void cs_standing_put(cs_peer_record_t *record, const char *folder,
                     const cs_standing_t *standing)
{
    char line[LINE_BYTES], signer[HEX(CS_KEY_BYTES) + 1],
        signature[HEX(CS_SIGNATURE_BYTES) + 1];
    cs_hex(signer, standing->signer, sizeof standing->signer);
    cs_hex(signature, standing->signature, sizeof standing->signature);
    snprintf(line, sizeof line, "%s %u %s %s %s", folder, standing->version,
             standing->out ? "out" : "in", signer, signature);
    size_t len = strlen(folder);
    for (size_t i = 0; i < record->standings.count; i++) {
        char **at = &record->standings.at[i];
        if (strncmp(*at, folder, len) != 0 || (*at)[len] != ' ') continue;
        cs_free(*at);
        *at = cs_strdup(line);
        return;
    }
    cs_strings_add(&record->standings, line);
}
