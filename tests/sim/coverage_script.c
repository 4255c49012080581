/* coverage_script.c - see coverage_script.h. */
#include "coverage_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define APART_MS 400000u /* connections are cut for so long, or until a rest */
#define PURGE_MS 300000u /* time for a removal to be forgotten */
#define EARLY_MS 2000u   /* time for two to become equal */
#define STEP_MS  20u

typedef struct script {
    cs_history_t history;
    uint64_t at_ms;
    char contents[32][16]; /* their numbers, from 10 */
    unsigned content_count;
    char tags[9][16]; /* of siblings: the first is #1 */
    unsigned tag_count;
    bool parted;
    unsigned early[2]; /* these two meet before they are parted; equal: none do */
} script_t;

static cs_act_t *act(script_t *script, cs_act_kind_t kind, unsigned node)
{
    script->at_ms += STEP_MS;
    cs_act_t act = {.at_us = script->at_ms * 1000, .kind = kind, .node = (uint16_t)node};
    return cs_history_add(&script->history, &act);
}

static void rest(script_t *script)
{
    act(script, CS_ACT_REST, 0);
    script->at_ms = 0;
    script->parted = false;
}

static uint64_t number_of(script_t *script, const char *content)
{
    unsigned i = 0;
    while (i < script->content_count && strcmp(script->contents[i], content) != 0)
        i++;
    if (i == script->content_count)
        snprintf(script->contents[script->content_count++], 16, "%s", content);
    return 10 + i;
}

/* "r.conflict-#cA.txt" is the first sibling of r.txt, if cA is the first that is named. */
static void set_path(script_t *script, const char *path, char *ret)
{
    const char *tag = strstr(path, ".conflict-#");
    if (tag == NULL) {
        snprintf(ret, CS_ACT_PATH_BYTES, "%s", path);
        return;
    }
    const char *hash = tag + strlen(".conflict-#"), *dot = strchr(hash, '.');
    char text[16];
    unsigned i = 0;
    snprintf(text, sizeof text, "%.*s", (int)strcspn(hash, "."), hash);
    while (i < script->tag_count && strcmp(script->tags[i], text) != 0)
        i++;
    if (i == script->tag_count) memcpy(script->tags[script->tag_count++], text, sizeof text);
    snprintf(ret, CS_ACT_PATH_BYTES, "%.*s%s#%u", (int)(tag - path), path, dot ? dot : "",
             i + 1);
}

static void part_two(script_t *script, unsigned a, unsigned b)
{
    cs_act_t *cut = act(script, CS_ACT_PART, a);
    cut->peer = (uint16_t)b;
    cut->number = APART_MS;
}

/* Two that meet, and then one of them writes again. */
static void find_early(script_t *script, const char *rest_of)
{
    char a, b, c, write[4] = "";
    const char *exchange = strstr(rest_of, "xchg ");
    script->early[0] = script->early[1] = 0;
    if (exchange != NULL &&
        sscanf(exchange, "xchg %c %c; show %c; %3[a-z]", &a, &b, &c, write) == 4 &&
        strcmp(write, "put") == 0) {
        script->early[0] = (unsigned)(a - 'A');
        script->early[1] = (unsigned)(b - 'A');
    }
}

/* All but those who will meet within this phase: `rest_of` is the script from here. */
static void part(script_t *script, const char *rest_of)
{
    if (script->parted) return;
    script->parted = true;
    find_early(script, rest_of);
    unsigned nodes = script->history.options.nodes;
    char all[8] = "ABC";
    all[nodes] = '\0';
    const char *next = strstr(rest_of, "sync ");
    char group[8] = "";
    if (next != NULL) sscanf(next, "sync %7[A-Z]", group);
    for (unsigned a = 0; a < nodes; a++) {
        for (unsigned b = a + 1; b < nodes; b++) {
            bool meet = strcmp(group, all) != 0 && strchr(group, (char)('A' + a)) != NULL &&
                        strchr(group, (char)('A' + b)) != NULL;
            meet = meet || (a == script->early[0] && b == script->early[1]);
            if (!meet) part_two(script, a, b);
        }
    }
}

static void write_file(script_t *script, unsigned node, const char *path, const char *content)
{
    cs_act_t *save = act(script, CS_ACT_SAVE, node);
    save->number = number_of(script, content);
    set_path(script, path, save->path);
}

static void scan(script_t *script, const char *nodes)
{
    for (; *nodes != '\0'; nodes++)
        strcpy(act(script, CS_ACT_SCAN, (unsigned)(*nodes - 'A'))->path, ".");
}

static void base(script_t *script, char *words[], unsigned count)
{
    for (unsigned i = 2; i < count; i++) {
        char *equals = strchr(words[i], '=');
        *equals = '\0';
        write_file(script, 0, words[i], equals + 1);
    }
    rest(script);
}

static bool play_file(script_t *script, char *words[], unsigned count)
{
    static const struct {
        const char *word;
        cs_act_kind_t kind;
    } kinds[] = {{"rm", CS_ACT_REMOVE}, {"rmtree", CS_ACT_REMOVE}, {"mkdir", CS_ACT_MKDIR},
                 {"mv", CS_ACT_MOVE},   {"mvdir", CS_ACT_MOVE},    {"chmod", CS_ACT_CHMOD}};
    unsigned node = (unsigned)(words[1][0] - 'A');
    if (strcmp(words[0], "put") == 0) {
        write_file(script, node, words[2], words[3]);
        if (count < 5) return true;
        cs_act_t *mode = act(script, CS_ACT_CHMOD, node);
        set_path(script, words[2], mode->path);
        mode->number = strtoul(words[4], NULL, 8);
        return true;
    }
    for (size_t i = 0; i < CS_COUNT_OF(kinds); i++) {
        if (strcmp(words[0], kinds[i].word) != 0) continue;
        cs_act_t *made = act(script, kinds[i].kind, node);
        set_path(script, words[2], made->path);
        if (kinds[i].kind == CS_ACT_MOVE) set_path(script, words[3], made->other);
        if (kinds[i].kind == CS_ACT_CHMOD) made->number = strtoul(words[3], NULL, 8);
        return true;
    }
    return false;
}

/* What tells about trees, and exchanges whose order makes no pattern, is left out. */
static void play(script_t *script, char *words[], unsigned count, const char *rest_of)
{
    const char *word = words[0];
    bool is_first = strcmp(word, "new") == 0 || strcmp(word, "base") == 0;
    if (is_first) script->history.options.nodes = (uint32_t)strlen(words[1]);
    if (strcmp(word, "base") == 0) base(script, words, count);
    if (strcmp(word, "sync") == 0 && strlen(words[1]) == script->history.options.nodes) {
        rest(script);
    } else if (strcmp(word, "sync") == 0) {
        script->at_ms += PURGE_MS;
    } else if (strcmp(word, "scan") == 0) {
        scan(script, words[1]);
    } else if (strcmp(word, "show") == 0 && script->early[0] != script->early[1]) {
        script->at_ms += EARLY_MS;
        part_two(script, script->early[0], script->early[1]);
    } else if (count > 2 && !is_first && strcmp(word, "is") != 0) {
        part(script, rest_of);
        bool ok = play_file(script, words, count);
        (void)ok; /* xchg, avalues, ...: nothing that a user does */
    }
}

void cs_coverage_script(const char *text, cs_history_t *ret)
{
    script_t script = {0};
    script.history.options = (cs_sim_options_t){
        .seed = 1, .nodes = 2, .ops = 10, .phases = 1, .names = 1, .latency_ms = 1};
    while (*text != '\0') {
        char line[400], *words[16] = {NULL}, *at = line;
        unsigned count = 0;
        size_t len = strcspn(text, ";");
        snprintf(line, sizeof line, "%.*s", (int)len, text);
        text += len + (text[len] == ';');
        for (char *word; count < 16 && (word = strtok_r(at, " ", &at)) != NULL;)
            words[count++] = word;
        if (count > 0) play(&script, words, count, text);
    }
    if (script.at_ms > 0) rest(&script);
    *ret = script.history;
}
