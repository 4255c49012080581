/* hash_ahead_main.c - a file read by one thread and digested by another has the content and the
 * rows that one thread finds. A program of its own, so that the thread sanitizer can watch it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/prng.h"
#include "io/fs_linux.h"
#include "io/hash_ahead.h"
#include "support/folder.h"
#include "support/seed.h"

#define ROUNDS 12

typedef struct told {
    cs_buf_t text; /* of the sink */
    cs_content_t content;
    cs_err_t err;
} told_t;

static cs_chunker_table_t *table;

static void must(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "failed: %s\n", what);
    exit(1);
}

static void on_chunk(void *arg, const cs_name_t *name, uint64_t offset, uint32_t len)
{
    cs_buf_t *text = arg;
    cs_buf_put(text, name->b, sizeof name->b);
    cs_buf_put_u64(text, offset);
    cs_buf_put_u32(text, len);
}

static void on_zeros(void *arg, uint32_t len)
{
    cs_buf_put_u32(arg, len);
}

static void on_node(void *arg, const cs_name_t *name, cs_slice_t bytes)
{
    (void)name;
    cs_buf_put_slice(arg, bytes);
}

typedef struct life {
    uint64_t asked, most; /* cancelled after so many questions; 0: never */
} life_t;

static bool is_cancelled(void *arg)
{
    life_t *life = arg;
    return ++life->asked == life->most;
}

static told_t hash(cs_fs_t *fs, uint64_t size, cs_file_hash_t *how, life_t *life)
{
    static uint8_t buffer[CS_FILE_BUFFER_BYTES];
    told_t told = {0};
    cs_content_sink_t sink = {
        .arg = &told.text, .chunk = on_chunk, .zeros = on_zeros, .node = on_node};
    cs_content_hasher_t *hasher = cs_content_hasher_new(table);
    cs_content_hasher_begin(hasher, &sink);
    cs_pass_t pass = {.size = size, .buffer = buffer};
    if (life != NULL) {
        pass.cancelled = is_cancelled;
        pass.cancel_arg = life;
    }
    must(fs->ops->open_read(fs, cs_slice_text("file"), &pass.file) == CS_OK, "open");
    told.err = how(&pass, hasher);
    pass.file->ops->close(&pass.file);
    if (told.err == CS_OK) cs_content_hasher_end(hasher, &told.content);
    cs_content_hasher_destroy(&hasher);
    return told;
}

static void same(cs_fs_t *fs, uint64_t size)
{
    told_t one = hash(fs, size, cs_file_hash, NULL);
    told_t two = hash(fs, size, cs_file_hash_ahead, NULL);
    must(one.err == two.err, "the outcome");
    must(cs_content_eq(&one.content, &two.content), "the content");
    must(cs_slice_eq(cs_buf_slice(&one.text), cs_buf_slice(&two.text)), "what the sink hears");
    cs_buf_fini(&one.text);
    cs_buf_fini(&two.text);
}

/* Random bytes, with holes if asked for; returns the size. */
static uint64_t make(const char *dir, cs_prng_t *prng, bool holes)
{
    char path[512];
    snprintf(path, sizeof path, "%s/file", dir);
    FILE *file = fopen(path, "w");
    must(file != NULL, "make");
    uint64_t size = CS_AHEAD_MIN - 2 + cs_prng_below(prng, 5);
    if (cs_prng_chance(prng, 1, 2)) size += cs_prng_below(prng, 16u << 20);
    for (uint64_t at = 0; at < size;) {
        static uint64_t words[8192];
        for (size_t i = 0; i < CS_COUNT_OF(words); i++)
            words[i] = cs_prng_u64(prng);
        size_t len = size - at < sizeof words ? (size_t)(size - at) : sizeof words;
        must(fwrite(words, 1, len, file) == len, "write");
        at += len;
        if (!holes || !cs_prng_chance(prng, 1, 64)) continue;
        at += cs_prng_below(prng, 4u << 20);
        if (at > size) at = size;
        must(fseek(file, (long)at, SEEK_SET) == 0, "seek");
    }
    must(fclose(file) == 0 && truncate(path, (off_t)size) == 0, "close");
    return size;
}

static void gives_up(cs_fs_t *fs, uint64_t size, uint64_t most)
{
    life_t life = {.most = most};
    told_t told = hash(fs, size, cs_file_hash_ahead, &life);
    must(told.err == CS_ERR_AGAIN, "it is cancelled");
    cs_buf_fini(&told.text);
}

int main(void)
{
    cs_prng_t prng;
    cs_keys_t keys;
    char dir[] = "/tmp/crdtsync-test-ahead-XXXXXX";
    cs_prng_init(&prng, test_seed("hash_ahead"));
    cs_keys_derive(&keys, (const uint8_t[32]){7});
    table = cs_chunker_table_new(&keys);
    must(mkdtemp(dir) != NULL, "a directory");
    cs_fs_t *fs = NULL;
    must(cs_fs_linux_open(dir, &fs) == CS_OK, "a folder");
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t size = make(dir, &prng, i % 2 == 1);
        same(fs, size);
        gives_up(fs, CS_AHEAD_MIN, 1 + cs_prng_below(&prng, 8));
        same(fs, size + 1 + cs_prng_below(&prng, 1u << 20)); /* it was longer a moment ago */
    }
    fs->ops->close_fs(&fs);
    cs_chunker_table_destroy(&table);
    char path[64];
    snprintf(path, sizeof path, "%s/file", dir);
    must(unlink(path) == 0 && rmdir(dir) == 0, "removed again");
    puts("ok");
    return 0;
}
