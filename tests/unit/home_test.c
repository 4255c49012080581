/* home_test.c - making, opening, locking a home, and its records, in temporary directories. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "io/home.h"
#include "support/support.h"

#define PATH_BYTES 512

static const cs_strings_t no_listen = {0};

typedef struct fixture {
    tmp_t tmp;
    char path[PATH_BYTES]; /* of the home */
    cs_home_t *home;
    cs_buf_t detail;
} fixture_t;

static const char *in(char *ret, const char *dir, const char *name)
{
    snprintf(ret, PATH_BYTES, "%.255s/%.200s", dir, name);
    return ret;
}

static const char *detail_text(fixture_t *fix)
{
    if (fix->detail.len == 0 || fix->detail.data[fix->detail.len - 1] != '\0') {
        cs_buf_put_u8(&fix->detail, '\0');
    }
    return (const char *)fix->detail.data;
}

static fixture_t fixture_new(void)
{
    fixture_t fix = {.tmp = tmp_new()};
    in(fix.path, fix.tmp.path, "state/home");
    cr_assert_eq(cs_home_init(fix.path, "laptop", &no_listen, &fix.detail), CS_OK, "%s",
                 detail_text(&fix));
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_OK, "%s",
                 detail_text(&fix));
    cr_assert_eq(cs_home_lock(fix.home, 0, &fix.detail), CS_OK, "%s", detail_text(&fix));
    return fix;
}

static void fixture_fini(fixture_t *fix)
{
    cs_home_close(&fix->home);
    cs_buf_fini(&fix->detail);
    tmp_remove(&fix->tmp);
}

static void write_text(const fixture_t *fix, const char *name, const char *text)
{
    char path[PATH_BYTES];
    FILE *file = fopen(in(path, fix->path, name), "w");
    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static mode_t mode_of(const fixture_t *fix, const char *name)
{
    char path[PATH_BYTES];
    struct stat st;
    cr_assert_eq(stat(in(path, fix->path, name), &st), 0, "%s", name);
    return st.st_mode & 07777;
}

/* "what failed: why; what to do", naming this part. */
static void expect_detail(fixture_t *fix, const char *part)
{
    const char *text = detail_text(fix);
    cr_assert_not_null(strstr(text, part), "no '%s' in: %s", part, text);
    cr_assert_not_null(strstr(text, ": "), "%s", text);
    cr_assert_not_null(strstr(text, "; "), "%s", text);
}

static cs_folder_record_t folder_sample(const char *id, uint32_t number)
{
    cs_folder_record_t folder = {.number = number};
    snprintf(folder.id, sizeof folder.id, "%s", id);
    folder.path = cs_strdup("/srv/x");
    memset(folder.secret, (int)number, sizeof folder.secret);
    return folder;
}

static void put_folder(fixture_t *fix, const char *id, uint32_t number)
{
    cs_folder_record_t folder = folder_sample(id, number);
    cr_assert_eq(cs_home_folder_put(fix->home, &folder, &fix->detail), CS_OK, "%s",
                 detail_text(fix));
    cs_folder_record_fini(&folder);
}

Test(home, init_makes_everything_private)
{
    umask(0);
    fixture_t fix = fixture_new();
    put_folder(&fix, "photos", 1);
    cr_assert_eq(mode_of(&fix, "."), 0700);
    cr_assert_eq(mode_of(&fix, ".."), 0700, "made on the way");
    cr_assert_eq(mode_of(&fix, "folders"), 0700);
    cr_assert_eq(mode_of(&fix, "peers"), 0700);
    cr_assert_eq(mode_of(&fix, "invites"), 0700);
    cr_assert_eq(mode_of(&fix, "identity"), 0600);
    cr_assert_eq(mode_of(&fix, "config"), 0600);
    cr_assert_eq(mode_of(&fix, "lock"), 0600);
    cr_assert_eq(mode_of(&fix, "folders/photos"), 0600);
    fixture_fini(&fix);
}

Test(home, init_leaves_an_existing_home_alone)
{
    fixture_t fix = fixture_new();
    cs_identity_t before = *cs_home_identity(fix.home);
    write_text(&fix, "config", "# mine\n");
    cr_assert_eq(cs_home_init(fix.path, "other", &no_listen, &fix.detail), CS_ERR_EXISTS);
    expect_detail(&fix, fix.path);

    cs_home_close(&fix.home);
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_OK);
    cr_assert_arr_eq(cs_home_identity(fix.home)->secret_key, before.secret_key, CS_KEY_BYTES);
    cs_config_t config;
    cr_assert_eq(cs_home_config(fix.home, &config, &fix.detail), CS_OK);
    cr_assert_str_neq(config.node_name, "other");
    cr_assert_str_neq(config.node_name, "laptop");
    cs_config_fini(&config);
    fixture_fini(&fix);
}

Test(home, init_refuses_a_directory_with_something_in_it)
{
    fixture_t fix = {.tmp = tmp_new()};
    snprintf(fix.path, sizeof fix.path, "%s", fix.tmp.path);
    write_text(&fix, "thesis.txt", "x");
    cr_assert_eq(cs_home_init(fix.path, NULL, &no_listen, &fix.detail), CS_ERR_NOT_EMPTY);
    expect_detail(&fix, "not empty");
    char path[PATH_BYTES];
    cr_assert_neq(access(in(path, fix.path, "identity"), F_OK), 0);
    cr_assert_neq(access(in(path, fix.path, "config"), F_OK), 0);
    fixture_fini(&fix);
}

/* All but the identity, as after a kill. */
Test(home, init_finishes_what_it_began)
{
    fixture_t fix = fixture_new();
    cs_home_close(&fix.home);
    char path[PATH_BYTES];
    cr_assert_eq(unlink(in(path, fix.path, "identity")), 0);
    cr_assert_eq(unlink(in(path, fix.path, "lock")), 0);
    write_text(&fix, ".identity.tmp", "half");
    cr_assert_eq(cs_home_init(fix.path, "another name", &no_listen, &fix.detail),
                 CS_ERR_NOT_EMPTY, "a config that is not of this init");
    cr_assert_eq(cs_home_init(fix.path, "laptop", &no_listen, &fix.detail), CS_OK, "%s",
                 detail_text(&fix));
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_OK);
    fixture_fini(&fix);
}

Test(home, init_takes_an_empty_directory_and_protects_it)
{
    fixture_t fix = {.tmp = tmp_new()};
    snprintf(fix.path, sizeof fix.path, "%s", fix.tmp.path);
    cr_assert_eq(chmod(fix.path, 0755), 0);
    cs_strings_t listen = {0};
    cs_strings_add(&listen, "tcp://127.0.0.1:*");
    cr_assert_eq(cs_home_init(fix.path, NULL, &listen, &fix.detail), CS_OK);
    cr_assert_eq(mode_of(&fix, "."), 0700);
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_OK);
    cs_config_t config;
    cr_assert_eq(cs_home_config(fix.home, &config, &fix.detail), CS_OK);
    cr_assert_eq(config.listen.count, 1);
    cr_assert_str_eq(config.listen.at[0], "tcp://127.0.0.1:*");
    cs_config_fini(&config);
    cs_strings_fini(&listen);
    fixture_fini(&fix);
}

Test(home, init_checks_what_it_is_given_before_it_makes_anything)
{
    fixture_t fix = {.tmp = tmp_new()};
    in(fix.path, fix.tmp.path, "home");
    cs_strings_t listen = {0};
    cs_strings_add(&listen, "tcp://nowhere");
    cr_assert_eq(cs_home_init(fix.path, NULL, &listen, &fix.detail), CS_ERR_USAGE);
    expect_detail(&fix, "tcp://nowhere");
    cr_assert_eq(cs_home_init(fix.path, "a\nb", &no_listen, &fix.detail), CS_ERR_USAGE);
    expect_detail(&fix, "--name");
    cr_assert_neq(access(fix.path, F_OK), 0);
    cs_strings_fini(&listen);
    fixture_fini(&fix);
}

Test(home, missing_home_names_init)
{
    fixture_t fix = {.tmp = tmp_new()};
    in(fix.path, fix.tmp.path, "nothing");
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_ERR_NOT_FOUND);
    expect_detail(&fix, "crdtsync init");
    cr_assert_eq(cs_home_open(fix.tmp.path, &fix.home, &fix.detail), CS_ERR_NOT_FOUND);
    expect_detail(&fix, "crdtsync init");
    fixture_fini(&fix);
}

Test(home, identity_that_others_can_read_is_refused)
{
    fixture_t fix = fixture_new();
    cs_home_close(&fix.home);
    char path[PATH_BYTES];
    cr_assert_eq(chmod(in(path, fix.path, "identity"), 0640), 0);
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_ERR_DENIED);
    expect_detail(&fix, "chmod 600");
    fixture_fini(&fix);
}

Test(home, damaged_identity_is_noticed)
{
    fixture_t fix = fixture_new();
    cs_identity_t other;
    cs_identity_generate(&other);
    memcpy(other.public_key, cs_home_identity(fix.home)->public_key, CS_KEY_BYTES);
    cs_home_close(&fix.home);
    cs_buf_t text = {0};
    cs_identity_text(&other, &text);
    cs_buf_put_u8(&text, '\0');
    write_text(&fix, "identity", (const char *)text.data);
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_ERR_MALFORMED);
    expect_detail(&fix, "do not belong together");

    write_text(&fix, "identity", "identity\n    secret-key = \"12\"\n");
    cr_assert_eq(cs_home_open(fix.path, &fix.home, &fix.detail), CS_ERR_MALFORMED);
    expect_detail(&fix, "identity: line 2: secret-key");
    cs_buf_fini(&text);
    fixture_fini(&fix);
}

Test(home, config_mistakes_are_listed_with_their_lines)
{
    fixture_t fix = fixture_new();
    write_text(&fix, "config", "node\n    nmae = x\nlimits\n    max-peers = many\n");
    cs_config_t config;
    cr_assert_eq(cs_home_config(fix.home, &config, &fix.detail), CS_ERR_MALFORMED);
    expect_detail(&fix, "config: line 2: unknown key 'nmae'");
    expect_detail(&fix, "(and 1 more)");
    cs_mistakes_t mistakes = {0};
    cr_assert_eq(cs_home_config_check(fix.home, &mistakes, &fix.detail), CS_OK);
    cr_assert_eq(mistakes.count, 2);
    cr_assert_eq(mistakes.at[1].line, 4);
    cs_mistakes_fini(&mistakes);
    fixture_fini(&fix);
}

Test(home, missing_config_means_the_defaults)
{
    fixture_t fix = fixture_new();
    char path[PATH_BYTES];
    cr_assert_eq(unlink(in(path, fix.path, "config")), 0);
    cs_config_t config;
    cr_assert_eq(cs_home_config(fix.home, &config, &fix.detail), CS_OK);
    cr_assert_eq(config.peers_max, 50);
    cs_config_fini(&config);
    fixture_fini(&fix);
}

Test(home, path_follows_option_and_environment)
{
    static const struct {
        char option[16], home[16], state[16], user[16], want[40];
    } cases[] = {
        {"/o", "/h", "/s", "/u", "/o"},
        {"", "/h", "/s", "/u", "/h"},
        {"", "", "/s", "/u", "/s/crdtsync"},
        {"", "", "", "/u", "/u/.local/state/crdtsync"},
        {"", "", "", "", ""},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        setenv("CRDTSYNC_HOME", cases[i].home, 1);
        setenv("XDG_STATE_HOME", cases[i].state, 1);
        setenv("HOME", cases[i].user, 1);
        char *path = NULL;
        cs_buf_t detail = {0};
        const char *option = cases[i].option[0] != '\0' ? cases[i].option : NULL;
        cs_err_t err = cs_home_resolve(option, &path, &detail);
        cr_assert_eq(err, cases[i].want[0] != '\0' ? CS_OK : CS_ERR_USAGE);
        if (err == CS_OK) cr_assert_str_eq(path, cases[i].want);
        cs_free(path);
        cs_buf_fini(&detail);
    }
    char *path = NULL;
    cs_buf_t detail = {0};
    cr_assert_eq(cs_home_resolve("", &path, &detail), CS_ERR_USAGE, "given, and empty");
    cs_buf_fini(&detail);
}

Test(home, records_come_back_sorted_and_go)
{
    fixture_t fix = fixture_new();
    put_folder(&fix, "b", 2);
    put_folder(&fix, "a", 1);
    put_folder(&fix, "b", 3);
    write_text(&fix, "folders/.c.tmp", "left by a crash");

    cs_folder_record_t *folders = NULL, one;
    size_t count = 0;
    cr_assert_eq(cs_home_folders(fix.home, &folders, &count, &fix.detail), CS_OK);
    cr_assert_eq(count, 2);
    cr_assert_str_eq(folders[0].id, "a");
    cr_assert_eq(folders[1].number, 3, "put replaces");
    cs_home_folders_free(&folders, count);

    cr_assert_eq(cs_home_folder_get(fix.home, "a", &one, &fix.detail), CS_OK);
    cr_assert_str_eq(one.path, "/srv/x");
    cs_folder_record_fini(&one);
    cr_assert_eq(cs_home_folder_remove(fix.home, "a", &fix.detail), CS_OK);
    cr_assert_eq(cs_home_folder_get(fix.home, "a", &one, &fix.detail), CS_ERR_NOT_FOUND);
    cr_assert_eq(cs_home_folder_remove(fix.home, "a", &fix.detail), CS_ERR_NOT_FOUND);
    cr_assert_eq(cs_home_folder_get(fix.home, "../identity", &one, &fix.detail), CS_ERR_USAGE);
    fixture_fini(&fix);
}

Test(home, peers_and_invites_come_back)
{
    fixture_t fix = fixture_new();
    cs_peer_record_t peer = {.key = {1, 2}}, *peers = NULL;
    peer.name = cs_strdup("desk top");
    peer.endpoint = cs_strdup("tcp://h:1");
    cs_strings_add(&peer.folders, "a");
    cs_strings_add(&peer.folders, "b");
    size_t count = 0;
    cr_assert_eq(cs_home_peer_put(fix.home, &peer, &fix.detail), CS_OK, "%s",
                 detail_text(&fix));
    cr_assert_eq(cs_home_peers(fix.home, &peers, &count, &fix.detail), CS_OK);
    cr_assert_eq(count, 1);
    cr_assert_arr_eq(peers[0].key, peer.key, CS_KEY_BYTES);
    cr_assert_str_eq(peers[0].name, "desk top");
    cr_assert_str_eq(peers[0].endpoint, "tcp://h:1");
    cr_assert(peers[0].folders.count == 2 && cs_strings_has(&peers[0].folders, "b"));
    cs_home_peers_free(&peers, count);
    static const uint8_t nobody[CS_KEY_BYTES];
    cs_peer_record_t none;
    cr_assert_eq(cs_home_peer_get(fix.home, nobody, &none, &fix.detail), CS_ERR_NOT_FOUND);
    cs_peer_record_fini(&peer);

    cs_invite_record_t invite = {.key = {9}, .folder = "a", .uses_left = 2}, back;
    cr_assert_eq(cs_home_invite_put(fix.home, &invite, &fix.detail), CS_OK);
    cr_assert_eq(cs_home_invite_get(fix.home, invite.key, &back, &fix.detail), CS_OK);
    cr_assert_str_eq(back.folder, "a");
    cr_assert_eq(back.uses_left, 2);
    cs_invite_record_t *invites = NULL;
    cr_assert_eq(cs_home_invites(fix.home, &invites, &count, &fix.detail), CS_OK);
    cr_assert_eq(count, 1);
    cs_home_invites_free(&invites, count);
    cr_assert_eq(cs_home_invite_remove(fix.home, invite.key, &fix.detail), CS_OK);
    cr_assert_eq(cs_home_invites(fix.home, &invites, &count, &fix.detail), CS_OK);
    cr_assert_eq(count, 0);
    cs_home_invites_free(&invites, count);
    fixture_fini(&fix);
}

Test(home, bad_records_are_not_written)
{
    fixture_t fix = fixture_new();
    cs_folder_record_t folder = folder_sample("Photos", 1);
    cr_assert_eq(cs_home_folder_put(fix.home, &folder, &fix.detail), CS_ERR_USAGE);
    expect_detail(&fix, "a-z 0-9");
    cs_folder_record_fini(&folder);
    cs_peer_record_t peer = {.name = cs_strdup("a\"b")};
    cr_assert_eq(cs_home_peer_put(fix.home, &peer, &fix.detail), CS_ERR_USAGE);
    expect_detail(&fix, "peers");
    cs_peer_record_t *peers = NULL;
    size_t count = 1;
    cr_assert_eq(cs_home_peers(fix.home, &peers, &count, &fix.detail), CS_OK);
    cr_assert_eq(count, 0);
    cs_home_peers_free(&peers, count);
    cs_peer_record_fini(&peer);
    fixture_fini(&fix);
}

Test(home, garbage_in_a_record_names_file_and_line)
{
    fixture_t fix = fixture_new();
    cs_folder_record_t *folders = NULL;
    size_t count = 0;
    put_folder(&fix, "a", 1);
    write_text(&fix, "folders/b", "folder\n    id = \"b\"\n    number = -3\n");
    cr_assert_eq(cs_home_folders(fix.home, &folders, &count, &fix.detail), CS_ERR_MALFORMED);
    expect_detail(&fix, "folders/b: line 3: number = '-3'");

    char from[PATH_BYTES], to[PATH_BYTES];
    cr_assert_eq(rename(in(from, fix.path, "folders/a"), in(to, fix.path, "folders/b")), 0);
    cr_assert_eq(cs_home_folders(fix.home, &folders, &count, &fix.detail), CS_ERR_MALFORMED);
    expect_detail(&fix, "not the file's name");
    write_text(&fix, "folders/b", "\x7f\x45LF\xff\xfe");
    cr_assert_eq(cs_home_folders(fix.home, &folders, &count, &fix.detail), CS_ERR_MALFORMED);
    expect_detail(&fix, "folders/b: line 1");
    fixture_fini(&fix);
}

Test(home, folder_numbers_never_come_back)
{
    fixture_t fix = fixture_new();
    uint32_t number = 0;
    cr_assert_eq(cs_home_folder_number(fix.home, &number, &fix.detail), CS_OK);
    cr_assert_eq(number, 1);
    put_folder(&fix, "a", number);
    cr_assert_eq(cs_home_folder_number(fix.home, &number, &fix.detail), CS_OK);
    cr_assert_eq(number, 2);
    put_folder(&fix, "b", number);
    cr_assert_eq(cs_home_folder_remove(fix.home, "b", &fix.detail), CS_OK);
    cr_assert_eq(cs_home_folder_number(fix.home, &number, &fix.detail), CS_OK);
    cr_assert_eq(number, 3);

    put_folder(&fix, "c", 10);
    char path[PATH_BYTES];
    cr_assert_eq(unlink(in(path, fix.path, "next-folder")), 0);
    cr_assert_eq(cs_home_folder_number(fix.home, &number, &fix.detail), CS_OK);
    cr_assert_eq(number, 11, "below a number in use");
    fixture_fini(&fix);
}

/* The child locks, says so, and holds on until told. */
static int hold_lock(const char *path, int say_fd, int go_fd)
{
    cs_home_t *home = NULL;
    cs_buf_t detail = {0};
    char byte = 'x';
    if (cs_home_open(path, &home, &detail) != CS_OK) return 1;
    if (cs_home_lock(home, 0, &detail) != CS_OK) return 2;
    cs_home_lock_note(home, "it rests");
    if (write(say_fd, &byte, 1) != 1 || read(go_fd, &byte, 1) != 1) return 3;
    cs_home_close(&home);
    return 0;
}

Test(home, lock_is_held_by_one_process_and_names_it)
{
    fixture_t fix = fixture_new();
    cs_home_unlock(fix.home);
    int say[2], go[2];
    cr_assert(pipe(say) == 0 && pipe(go) == 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) _exit(hold_lock(fix.path, say[1], go[0]));

    char byte, want[64];
    cr_assert_eq(read(say[0], &byte, 1), 1);
    cr_assert_eq(cs_home_lock(fix.home, 50, &fix.detail), CS_ERR_BUSY);
    snprintf(want, sizeof want, "process %ld holds it, which says: it rests;", (long)child);
    expect_detail(&fix, want);

    cr_assert_eq(write(go[1], "x", 1), 1);
    cr_assert_eq(cs_home_lock(fix.home, 10000, &fix.detail), CS_OK, "%s", detail_text(&fix));
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status));
    cr_assert_eq(WEXITSTATUS(status), 0);
    for (int i = 0; i < 2; i++) {
        close(say[i]);
        close(go[i]);
    }
    fixture_fini(&fix);
}

Test(home, lock_of_a_killed_process_is_free)
{
    fixture_t fix = fixture_new();
    cs_home_unlock(fix.home);
    int say[2], go[2];
    cr_assert(pipe(say) == 0 && pipe(go) == 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) _exit(hold_lock(fix.path, say[1], go[0]));
    char byte;
    cr_assert_eq(read(say[0], &byte, 1), 1);
    cr_assert_eq(kill(child, SIGKILL), 0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    cr_assert_eq(cs_home_lock(fix.home, 0, &fix.detail), CS_OK, "%s", detail_text(&fix));
    for (int i = 0; i < 2; i++) {
        close(say[i]);
        close(go[i]);
    }
    fixture_fini(&fix);
}
