/* SPDX-License-Identifier: Apache-2.0
 *
 * Is somebody looking?  What goes to a terminal may be rewritten, coloured and broken at its width; what goes to a file
 * or a pipe never is. */
#ifndef BASE_TERMINAL_H
#define BASE_TERMINAL_H
#include <stdbool.h>
#include <stddef.h>

/* Is `fd` (1 or 2) a terminal that a person looks at, and whose TERM is not dumb?  mpirun gives ranks a pseudo terminal
 * for stdout even when its own output goes to a file, and a pipe for stderr even when it does not: under it, what its
 * own process has there decides (Linux; elsewhere isatty is believed). */
bool terminal_is(int fd);

/* May it be coloured?  Not with NO_COLOR (no-color.org). */
bool terminal_colours(int fd);

/* Its width: COLUMNS where that is set, else what it says, else 80.  0: no terminal. */
size_t terminal_width(int fd);

/* What begins a colour, and PLAIN what ends it; "" where `on` (terminal_colours) is false. */
typedef enum TerminalColour {
    TERMINAL_PLAIN,
    TERMINAL_BOLD,
    TERMINAL_RED,
    TERMINAL_GREEN,
    TERMINAL_YELLOW
} TerminalColour;
const char *terminal_colour(bool on, TerminalColour colour);

/* Copies `text` to `out` [size], which cuts it, and breaks lines between words so that they have less than `width`
 * columns; what follows a break is indented by four more than its line.  *column: where the text begins and,
 * afterwards, ends.  Escape sequences count nothing, UTF-8 as its characters. */
void terminal_wrap(const char *text, size_t width, size_t *column, char *out, size_t size);

#endif
