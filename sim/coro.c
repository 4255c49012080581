/* coro.c - see coro.h. The address sanitizer must be told of each switch of stacks. */
#include "sim/coro.h"

#include <setjmp.h>
#include <ucontext.h>

#include "base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ASAN 1
#endif
#endif
#ifndef ASAN
#define ASAN 0
#endif

#if ASAN
#include <sanitizer/common_interface_defs.h>
#define STACK_BYTES ((size_t)1 << 20) /* red zones make frames large */
#else
#define STACK_BYTES ((size_t)256 << 10) /* a walk of the deepest path takes a tenth of it */
#endif

struct cs_coro {
    cs_coros_t *owner;
    cs_coro_t *next; /* among the unused */
    ucontext_t self, caller;
    jmp_buf self_at, caller_at;
    bool entered;
    void (*run)(void *arg);
    void *arg;
    bool ended;
    void *stack;
    /* the address sanitizer's */
    void *fake;
    const void *caller_stack;
    size_t caller_bytes;
};

struct cs_coros {
    cs_coro_t *unused;
    size_t in_use;
};

cs_coros_t *cs_coros_new(void)
{
    return cs_calloc(1, sizeof(cs_coros_t));
}

void cs_coros_destroy(cs_coros_t **coros_p)
{
    cs_coros_t *coros = *coros_p;
    *coros_p = NULL;
    if (coros == NULL) return;
    CS_ASSERT(coros->in_use == 0);
    for (cs_coro_t *coro; (coro = coros->unused) != NULL;) {
        coros->unused = coro->next;
        cs_free(coro->stack);
        cs_free(coro);
    }
    cs_free(coros);
}

/* `fake`: where the leaving stack's shadow is kept; NULL: it is left for good. */
static void before_switch(void **fake, const void *to, size_t bytes)
{
#if ASAN
    __sanitizer_start_switch_fiber(fake, to, bytes);
#else
    (void)fake, (void)to, (void)bytes;
#endif
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the sanitizer writes to bytes */
static void after_switch(void *fake, const void **from, size_t *bytes)
{
#if ASAN
    __sanitizer_finish_switch_fiber(fake, from, bytes);
#else
    (void)fake, (void)from, (void)bytes;
#endif
}

/* setjmp and longjmp make no system call, but neither the sanitizer nor a hardened longjmp
 * takes a jump to another stack. */
#if ASAN || (defined(_FORTIFY_SOURCE) && _FORTIFY_SOURCE > 0)
static void go_in(cs_coro_t *coro)
{
    int switched = swapcontext(&coro->caller, &coro->self);
    CS_ASSERT(switched == 0);
}

static void go_out(cs_coro_t *coro)
{
    int switched = swapcontext(&coro->self, &coro->caller);
    CS_ASSERT(switched == 0);
}
#else
static void go_in(cs_coro_t *coro)
{
    if (setjmp(coro->caller_at) != 0) return;
    if (coro->entered) longjmp(coro->self_at, 1);
    coro->entered = true;
    (void)setcontext(&coro->self);
    CS_ASSERT(false);
}

static void go_out(cs_coro_t *coro)
{
    if (setjmp(coro->self_at) == 0) longjmp(coro->caller_at, 1);
}
#endif

/* A stack runs one procedure after the other. makecontext passes ints only: the pointer comes
 * in two halves. */
static void enter(unsigned high, unsigned low)
{
    cs_coro_t *coro = (cs_coro_t *)(((uintptr_t)high << 32) | (uintptr_t)low);
    after_switch(NULL, &coro->caller_stack, &coro->caller_bytes);
    for (;;) {
        coro->run(coro->arg);
        coro->ended = true;
        cs_coro_yield(coro);
    }
}

static void prepare(cs_coro_t *coro)
{
    int got = getcontext(&coro->self);
    CS_ASSERT(got == 0);
    coro->self.uc_stack.ss_sp = coro->stack;
    coro->self.uc_stack.ss_size = STACK_BYTES;
    coro->self.uc_link = NULL;
    uintptr_t at = (uintptr_t)coro;
    makecontext(&coro->self, (void (*)(void))enter, 2, (unsigned)(at >> 32), (unsigned)at);
}

static cs_coro_t *take(cs_coros_t *coros)
{
    cs_coro_t *coro = coros->unused;
    coros->in_use++;
    if (coro != NULL) {
        coros->unused = coro->next;
        return coro;
    }
    coro = cs_calloc(1, sizeof *coro);
    coro->owner = coros;
    coro->stack = cs_malloc(STACK_BYTES);
    prepare(coro);
    return coro;
}

cs_coro_t *cs_coro_new(cs_coros_t *coros, void (*run)(void *arg), void *arg)
{
    cs_coro_t *coro = take(coros);
    coro->run = run;
    coro->arg = arg;
    coro->ended = false;
    return coro;
}

bool cs_coro_resume(cs_coro_t *coro)
{
    CS_ASSERT(!coro->ended);
    void *fake = NULL;
    before_switch(&fake, coro->stack, STACK_BYTES);
    go_in(coro);
    after_switch(fake, NULL, NULL);
    return !coro->ended;
}

void cs_coro_yield(cs_coro_t *coro)
{
    before_switch(&coro->fake, coro->caller_stack, coro->caller_bytes);
    go_out(coro);
    after_switch(coro->fake, &coro->caller_stack, &coro->caller_bytes);
}

void cs_coro_release(cs_coro_t **coro_p)
{
    cs_coro_t *coro = *coro_p;
    *coro_p = NULL;
    if (coro == NULL) return;
    coro->owner->in_use--;
    coro->next = coro->owner->unused;
    coro->owner->unused = coro;
}
