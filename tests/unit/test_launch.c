/* SPDX-License-Identifier: Apache-2.0
 *
 * dist_init without a launcher: fine as a single rank, an error where Slurm meant to start several.  MPI starts once per
 * process, so each case is a process of its own: this program again, with the variables to set as arguments. */
#include "base/log.h"
#include "dist/dist.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

static const char *self;

/* The exit code of `launcher` this-program `variables`. */
static int run(const char *launcher, const char *variables) {
    char command[4096];
    snprintf(command, sizeof command, "%s '%s' %s", launcher, self, variables);
    int result = system(command);
    assert_true(result != -1 && WIFEXITED(result));
    return WEXITSTATUS(result);
}

static int child(int argc, char **argv) {
    Dist *dist;
    for (int i = 1; i < argc; i++)
        putenv(argv[i]);
    Status status = dist_init(&argc, &argv, &dist);
    if (status == STATUS_OK && (dist_rank(dist) != 0 || dist_ranks(dist) != 1))
        status = STATUS_FAILED;
    if (status == STATUS_USAGE && (dist || !strstr(status_message(), "srun --mpi=pmix")))
        status = STATUS_FAILED;
    dist_finish(dist);
    return status;
}

static void test_single(void **state) {
    (void)state;
    assert_int_equal(run("", "CASE=plain"), STATUS_OK);
    assert_int_equal(run("", "SLURM_NTASKS=4"), STATUS_OK); /* no job around */
    assert_int_equal(run("", "SLURM_JOB_ID=7 SLURM_NTASKS=1"), STATUS_OK);
    assert_int_equal(run("", "SLURM_JOB_ID=7 SLURM_NTASKS=4 SLURM_STEP_NUM_TASKS=1"), STATUS_OK);
}

static void test_forgotten_launcher(void **state) {
    (void)state;
    assert_int_equal(run("", "SLURM_JOB_ID=7 SLURM_NTASKS=4"), STATUS_USAGE);
    assert_int_equal(run("", "SLURM_JOB_ID=7 SLURM_NTASKS=4 SLURM_PROCID=1 SLURM_STEP_NUM_TASKS=2"), STATUS_USAGE);
}

static void test_one_rank_by_launcher(void **state) {
    (void)state;
    assert_int_equal(run("mpirun --quiet -np 1", "SLURM_JOB_ID=7 SLURM_NTASKS=4"), STATUS_OK);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return child(argc, argv);
    self = argv[0];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_single), cmocka_unit_test(test_forgotten_launcher),
                                       cmocka_unit_test(test_one_rank_by_launcher)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
