/* SPDX-License-Identifier: Apache-2.0 */
#include "train/signals.h"
#include <signal.h>
#include <string.h>

static volatile sig_atomic_t stop_requested, end_requested;

/* Under Slurm a warning, SIGUSR1, may be followed by SIGTERM while the checkpoint is still being written. */
static void request_stop(int signal_number) {
    bool ends = signal_number == SIGINT || signal_number == SIGTERM;
    if (ends && end_requested) {
        signal(signal_number, SIG_DFL);
        raise(signal_number);
    }
    if (ends)
        end_requested = 1;
    stop_requested = 1;
}

/* The handler has a stack of its own.  Kernels of the libraries of linear algebra keep data below the stack pointer,
 * where the system would put the handler's frame: a signal in such a moment destroyed them, one in some dozens. */
void signals_catch(void) {
    static char stack[1 << 16];
    const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    const int caught[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
    struct sigaction action;
    sigaltstack(&alternate, NULL);
    memset(&action, 0, sizeof action);
    action.sa_handler = request_stop;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++)
        sigaction(caught[i], &action, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is then an error of write() like a full disk */
}

bool signals_stop_requested(void) {
    return stop_requested != 0;
}
