/* SPDX-License-Identifier: Apache-2.0
 *
 * What a fallible function returns, and the one message that says why.
 *
 *     Status dataset_open(const char *path, Dataset **out) {
 *         int fd = open(path, O_RDONLY);
 *         if (fd < 0)
 *             return status_fail(STATUS_FAILED, "cannot open %s: %s. Check --data.", path, strerror(errno));
 *         ...
 *
 * The message is written once, where the fact is known, and names the file, the place and the way out.
 * Callers pass the Status on with TRY, or with TRY_GOTO when they own something. */
#ifndef BASE_STATUS_H
#define BASE_STATUS_H

/* The values are the exit codes of the programs. */
typedef enum Status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,   /* the run failed: file, data, memory, numbers */
    STATUS_USAGE = 2,    /* wrong option or combination of options */
    STATUS_STOPPED = 75, /* EX_TEMPFAIL: stopped early on request, checkpoint written, run again with --resume */
    STATUS_RETRY = 76    /* a rank hung or computed wrong bits: the last checkpoint is good, run again with --resume */
} Status;

/* Sets this thread's message (printf format, no line end) and returns `code`.  Cannot fail; long messages are cut. */
Status status_fail(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "text: " in front of this thread's message and returns `code`: "reading run1/step-3.h5: checksum differs". */
Status status_context(Status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* This thread's last message; "" when there is none.  Valid until the thread's next status_ call. */
const char *status_message(void);

/* Returns from the calling function when `call` fails. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        Status try_status = (call);                                                                                    \
        if (try_status != STATUS_OK)                                                                                   \
            return try_status;                                                                                         \
    } while (0)

/* Stores the failure in the local variable `status` and goes to `label`, where everything owned is given back. */
#define TRY_GOTO(call, label)                                                                                          \
    do {                                                                                                               \
        status = (call);                                                                                               \
        if (status != STATUS_OK)                                                                                       \
            goto label;                                                                                                \
    } while (0)

/* A broken invariant of this program (never bad input): prints the place and the text, then ends the whole job through
 * the abort hook.  Always on. */
#define CHECK(condition, ...)                                                                                          \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            status__broken(__FILE__, __LINE__, #condition, __VA_ARGS__);                                               \
    } while (0)

_Noreturn void status__broken(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Ends this process and all ranks that work with it: prints "PROGRAM: error: [rank R (HOST): ]text" and calls the abort
 * hook.  For failures in the middle of a step, where the others already wait. */
_Noreturn void status_abort(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ends this process at once with exit code `code`, for a thread that finds the main thread stuck: nothing is flushed,
 * given back or told to MPI, whose launcher then ends the other ranks. */
_Noreturn void status_end(Status code);

/* Installs what ends all ranks (dist sets MPI_Abort; the default is _exit). */
void status_set_abort_hook(void (*hook)(int code));

#endif
