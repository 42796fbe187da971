/* SPDX-License-Identifier: Apache-2.0
 *
 * cmocka under MPI.  An assertion that failed on one rank alone would leave the others waiting, so all assertions here
 * are collective: the ranks agree, and where one failed, all fail with its text.  Only rank 0 reports. */
#ifndef TESTS_MPI_TEST_H
#define TESTS_MPI_TEST_H
#include "base/status.h"
#include "dist/dist.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Runs the tests on all ranks; what main() returns.  Fails also when memory of base/memory.h is left at the end. */
int mpi_test_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count);

/* The ranks of this run, from mpi_test_main. */
Dist *mpi_test_dist(void);

/* Setup and teardown of a test that needs tmpdir.h's folder, which rank 0 has. */
int mpi_test_open_folder(void **state);
int mpi_test_close_folder(void **state);

/* Collective: `condition` holds on every rank; else all ranks fail with the printf text of the lowest one. */
#define mpi_assert(condition, ...) mpi_test_agree((condition), #condition, __FILE__, __LINE__, __VA_ARGS__)
#define mpi_assert_ok(call)        mpi_assert((call) == STATUS_OK, "%s", status_message())

/* Between the two calls this rank's stderr is kept; the second returns it (valid until the next capture). Not
 * collective. */
void mpi_test_capture(void);
const char *mpi_test_captured(void);

void mpi_test_agree(bool ok, const char *condition, const char *file, int line, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

#endif
