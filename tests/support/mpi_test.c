/* SPDX-License-Identifier: Apache-2.0 */
#include "support/mpi_test.h"
#include "base/log.h"
#include "base/memory.h"
#include "support/tmpdir.h"
#include "train/watchdog.h"
#include <stdio.h>
#include <unistd.h>

static Dist *dist;

Dist *mpi_test_dist(void) {
    return dist;
}

void mpi_test_agree(bool ok, const char *condition, const char *file, int line, const char *format, ...) {
    Status status = STATUS_OK;
    if (!ok) {
        char text[1024];
        va_list args;
        va_start(args, format);
        vsnprintf(text, sizeof text, format, args);
        va_end(args);
        status = status_fail(STATUS_FAILED, "%s does not hold: %s", condition, text);
    }
    if (dist_agree_quiet(dist, status) == STATUS_OK)
        return;
    if (dist_rank(dist) == 0)
        print_error("%s\n", status_message());
    _fail(file, line);
}

static FILE *captured;
static int real_stderr;

void mpi_test_capture(void) {
    fflush(stderr);
    captured = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    CHECK(captured && dup2(fileno(captured), STDERR_FILENO) >= 0, "cannot capture stderr");
}

const char *mpi_test_captured(void) {
    static char text[4096];
    fflush(stderr);
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    rewind(captured);
    text[fread(text, 1, sizeof text - 1, captured)] = '\0';
    fclose(captured);
    return text;
}

int mpi_test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count) {
    log_set_program("test");
    if (dist_init(&argc, &argv, &dist) != STATUS_OK) {
        log_error("%s", status_message());
        return 1;
    }
    int rank = dist_rank(dist);
    if (rank > 0) { /* one report; in this format it all goes to stdout, so that stderr stays for real errors */
        cmocka_set_message_output(CM_OUTPUT_TAP);
        if (!freopen("/dev/null", "w", stdout))
            status_abort("cannot open /dev/null");
    }
    int failed = _cmocka_run_group_tests("mpi", tests, count, NULL, NULL);
    watchdog_stop();                               /* of a trainer_run; it would watch the end, too */
    uint64_t left = memory_stats().live_count - 1; /* all but the Dist itself */
    dist_sum(dist, &left, 1);
    if (left > 0 && rank == 0)
        log_error("%d allocations are left", (int)left);
    dist_finish(dist);
    return failed > 0 || left > 0;
}

int mpi_test_open_folder(void **state) {
    (void)state;
    if (dist_rank(mpi_test_dist()) == 0)
        tmpdir_make();
    return 0;
}

int mpi_test_close_folder(void **state) {
    (void)state;
    if (dist_rank(mpi_test_dist()) == 0)
        tmpdir_remove();
    return 0;
}
