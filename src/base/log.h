/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages to the person at the terminal.  Errors and warnings go to stderr as "PROGRAM: error: text"; everything else
 * to stdout.  Only rank 0 prints information and warnings (log_set_rank).  On a terminal (base/terminal.h) errors are
 * red, warnings yellow, and lines are broken at its width. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/status.h"
#include <stdbool.h>

typedef enum LogLevel { LOG_QUIET, LOG_NORMAL, LOG_VERBOSE } LogLevel;

/* `name` (borrowed, not copied) stands in front of errors and warnings. */
void log_set_program(const char *name);
const char *log_program(void);
void log_set_level(LogLevel level);
LogLevel log_level(void);

/* Once ranks are known.  ranks > 1: errors say "rank R (HOST): ".  rank > 0: log_info, log_verbose, log_warn are
 * silent. */
void log_set_rank(int rank, int ranks, const char *host);

/* "" on a single rank, else "rank R (HOST): "; the prefix of this rank's errors. */
const char *log_rank_prefix(void);

/* All take a printf format; log_error, log_warn add the line end, log_info and log_verbose do not. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));   /* every rank, always */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));    /* rank 0 */
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));    /* rank 0, not with LOG_QUIET */
void log_verbose(const char *format, ...) __attribute__((format(printf, 1, 2))); /* rank 0, LOG_VERBOSE only */

/* An error of a process that is about to end and may be stuck in a print: one write(2), no lock, and nothing where
 * stderr takes no more. */
void log_last_words(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* STATUS_FAILED when something printed to stdout did not arrive there: for programs whose output is their result. */
Status log_check_output(void);

#endif
