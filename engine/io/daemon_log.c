/* daemon_log.c - one line an event on stderr: for people, or as JSON. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "io/daemon_shell.h"

static const char *level_text(cs_log_level_t level)
{
    switch (level) {
    case CS_LOG_ERROR:
        return "error";
    case CS_LOG_WARNING:
        return "warning";
    case CS_LOG_INFO:
        return "info";
    case CS_LOG_DEBUG:
        return "debug";
    }
    return "error";
}

/* As syslog(3) numbers them, for the journal. */
static int level_number(cs_log_level_t level)
{
    switch (level) {
    case CS_LOG_ERROR:
        return LOG_ERR;
    case CS_LOG_WARNING:
        return LOG_WARNING;
    case CS_LOG_INFO:
        return LOG_INFO;
    case CS_LOG_DEBUG:
        return LOG_DEBUG;
    }
    return LOG_ERR;
}

/* Names are bytes: what is not printable ASCII is escaped. */
static void put_escaped(cs_buf_t *line, cs_slice_t text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\') {
            cs_buf_printf(line, "\\u%04x", (unsigned)byte);
        } else {
            cs_buf_put_u8(line, byte);
        }
    }
}

static void put_field(cs_buf_t *line, bool json, const char *key, cs_slice_t value)
{
    if (value.len == 0) return;
    cs_buf_printf(line, json ? ",\"%s\":\"" : " %s=\"", key);
    put_escaped(line, value);
    cs_buf_put_u8(line, '"');
}

void cs__daemon_log(cs_daemon_t *daemon, cs_log_level_t level, const char *event,
                    const char *folder, cs_slice_t path, const char *text)
{
    if (level < CS_LOG_DEBUG) cs__daemon_event(daemon, event, folder, path, text);
    if (level > daemon->config.log_level) return;
    bool json = daemon->config.log_json;
    cs_buf_t line = {0};
    if (daemon->shell->journal) cs_buf_printf(&line, "<%d>", level_number(level));
    cs_buf_printf(&line, json ? "{\"level\":\"%s\",\"event\":\"%s\"" : "crdtsync: %s: %s",
                  level_text(level), event);
    put_field(&line, json, "folder",
              folder != NULL ? cs_slice_text(folder) : cs_slice_text(""));
    put_field(&line, json, "path", path);
    put_field(&line, json, "text", text != NULL ? cs_slice_text(text) : cs_slice_text(""));
    if (json) cs_buf_put_u8(&line, '}');
    cs_buf_put_u8(&line, '\n');
    fwrite(line.data, 1, line.len, stderr);
    cs_buf_fini(&line);
}
