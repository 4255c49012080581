/* records_test.c - what a scan hands over comes out as it went in. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "node/job.h"

static bool compare(void *arg, const cs_sighting_t *sighting)
{
    size_t *index = arg;
    char path[32];
    snprintf(path, sizeof path, "dir/file-%zu", *index);
    cr_assert(cs_slice_eq(sighting->path, cs_slice_text(path)));
    cr_assert_eq(sighting->what, (cs_seen_kind_t)(*index % 6));
    cr_assert_eq(sighting->mode, 0600 + *index % 8);
    cr_assert_eq(sighting->mtime_ns, -5 + (int64_t)*index);
    cr_assert_eq(sighting->print.ino, *index * 3);
    cr_assert_eq(sighting->content.size, *index);
    cr_assert_eq(sighting->content.hash[31], (uint8_t)*index);
    (*index)++;
    return *index < 900;
}

Test(records, keep_order_and_values)
{
    cs_scan_records_t records = {0};
    for (size_t i = 0; i < 1000; i++) {
        char path[32];
        snprintf(path, sizeof path, "dir/file-%zu", i);
        cs_sighting_t sighting = {
            .what = (cs_seen_kind_t)(i % 6),
            .path = cs_slice_text(path),
            .content = {.kind = CS_KIND_FILE, .size = i},
            .mode = (uint16_t)(0600 + i % 8),
            .mtime_ns = -5 + (int64_t)i,
            .print = {.ino = i * 3},
        };
        sighting.content.hash[31] = (uint8_t)i;
        cs_scan_records_add(&records, &sighting);
    }
    size_t index = 0;
    cr_assert_eq(records.count, 1000);
    cr_assert_not(cs_scan_records_each(&records, &index, compare), "a reader may stop");
    cr_assert_eq(index, 900);
    cs_scan_records_fini(&records);
}

Test(records, troubles_are_kept_up_to_the_limit_and_counted_beyond)
{
    cs_troubles_t troubles = {0};
    for (uint32_t i = 0; i < CS_TROUBLES_MAX + 1; i++) {
        cs_troubles_add(&troubles, cs_slice_text("a"), CS_TROUBLE_FIFO);
    }
    cr_assert_eq(troubles.len, CS_TROUBLES_MAX);
    cr_assert_eq(troubles.total, CS_TROUBLES_MAX + 1);
    cs_troubles_fini(&troubles);
}
