/* threads_test.c - what is said of cs_all_fn (base/tasks.h) holds of those who are one. */
#include <criterion/criterion.h>
#include <stdatomic.h>

#include "io/threads.h"

#define PARTS 1000u

static atomic_uint done[PARTS];

static void count(void *arg, size_t part)
{
    cr_assert_eq(arg, done);
    atomic_fetch_add(&done[part], 1);
}

static void check(cs_all_fn *all, size_t parts)
{
    for (size_t i = 0; i < PARTS; i++)
        atomic_store(&done[i], 0);
    all(count, done, parts);
    for (size_t i = 0; i < PARTS; i++)
        cr_assert_eq(atomic_load(&done[i]), i < parts);
}

Test(threads, each_part_is_done_once_when_it_returns)
{
    cs_all_fn *const all[] = {cs_all_in_turn, cs_all_on_threads};
    static const size_t parts[] = {0, 1, 2, 5, PARTS};
    for (size_t i = 0; i < CS_COUNT_OF(all) * CS_COUNT_OF(parts); i++)
        check(all[i / CS_COUNT_OF(parts)], parts[i % CS_COUNT_OF(parts)]);
}
