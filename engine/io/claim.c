/* claim.c - .crdtsync/adding. */
#include "io/claim.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/path.h"
#include "io/file.h"

#define CLAIM_PATH CS_PRIVATE_DIR "/adding"

void cs_claim_of(const uint8_t node[CS_KEY_BYTES], const char *id, const char *root,
                 char ret[CS_CLAIM_CHARS + 1])
{
    uint8_t hash[CS_CLAIM_CHARS / 2];
    cs_slice_t parts[] = {cs_slice(node, CS_KEY_BYTES), cs_slice(id, strlen(id) + 1),
                          cs_slice_text(root)};
    cs_hash(hash, sizeof hash, NULL, 0, parts, CS_COUNT_OF(parts));
    cs_hex(ret, hash, sizeof hash);
}

static const char *below(const char *root, const char *name, cs_buf_t *path)
{
    cs_buf_clear(path);
    cs_buf_printf(path, "%s/%s", root, name);
    cs_buf_put_u8(path, 0);
    return (const char *)path->data;
}

bool cs_claim_holds(const char *root, const char *claim)
{
    cs_buf_t path = {0}, text = {0}, detail = {0};
    bool ret = cs_file_read(below(root, CLAIM_PATH, &path), &text, &detail) == CS_OK &&
               cs_slice_eq(cs_buf_slice(&text), cs_slice_text(claim));
    cs_buf_fini(&path);
    cs_buf_fini(&text);
    cs_buf_fini(&detail);
    return ret;
}

cs_err_t cs_claim_write(const char *root, const char *claim, cs_buf_t *ret_detail)
{
    cs_buf_t path = {0};
    /* If it cannot be made, neither can the file in it, which is what is told. */
    (void)!mkdir(below(root, CS_PRIVATE_DIR, &path), 0777);
    cs_err_t err =
        cs_file_write(below(root, CLAIM_PATH, &path), cs_slice_text(claim), ret_detail);
    cs_buf_fini(&path);
    return err;
}

void cs_claim_remove(const char *root)
{
    cs_buf_t path = {0};
    (void)!unlink(below(root, CLAIM_PATH, &path));
    cs_buf_fini(&path);
}
