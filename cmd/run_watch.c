/* run_watch.c - status --watch: a live screen on a terminal, else a line when something
 * changes.
 *
 * The screen is the terminal's other one, drawn over in a single write, each line cleared
 * behind its text: nothing flickers, and what was there before is there again afterwards,
 * however it ends. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/client.h"
#include "cmd/show.h"
#include "cmd/watch.h"
#include "io/clock.h"
#include "io/control_client.h"
#include "io/json_out.h"

#define INTERVAL_MS 500
#define SILENCE_MS  30000u /* a node that says nothing for so long is stuck */
#define WIDTH       80u    /* of a terminal that does not tell */
#define HEIGHT      24u

#define ENTER "\033[?1049h\033[?25l" /* the other screen, no cursor */
#define LEAVE "\033[?25h\033[?1049l"

typedef struct watching {
    const cs_run_t *run;
    const char *socket; /* borrowed */
    cs_watch_t watch;
    json_t *document; /* the newest; owned */
    cs_buf_t raw;     /* of it, as it came */
    cs_buf_t last;    /* what was printed last, where lines are printed */
    bool screen, echo_off;
    struct termios saved;
} watching_t;

/* --- signals: noticed in ppoll only */

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    if (number != SIGWINCH) caught = number;
}

static void catch_signals(sigset_t *ret_mask)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};
    sigset_t block;
    sigemptyset(&block);
    for (size_t i = 0; i < CS_COUNT_OF(numbers); i++) {
        struct sigaction action = {.sa_handler = on_signal};
        sigaddset(&block, numbers[i]);
        sigaction(numbers[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &block, ret_mask);
}

/* --- the terminal */

static void write_all(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, text, len);
        if (written < 0 && errno == EINTR) continue;
        if (written <= 0) return;
        text += written;
        len -= (size_t)written;
    }
}

/* What is typed is not shown; q ends it. */
static void silence_keyboard(watching_t *watching)
{
    if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &watching->saved) != 0) return;
    struct termios quiet = watching->saved;
    quiet.c_lflag &= (tcflag_t) ~(ICANON | ECHO);
    quiet.c_cc[VMIN] = 0;
    quiet.c_cc[VTIME] = 0;
    watching->echo_off = tcsetattr(STDIN_FILENO, TCSANOW, &quiet) == 0;
}

static void enter(watching_t *watching)
{
    silence_keyboard(watching);
    write_all(ENTER, sizeof ENTER - 1);
}

static void leave(watching_t *watching)
{
    write_all(LEAVE, sizeof LEAVE - 1);
    if (watching->echo_off) (void)tcsetattr(STDIN_FILENO, TCSANOW, &watching->saved);
    watching->echo_off = false;
}

/* Ctrl-Z: the terminal is as it was while we stand still. */
static void stand_still(watching_t *watching)
{
    if (watching->screen) leave(watching);
    raise(SIGSTOP);
    if (watching->screen) enter(watching);
}

static void draw(watching_t *watching)
{
    struct winsize size = {0};
    char time[25];
    cs_buf_t text = {0}, frame = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    cs_clock_format(cs_clock_wall_ms(), time);
    time[19] = '\0'; /* "2024-05-06T07:08:09" */
    const cs_watch_view_t view = {
        .width = size.ws_col > 0 ? size.ws_col : WIDTH,
        .height = size.ws_row > 0 ? size.ws_row : HEIGHT,
        .color = cs_wants_color(STDOUT_FILENO),
        .clock = time + 11,
    };
    cs_watch_draw(&watching->watch, watching->document, &view, &text);
    cs_buf_printf(&frame, "\033[H");
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\n') {
            cs_buf_printf(&frame, "\033[K\n");
        } else {
            cs_buf_put_u8(&frame, text.data[i]);
        }
    }
    cs_buf_printf(&frame, "\033[J");
    write_all((const char *)frame.data, frame.len);
    cs_buf_fini(&text);
    cs_buf_fini(&frame);
}

/* --- lines */

static void print_lines(watching_t *watching)
{
    cs_buf_t line = {0}, all = {0};
    for (size_t i = 0; cs_watch_line(&watching->watch, watching->document, i, &line); i++) {
        cs_buf_put_slice(&all, cs_buf_slice(&line));
        cs_buf_put_u8(&all, '\n');
    }
    if (!cs_slice_eq(cs_buf_slice(&all), cs_buf_slice(&watching->last))) {
        fwrite(all.data, 1, all.len, stdout);
        fflush(stdout);
        cs_buf_clear(&watching->last);
        cs_buf_put_slice(&watching->last, cs_buf_slice(&all));
    }
    cs_buf_fini(&line);
    cs_buf_fini(&all);
}

static void print_json(watching_t *watching)
{
    cs_slice_t now = cs_buf_slice(&watching->raw);
    if (cs_slice_eq(now, cs_buf_slice(&watching->last))) return;
    fwrite(now.data, 1, now.len, stdout);
    fputc('\n', stdout);
    fflush(stdout);
    cs_buf_clear(&watching->last);
    cs_buf_put_slice(&watching->last, now);
}

/* --- the node */

static void on_data(void *arg, cs_slice_t document)
{
    watching_t *watching = arg;
    cs_buf_t text = {0};
    cs_buf_clear(&watching->raw);
    cs_buf_put_slice(&watching->raw, document);
    cs_json_for_people(document, &text);
    json_decref(watching->document);
    watching->document = json_loadb((const char *)text.data, text.len, 0, NULL);
    cs_buf_fini(&text);
}

/* CS_EXIT_DONE: there is a new document. Else what ends it, with a complaint for later. */
static int look(watching_t *watching, cs_buf_t *ret_complaint)
{
    static const char request[] = "{\"cmd\":\"status\",\"quick\":true}";
    const cs_control_taker_t taker = {.arg = watching, .data = on_data};
    cs_control_answer_t answer;
    cs_err_t err = cs_control_ask(watching->socket, cs_slice(request, sizeof request - 1),
                                  SILENCE_MS, &taker, &answer);
    if (err != CS_OK) {
        bool stuck = err == CS_ERR_TIMEOUT;
        cs_buf_printf(ret_complaint, stuck ? "cannot watch: the node says nothing; see its log"
                                           : "cannot watch: no node is running; start it with: "
                                             "crdtsync node");
        return stuck ? CS_EXIT_TIMEOUT : CS_EXIT_NO_NODE;
    }
    int exit_code = answer.exit_code;
    cs_buf_put_slice(ret_complaint, cs_buf_slice(&answer.error));
    cs_control_answer_fini(&answer);
    if (exit_code == CS_EXIT_DONE && watching->document != NULL) {
        cs_watch_take(&watching->watch, watching->document, cs_clock_mono_ms());
    }
    return exit_code;
}

static void show(watching_t *watching)
{
    if (watching->document == NULL) return;
    if (watching->run->json) {
        print_json(watching);
    } else if (watching->screen) {
        draw(watching);
    } else {
        print_lines(watching);
    }
}

/* Until the next look is due, or something is to be noticed. False: it is to end. */
static bool rest(watching_t *watching, const sigset_t *mask)
{
    struct pollfd keyboard = {.fd = watching->echo_off ? STDIN_FILENO : -1, .events = POLLIN};
    const struct timespec interval = {.tv_nsec = INTERVAL_MS * 1000000L};
    int ready = ppoll(&keyboard, 1, &interval, mask);
    if (caught == SIGTSTP) {
        caught = 0;
        stand_still(watching);
    }
    if (caught != 0 || ferror(stdout) != 0) return false;
    if (ready <= 0 || (keyboard.revents & POLLIN) == 0) return true;
    char key = 0;
    ssize_t got = read(STDIN_FILENO, &key, 1);
    if (got == 0) watching->echo_off = false; /* nobody types there any more */
    return got != 1 || (key != 'q' && key != 'Q');
}

static int watch(watching_t *watching)
{
    sigset_t mask;
    cs_buf_t complaint = {0};
    int exit_code = look(watching, &complaint);
    if (exit_code == CS_EXIT_DONE) {
        catch_signals(&mask);
        if (watching->screen) enter(watching);
        do {
            show(watching);
        } while (rest(watching, &mask) &&
                 (exit_code = look(watching, &complaint)) == CS_EXIT_DONE);
        if (watching->screen) leave(watching);
    }
    if (exit_code != CS_EXIT_DONE) (void)cs_complain_buf(exit_code, &complaint);
    cs_buf_fini(&complaint);
    return caught != 0 && caught != SIGINT ? 128 + caught : exit_code;
}

int cs_run_watch(cs_run_t *run)
{
    cs_home_t *home = NULL;
    const char *term = getenv("TERM");
    int exit_code = cs_client_home(run, &home);
    if (exit_code != CS_EXIT_DONE) return exit_code;
    watching_t *watching = cs_calloc(1, sizeof *watching);
    watching->run = run;
    watching->socket = cs_home_socket(home);
    watching->screen =
        !run->json && isatty(STDOUT_FILENO) == 1 && term != NULL && strcmp(term, "dumb") != 0;
    fflush(stdout);
    exit_code = watch(watching);
    json_decref(watching->document);
    cs_buf_fini(&watching->raw);
    cs_buf_fini(&watching->last);
    cs_free(watching);
    cs_home_close(&home);
    return exit_code;
}
