/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crash.h"
#include "base/log.h"
#include "io/file_bytes.h"
#include "support/tmpdir.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs a child that gets signal `number` (0: loops for ever), guarded or not; its stderr in text[200]; returns what
 * waitpid says. */
static int crash(int number, bool guarded, char text[200]) {
    int ends[2], how;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        dup2(ends[1], STDERR_FILENO);
        log_set_program("cnn_test");
        for (int i = 0; i < 4; i++) /* cmocka catches them itself */
            signal((const int[]){SIGSEGV, SIGBUS, SIGFPE, SIGABRT}[i], SIG_DFL);
        crash_guard("x.h5", "the library crashed");
        if (!guarded)
            crash_unguard();
        for (volatile int n = number; n == 0;)
            ;
        raise(number);
        _exit(99);
    }
    close(ends[1]);
    ssize_t length = 0, n;
    while ((n = read(ends[0], text + length, (size_t)(199 - length))) > 0)
        length += n;
    text[length] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &how, 0), child);
    return how;
}

static void a_guarded_crash_is_one_message(void **state) {
    (void)state;
    char text[200];
    for (int i = 0; i < 4; i++) {
        int how = crash((const int[]){SIGSEGV, SIGBUS, SIGFPE, SIGABRT}[i], true, text);
        assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 1);
        assert_string_equal(text, "cnn_test: error: x.h5: the library crashed\n");
    }
}

static void an_endless_loop_ends(void **state) {
    (void)state;
    char text[200];
    int how = crash(0, true, text); /* takes CRASH_CPU_SECONDS */
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 1);
    assert_string_equal(text, "cnn_test: error: x.h5: the library crashed\n");
}

static void other_crashes_stay_what_they_are(void **state) {
    (void)state;
    char text[200];
    for (int i = 0; i < 4; i++) {
        int number = (const int[]){SIGSEGV, SIGBUS, SIGFPE, SIGABRT}[i], how = crash(number, false, text);
        assert_true(WIFSIGNALED(how) && WTERMSIG(how) == number);
        assert_string_equal(text, "");
    }
}

/* In a child: a mapped file that is cut before it is read. */
static void a_file_that_becomes_shorter_is_named(void **state) {
    (void)state;
    enum { SIZE = 3 * 4096 };
    static char text[200], content[SIZE];
    int ends[2], how;
    tmpdir_write("cut", content, sizeof content);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        FileBytes bytes, other;
        dup2(ends[1], STDERR_FILENO);
        log_set_program("cnn_test");
        if (file_bytes_open(tmpdir_path("cut"), &other) != STATUS_OK ||
            file_bytes_open(tmpdir_path("cut"), &bytes) != STATUS_OK || truncate(tmpdir_path("cut"), 4096) != 0)
            _exit(98);
        file_bytes_close(&other);
        volatile const uint8_t *at = bytes.at;
        _exit(at[4095] + at[SIZE - 1] == 0 ? 97 : 99);
    }
    close(ends[1]);
    ssize_t length = 0, n; /* it comes in pieces */
    while ((n = read(ends[0], text + length, sizeof text - 1 - (size_t)length)) > 0)
        length += n;
    close(ends[0]);
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 1);
    assert_true(strncmp(text, "cnn_test: error: ", 17) == 0);
    assert_non_null(strstr(text, "/cut: it cannot be read any more: it has become shorter, or its disk fails\n"));
}

static void fault(void *number) {
    raise(*(int *)number);
}

static void do_nothing(void *number) {
    *(int *)number = 0;
}

/* A library that has lost its way out of a lock. */
static void lock_twice(void *user) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    (void)user;
    pthread_mutex_lock(&lock);
    pthread_mutex_lock(&lock);
}

/* In a child: work that crashes (number 0: waits for ever), and how it goes on; returns what waitpid says. */
static int survive(int number, bool expected, char text[200]) {
    int ends[2], how;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        log_set_program("cnn_test");
        if (expected)
            crash_expect("ruins");
        if (crash_survive(number ? fault : lock_twice, &number, "work"))
            _exit(98);
        if (!crash_survive(do_nothing, &number, "work") || number != 0)
            _exit(99);
        _exit(50);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], text, 199), n;
    while (length >= 0 && (n = read(ends[0], text + length, (size_t)(199 - length))) > 0)
        length += n;
    text[length > 0 ? length : 0] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &how, 0), child);
    return WIFEXITED(how) ? WEXITSTATUS(how) : -1;
}

static void work_that_crashes_is_survived(void **state) {
    (void)state;
    char text[200];
    for (int i = 0; i < 4; i++) {
        assert_int_equal(survive((const int[]){SIGSEGV, SIGBUS, SIGFPE, 0}[i], false, text), 50);
        assert_string_equal(text, "");
    }
    assert_int_equal(survive(SIGABRT, false, text), 1); /* the heap is damaged */
    assert_string_equal(text, "cnn_test: error: work\n");
    assert_int_equal(survive(SIGSEGV, true, text), 1);
    assert_string_equal(text, "cnn_test: error: ruins\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_that_crashes_is_survived), cmocka_unit_test(a_file_that_becomes_shorter_is_named),
        cmocka_unit_test(a_guarded_crash_is_one_message), cmocka_unit_test(an_endless_loop_ends),
        cmocka_unit_test(other_crashes_stay_what_they_are)};
    tmpdir_make();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    tmpdir_remove();
    return failed;
}
