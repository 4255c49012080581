/* zpl_test.c - every mistake is found, with its line; what we write, CZMQ's zconfig reads. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/config.h"
#include "io/records.h"
#include "io/zpl.h"

typedef struct sample {
    char plain[64];
    char list[64];
} sample_t;

static const char *take_plain(void *record, const char *value)
{
    sample_t *sample = record;
    if (strcmp(value, "bad") == 0) return "must be good";
    snprintf(sample->plain, sizeof sample->plain, "%s", value);
    return NULL;
}

static const char *take_list(void *record, const char *value)
{
    sample_t *sample = record;
    size_t len = strlen(sample->list);
    snprintf(sample->list + len, sizeof sample->list - len, "%s;", value);
    return NULL;
}

static const cs_zpl_field_t fields[] = {
    {"one", "plain", true, false, take_plain},
    {"two", "list", false, true, take_list},
};

static cs_mistakes_t load(const char *text, sample_t *ret)
{
    cs_mistakes_t mistakes = {0};
    *ret = (sample_t){0};
    cs_zpl_load(cs_slice_text(text), fields, CS_COUNT_OF(fields), ret, &mistakes);
    return mistakes;
}

static void expect_good(const char *text, const char *plain, const char *list)
{
    sample_t sample;
    cs_mistakes_t mistakes = load(text, &sample);
    cr_assert_eq(mistakes.count, 0, "%s", mistakes.count > 0 ? mistakes.at[0].text : "");
    cr_assert_str_eq(sample.plain, plain);
    cr_assert_str_eq(sample.list, list);
}

/* Exactly one mistake, in this line, whose text has this part. */
static void expect_mistake(const char *text, uint32_t line, const char *part)
{
    sample_t sample;
    cs_mistakes_t mistakes = load(text, &sample);
    cr_assert_eq(mistakes.count, 1, "%zu mistakes in: %s", mistakes.count, text);
    cr_assert_eq(mistakes.at[0].line, line, "line %u", mistakes.at[0].line);
    cr_assert_not_null(strstr(mistakes.at[0].text, part), "%s", mistakes.at[0].text);
    cs_mistakes_fini(&mistakes);
}

Test(zpl, values_come_with_and_without_quotes)
{
    expect_good("one\n    plain = \"a b # c\"\n", "a b # c", "");
    expect_good("one\n    plain = 'a \"b\"' # why\n", "a \"b\"", "");
    expect_good("one # two\n    plain=a b  # c", "a b", "");
    expect_good("\n  # note\none\r\n    plain = x\r\n", "x", "");
    expect_good("one\n    plain = \"\"\n", "", "");
    expect_good("two\n    list = a\n    list = b\none\n    plain = x\n", "x", "a;b;");
}

Test(zpl, each_mistake_has_its_line)
{
    expect_mistake("one\n    plain = x\n    plain = y\n", 3, "line 2 already");
    expect_mistake("one\n    plain = x\n    plian = y\n", 3,
                   "unknown key 'plian' in section 'one'; there are: plain");
    expect_mistake("one\n    plain = x\nthree\n    a = b\n    c = d\n", 3,
                   "unknown section 'three'; there are: one, two");
    expect_mistake("one\n    plain = x\n  list = y\n", 3, "2 spaces");
    expect_mistake("one\n    plain = x\n\tlist = y\n", 3, "tab");
    expect_mistake("one\n    plain = x\nlist = y\n", 3, "not in a section");
    expect_mistake("one\n    plain = x\ntwo\n    list\n", 4, "no value");
    expect_mistake("one\n    plain = x\ntwo\n    list = \"y\n", 4, "closing \" is missing");
    expect_mistake("one\n    plain = x\ntwo\n    list = 'y' z\n", 4, "follows the closing '");
    expect_mistake("one\n    plain = x\n    !\n", 3, "neither");
    expect_mistake("    plain = x\none\n    plain = x\n", 1, "before any section");
    expect_mistake("two\n    list = a\n", 0, "'plain' of section 'one' is missing");
}

Test(zpl, refused_value_names_key_and_value)
{
    sample_t sample;
    cs_mistakes_t mistakes = load("one\n    plain = bad\n", &sample);
    cr_assert_eq(mistakes.count, 1, "a refused field is not missing, too");
    cr_assert_eq(mistakes.at[0].line, 2);
    cr_assert_str_eq(mistakes.at[0].text, "plain = 'bad' must be good");
    cs_mistakes_fini(&mistakes);
}

Test(zpl, all_mistakes_are_found)
{
    sample_t sample;
    cs_mistakes_t mistakes = load("x\none\n    plain = bad\n    y = 1\n   z = 2\n", &sample);
    static const uint32_t lines[] = {1, 3, 4, 5};
    cr_assert_eq(mistakes.count, CS_COUNT_OF(lines));
    for (size_t i = 0; i < CS_COUNT_OF(lines); i++) {
        cr_assert_eq(mistakes.at[i].line, lines[i]);
    }
    cs_mistakes_fini(&mistakes);
}

Test(zpl, nul_byte_is_a_mistake)
{
    sample_t sample = {0};
    cs_mistakes_t mistakes = {0};
    cs_zpl_load(cs_slice("one\n    plain = a\0b\n", 20), fields, CS_COUNT_OF(fields), &sample,
                &mistakes);
    cr_assert_eq(mistakes.count, 2, "and the key is missing");
    cr_assert_eq(mistakes.at[0].line, 2);
    cs_mistakes_fini(&mistakes);
}

Test(zpl, holds_what_needs_no_escape)
{
    cr_assert(cs_zpl_holds(""));
    cr_assert(cs_zpl_holds("a 'b' # \xff \xc3\xa4"));
    cr_assert_not(cs_zpl_holds("a\"b"));
    cr_assert_not(cs_zpl_holds("a\nb"));
    cr_assert_not(cs_zpl_holds("a\x7f"));
}

static cs_config_t config_of(const char *text)
{
    cs_config_t config;
    cs_mistakes_t mistakes = {0};
    cs_config_load(cs_slice_text(text), &config, &mistakes);
    cr_assert_eq(mistakes.count, 0, "%s", mistakes.count > 0 ? mistakes.at[0].text : "");
    return config;
}

static void expect_bad_config(const char *text, uint32_t line, const char *part)
{
    cs_config_t config;
    cs_mistakes_t mistakes = {0};
    cs_config_load(cs_slice_text(text), &config, &mistakes);
    cr_assert_eq(mistakes.count, 1);
    cr_assert_eq(mistakes.at[0].line, line);
    cr_assert_not_null(strstr(mistakes.at[0].text, part), "%s", mistakes.at[0].text);
    cs_mistakes_fini(&mistakes);
    cs_config_fini(&config);
}

Test(config, empty_text_gives_the_defaults)
{
    cs_config_t config = config_of("");
    cr_assert_eq(config.listen.count, 1);
    cr_assert_str_eq(config.listen.at[0], "tcp://*:24242");
    cr_assert_eq(config.peers_max, 50);
    cr_assert_eq(config.memory_mib, 256);
    cr_assert_eq(config.log_level, CS_LOG_INFO);
    cr_assert_gt(strlen(config.node_name), 0);
    cs_config_fini(&config);
}

Test(config, every_key_is_read)
{
    cs_config_t config = config_of("node\n    name = laptop\n    listen = tcp://127.0.0.1:1\n"
                                   "    listen = \"tcp://[::1]:*\"\nlimits\n    max-peers = 7\n"
                                   "    memory-mib = 64\nlog\n    level = debug\n");
    cr_assert_str_eq(config.node_name, "laptop");
    cr_assert_eq(config.listen.count, 2);
    cr_assert_str_eq(config.listen.at[1], "tcp://[::1]:*");
    cr_assert_eq(config.peers_max, 7);
    cr_assert_eq(config.memory_mib, 64);
    cr_assert_eq(config.log_level, CS_LOG_DEBUG);
    cs_config_fini(&config);
}

Test(config, bad_values_are_mistakes)
{
    expect_bad_config("limits\n    max-peers = 0\n", 2, "1 to 1000");
    expect_bad_config("limits\n    max-peers = 1001\n", 2, "1 to 1000");
    expect_bad_config("limits\n    memory-mib = -1\n", 2, "64 to 65536");
    expect_bad_config("limits\n    memory-mib = 4294967552\n", 2, "64 to 65536");
    expect_bad_config("log\n    level = loud\n", 2, "error, warning");
    expect_bad_config("node\n    listen = http://a:1\n", 2, "tcp://");
    expect_bad_config("node\n    listen = tcp://a:65536\n", 2, "tcp://");
    expect_bad_config("node\n    listen = tcp://a:1\n    listen = tcp://a:1\n", 3, "twice");
    expect_bad_config("node\n    name = \"\"\n", 2, "1 to 64");
    expect_bad_config("limits\n    peers-max = 3\n", 2, "there are: max-peers, memory-mib");
}

Test(config, environment_overrides_the_file)
{
    setenv("CRDTSYNC_NODE_NAME", "other", 1);
    setenv("CRDTSYNC_NODE_LISTEN", "tcp://*:1,tcp://*:2", 1);
    setenv("CRDTSYNC_LIMITS_MAX_PEERS", "9", 1);
    setenv("CRDTSYNC_LIMITS_MEMORY_MIB", "", 1);
    cs_config_t config = config_of("node\n    name = laptop\n    listen = tcp://*:3\n");
    cr_assert_str_eq(config.node_name, "other");
    cr_assert_eq(config.listen.count, 2);
    cr_assert_str_eq(config.listen.at[1], "tcp://*:2");
    cr_assert_eq(config.peers_max, 9);
    cr_assert_eq(config.memory_mib, 256, "an empty variable counts as unset");
    cs_config_fini(&config);

    setenv("CRDTSYNC_LOG_LEVEL", "loud", 1);
    expect_bad_config("", 0, "CRDTSYNC_LOG_LEVEL = 'loud' must be");
}

Test(config, text_that_init_writes_has_no_mistakes)
{
    cs_strings_t listen = {0};
    cs_buf_t text = {0};
    cs_config_text("lap top", &listen, &text);
    cs_buf_put_u8(&text, '\0');
    cs_config_t config = config_of((const char *)text.data);
    cr_assert_str_eq(config.node_name, "lap top");
    cr_assert_str_eq(config.listen.at[0], CS_CONFIG_LISTEN_DEFAULT);

    zconfig_t *root = zconfig_str_load((const char *)text.data);
    cr_assert_not_null(root);
    cr_assert_str_eq(zconfig_get(root, "/node/name", ""), "lap top");
    cr_assert_str_eq(zconfig_get(root, "/limits/max-peers", ""), "50");
    cr_assert_str_eq(zconfig_get(root, "/log/level", ""), "info");
    zconfig_destroy(&root);
    cs_config_fini(&config);
    cs_buf_fini(&text);
}

static cs_folder_record_t folder_sample(const char *path)
{
    cs_folder_record_t folder = {
        .id = "photos", .number = 3, .modes_exec = true, .paused = true};
    folder.path = cs_strdup(path);
    memset(folder.secret, 0xa5, sizeof folder.secret);
    memset(folder.marker, 0x5a, sizeof folder.marker);
    folder.setting[CS_SETTING_SCAN] = cs_strdup("*/5 * * * *");
    folder.setting[CS_SETTING_BRAKE] = cs_strdup("25%");
    return folder;
}

Test(records, folder_comes_back_whatever_its_path)
{
    static const char *const paths[] = {"/srv/photos", "/a b/'c'#\xff", "/a\"b\n    id = \"x"};
    for (size_t i = 0; i < CS_COUNT_OF(paths); i++) {
        cs_folder_record_t folder = folder_sample(paths[i]), back;
        cs_mistakes_t mistakes = {0};
        cs_buf_t text = {0};
        cs_folder_record_check(&folder, &mistakes);
        cs_folder_record_text(&folder, &text);
        cs_folder_record_load(cs_buf_slice(&text), &back, &mistakes);
        cr_assert_eq(mistakes.count, 0, "%s", mistakes.count > 0 ? mistakes.at[0].text : "");
        cr_assert_str_eq(back.id, "photos");
        cr_assert_eq(back.number, 3);
        cr_assert_str_eq(back.path, paths[i]);
        cr_assert_arr_eq(back.secret, folder.secret, sizeof folder.secret);
        cr_assert_arr_eq(back.marker, folder.marker, sizeof folder.marker);
        cr_assert(back.modes_exec && back.paused);
        cr_assert_str_eq(back.setting[CS_SETTING_SCAN], "*/5 * * * *");
        cr_assert_str_eq(back.setting[CS_SETTING_BRAKE], "25%");
        cr_assert_null(back.setting[CS_SETTING_WATCH]);
        cs_folder_record_fini(&folder);
        cs_folder_record_fini(&back);
        cs_buf_fini(&text);
    }
}

Test(records, checks_keep_lines_from_being_smuggled_in)
{
    cs_peer_record_t peer = {.name = cs_strdup("x\"\n    folder = \"photos")};
    cs_mistakes_t mistakes = {0};
    cs_peer_record_check(&peer, &mistakes);
    cr_assert_eq(mistakes.count, 1);
    cs_mistakes_fini(&mistakes);
    cs_peer_record_fini(&peer);

    cs_folder_record_t folder = folder_sample("/a");
    cs_free(folder.setting[CS_SETTING_SCAN]);
    folder.setting[CS_SETTING_SCAN] = cs_strdup("@daily\"\nfolder");
    cs_folder_record_check(&folder, &mistakes);
    cr_assert_eq(mistakes.count, 1);
    cs_mistakes_fini(&mistakes);
    cs_folder_record_fini(&folder);
}

Test(records, settings_take_what_the_manual_says)
{
    static const struct {
        cs_setting_t setting;
        char value[24];
        bool good;
    } cases[] = {
        {CS_SETTING_SCAN, "@every 30s", true}, {CS_SETTING_SCAN, "", false},
        {CS_SETTING_WATCH, "off", true},       {CS_SETTING_WATCH, "yes", false},
        {CS_SETTING_WATCH, "auto", true},      {CS_SETTING_WATCH, "on", true},
        {CS_SETTING_WATCH, "fanotify", true},  {CS_SETTING_WATCH, "inotify", true},
        {CS_SETTING_BRAKE, "off", true},       {CS_SETTING_BRAKE, "1000", true},
        {CS_SETTING_BRAKE, "100%", true},      {CS_SETTING_BRAKE, "101%", false},
        {CS_SETTING_BRAKE, "0%", false},       {CS_SETTING_BRAKE, "%", false},
        {CS_SETTING_TRASH_MIB, "0", true},     {CS_SETTING_TRASH_MIB, "1.5", false},
        {CS_SETTING_DURABILITY, "file", true}, {CS_SETTING_DURABILITY, "some", false},
        {CS_SETTING_DURABILITY, "none", true}, {CS_SETTING_DURABILITY, "", false},
    };
    for (size_t i = 0; i < CS_COUNT_OF(cases); i++) {
        cr_assert_eq(cs_setting_check(cases[i].setting, cases[i].value) == NULL, cases[i].good,
                     "%s = %s", cs_setting_key(cases[i].setting), cases[i].value);
    }
    cr_assert_eq(cs_setting_find("trash-mib"), CS_SETTING_TRASH_MIB);
    cr_assert_eq(cs_setting_find("trash"), CS_SETTING_COUNT);
}

Test(records, texts_that_people_type_are_checked)
{
    cr_assert_null(cs_check_folder_id("a.b_c-9"));
    cr_assert_not_null(cs_check_folder_id(""));
    cr_assert_not_null(cs_check_folder_id("A"));
    cr_assert_not_null(cs_check_folder_id("../x"));
    cr_assert_not_null(cs_check_folder_id(".hidden"));
    cr_assert_null(
        cs_check_folder_id("0123456789012345678901234567890123456789012345678901234567890123"));
    cr_assert_not_null(cs_check_folder_id(
        "01234567890123456789012345678901234567890123456789012345678901234"));
    cr_assert_null(cs_check_endpoint("tcp://host.example:24242"));
    cr_assert_null(cs_check_endpoint("tcp://[fe80::1]:24242"));
    cr_assert_not_null(cs_check_endpoint("tcp://*:24242"));
    cr_assert_not_null(cs_check_endpoint("tcp://host:*"));
    cr_assert_not_null(cs_check_endpoint("tcp://host"));
    cr_assert_not_null(cs_check_endpoint("tcp://host:0"));
    cr_assert_not_null(cs_check_endpoint("tcp://fe80::1:24242"));
    cr_assert_not_null(cs_check_endpoint("ipc:///tmp/x:1"));
    cr_assert_null(cs_check_listen("tcp://*:*"));
    cr_assert_not_null(cs_check_listen("tcp://:24242"));
    cr_assert_not_null(cs_check_name("a\tb"));
}
