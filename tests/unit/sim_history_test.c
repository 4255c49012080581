/* sim_history_test.c - histories as data: drawn, written, read, shortened. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sim/coro.h"
#include "sim/history.h"
#include "sim/shrink.h"
#include "sim/texts.h"

static void expect_bad(const char *text, size_t line)
{
    cs_history_t history = {0};
    size_t at = 0;
    const char *why = NULL;
    cr_assert(cs_history_read(cs_slice_text(text), &history, &at, &why) != CS_OK, "%s", text);
    cr_assert_eq(at, line, "%s: line %zu", text, at);
    cr_assert_not_null(why);
    cr_assert_eq(history.len, 0);
}

Test(sim_history, is_the_same_for_the_same_seed_and_survives_being_written_and_read)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        cs_sim_options_t options;
        cs_history_t drawn = {0}, again = {0}, read = {0};
        cs_buf_t a = {0}, b = {0}, c = {0};
        size_t line;
        const char *why;
        cs_sim_options_draw(&options, seed);
        cs_history_draw(&options, &drawn);
        cs_history_draw(&options, &again);
        cs_history_print(&drawn, &a);
        cs_history_print(&again, &b);
        cr_assert(cs_slice_eq(cs_buf_slice(&a), cs_buf_slice(&b)));
        cr_assert(cs_history_read(cs_buf_slice(&a), &read, &line, &why) == CS_OK, "%zu: %s",
                  line, why);
        cs_history_print(&read, &c);
        cr_assert(cs_slice_eq(cs_buf_slice(&a), cs_buf_slice(&c)));
        cr_assert_eq(drawn.act[drawn.len - 1].kind, CS_ACT_REST);
        cs_history_fini(&drawn);
        cs_history_fini(&again);
        cs_history_fini(&read);
        cs_buf_fini(&a);
        cs_buf_fini(&b);
        cs_buf_fini(&c);
    }
}

Test(sim_history, names_the_line_that_is_wrong)
{
#define HEAD "crdtsync-sim history 1\noption nodes=2\n"
    expect_bad("", 1);
    expect_bad("history\n", 1);
    expect_bad(HEAD, 3);
    expect_bad("crdtsync-sim history 1\noption noodles=2\n", 2);
    expect_bad("crdtsync-sim history 1\noption nodes=13\n", 2);
    expect_bad("crdtsync-sim history 1\noption nodes=1\n", 2);
    expect_bad(HEAD "1.000 C rest\n1.000 C save path=a number=1\n", 4);
    expect_bad(HEAD "2.000 A save path=a number=1\n1.000 A save path=a number=1\n", 4);
    expect_bad(HEAD "1.00 A save path=a number=1\n", 3);
    expect_bad(HEAD "1.000 A sieve path=a number=1\n", 3);
    expect_bad(HEAD "1.000 A save path= number=1\n", 3);
    expect_bad(HEAD "1.000 A save path=a%00b number=1\n", 3);
    expect_bad(HEAD "1.000 A save path=a number=x\n", 3);
    expect_bad(HEAD "1.000 A move path=a\n", 3);
    expect_bad(HEAD "1.000 A cut peer=Z\n", 3);
    expect_bad(HEAD "1.000 A save path=a number=1 calls=65536\n", 3);
}

Test(sim_history, keeps_paths_at_the_limit_and_refuses_longer_ones)
{
    char text[400];
    cs_history_t history = {0};
    size_t line;
    const char *why;
    int most = (int)CS_ACT_PATH_BYTES - 1;
    snprintf(text, sizeof text, HEAD "1.000 A mkdir path=%0*d\n", most, 1);
    cr_assert(cs_history_read(cs_slice_text(text), &history, &line, &why) == CS_OK);
    cr_assert_eq(strlen(history.act[0].path), most);
    cs_history_fini(&history);
    snprintf(text, sizeof text, HEAD "1.000 A mkdir path=%0*d\n", most + 1, 1);
    expect_bad(text, 3);
}

/* --- shrinking */

/* Fails while A saves 3 and B removes something later. */
static bool fails(void *arg, const cs_history_t *history)
{
    bool saved = false;
    (*(unsigned *)arg)++;
    for (size_t i = 0; i < history->len; i++) {
        const cs_act_t *act = &history->act[i];
        if (act->kind == CS_ACT_SAVE && act->node == 0 && act->number == 3) saved = true;
        if (act->kind == CS_ACT_REMOVE && act->node == 1 && saved) return true;
    }
    return false;
}

Test(sim_shrink, leaves_what_is_needed_to_fail)
{
    cs_history_t history = {0}, least = {0};
    unsigned tries = 0;
    cs_sim_options_draw(&history.options, 5);
    history.options.nodes = 4;
    for (unsigned i = 0; i < 60; i++) {
        cs_act_t act = {.at_us = i,
                        .kind = i % 2 == 0 ? CS_ACT_SAVE : CS_ACT_REMOVE,
                        .node = (uint16_t)(i % 4),
                        .number = i % 8 == 0 ? 3 : 20 + i,
                        .calls = i};
        cs_history_add(&history, &act);
    }
    cs_shrink_t shrink = {.arg = &tries, .fails = fails, .tries_max = 1000};
    cs_shrink_history(&shrink, &history, &least);
    cr_assert_eq(least.len, 2);
    cr_assert_eq(least.options.nodes, 2);
    cr_assert_eq(least.act[0].calls + least.act[1].calls, 0);
    cr_assert_eq(tries, shrink.tries);
    cs_history_fini(&least);

    tries = 0;
    shrink.tries_max = 7;
    cs_shrink_history(&shrink, &history, &least);
    cr_assert_eq(tries, 7);
    cr_assert(fails(&tries, &least));
    cs_history_fini(&least);
    cs_history_fini(&history);
}

/* --- texts */

static void write_copy_remove(cs_texts_t *texts, uint32_t number, unsigned user)
{
    cs_texts_written(texts, number);
    cr_assert(cs_texts_is_owed(texts, number));
    cs_texts_copied(texts, number, user);
    cs_texts_removed(texts, number, user);
    cr_assert(cs_texts_is_owed(texts, number), "its copy is there");
}

Test(sim_texts, are_owed_until_their_user_removed_them)
{
    cs_texts_t *texts = cs_texts_new();
    cr_assert_not(cs_texts_is_owed(texts, 20));
    write_copy_remove(texts, 20, 1);
    cs_texts_removed(texts, 20, 1);
    cr_assert_not(cs_texts_is_owed(texts, 20));
    write_copy_remove(texts, 22, 0);
    cs_texts_gone(texts, 22);
    cr_assert_not(cs_texts_is_owed(texts, 22), "it was his last one");
    cs_texts_written(texts, 21);
    cs_texts_moved(texts, 21, 0);
    cs_texts_removed(texts, 21, 1);
    cr_assert_not(cs_texts_is_owed(texts, 21), "several users: nobody can tell");
    cs_texts_written(texts, 1);
    cr_assert_not(cs_texts_is_owed(texts, 1), "many people's");
    cs_texts_written(texts, CS_TEXT_MAX);
    cr_assert(cs_texts_is_owed(texts, CS_TEXT_MAX));
    cs_texts_written(texts, CS_TEXT_MAX + 1);
    cr_assert_not(cs_texts_is_owed(texts, CS_TEXT_MAX + 1));
    cs_texts_destroy(&texts);
}

Test(sim_texts, know_their_number)
{
    char bytes[CS_TEXT_BYTES];
    size_t len = cs_text_print(123, bytes);
    cr_assert_eq(cs_text_of(bytes, len), 123);
    cr_assert_eq(cs_text_of("text 000007+", 12), 7);
    cr_assert_eq(cs_text_of("text", 4), CS_TEXT_NONE);
    cr_assert_eq(cs_text_of("", 0), CS_TEXT_NONE);
}

/* --- coroutines */

typedef struct counting {
    cs_coro_t *self;
    int count;
} counting_t;

static void count_to_three(void *arg)
{
    counting_t *counting = arg;
    while (counting->count < 3) {
        counting->count++;
        cs_coro_yield(counting->self);
    }
}

Test(sim_coro, goes_on_where_it_stopped_and_stacks_are_used_again)
{
    cs_coros_t *coros = cs_coros_new();
    for (int round = 0; round < 3; round++) {
        counting_t a = {0}, b = {0};
        a.self = cs_coro_new(coros, count_to_three, &a);
        b.self = cs_coro_new(coros, count_to_three, &b);
        for (int i = 1; i <= 3; i++) {
            cr_assert(cs_coro_resume(a.self));
            cr_assert_eq(a.count, i);
            cr_assert_eq(b.count, i - 1);
            cr_assert(cs_coro_resume(b.self));
        }
        cr_assert_not(cs_coro_resume(a.self));
        cr_assert_not(cs_coro_resume(b.self));
        cs_coro_release(&a.self);
        cs_coro_release(&b.self);
    }
    cs_coro_t *never = cs_coro_new(coros, count_to_three, NULL);
    cs_coro_release(&never);
    cs_coros_destroy(&coros);
}
