/* zpl_fuzz.c - no file of a home can harm us; a record that loads is written and loads again.
 */
#include <stdlib.h>

#include "io/config.h"
#include "io/identity.h"
#include "io/records.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_folder(cs_slice_t text)
{
    cs_folder_record_t folder, again;
    cs_mistakes_t mistakes = {0};
    cs_folder_record_load(text, &folder, &mistakes);
    if (mistakes.count == 0) {
        cs_buf_t out = {0};
        cs_folder_record_check(&folder, &mistakes);
        if (mistakes.count > 0) abort();
        cs_folder_record_text(&folder, &out);
        cs_folder_record_load(cs_buf_slice(&out), &again, &mistakes);
        if (mistakes.count > 0) abort();
        cs_folder_record_fini(&again);
        cs_buf_fini(&out);
    }
    cs_folder_record_fini(&folder);
    cs_mistakes_fini(&mistakes);
}

static void try_peer(cs_slice_t text)
{
    cs_peer_record_t peer, again;
    cs_mistakes_t mistakes = {0};
    cs_peer_record_load(text, &peer, &mistakes);
    if (mistakes.count == 0) {
        cs_buf_t out = {0};
        cs_peer_record_check(&peer, &mistakes);
        if (mistakes.count > 0) abort();
        cs_peer_record_text(&peer, &out);
        cs_peer_record_load(cs_buf_slice(&out), &again, &mistakes);
        if (mistakes.count > 0) abort();
        cs_peer_record_fini(&again);
        cs_buf_fini(&out);
    }
    cs_peer_record_fini(&peer);
    cs_mistakes_fini(&mistakes);
}

static void try_invite(cs_slice_t text)
{
    cs_invite_record_t invite = {0}, again = {0};
    cs_mistakes_t mistakes = {0};
    cs_invite_record_load(text, &invite, &mistakes);
    if (mistakes.count == 0) {
        cs_buf_t out = {0};
        cs_invite_record_check(&invite, &mistakes);
        if (mistakes.count > 0) abort();
        cs_invite_record_text(&invite, &out);
        cs_invite_record_load(cs_buf_slice(&out), &again, &mistakes);
        if (mistakes.count > 0 || again.uses_left != invite.uses_left) abort();
        cs_buf_fini(&out);
    }
    cs_mistakes_fini(&mistakes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cs_slice_t text = cs_slice(data, size);
    cs_mistakes_t mistakes = {0};
    cs_config_t config;
    cs_config_load(text, &config, &mistakes);
    cs_config_fini(&config);
    cs_identity_t identity = {0};
    cs_identity_load(text, &identity, &mistakes);
    cs_mistakes_fini(&mistakes);
    try_folder(text);
    try_peer(text);
    try_invite(text);
    return 0;
}
