/* ignore_test.c - ignore rules: patterns, rule files in several directories, hostile input. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "disk/ignore.h"
#include "disk/wildmatch.h"
#include "io/fs_linux.h"
#include "support/folder.h"

static cs_slice_t s(const char *text)
{
    return cs_slice_text(text);
}

static bool matches(const char *rules_text, const char *path, bool is_dir)
{
    cs_rules_t *rules = cs_rules_parse(s(rules_text));
    cs_verdict_t verdict = cs_rules_match(rules, s(path), is_dir);
    cs_rules_destroy(&rules);
    return verdict == CS_VERDICT_IGNORE;
}

Test(wildmatch, patterns_match_as_the_manual_of_gitignore_says)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"a", "a", true},
        {"a", "b", false},
        {"a", "ab", false},
        {"?", "a", true},
        {"?", "/", false},
        {"a?c", "abc", true},
        {"*", "", true},
        {"*", "abc", true},
        {"*", "a/b", false},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"*.o", "x.o.o", true},
        {"a/*", "a/b", true},
        {"a/*", "a/b/c", false},
        {"*/c", "a/b/c", false},
        {"**", "a/b/c", true},
        {"**/c", "a/b/c", true},
        {"**/c", "c", true},
        {"a/**", "a/b/c", true},
        {"a/**", "a", false},
        {"a/**/c", "a/c", true},
        {"a/**/c", "a/b/b/c", true},
        {"a/**/c", "a/bc", false},
        {"a**c", "abbc", true},
        {"a**c", "a/c", false},
        {"**/a/**/b", "x/a/y/b", true},
        {"**/a/*/b/**", "a/x/a/y/b/z", true},
        {"[ab]", "b", true},
        {"[ab]", "c", false},
        {"[!ab]", "c", true},
        {"[^ab]", "a", false},
        {"[a-c]x", "bx", true},
        {"[]a]", "]", true},
        {"[a-]", "-", true},
        {"[\\]]", "]", true},
        {"[!a]", "/", false},
        {"[a", "a", false},
        {"[", "[", false},
        {"[[:digit:]]", "7", true},
        {"[[:digit:]]", "x", false},
        {"[[:bad:]]", "b", false},
        {"[[:]", ":", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\", "a", false},
        {"a\\", "a\\", false},
        {"*a*b*c*", "xxaxxbxxcxx", true},
        {"*a*b*c*", "xxaxxcxxbxx", false},
        {"*/b/*", "a/b/c", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool match = cs_wildmatch(s(cases[i].pattern), s(cases[i].text));
        cr_expect_eq(match, cases[i].match, "%s on %s", cases[i].pattern, cases[i].text);
    }
}

Test(wildmatch, a_pattern_made_to_be_slow_is_not, .timeout = 10)
{
    char pattern[4000], text[4000];
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = "**/*a"[i % 5]; /* "**" "/" "*a"... */
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = "aa/"[i % 3];
    text[sizeof text - 1] = 'b';
    cr_expect_not(cs_wildmatch(cs_slice(pattern, sizeof pattern), cs_slice(text, sizeof text)));
    for (size_t i = 0; i < sizeof pattern; i++)
        pattern[i] = "*a"[i % 2];
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = 'b';
    cr_expect_not(cs_wildmatch(cs_slice(pattern, sizeof pattern), cs_slice(text, sizeof text)));
}

Test(ignore, lines_are_read_as_git_reads_them)
{
    cr_expect(matches("a\n", "a", false));
    cr_expect(matches("a", "a", false)); /* no newline at the end */
    cr_expect(matches("a\r\nb", "a", false));
    cr_expect(matches("a  \n", "a", false));
    cr_expect(matches("a\\ \n", "a ", false));
    cr_expect_not(matches("a\\ \n", "a", false));
    cr_expect(matches("\xef\xbb\xbf"
                      "a\n",
                      "a", false));
    cr_expect_not(matches("#a\n", "#a", false));
    cr_expect(matches("\\#a\n", "#a", false));
    cr_expect(matches("\\!a\n", "!a", false));
    cr_expect_not(matches("\n\n/\n!\n   \n", "a", true));
}

Test(ignore, slashes_anchor_and_a_trailing_one_means_directories)
{
    cr_expect(matches("b\n", "a/b", false));
    cr_expect_not(matches("/b\n", "a/b", false));
    cr_expect(matches("/b\n", "b", false));
    cr_expect(matches("a/b\n", "a/b", false));
    cr_expect_not(matches("a/b\n", "x/a/b", false));
    cr_expect(matches("b/\n", "a/b", true));
    cr_expect_not(matches("b/\n", "a/b", false));
}

Test(ignore, the_last_match_decides)
{
    cr_expect_not(matches("*.o\n!x.o\n", "x.o", false));
    cr_expect(matches("!x.o\n*.o\n", "x.o", false));
}

static char *dir;
static cs_fs_t *fs;
static cs_ignore_t *ignore;

static void setup(void)
{
    dir = cs_test_dir_new();
    cr_assert_eq(cs_fs_linux_open(dir, &fs), CS_OK);
    ignore = cs_ignore_new(fs);
}

static void teardown(void)
{
    cs_ignore_destroy(&ignore);
    fs->ops->close_fs(&fs);
    cs_test_dir_remove(&dir);
}

TestSuite(ignore_stack, .init = setup, .fini = teardown);

static bool ignored(const char *path, bool is_dir)
{
    bool found = false;
    cr_assert_eq(cs_ignore_matches(ignore, s(path), is_dir, &found), CS_OK, "%s", path);
    return found;
}

Test(ignore_stack, deeper_files_override_higher_ones_in_any_order_of_questions)
{
    cs_test_write(dir, CS_IGNORE_FILE, "*.o\nbuild/\n");
    cs_test_write(dir, "src/" CS_IGNORE_FILE, "!keep.o\n/local\n");
    cs_test_mkdir(dir, "src/deep");
    for (int round = 0; round < 2; round++) {
        cr_expect(ignored("x.o", false));
        cr_expect(ignored("src/x.o", false));
        cr_expect_not(ignored("src/keep.o", false));
        cr_expect_not(ignored("src/deep/keep.o", false));
        cr_expect(ignored("keep.o", false));
        cr_expect(ignored("src/local", false));
        cr_expect_not(ignored("src/deep/local", false));
        cr_expect_not(ignored("src2/local", false));
        cr_expect(ignored("src/build", true));
        cr_expect(ignored("src/build/x/y.c", false)); /* not there, but it would be below */
        cr_expect_not(ignored("src/build", false));
    }
}

Test(ignore_stack, nothing_below_an_ignored_directory_comes_back)
{
    cs_test_write(dir, CS_IGNORE_FILE, "d/\n!d/keep\n");
    cs_test_write(dir, "d/" CS_IGNORE_FILE, "!keep\n");
    cr_expect(ignored("d/keep", false));
    cr_expect(ignored("d/sub/keep", false));
    cr_expect_not(ignored("e/keep", false));
}

Test(ignore_stack, rules_are_read_again_after_forget)
{
    cs_test_write(dir, CS_IGNORE_FILE, "a\n");
    cr_expect(ignored("a", false));
    cs_test_write(dir, CS_IGNORE_FILE, "b\n");
    cs_ignore_forget(ignore);
    cr_expect_not(ignored("a", false));
    cr_expect(ignored("b", false));
}

Test(ignore_stack, a_rule_file_that_is_no_plain_file_has_no_rules)
{
    cs_test_write(dir, "rules", "*\n");
    cr_assert_eq(fs->ops->symlink(fs, s("rules"), s(CS_IGNORE_FILE)), CS_OK);
    cs_test_mkdir(dir, "d/" CS_IGNORE_FILE);
    cr_expect_not(ignored("a", false));
    cr_expect_not(ignored("d/a", false));
}

Test(ignore_stack, a_rule_file_may_have_one_mebibyte_and_not_a_byte_more)
{
    char *text = cs_malloc(CS_IGNORE_BYTES_MAX + 2);
    memset(text, '\n', CS_IGNORE_BYTES_MAX + 1);
    text[0] = 'a';
    text[CS_IGNORE_BYTES_MAX] = '\0';
    cs_test_write(dir, "d/" CS_IGNORE_FILE, text);
    cr_expect(ignored("d/a", false));
    text[CS_IGNORE_BYTES_MAX] = '\n';
    text[CS_IGNORE_BYTES_MAX + 1] = '\0';
    cs_test_write(dir, "d/" CS_IGNORE_FILE, text);
    cs_free(text);
    cs_ignore_forget(ignore);
    bool found;
    cr_expect_eq(cs_ignore_matches(ignore, s("d/a"), false, &found), CS_ERR_LIMIT);
    cr_expect_not(ignored("a", false)); /* still usable elsewhere */
}
