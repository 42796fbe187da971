/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"
#include "base/log.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Thread_local char message[2048];
static void (*abort_hook)(int code) = _exit;

static void set_message(const char *format, va_list args) {
    char text[sizeof message]; /* the arguments may point into `message` */
    vsnprintf(text, sizeof text, format, args);
    memcpy(message, text, sizeof message);
}

Status status_fail(Status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_message(format, args);
    va_end(args);
    return code;
}

Status status_context(Status code, const char *format, ...) {
    char context[512], text[sizeof message];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    int used = snprintf(text, sizeof text, "%s: ", context);
    snprintf(text + used, sizeof text - (size_t)used, "%s", message);
    memcpy(message, text, sizeof message);
    return code;
}

const char *status_message(void) {
    return message;
}

void status_set_abort_hook(void (*hook)(int code)) {
    abort_hook = hook;
}

_Noreturn void status_abort(const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_message(format, args);
    va_end(args);
    log_error("%s", message);
    abort_hook(STATUS_FAILED);
    _exit(STATUS_FAILED);
}

_Noreturn void status_end(Status code) {
    _exit((int)code);
}

_Noreturn void status__broken(const char *file, int line, const char *condition, const char *format, ...) {
    va_list args;
    va_start(args, format);
    set_message(format, args);
    va_end(args);
    log_error("internal error at %s:%d: %s does not hold: %s", file, line, condition, message);
    abort_hook(STATUS_FAILED);
    _exit(STATUS_FAILED);
}
