/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/terminal.h"
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *program = "cnn";
static LogLevel level = LOG_NORMAL;
static int rank;
static char prefix[300];

void log_set_program(const char *name) {
    program = name;
}

const char *log_program(void) {
    return program;
}

void log_set_level(LogLevel new_level) {
    level = new_level;
}

LogLevel log_level(void) {
    return level;
}

void log_set_rank(int this_rank, int ranks, const char *host) {
    rank = this_rank;
    prefix[0] = '\0';
    if (ranks > 1)
        snprintf(prefix, sizeof prefix, "rank %d (%s): ", this_rank, host);
}

const char *log_rank_prefix(void) {
    return prefix;
}

/* One write per message, so that the lines of several ranks do not mix. */
static void print(TerminalColour colour, const char *kind, const char *where, const char *format, va_list args) {
    char text[4096], line[4700], wrapped[6000];
    size_t width = terminal_width(STDERR_FILENO), column = 0;
    bool on = terminal_colours(STDERR_FILENO);
    vsnprintf(text, sizeof text, format, args);
    snprintf(line, sizeof line, "%s: %s%s%s %s%s\n", program, terminal_colour(on, colour), kind,
             terminal_colour(on, TERMINAL_PLAIN), where, text);
    if (width > 0)
        terminal_wrap(line, width, &column, wrapped, sizeof wrapped);
    fflush(stdout);
    fputs(width > 0 ? wrapped : line, stderr);
    fflush(stderr);
}

void log_error(const char *format, ...) {
    va_list args;
    va_start(args, format);
    print(TERMINAL_RED, "error:", prefix, format, args);
    va_end(args);
}

void log_last_words(const char *format, ...) {
    char text[2048];
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    va_list args;
    size_t used = (size_t)snprintf(text, sizeof text / 2, "%s: error: %s", program, prefix);
    va_start(args, format);
    size_t length = (size_t)vsnprintf(text + used, sizeof text - used - 1, format, args);
    va_end(args);
    used += length < sizeof text - used - 1 ? length : sizeof text - used - 2;
    text[used++] = '\n';
    if (poll(&ready, 1, 100) == 1 && write(STDERR_FILENO, text, used) < 0)
        return; /* nobody to tell */
}

void log_warn(const char *format, ...) {
    if (rank > 0)
        return;
    va_list args;
    va_start(args, format);
    print(TERMINAL_YELLOW, "warning:", "", format, args);
    va_end(args);
}

/* On a terminal, lines that are prose are broken between words: not JSON, not tables between tabulators, not what moves
 * the cursor. */
static void print_info(const char *format, va_list args) {
    static size_t column; /* where stdout stands, if nobody else prints */
    char text[4096], wrapped[6000];
    size_t width = terminal_width(STDOUT_FILENO);
    va_list again;
    va_copy(again, args);
    bool whole = vsnprintf(text, sizeof text, format, again) < (int)sizeof text;
    va_end(again);
    if (width == 0 || !whole || text[0] == '{' || strpbrk(text, "\t\r")) {
        vprintf(format, args);
        column = 0;
    } else {
        terminal_wrap(text, width, &column, wrapped, sizeof wrapped);
        fputs(wrapped, stdout);
    }
    fflush(stdout);
}

void log_info(const char *format, ...) {
    if (rank > 0 || level < LOG_NORMAL)
        return;
    va_list args;
    va_start(args, format);
    print_info(format, args);
    va_end(args);
}

void log_verbose(const char *format, ...) {
    if (rank > 0 || level < LOG_VERBOSE)
        return;
    va_list args;
    va_start(args, format);
    print_info(format, args);
    va_end(args);
}

Status log_check_output(void) {
    if (fflush(stdout) != 0 || ferror(stdout))
        return status_fail(STATUS_FAILED, "cannot write the whole output. Is the disk full?");
    return STATUS_OK;
}
