/* request.c - from arguments to a request. */
#include <stdlib.h>
#include <string.h>

#include "cmd/client.h"
#include "io/request.h"

json_t *cs_request_new(const cs_run_t *run, const char *cmd, size_t first)
{
    return cs_request(cmd, (const char *const *)run->args.rest + first,
                      run->args.rest_count - first);
}

bool cs_request_option(const cs_run_t *run, json_t *request, const char *option,
                       const char *key)
{
    const char *value = cs_args_value(&run->args, option);
    if (value == NULL) return true;
    /* Refuses what is not UTF-8. */
    if (json_object_set_new(request, key, json_string(value)) == 0) return true;
    cs_complain("wrong usage: the value of --%s is no text in UTF-8; give another", option);
    return false;
}

bool cs_request_options(const cs_run_t *run, json_t *request, const char *option,
                        const char *key)
{
    json_t *list = json_array();
    for (size_t i = 0; i < run->args.given_count; i++) {
        if (strcmp(run->args.given[i].name, option) != 0) continue;
        if (json_array_append_new(list, json_string(run->args.given[i].value)) == 0) continue;
        cs_complain("wrong usage: the value of --%s is no text in UTF-8; give another", option);
        json_decref(list);
        return false;
    }
    json_object_set_new(request, key, list);
    return true;
}

#define TIMEOUT_MAX_S 1e9 /* 30 years */

bool cs_request_timeout(const cs_run_t *run, json_t *request)
{
    const char *text = cs_args_value(&run->args, "timeout");
    if (text == NULL) return true;
    char *end;
    double seconds = strtod(text, &end);
    bool number = end != text && *end == '\0' && strspn(text, "0123456789.") == strlen(text);
    if (!number || !(seconds <= TIMEOUT_MAX_S)) {
        cs_complain(
            "wrong usage: --timeout '%s' is no number of seconds; give one as 30 or 0.5", text);
        return false;
    }
    json_object_set_new(request, "timeout_ms", json_integer((json_int_t)(seconds * 1000)));
    return true;
}

int cs_request_drop(json_t *request, int exit_code)
{
    json_decref(request);
    return exit_code;
}
