/* options.c - see options.h. */
#include "cmd/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/suggest.h"

const cs_option_t cs_common_options[] = {
    {"home", 0, "DIR",
     "the node's directory (else $CRDTSYNC_HOME, $XDG_STATE_HOME/crdtsync, "
     "~/.local/state/crdtsync)"},
    {"json", 0, NULL, "print JSON"},
    {"verbose", 'v', NULL, "say more"},
    {"quiet", 'q', NULL, "say less"},
    {"help", 'h', NULL, "print this"},
    {0},
};

typedef struct option_table {
    const cs_option_t *at[CS_OPTIONS_MAX + 1]; /* NULL ends it */
    struct option longs[CS_OPTIONS_MAX + 1];
    char shorts[2 * CS_OPTIONS_MAX + 3];
    const char *names[CS_OPTIONS_MAX + 1]; /* with the dashes, for suggestions */
    char dashed[CS_OPTIONS_MAX][40];
    size_t count;
} option_table_t;

#define LONG_BASE 256 /* getopt_long's value of option i: none is a letter */

static void add_option(option_table_t *table, const cs_option_t *option)
{
    CS_ASSERT(table->count < CS_OPTIONS_MAX);
    size_t i = table->count++;
    table->at[i] = option;
    table->longs[i] = (struct option){
        .name = option->name,
        .has_arg = option->arg != NULL ? required_argument : no_argument,
        .val = LONG_BASE + (int)i,
    };
    if (option->letter != 0) {
        size_t len = strlen(table->shorts);
        table->shorts[len] = option->letter;
        if (option->arg != NULL) table->shorts[len + 1] = ':';
    }
    snprintf(table->dashed[i], sizeof table->dashed[i], "--%s", option->name);
    table->names[i] = table->dashed[i];
}

static void fill_table(option_table_t *table, const cs_option_t *options, bool to_first)
{
    memset(table, 0, sizeof *table);
    snprintf(table->shorts, sizeof table->shorts, "%s", to_first ? "+:" : ":");
    for (; options != NULL && options->name != NULL; options++) {
        add_option(table, options);
    }
    for (options = cs_common_options; options->name != NULL; options++) {
        add_option(table, options);
    }
}

static const cs_option_t *find(const option_table_t *table, int value)
{
    for (size_t i = 0; table->at[i] != NULL; i++) {
        bool is_long = value == LONG_BASE + (int)i;
        if (is_long || (table->at[i]->letter != 0 && value == table->at[i]->letter)) {
            return table->at[i];
        }
    }
    return NULL;
}

static void add_given(cs_args_t *args, const char *name, const char *value)
{
    if (args->given_count == args->given_cap) {
        args->given_cap = cs_grow(args->given_cap, args->given_count + 1);
        args->given = cs_realloc_array(args->given, args->given_cap, sizeof *args->given);
    }
    args->given[args->given_count++] = (cs_given_t){name, value};
}

/* The beginning of several options; of one alone, getopt_long takes it for that one. */
static bool tell_ambiguous(const option_table_t *table, const char *name, cs_buf_t *ret_error)
{
    size_t found = 0;
    cs_buf_t list = {0};
    for (size_t i = 0; i < table->count; i++) {
        if (strncmp(table->names[i], name, strlen(name)) != 0) continue;
        cs_buf_printf(&list, "%s%s", found++ > 0 ? " or " : "", table->names[i]);
    }
    if (found > 1) {
        cs_buf_printf(ret_error, "wrong usage: %s may be %.*s; give one of them", name,
                      (int)list.len, (const char *)list.data);
    }
    cs_buf_fini(&list);
    return found > 1;
}

/* What getopt_long did not like: a word of argv, or one letter of it. */
static void tell_mistake(const option_table_t *table, int found, const char *word,
                         cs_buf_t *ret_error)
{
    const cs_option_t *option = find(table, optopt);
    if (found == ':' && option != NULL) {
        cs_buf_printf(ret_error, "wrong usage: --%s needs a value; give --%s %s", option->name,
                      option->name, option->arg);
        return;
    }
    if (option != NULL) { /* known, so it is "--flag=value" */
        cs_buf_printf(ret_error, "wrong usage: --%s takes no value; give it alone",
                      option->name);
        return;
    }
    if (optopt != 0 && optopt < LONG_BASE) {
        cs_buf_printf(ret_error, "wrong usage: there is no option -%c; see --help", optopt);
        return;
    }
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    if (tell_ambiguous(table, name, ret_error)) return;
    const char *nearest = cs_suggest(name, table->names);
    cs_buf_printf(ret_error, "wrong usage: there is no option %s; ", name);
    if (nearest != NULL) {
        cs_buf_printf(ret_error, "did you mean %s?", nearest);
    } else {
        cs_buf_printf(ret_error, "see --help");
    }
}

cs_err_t cs_args_parse(cs_args_t *ret, const cs_option_t *options, int argc, char **argv,
                       int *ret_next, cs_buf_t *ret_error)
{
    option_table_t table;
    fill_table(&table, options, ret_next != NULL);
    optind = 0; /* glibc: begin anew */
    opterr = 0;
    for (;;) {
        int found = getopt_long(argc, argv, table.shorts, table.longs, NULL);
        if (found == -1) break;
        const cs_option_t *option = find(&table, found);
        if (option == NULL) {
            tell_mistake(&table, found, argv[optind - 1], ret_error);
            return CS_ERR_USAGE;
        }
        add_given(ret, option->name, option->arg != NULL ? optarg : NULL);
    }
    if (ret_next != NULL) {
        *ret_next = optind;
        return CS_OK;
    }
    ret->rest_count = (size_t)(argc - optind);
    ret->rest = cs_calloc(ret->rest_count + 1, sizeof(char *));
    for (size_t i = 0; i < ret->rest_count; i++) {
        ret->rest[i] = argv[optind + (int)i];
    }
    return CS_OK;
}

void cs_args_fini(cs_args_t *args)
{
    cs_free(args->given);
    cs_free(args->rest);
    *args = (cs_args_t){0};
}

const char *cs_args_value(const cs_args_t *args, const char *name)
{
    for (size_t i = args->given_count; i > 0; i--) {
        if (strcmp(args->given[i - 1].name, name) == 0) return args->given[i - 1].value;
    }
    return NULL;
}

size_t cs_args_count(const cs_args_t *args, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < args->given_count; i++) {
        count += strcmp(args->given[i].name, name) == 0;
    }
    return count;
}

bool cs_args_has(const cs_args_t *args, const char *name)
{
    return cs_args_count(args, name) > 0;
}
