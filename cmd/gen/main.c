/* main.c - gen FORMAT OUTPUT TEMPLATE [NOTES]: fills a template with what the table of commands
 * says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/gen/gen.h"
#include "io/file.h"

static const struct {
    const char *name;
    const cs_directive_t *directives;
} formats[] = {
    {"man", cs_man_directives},
    {"bash", cs_bash_directives},
    {"zsh", cs_zsh_directives},
    {"fish", cs_fish_directives},
};

static bool read_file(const char *path, cs_buf_t *ret)
{
    cs_buf_t detail = {0};
    bool good = cs_file_read(path, ret, &detail) == CS_OK;
    if (!good) (void)cs_complain_buf(0, &detail);
    cs_buf_fini(&detail);
    return good;
}

static bool write_file(const char *path, const cs_buf_t *buf)
{
    FILE *file = fopen(path, "w");
    bool good = file != NULL && fwrite(buf->data, 1, buf->len, file) == buf->len;
    if (file != NULL && fclose(file) != 0) good = false;
    if (!good) {
        cs_complain("cannot write %s: %s; see what is there", path, strerror(errno));
        remove(path);
    }
    return good;
}

/* One line of the template, which begins with '@'. */
static bool follow(cs_gen_t *gen, const cs_directive_t *directives, char *line)
{
    char *argument = strchr(line, ' ');
    if (argument != NULL) *argument++ = '\0';
    for (; directives->name != NULL; directives++) {
        if (strcmp(directives->name, line + 1) != 0) continue;
        if (directives->print(gen, argument != NULL ? argument : "")) return true;
        cs_complain("cannot follow %s: it does not know '%s'; correct the template", line,
                    argument != NULL ? argument : "");
        return false;
    }
    cs_complain("cannot follow %s: it is no directive of this format; correct the template",
                line);
    return false;
}

static bool fill(cs_gen_t *gen, const cs_directive_t *directives, char *template)
{
    for (char *line; (line = strsep(&template, "\n")) != NULL && template != NULL;) {
        if (line[0] != '@') {
            cs_buf_printf(&gen->out, "%s\n", line);
        } else if (!follow(gen, directives, line)) {
            return false;
        }
    }
    return true;
}

/* A note that nobody prints is about a command that is gone, or mistyped. */
static bool notes_are_known(cs_slice_t notes)
{
    if (notes.len == 0) return true;
    const char *at = (const char *)notes.data, *end = at + notes.len;
    while (at < end) {
        const char *eol = memchr(at, '\n', (size_t)(end - at));
        if (eol == NULL) eol = end;
        size_t len = (size_t)(eol - at);
        bool known = *at != '@';
        for (const cs_command_t *command = cs_commands; command->name != NULL; command++) {
            known = known || (strlen(command->name) == len - 1 &&
                              memcmp(command->name, at + 1, len - 1) == 0);
        }
        if (!known) {
            cs_complain("cannot place the note %.*s: there is no such command; correct it",
                        (int)len, at);
            return false;
        }
        at = eol + 1;
    }
    return true;
}

int main(int argc, char **argv)
{
    const cs_directive_t *directives = NULL;
    for (size_t i = 0; argc >= 4 && i < CS_COUNT_OF(formats); i++) {
        if (strcmp(formats[i].name, argv[1]) == 0) directives = formats[i].directives;
    }
    if (directives == NULL || argc > 5) {
        fprintf(stderr, "usage: gen man|bash|zsh|fish OUTPUT TEMPLATE [NOTES]\n");
        return CS_EXIT_USAGE;
    }
    cs_gen_t gen = {0};
    cs_buf_t template = {0}, notes = {0};
    bool good = read_file(argv[3], &template);
    if (good && argc == 5) good = read_file(argv[4], &notes);
    cs_buf_put_u8(&template, 0);
    gen.notes = cs_buf_slice(&notes);
    good = good && notes_are_known(gen.notes) &&
           fill(&gen, directives, (char *)template.data) && write_file(argv[2], &gen.out);
    cs_buf_fini(&gen.out);
    cs_buf_fini(&template);
    cs_buf_fini(&notes);
    return good ? CS_EXIT_DONE : CS_EXIT_FAILED;
}
