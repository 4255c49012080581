/* records.c - what a scan hands to the core: sightings packed into bytes, troubles by path. */
#include <string.h>

#include "base/mem.h"
#include "node/job.h"

/* A batch of sightings is handed over at this size: large enough that a thread hop (45 us)
 * costs nothing per file, small enough: each file of those in flight (CS_SCAN_CREDITS) is five
 * rows in memory, and all of them are copied twice on their way into the database. */
#define RECORDS_BYTES (64u << 10)

void cs_scan_records_add(cs_scan_records_t *records, const cs_sighting_t *sighting)
{
    cs_buf_t *buf = &records->sightings;
    cs_buf_put_u8(buf, (uint8_t)sighting->what);
    cs_buf_put_varint(buf, sighting->path.len);
    cs_buf_put_slice(buf, sighting->path);
    cs_buf_put(buf, &sighting->content, sizeof sighting->content);
    cs_buf_put_u16(buf, sighting->mode);
    cs_buf_put(buf, &sighting->mtime_ns, sizeof sighting->mtime_ns);
    cs_buf_put(buf, &sighting->print, sizeof sighting->print);
    records->count++;
}

bool cs_scan_records_full(const cs_scan_records_t *records)
{
    return records->sightings.len + records->rows.ops.len >= RECORDS_BYTES;
}

bool cs_scan_records_each(const cs_scan_records_t *records, void *arg,
                          bool (*each)(void *arg, const cs_sighting_t *sighting))
{
    cs_reader_t reader = cs_reader(cs_buf_slice(&records->sightings));
    while (cs_reader_left(&reader) > 0) {
        cs_sighting_t sighting;
        memset(&sighting, 0, sizeof sighting);
        sighting.what = (cs_seen_kind_t)cs_read_u8(&reader);
        sighting.path = cs_read_bytes(&reader, (size_t)cs_read_varint(&reader));
        cs_read_copy(&reader, &sighting.content, sizeof sighting.content);
        sighting.mode = cs_read_u16(&reader);
        cs_read_copy(&reader, &sighting.mtime_ns, sizeof sighting.mtime_ns);
        cs_read_copy(&reader, &sighting.print, sizeof sighting.print);
        CS_ASSERT(reader.err == CS_OK); /* packed by cs_scan_records_add, in this process */
        if (!each(arg, &sighting)) return false;
    }
    return true;
}

void cs_scan_records_fini(cs_scan_records_t *records)
{
    cs_buf_fini(&records->sightings);
    cs_batch_fini(&records->rows);
    cs_buf_fini(&records->ahead);
    records->count = 0;
}

void cs_troubles_add(cs_troubles_t *troubles, cs_slice_t path, cs_trouble_t trouble)
{
    troubles->total++;
    if (troubles->len == CS_TROUBLES_MAX) return;
    if (troubles->len == troubles->cap) {
        troubles->cap = cs_grow(troubles->cap, troubles->len + 1);
        troubles->item =
            cs_realloc_array(troubles->item, troubles->cap, sizeof *troubles->item);
    }
    troubles->item[troubles->len++] =
        (cs_trouble_item_t){.path = cs_str_new(path.data, path.len), .trouble = trouble};
}

void cs_troubles_fini(cs_troubles_t *troubles)
{
    for (size_t i = 0; i < troubles->len; i++) {
        cs_str_unref(&troubles->item[i].path);
    }
    cs_free(troubles->item);
    *troubles = (cs_troubles_t){0};
}
