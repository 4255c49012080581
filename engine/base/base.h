/* base.h - what every file of the engine needs: fixed-width types, assertions, attributes. */
#ifndef CS_BASE_BASE_H
#define CS_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Around the declarations of a header: programs in C++ may include it. */
#ifdef __cplusplus
#define CS_HEADER_BEGIN extern "C" {
#define CS_HEADER_END   }
#else
#define CS_HEADER_BEGIN
#define CS_HEADER_END
#endif

#define CS_MUST_USE          __attribute__((warn_unused_result))
#define CS_NORETURN          __attribute__((noreturn))
#define CS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define CS_COUNT_OF(array)   (sizeof(array) / sizeof((array)[0]))

/* For our own bugs only, never for bytes from outside; stays on in release. */
#define CS_ASSERT(condition) \
    ((condition) ? (void)0 : cs_assert_fail(#condition, __FILE__, __LINE__))

CS_HEADER_BEGIN

static inline uint64_t cs_min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

CS_NORETURN void cs_assert_fail(const char *condition, const char *file, int line);

CS_HEADER_END

#endif
