/* options_test.c - options and arguments of the command line. */
#include <criterion/criterion.h>
#include <string.h>

#include "cmd/options.h"

static const cs_option_t options[] = {
    {"id", 0, "NAME", ""}, {"full", 'f', NULL, ""}, {"listen", 0, "ENDPOINT", ""}, {0}};

typedef struct parsed {
    cs_args_t args;
    cs_buf_t error;
    cs_err_t err;
    int next;
} parsed_t;

#define PARSE(to_first, ...) parse(to_first, (const char *[]){"word", __VA_ARGS__, NULL})

static parsed_t parse(bool to_first, const char **argv)
{
    parsed_t parsed = {0};
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    parsed.err = cs_args_parse(&parsed.args, options, argc, (char **)(uintptr_t)argv,
                               to_first ? &parsed.next : NULL, &parsed.error);
    cs_buf_put_u8(&parsed.error, 0);
    return parsed;
}

static void fini(parsed_t *parsed)
{
    cs_args_fini(&parsed->args);
    cs_buf_fini(&parsed->error);
}

static void expect_error(parsed_t parsed, const char *part)
{
    const char *text = (const char *)parsed.error.data;
    cr_assert_eq(parsed.err, CS_ERR_USAGE);
    cr_assert_not_null(strstr(text, part), "%s", text);
    cr_assert_not_null(strstr(text, ": "), "%s", text);
    cr_assert_not_null(strstr(text, "; "), "%s", text);
    fini(&parsed);
}

Test(options, arguments_and_options_may_be_mixed)
{
    parsed_t parsed = PARSE(false, "a", "--id", "x", "b", "--full");
    cr_assert_eq(parsed.err, CS_OK);
    cr_assert_eq(parsed.args.rest_count, 2);
    cr_assert_str_eq(parsed.args.rest[0], "a");
    cr_assert_str_eq(parsed.args.rest[1], "b");
    cr_assert_str_eq(cs_args_value(&parsed.args, "id"), "x");
    cr_assert(cs_args_has(&parsed.args, "full"));
    cr_assert_not(cs_args_has(&parsed.args, "json"));
    fini(&parsed);
}

Test(options, two_dashes_end_the_options)
{
    parsed_t parsed = PARSE(false, "--", "--full", "-q");
    cr_assert_eq(parsed.err, CS_OK);
    cr_assert_eq(parsed.args.rest_count, 2);
    cr_assert_str_eq(parsed.args.rest[0], "--full");
    fini(&parsed);
}

Test(options, every_value_of_a_repeated_one_is_kept)
{
    parsed_t parsed = PARSE(false, "--listen=a", "--listen", "b");
    cr_assert_eq(cs_args_count(&parsed.args, "listen"), 2);
    cr_assert_str_eq(parsed.args.given[0].value, "a");
    cr_assert_str_eq(cs_args_value(&parsed.args, "listen"), "b", "the last one");
    fini(&parsed);
}

Test(options, the_common_ones_are_always_there)
{
    parsed_t parsed = PARSE(false, "--home", "/x", "-vvq", "--json");
    cr_assert_eq(parsed.err, CS_OK);
    cr_assert_str_eq(cs_args_value(&parsed.args, "home"), "/x");
    cr_assert_eq(cs_args_count(&parsed.args, "verbose"), 2);
    cr_assert_eq(cs_args_count(&parsed.args, "quiet"), 1);
    fini(&parsed);
}

Test(options, up_to_the_first_word)
{
    parsed_t parsed = PARSE(true, "--home", "/x", "scan", "--full");
    cr_assert_eq(parsed.err, CS_OK);
    cr_assert_eq(parsed.next, 3);
    cr_assert_not(cs_args_has(&parsed.args, "full"));
    fini(&parsed);
}

Test(options, a_mistyped_one_names_the_nearest)
{
    expect_error(PARSE(false, "--fulll"), "did you mean --full?");
    expect_error(PARSE(false, "--hmoe", "/x"), "did you mean --home?");
    expect_error(PARSE(false, "--xyzzyx"), "see --help");
    expect_error(PARSE(false, "-x"), "no option -x");
}

Test(options, the_beginning_of_one_will_do_of_several_not)
{
    parsed_t parsed = PARSE(false, "--fu");
    cr_assert_eq(parsed.err, CS_OK);
    cr_assert(cs_args_has(&parsed.args, "full"));
    fini(&parsed);
    expect_error(PARSE(false, "--h"), "--h may be --home or --help");
    expect_error(PARSE(false, "--h=x"), "--h may be --home or --help");
}

Test(options, values_are_checked_for_being_there)
{
    expect_error(PARSE(false, "--id"), "--id needs a value");
    expect_error(PARSE(false, "--full=yes"), "--full takes no value");
}
