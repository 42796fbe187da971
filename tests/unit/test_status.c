/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/status.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void message_is_kept(void **state) {
    (void)state;
    assert_int_equal(status_fail(STATUS_USAGE, "option --%s: %d", "epochs", 3), STATUS_USAGE);
    assert_string_equal(status_message(), "option --epochs: 3");
    assert_int_equal(status_context(STATUS_FAILED, "reading %s", "run.json"), STATUS_FAILED);
    assert_string_equal(status_message(), "reading run.json: option --epochs: 3");
}

/* The last message may be an argument of the next. */
static void message_may_quote_itself(void **state) {
    (void)state;
    status_fail(STATUS_FAILED, "inner");
    status_fail(STATUS_FAILED, "outer (%s)", status_message());
    assert_string_equal(status_message(), "outer (inner)");
}

static void long_message_is_cut(void **state) {
    (void)state;
    char text[5001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    status_fail(STATUS_FAILED, "%s", text);
    size_t length = strlen(status_message());
    assert_true(length >= 1000 && length < sizeof text);
    status_context(STATUS_FAILED, "%s", text);
    assert_true(strlen(status_message()) <= length);
}

static void *other_thread(void *before) {
    strcpy(before, status_message());
    status_fail(STATUS_FAILED, "of the other thread");
    return NULL;
}

static void each_thread_has_its_message(void **state) {
    (void)state;
    char before[64] = "not run";
    pthread_t thread;
    status_fail(STATUS_FAILED, "of this thread");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, before), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_string_equal(before, "");
    assert_string_equal(status_message(), "of this thread");
}

static Status passes_on(Status inner, int *reached) {
    TRY(inner);
    *reached = 1;
    return STATUS_OK;
}

static Status cleans_up(Status inner, int *reached) {
    Status status = STATUS_OK;
    TRY_GOTO(inner, done);
    *reached = 1;
done:
    *reached += 2;
    return status;
}

static void try_returns_at_a_failure(void **state) {
    (void)state;
    int reached = 0;
    assert_int_equal(passes_on(STATUS_STOPPED, &reached), STATUS_STOPPED);
    assert_int_equal(reached, 0);
    assert_int_equal(passes_on(STATUS_OK, &reached), STATUS_OK);
    assert_int_equal(reached, 1);
    reached = 0;
    assert_int_equal(cleans_up(STATUS_FAILED, &reached), STATUS_FAILED);
    assert_int_equal(reached, 2);
    reached = 0;
    assert_int_equal(cleans_up(STATUS_OK, &reached), STATUS_OK);
    assert_int_equal(reached, 3);
}

/* Runs `end` in a child process; its exit code, and in `text` what it wrote to stderr. */
static int run_child(void (*end)(void), char *text, size_t size) {
    int ends[2], code = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        end();
        _exit(99);
    }
    close(ends[1]);
    size_t used = 0;
    for (ssize_t got; used < size - 1 && (got = read(ends[0], text + used, size - 1 - used)) > 0;)
        used += (size_t)got;
    text[used] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code));
    return WEXITSTATUS(code);
}

static void hook(int code) {
    _exit(40 + code);
}

static void ends_by_abort(void) {
    log_set_program("cnn_test");
    log_set_rank(2, 4, "node7");
    status_set_abort_hook(hook);
    status_abort("loss is %s", "nan");
}

static void ends_by_check(void) {
    int three = 3;
    CHECK(three == 3, "holds");
    CHECK(three == 4, "three is %d", three);
}

static void broken_runs_end_through_the_hook(void **state) {
    (void)state;
    char text[1000];
    assert_int_equal(run_child(ends_by_abort, text, sizeof text), 40 + STATUS_FAILED);
    assert_string_equal(text, "cnn_test: error: rank 2 (node7): loss is nan\n");
    assert_int_equal(run_child(ends_by_check, text, sizeof text), STATUS_FAILED);
    assert_non_null(strstr(text, "test_status.c:"));
    assert_non_null(strstr(text, "three == 4 does not hold: three is 3\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_is_kept),          cmocka_unit_test(message_may_quote_itself),
        cmocka_unit_test(long_message_is_cut),      cmocka_unit_test(each_thread_has_its_message),
        cmocka_unit_test(try_returns_at_a_failure), cmocka_unit_test(broken_runs_end_through_the_hook),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
