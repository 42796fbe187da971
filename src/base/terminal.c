/* SPDX-License-Identifier: Apache-2.0 */
#include "base/terminal.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_WIDTH = 80, LEAST_WIDTH = 20, MOST_WIDTH = 1000, INDENT = 4 };

static bool under_mpirun(void) {
    return getenv("OMPI_COMM_WORLD_SIZE") != NULL;
}

/* The name of what our parent process has as `fd`. */
static void name_of_parents(int fd, char name[64]) {
    snprintf(name, 64, "/proc/%ld/fd/%d", (long)getppid(), fd);
}

bool terminal_is(int fd) {
    char name[64], target[256];
    const char *term = getenv("TERM");
    if (!term || strcmp(term, "dumb") == 0)
        return false;
    if (!under_mpirun())
        return isatty(fd);
    if (fd == STDOUT_FILENO && !isatty(fd)) /* redirected behind mpirun's back */
        return false;
    name_of_parents(fd, name);
    ssize_t length = readlink(name, target, sizeof target - 1);
    if (length < 0)
        return isatty(fd);
    target[length] = '\0';
    return strncmp(target, "/dev/pts/", 9) == 0 || strncmp(target, "/dev/tty", 8) == 0;
}

bool terminal_colours(int fd) {
    const char *no_color = getenv("NO_COLOR");
    return !(no_color && no_color[0]) && terminal_is(fd);
}

static size_t sane(long width) {
    return width < LEAST_WIDTH ? 0 : width > MOST_WIDTH ? MOST_WIDTH : (size_t)width;
}

size_t terminal_width(int fd) {
    const char *columns = getenv("COLUMNS");
    struct winsize size = {0};
    char name[64];
    if (!terminal_is(fd))
        return 0;
    size_t width = columns ? sane(strtol(columns, NULL, 10)) : 0;
    if (width == 0 && under_mpirun()) { /* the pseudo terminal in between knows nothing */
        name_of_parents(fd, name);
        int parents = open(name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
        if (parents >= 0 && ioctl(parents, TIOCGWINSZ, &size) == 0)
            width = sane(size.ws_col);
        if (parents >= 0)
            close(parents);
    } else if (width == 0 && ioctl(fd, TIOCGWINSZ, &size) == 0) {
        width = sane(size.ws_col);
    }
    return width > 0 ? width : USUAL_WIDTH;
}

const char *terminal_colour(bool on, TerminalColour colour) {
    static const char *const codes[] = {"\033[0m", "\033[1m", "\033[1;31m", "\033[1;32m", "\033[1;33m"};
    return on ? codes[colour] : "";
}

/* ---- breaking lines ---- */

/* Bytes and columns of the word that `text` begins with. */
static size_t word_length(const char *text, size_t *columns) {
    size_t bytes = 0;
    *columns = 0;
    while (text[bytes] && text[bytes] != ' ' && text[bytes] != '\n') {
        if (text[bytes] == '\033') { /* ESC [ numbers, then a letter */
            bytes++;
            bytes += strspn(text + bytes, "[;0123456789");
            bytes += text[bytes] != '\0';
            continue;
        }
        *columns += ((unsigned char)text[bytes] & 0xc0) != 0x80; /* no continuation byte of UTF-8 */
        bytes++;
    }
    return bytes;
}

typedef struct Text {
    char *out;
    size_t size, used;
} Text;

static void add(Text *text, const char *bytes, size_t n) {
    if (text->used + n >= text->size)
        n = text->size > text->used + 1 ? text->size - text->used - 1 : 0;
    memcpy(text->out + text->used, bytes, n);
    text->used += n;
    text->out[text->used] = '\0';
}

void terminal_wrap(const char *text, size_t width, size_t *column, char *out, size_t size) {
    static const char blanks[] = "                                        ";
    Text to = {out, size, 0};
    size_t indent = INDENT;
    out[0] = '\0';
    while (*text) {
        size_t spaces = strspn(text, " "), columns, bytes = word_length(text + spaces, &columns);
        if (*column == 0)
            indent = spaces + INDENT < width / 2 && spaces + INDENT < sizeof blanks ? spaces + INDENT : INDENT;
        if (bytes > 0 && *column > indent && *column + spaces + columns >= width) {
            add(&to, "\n", 1);
            add(&to, blanks, indent);
            *column = indent;
        } else {
            add(&to, text, spaces);
            *column += spaces;
        }
        add(&to, text + spaces, bytes);
        *column += columns;
        text += spaces + bytes;
        if (*text == '\n') {
            add(&to, text++, 1);
            *column = 0;
        }
    }
}
