/* cron_fuzz.c - any text is either refused with a reason, or has a next time that suits it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "node/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = cs_malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    cs_cron_t cron;
    cs_buf_t detail = {0};
    if (cs_cron_parse(text, &cron, &detail) != CS_OK) {
        require(detail.len > 0);
    } else if (cron.every_s == 0) {
        cs_civil_t after = {.year = 2024, .month = 2, .day = 28, .hour = 23, .minute = 59},
                   next;
        require(cs_cron_next(&cron, &after, &next));
        require(cs_cron_suits(&cron, &next));
        require(next.day <= cs_civil_month_days(next.year, next.month));
    }
    cs_buf_fini(&detail);
    cs_free(text);
    return 0;
}
