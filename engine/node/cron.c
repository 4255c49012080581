/* cron.c - sets of bits for the fields, and a search day by day. */
#include "node/cron.h"

#include <string.h>

#define YEAR_MAX 9999
#define YEARS_SEARCH                                                                    \
    41 /* a 29th of February that is a certain weekday comes once in 28 years, 40 about \
          a year like 2100 */
#define EVERY_S_MAX UINT64_C(31622400) /* 366 days */

typedef struct field {
    const char *name;
    unsigned min, max;
    const char *names; /* three letters each, of min, min+1, ...; NULL: none */
} field_t;

enum { MINUTE, HOUR, DAY, MONTH, WEEKDAY, FIELD_COUNT };

static const field_t fields[FIELD_COUNT] = {
    {"minute", 0, 59, NULL},
    {"hour", 0, 23, NULL},
    {"day of month", 1, 31, NULL},
    {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 7, "sunmontuewedthufrisat"},
};

static const struct {
    const char *name, *meaning;
} macros[] = {
    {"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
};

/* --- parsing */

typedef struct parser {
    const char *at, *end;
    const field_t *field; /* being read, for messages */
    cs_buf_t *detail;     /* may be NULL */
} parser_t;

static bool fail(const parser_t *parser, const char *what)
{
    if (parser->detail == NULL) return false;
    if (parser->field == NULL) {
        cs_buf_printf(parser->detail, "%s", what);
    } else {
        cs_buf_printf(parser->detail, "%s: %s (%u-%u)", parser->field->name, what,
                      parser->field->min, parser->field->max);
    }
    return false;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static char lower(char c)
{
    if (c < 'A' || c > 'Z') return c;
    return (char)(c - 'A' + 'a');
}

static char peek(const parser_t *parser)
{
    if (parser->at == parser->end) return '\0';
    return *parser->at;
}

static bool skip(parser_t *parser, char c)
{
    if (peek(parser) != c) return false;
    parser->at++;
    return true;
}

static void skip_blanks(parser_t *parser)
{
    while (is_blank(peek(parser))) {
        parser->at++;
    }
}

/* False: no digit, or beyond nine of them. */
static bool read_number(parser_t *parser, unsigned *ret)
{
    unsigned value = 0, digits = 0;
    for (; is_digit(peek(parser)); digits++, parser->at++) {
        if (digits == 9) return false;
        value = value * 10 + (unsigned)(*parser->at - '0');
    }
    *ret = value;
    return digits > 0;
}

static bool read_name(parser_t *parser, unsigned *ret)
{
    const char *names = parser->field->names;
    if (names == NULL || parser->end - parser->at < 3) return false;
    for (size_t i = 0; names[3 * i] != '\0'; i++) {
        const char *name = names + 3 * i;
        if (lower(parser->at[0]) != name[0] || lower(parser->at[1]) != name[1] ||
            lower(parser->at[2]) != name[2]) {
            continue;
        }
        parser->at += 3;
        *ret = parser->field->min + (unsigned)i;
        return true;
    }
    return false;
}

static bool read_value(parser_t *parser, unsigned *ret)
{
    if (!(is_digit(peek(parser)) ? read_number(parser, ret) : read_name(parser, ret))) {
        return fail(parser, "not a number or name that is known");
    }
    if (*ret < parser->field->min || *ret > parser->field->max) {
        return fail(parser, "out of range");
    }
    return true;
}

/* One member of a list: '*', a, a-b, with a step after the first and the last. */
static bool read_range(parser_t *parser, uint64_t *bits)
{
    unsigned first = parser->field->min, last = parser->field->max, step = 1;
    bool many = skip(parser, '*');
    if (!many) {
        if (!read_value(parser, &first)) return false;
        last = first;
        many = skip(parser, '-');
        if (many && !read_value(parser, &last)) return false;
        if (last < first) return fail(parser, "a range that ends before it begins");
    }
    if (skip(parser, '/')) {
        if (!many) return fail(parser, "a step needs a range before it");
        if (!read_number(parser, &step) || step == 0 || step > parser->field->max) {
            return fail(parser, "not a step that is possible");
        }
    }
    for (unsigned i = first; i <= last; i += step) {
        *bits |= UINT64_C(1) << i;
    }
    return true;
}

static bool read_field(parser_t *parser, const field_t *field, uint64_t *ret_bits,
                       bool *ret_any)
{
    skip_blanks(parser);
    parser->field = field;
    *ret_bits = 0;
    *ret_any = peek(parser) == '*';
    if (parser->at == parser->end) return fail(parser, "missing");
    do {
        if (!read_range(parser, ret_bits)) return false;
    } while (skip(parser, ','));
    if (parser->at < parser->end && !is_blank(*parser->at)) {
        return fail(parser, "something follows that does not belong there");
    }
    return true;
}

static bool read_fields(parser_t *parser, cs_cron_t *ret)
{
    uint64_t bits[FIELD_COUNT];
    bool any[FIELD_COUNT];
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (!read_field(parser, &fields[i], &bits[i], &any[i])) return false;
    }
    skip_blanks(parser);
    parser->field = NULL;
    if (parser->at < parser->end) return fail(parser, "more than five fields");
    uint64_t sunday = (bits[WEEKDAY] | bits[WEEKDAY] >> 7) & 1;
    *ret = (cs_cron_t){.minutes = bits[MINUTE],
                       .hours = (uint32_t)bits[HOUR],
                       .days = (uint32_t)bits[DAY],
                       .months = (uint32_t)bits[MONTH],
                       .weekdays = (uint8_t)((bits[WEEKDAY] & 0x7e) | sunday),
                       .any_time = any[MINUTE] || any[HOUR],
                       .any_day = any[DAY],
                       .any_weekday = any[WEEKDAY]};
    cs_civil_t never;
    if (cs_cron_next(ret, &(cs_civil_t){.year = 2000, .month = 1, .day = 1}, &never)) {
        return true;
    }
    parser->field = &fields[DAY];
    return fail(parser, "no such day in any of these months");
}

static bool read_every(parser_t *parser, cs_cron_t *ret)
{
    uint64_t total_s = 0;
    skip_blanks(parser);
    while (parser->at < parser->end && !is_blank(*parser->at)) {
        unsigned amount, unit_s;
        if (!read_number(parser, &amount)) return fail(parser, "@every: not a number");
        switch (peek(parser)) {
        case 's':
            unit_s = 1;
            break;
        case 'm':
            unit_s = 60;
            break;
        case 'h':
            unit_s = 3600;
            break;
        default:
            return fail(parser, "@every: a unit is needed, s, m or h");
        }
        parser->at++;
        total_s += (uint64_t)amount * unit_s;
        if (total_s > EVERY_S_MAX) return fail(parser, "@every: more than a year");
    }
    skip_blanks(parser);
    if (parser->at < parser->end) {
        return fail(parser, "@every: one interval, as in 5m or 1h30m");
    }
    if (total_s == 0) return fail(parser, "@every: an interval of a second or more is needed");
    *ret = (cs_cron_t){.every_s = (uint32_t)total_s};
    return true;
}

static bool word_is(const parser_t *parser, const char *word, size_t len)
{
    return (size_t)(parser->end - parser->at) >= len && memcmp(parser->at, word, len) == 0 &&
           ((size_t)(parser->end - parser->at) == len || is_blank(parser->at[len]));
}

static bool read_macro(parser_t *parser, cs_cron_t *ret)
{
    if (word_is(parser, "@every", 6)) {
        parser->at += 6;
        return read_every(parser, ret);
    }
    for (size_t i = 0; i < CS_COUNT_OF(macros); i++) {
        size_t len = strlen(macros[i].name);
        if (!word_is(parser, macros[i].name, len)) continue;
        parser->at += len;
        skip_blanks(parser);
        if (parser->at < parser->end) return fail(parser, "nothing may follow a name with @");
        parser->at = macros[i].meaning;
        parser->end = parser->at + strlen(parser->at);
        return read_fields(parser, ret);
    }
    return fail(parser,
                "no such name; @hourly @daily @weekly @monthly @yearly and @every are known");
}

cs_err_t cs_cron_parse(const char *text, cs_cron_t *ret, cs_buf_t *ret_detail)
{
    size_t len = strlen(text);
    parser_t parser = {.at = text, .end = text + len, .detail = ret_detail};
    cs_cron_t cron;
    if (len > CS_CRON_TEXT_MAX) {
        (void)fail(&parser, "longer than any schedule");
        return CS_ERR_USAGE;
    }
    skip_blanks(&parser);
    bool read = peek(&parser) == '@' ? read_macro(&parser, &cron) : read_fields(&parser, &cron);
    if (!read) return CS_ERR_USAGE;
    *ret = cron;
    return CS_OK;
}

/* --- the calendar */

unsigned cs_civil_month_days(int32_t year, unsigned month)
{
    CS_ASSERT(month >= 1);
    CS_ASSERT(month <= 12);
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Sakamoto's method. */
unsigned cs_civil_weekday(const cs_civil_t *civil)
{
    CS_ASSERT(civil->month >= 1);
    CS_ASSERT(civil->month <= 12);
    static const uint8_t shift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
    int32_t year = civil->year - (civil->month < 3);
    return (unsigned)(year + year / 4 - year / 100 + year / 400 + shift[civil->month - 1] +
                      civil->day) %
           7;
}

static bool day_suits(const cs_cron_t *cron, const cs_civil_t *at)
{
    if ((cron->months >> at->month & 1) == 0) return false;
    bool day = (cron->days >> at->day & 1) != 0;
    bool weekday = (cron->weekdays >> cs_civil_weekday(at) & 1) != 0;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

bool cs_cron_suits(const cs_cron_t *cron, const cs_civil_t *at)
{
    return (cron->minutes >> at->minute & 1) != 0 && (cron->hours >> at->hour & 1) != 0 &&
           day_suits(cron, at);
}

/* The first suitable minute of the day from `at` on. */
static bool find_minute(const cs_cron_t *cron, cs_civil_t *at)
{
    for (unsigned hour = at->hour, minute = at->minute; hour < 24; hour++, minute = 0) {
        if ((cron->hours >> hour & 1) == 0) continue;
        for (; minute < 60; minute++) {
            if ((cron->minutes >> minute & 1) == 0) continue;
            at->hour = (uint8_t)hour;
            at->minute = (uint8_t)minute;
            return true;
        }
    }
    return false;
}

static void next_day(cs_civil_t *at)
{
    at->hour = at->minute = 0;
    if (++at->day <= cs_civil_month_days(at->year, at->month)) return;
    at->day = 1;
    if (++at->month <= 12) return;
    at->month = 1;
    at->year++;
}

bool cs_cron_next(const cs_cron_t *cron, const cs_civil_t *after, cs_civil_t *ret)
{
    CS_ASSERT(cron->every_s == 0);
    cs_civil_t at = *after;
    at.second = 0;
    if (++at.minute == 60) {
        at.minute = 0;
        if (++at.hour == 24) next_day(&at);
    }
    while (at.year <= YEAR_MAX && at.year < after->year + YEARS_SEARCH) {
        if (day_suits(cron, &at) && find_minute(cron, &at)) {
            *ret = at;
            return true;
        }
        next_day(&at);
    }
    return false;
}
