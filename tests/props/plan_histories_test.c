/* plan_histories_test.c - random users at random sites, while apply runs, and crashes in it.
 *
 * In the end all trees are equal, show what the replicas say, and hold every text that no user
 * overwrote or removed himself. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "support/folder.h"
#include "support/seed.h"
#include "support/site.h"

#define TEXTS_MAX 512

static const char *const names[] = {"a",   "b.txt", "d",   "d/x",  "d/y", "d/e/z", "e",
                                    "e/x", "e/y",   "e/z", "a/in", "f",   "g/h/i", "g/h/j"};
static const char *const dirs[] = {"d", "e", "d/e", "g", "g/h", "k", "a"};

typedef struct history {
    sites_t sites;
    cs_prng_t prng;
    char text[TEXTS_MAX][24];
    bool gone[TEXTS_MAX]; /* a user overwrote or removed it */
    size_t texts;
    site_t *user_at; /* where the spy's user acts */
} history_t;

static const char *pick(history_t *h, const char *const *list, size_t len)
{
    return list[cs_prng_below(&h->prng, len)];
}

#define FULL_BYTES 512

static const char *full(const site_t *site, const char *path, char ret[FULL_BYTES])
{
    snprintf(ret, FULL_BYTES, "%s/%s", site->dir, path);
    return ret;
}

/* Every text that this line, or any line below this directory, shows is the user's to destroy.
 */
static void destroy(history_t *h, const site_t *site, const char *path)
{
    char *picture = site_picture(site);
    size_t len = strlen(path);
    for (char *line = strtok(picture, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strncmp(line, path, len) != 0 || (line[len] != ' ' && line[len] != '/')) continue;
        for (size_t i = 0; i < h->texts; i++) {
            if (strstr(line, h->text[i]) != NULL) h->gone[i] = true;
        }
    }
    cs_free(picture);
}

static void make_parents(const site_t *site, const char *path)
{
    char copy[64], at[FULL_BYTES];
    snprintf(copy, sizeof copy, "%s", path);
    for (char *slash = strchr(copy, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(full(site, copy, at), 0777);
        *slash = '/';
    }
}

static bool has_type(const site_t *site, const char *path, mode_t type)
{
    char at[FULL_BYTES];
    struct stat st;
    return lstat(full(site, path, at), &st) == 0 && (st.st_mode & S_IFMT) == type;
}

static bool is_file(const site_t *site, const char *path)
{
    return has_type(site, path, S_IFREG);
}

static bool is_leaf(const site_t *site, const char *path)
{
    return is_file(site, path) || has_type(site, path, S_IFLNK);
}

static bool put_text(const char *at, const char *text)
{
    FILE *file = fopen(at, "we");
    if (file == NULL) return false; /* a file is where its directory should be */
    fputs(text, file);
    fclose(file);
    return true;
}

static void write_text(history_t *h, site_t *site, const char *path)
{
    char at[FULL_BYTES], fresh[FULL_BYTES];
    if (h->texts == TEXTS_MAX) return;
    make_parents(site, path);
    full(site, path, at);
    full(site, "new file", fresh);
    if (has_type(site, path, S_IFDIR) || has_type(site, path, S_IFLNK)) return;
    destroy(h, site, path);
    size_t i = h->texts;
    snprintf(h->text[i], sizeof h->text[i], "text %zu.", i);
    if (cs_prng_chance(&h->prng, 1, 2)) {
        h->texts += put_text(at, h->text[i]);
        return;
    }
    if (!put_text(fresh, h->text[i])) return;
    if (rename(fresh, at) == 0) {
        h->texts++;
    } else {
        unlink(fresh);
    }
}

static void link_text(history_t *h, site_t *site, const char *path)
{
    char at[FULL_BYTES];
    if (h->texts == TEXTS_MAX) return;
    make_parents(site, path);
    snprintf(h->text[h->texts], sizeof h->text[0], "text %zu.", h->texts);
    if (symlink(h->text[h->texts], full(site, path, at)) == 0) h->texts++;
}

static void remove_tree(const site_t *site, const char *path)
{
    cs_listing_t listing = {0};
    if (site->real->ops->list(site->real, cs_slice_text(path), &listing) == CS_OK) {
        for (size_t i = 0; i < listing.len; i++) {
            char below[256];
            snprintf(below, sizeof below, "%s/%s", path, listing.item[i].name->data);
            remove_tree(site, below);
        }
        cs_listing_fini(&listing);
    }
    char at[FULL_BYTES];
    (void)remove(full(site, path, at));
}

static void rename_any(history_t *h, site_t *site, const char *from, const char *to)
{
    char a[FULL_BYTES], b[FULL_BYTES];
    make_parents(site, to);
    if (is_leaf(site, to) && is_leaf(site, from) && strcmp(from, to) != 0) destroy(h, site, to);
    (void)!rename(full(site, from, a), full(site, to, b));
}

static void act(history_t *h, site_t *site)
{
    const char *path = pick(h, names, CS_COUNT_OF(names)),
               *other = pick(h, names, CS_COUNT_OF(names));
    char at[FULL_BYTES];
    switch (cs_prng_below(&h->prng, 11)) {
    case 0:
    case 1:
    case 2:
    case 3:
        write_text(h, site, path);
        break;
    case 4:
    case 5:
        rename_any(h, site, path, other);
        break;
    case 6:
        rename_any(h, site, pick(h, dirs, CS_COUNT_OF(dirs)), pick(h, dirs, CS_COUNT_OF(dirs)));
        break;
    case 7:
        destroy(h, site, path);
        remove_tree(site, path);
        break;
    case 8:
        path = pick(h, dirs, CS_COUNT_OF(dirs));
        make_parents(site, path);
        mkdir(full(site, path, at), 0777);
        break;
    case 9:
        link_text(h, site, path);
        break;
    default:
        if (is_file(site, path)) {
            chmod(full(site, path, at), cs_prng_chance(&h->prng, 1, 2) ? 0755 : 0644);
        }
        break;
    }
}

static void act_now(void *arg)
{
    history_t *h = arg;
    act(h, h->user_at);
}

static void work(history_t *h, site_t *site, bool crashes)
{
    bool crash = crashes && cs_prng_chance(&h->prng, 1, 3);
    h->user_at = site;
    site->spy.calls = 0;
    site->spy.at = cs_prng_chance(&h->prng, 2, 3) ? 1 + cs_prng_below(&h->prng, 60) : 0;
    site->spy.act = crash ? NULL : act_now;
    site->spy.arg = h;
    site_work(site);
    site->spy.at = 0;
    if (site->spy.crashed) site_restart(site);
}

static void check(history_t *h, uint64_t seed)
{
    for (size_t i = 0; i < h->sites.len; i++) {
        for (size_t j = 0; j < h->texts; j++) {
            if (h->gone[j] || site_tree_holds(&h->sites.site[i], h->text[j])) continue;
            char *picture = site_picture(&h->sites.site[i]);
            cr_assert_fail("seed %llu: site %zu lost \"%s\"; it has\n%s",
                           (unsigned long long)seed, i, h->text[j], picture);
        }
    }
}

static void tell(uint64_t seed, size_t sites, bool crashes)
{
    static history_t h;
    memset(&h, 0, sizeof h);
    cs_prng_init(&h.prng, seed);
    sites_open(&h.sites, sites);
    for (int step = 0; step < 25; step++) {
        site_t *site = &h.sites.site[cs_prng_below(&h.prng, sites)];
        site_t *other = &h.sites.site[cs_prng_below(&h.prng, sites)];
        switch (cs_prng_below(&h.prng, 4)) {
        case 0:
        case 1:
            act(&h, site);
            break;
        case 2:
            site_scan(site);
            if (site != other) cs_peer_exchange(&site->peer, &other->peer, true);
            break;
        default:
            work(&h, site, crashes);
            break;
        }
    }
    sites_settle(&h.sites);
    check(&h, seed);
    sites_close(&h.sites);
}

static void many(const char *name, int count, size_t sites, bool crashes)
{
    uint64_t seed = test_seed(name);
    for (int i = 0; i < count; i++) {
        tell(seed + (uint64_t)i, sites, crashes);
    }
}

Test(plan_histories, users_meet_apply)
{
    many("users_meet_apply", 60, 2, false);
}

Test(plan_histories, three_sites)
{
    many("three_sites", 30, 3, false);
}

Test(plan_histories, apply_crashes)
{
    many("apply_crashes", 60, 2, true);
}
