/* SPDX-License-Identifier: Apache-2.0
 *
 * A caught signal leaves the memory below the stack pointer alone: kernels of libraries keep data there.  Which signals
 * end the process. */
#include "train/signals.h"
// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NEAR = 512, FAR = 8192, MARK = 0x5a }; /* bytes below this frame that are watched; nearer ones are for calls */

static void *send_signal(void *thread) {
    pthread_kill(*(pthread_t *)thread, SIGUSR1);
    return NULL;
}

/* Not inlined: what lies below its frame is nobody's. */
__attribute__((noinline)) static size_t destroyed_bytes(void) {
    volatile unsigned char *frame = __builtin_frame_address(0);
    pthread_t self = pthread_self(), sender;
    size_t destroyed = 0;
    assert_int_equal(pthread_create(&sender, NULL, send_signal, &self), 0);
    do
        for (ptrdiff_t i = NEAR; i < FAR; i++)
            frame[-i] = MARK;
    while (!signals_stop_requested());
    for (ptrdiff_t i = NEAR; i < FAR; i++)
        destroyed += frame[-i] != MARK;
    pthread_join(sender, NULL);
    return destroyed;
}

static void memory_below_the_stack_survives(void **state) {
    (void)state;
    signals_catch();
    assert_false(signals_stop_requested());
    assert_int_equal(destroyed_bytes(), 0);
    assert_true(signals_stop_requested());
}

/* The signal that ends a process which gets these two, one after the other; 0: none does. */
static int ended_by(int first, int second) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        signals_catch();
        raise(first);
        raise(second);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void a_second_signal_to_end_ends(void **state) {
    (void)state;
    assert_int_equal(ended_by(SIGUSR1, SIGTERM), 0);
    assert_int_equal(ended_by(SIGTERM, SIGUSR1), 0);
    assert_int_equal(ended_by(SIGTERM, SIGTERM), SIGTERM);
    assert_int_equal(ended_by(SIGTERM, SIGINT), SIGINT);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(memory_below_the_stack_survives),
                                       cmocka_unit_test(a_second_signal_to_end_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
