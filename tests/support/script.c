/* script.c - see script.h. */
#include "support/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/mem_store.h"
#include "support/peer.h"

#define LETTERS   26
#define WORDS_MAX 16

typedef struct script {
    cs_peer_t peer[LETTERS];
    bool used[LETTERS], with_store;
    char failure[2048];
    char *word[WORDS_MAX];
    int words;
} script_t;

static cs_peer_t *peer(script_t *s, char letter)
{
    int i = letter - 'A';
    CS_ASSERT(i >= 0 && i < LETTERS && s->used[i]);
    return &s->peer[i];
}

static cs_store_t *store(const script_t *s)
{
    return s->with_store ? cs_mem_store_new() : NULL;
}

static void birth(script_t *s, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        int i = *letters - 'A';
        if (s->used[i]) cs_peer_fini(&s->peer[i]);
        cs_peer_init(&s->peer[i], 0x1000u + (uint64_t)*letters, store(s));
        s->used[i] = true;
    }
}

static void scan(script_t *s, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        cs_peer_scan(peer(s, *letters));
        cs_peer_catch_up(peer(s, *letters));
    }
}

static void live_only(script_t *s, cs_peer_t *p)
{
    cs_buckets_t buckets = {0};
    cs_dot_t lin;
    cs_peer_buckets(p, &buckets);
    for (uint32_t i = 0; i < buckets.len; i++) {
        const cs_entry_t *entry = &cs__cell_get(p->replica, &buckets.at[i])->entry;
        bool bad = cs_entry_is_dead(entry) || cs__entry_dead_lineage(entry, &lin);
        if (bad)
            snprintf(s->failure, sizeof s->failure, "a tombstone or a dead lineage is left");
    }
    free(buckets.at);
}

static void sync_all(script_t *s, const char *letters)
{
    cs_peer_t *list[LETTERS];
    cs_buf_t first = {0}, other = {0};
    uint32_t len = 0;
    for (const char *l = letters; *l != '\0'; l++)
        list[len++] = peer(s, *l);
    for (int round = 0; round < 2; round++) {
        cs_peer_exchange_all(list, len);
        scan(s, letters);
    }
    cs_peer_exchange_all(list, len);
    for (uint32_t i = 0; i < len; i++) {
        cs_buf_t path = {0};
        cs_peer_catch_up(list[i]);
        cs_replica_expose(list[i]->replica);
        cs_peer_picture(list[i], i == 0 ? &first : &other);
        if (i > 0 && !cs_slice_eq(cs_buf_slice(&first), cs_buf_slice(&other))) {
            snprintf(s->failure, sizeof s->failure, "differ: %.*s and %.*s", (int)first.len,
                     (char *)first.data, (int)other.len, (char *)other.data);
        }
        if (cs_replica_pending(list[i]->replica, cs_slice(NULL, 0), &path)) {
            snprintf(s->failure, sizeof s->failure, "pending: %.*s", (int)path.len,
                     (char *)path.data);
        }
        live_only(s, list[i]);
        cs_buf_fini(&path);
    }
    cs_buf_fini(&first);
    cs_buf_fini(&other);
}

/* `#x` in a path becomes the tag of the bytes x. */
static void expand(const char *word, char *ret, size_t size)
{
    const char *mark = strchr(word, '#');
    if (mark == NULL) {
        snprintf(ret, size, "%s", word);
        return;
    }
    size_t len = strcspn(mark + 1, ".=");
    char text[32] = "";
    memcpy(text, mark + 1, len);
    cs_content_t content = cs_tree_text(CS_KIND_FILE, text);
    cs_str_t *name = cs_sibling_name(cs_slice_text("x"), &content, 8, 0);
    snprintf(ret, size, "%.*s%s%s", (int)(mark - word), word,
             name->data + strlen("x.conflict-"), mark + 1 + len);
    cs_str_unref(&name);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Words of a picture, without markers of directories that have something in them. */
static int picture_words(char *text, char **word)
{
    int len = 0;
    for (char *w = strtok(text, " "); w != NULL && len < 64; w = strtok(NULL, " "))
        word[len++] = w;
    int kept = 0;
    for (int i = 0; i < len; i++) {
        size_t n = strlen(word[i]);
        bool filled = false;
        for (int j = 0; j < len && word[i][n - 1] == '/'; j++) {
            filled = filled || (j != i && strncmp(word[j], word[i], n) == 0);
        }
        if (!filled) word[kept++] = word[i];
    }
    qsort(word, (size_t)kept, sizeof *word, by_text);
    return kept;
}

static void check_is(script_t *s)
{
    char want[1024] = "", got[1024] = "", *word[64];
    static char expanded[WORDS_MAX][256];
    cs_buf_t picture = {0};
    for (int i = 2; i < s->words; i++) {
        expand(s->word[i], expanded[i], sizeof expanded[i]);
        word[i - 2] = expanded[i];
    }
    qsort(word, (size_t)(s->words - 2), sizeof *word, by_text);
    for (int i = 0; i < s->words - 2; i++) {
        strcat(want, word[i]);
        strcat(want, " ");
    }
    cs_peer_picture(peer(s, s->word[1][0]), &picture);
    cs_buf_put_u8(&picture, 0);
    int len = picture_words((char *)picture.data, word);
    for (int i = 0; i < len; i++) {
        strcat(got, word[i]);
        strcat(got, " ");
    }
    if (strcmp(want, got) != 0)
        snprintf(s->failure, sizeof s->failure, "is: %s, not: %s", got, want);
    cs_buf_fini(&picture);
}

static void check_avalues(script_t *s)
{
    cs_buckets_t buckets = {0};
    uint32_t count = 0;
    cs_peer_t *p = peer(s, s->word[1][0]);
    cs_peer_buckets(p, &buckets);
    for (uint32_t i = 0; i < buckets.len; i++)
        count += cs__cell_get(p->replica, &buckets.at[i])->entry.a_len;
    free(buckets.at);
    if (count != (uint32_t)atoi(s->word[2]))
        snprintf(s->failure, sizeof s->failure, "%u A values", count);
}

static void put(script_t *s, cs_tree_t *tree)
{
    cs_content_t content = cs_tree_text(CS_KIND_FILE, s->word[3]);
    char path[256];
    expand(s->word[2], path, sizeof path);
    cs_tree_write(tree, path, &content, s->words > 4 ? (int)strtol(s->word[4], NULL, 8) : -1);
}

/* What a user does; false: not such a command. */
static bool user(script_t *s)
{
    const char *what = s->word[0];
    static const char *const verbs[] = {"put", "rm", "mv", "chmod", "mkdir", "rmtree", "mvdir"};
    size_t verb = 0;
    while (verb < CS_COUNT_OF(verbs) && strcmp(what, verbs[verb]) != 0)
        verb++;
    if (verb == CS_COUNT_OF(verbs)) return false;
    cs_tree_t *tree = &peer(s, s->word[1][0])->tree;
    char one[256] = "", two[256] = "";
    expand(s->word[2], one, sizeof one);
    if (s->words > 3) expand(s->word[3], two, sizeof two);
    if (verb == 0) put(s, tree);
    if (verb == 1) cs_tree_remove(tree, one);
    if (verb == 2) cs_tree_rename(tree, one, two);
    if (verb == 3) cs_tree_find(tree, one)->mode = (uint16_t)strtol(s->word[3], NULL, 8);
    if (verb == 4) cs_tree_mkdir(tree, one);
    if (verb == 5) cs_tree_rmtree(tree, one);
    if (verb == 6) cs_tree_rename_dir(tree, one, two);
    return true;
}

static void base(script_t *s)
{
    birth(s, s->word[1]);
    cs_tree_t *tree = &peer(s, s->word[1][0])->tree;
    for (int i = 2; i < s->words; i++) {
        char *equals = strchr(s->word[i], '=');
        *equals = '\0';
        cs_content_t content = cs_tree_text(CS_KIND_FILE, equals + 1);
        cs_tree_write(tree, s->word[i], &content, -1);
    }
    char first[2] = {s->word[1][0], '\0'};
    scan(s, first);
    sync_all(s, s->word[1]);
}

static void save(script_t *s)
{
    cs_peer_t *from = peer(s, s->word[1][0]);
    int to = s->word[2][0] - 'A';
    if (s->used[to]) cs_peer_fini(&s->peer[to]);
    cs_peer_clone(&s->peer[to], from, store(s));
    s->used[to] = true;
}

static void command(script_t *s)
{
    const char *what = s->word[0], *arg = s->word[1];
    if (user(s)) return;
    if (strcmp(what, "new") == 0)
        birth(s, arg);
    else if (strcmp(what, "base") == 0)
        base(s);
    else if (strcmp(what, "scan") == 0)
        scan(s, arg);
    else if (strcmp(what, "look") == 0)
        cs_peer_scan(peer(s, *arg));
    else if (strcmp(what, "show") == 0)
        cs_peer_catch_up(peer(s, *arg));
    else if (strcmp(what, "xchg") == 0)
        cs_peer_exchange(peer(s, *arg), peer(s, s->word[2][0]), false);
    else if (strcmp(what, "sync") == 0)
        sync_all(s, arg);
    else if (strcmp(what, "save") == 0)
        save(s);
    else if (strcmp(what, "newrid") == 0) {
        cs_err_t err =
            cs_replica_reincarnate(peer(s, *arg)->replica, (uint64_t)atoi(s->word[2]));
        CS_ASSERT(err == CS_OK);
    } else if (strcmp(what, "flags") == 0) {
        const cs_state_t *other = cs_replica_state(peer(s, s->word[2][0])->replica);
        bool flagged = cs_replica_regressed(peer(s, *arg)->replica, &other->seen, NULL);
        if (!flagged)
            snprintf(s->failure, sizeof s->failure, "the restored image went unnoticed");
    } else if (strcmp(what, "alarm") == 0) {
        if (!peer(s, *arg)->reused)
            snprintf(s->failure, sizeof s->failure, "no ALARM dot_reuse");
    } else if (strcmp(what, "is") == 0)
        check_is(s);
    else if (strcmp(what, "avalues") == 0)
        check_avalues(s);
    else
        snprintf(s->failure, sizeof s->failure, "what is '%s'?", what);
}

const char *cs_script_run(const char *text, bool with_store)
{
    static script_t s;
    memset(&s, 0, sizeof s);
    s.with_store = with_store;
    char *copy = cs_strdup(text), *rest = copy;
    while (rest != NULL && *rest != '\0' && s.failure[0] == '\0') {
        char *line = rest, *word_rest = NULL;
        rest = strchr(rest, ';');
        if (rest != NULL) *rest++ = '\0';
        s.words = 0;
        for (char *w = strtok_r(line, " \n", &word_rest); w != NULL && s.words < WORDS_MAX;
             w = strtok_r(NULL, " \n", &word_rest)) {
            s.word[s.words++] = w;
        }
        if (s.words == 0) continue;
        command(&s);
        for (int i = 0; i < LETTERS; i++) {
            if (s.used[i]) cs_peer_persist(&s.peer[i], true);
        }
    }
    for (int i = 0; i < LETTERS; i++) {
        if (s.used[i]) cs_peer_fini(&s.peer[i]);
    }
    cs_free(copy);
    return s.failure[0] != '\0' ? s.failure : NULL;
}
