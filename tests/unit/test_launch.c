/* SPDX-License-Identifier: Apache-2.0
 *
 * How a run starts and ends.  Without a launcher dist_init is fine as a single rank, and an error where Slurm meant to
 * start several, or where another MPI's launcher has; status_abort on one rank ends all.  MPI starts once per process,
 * so each case is a process of its own: this program again, with the variables to set as arguments. */
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
    log_set_program("test");
    Status status = dist_init(&argc, &argv, &dist);
    if (getenv("ABORTS")) {
        if (dist_rank(dist) == 1)
            status_abort("the numbers are broken");
        dist_barrier(dist);
    }
    if (status == STATUS_OK && (dist_rank(dist) != 0 || dist_ranks(dist) != 1))
        status = STATUS_FAILED;
    const char *way_out = getenv("PMI_SIZE") ? "another MPI" : "srun --mpi=pmix";
    if (status == STATUS_USAGE && (dist || !strstr(status_message(), way_out)))
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

/* As the mpiexec of MPICH and Intel MPI start it, which Open MPI does not know. */
static void test_foreign_launcher(void **state) {
    (void)state;
    assert_int_equal(run("", "PMI_RANK=0 PMI_SIZE=1"), STATUS_OK);
    assert_int_equal(run("", "PMI_RANK=1 PMI_SIZE=3"), STATUS_USAGE);
}

static void test_one_rank_by_launcher(void **state) {
    (void)state;
    assert_int_equal(run("mpirun --quiet -np 1", "SLURM_JOB_ID=7 SLURM_NTASKS=4"), STATUS_OK);
}

/* The library in mpirun says "[warn] Epoll ...", now and then, when ranks end at once. */
static void remove_epoll(char *lines) {
    for (char *at; (at = strstr(lines, "[warn] Epoll ")) != NULL;) {
        const char *next = strchrnul(at, '\n');
        memmove(at, next + (*next == '\n'), strlen(next) + (*next != '\n'));
    }
}

static void test_abort(void **state) {
    (void)state;
    char command[4096], lines[4096];
    snprintf(command, sizeof command, "mpirun --quiet -np 3 '%s' ABORTS=1 2>&1", self);
    FILE *output = popen(command, "r");
    assert_non_null(output);
    lines[fread(lines, 1, sizeof lines - 1, output)] = '\0';
    remove_epoll(lines);
    int result = pclose(output);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), STATUS_FAILED);
    assert_int_equal(strncmp(lines, "test: error: rank 1 (", 21), 0);
    assert_non_null(strstr(lines, "): the numbers are broken\n"));
    if (strchr(lines, '\n') != strrchr(lines, '\n'))
        fail_msg("more than one line: %s", lines);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return child(argc, argv);
    self = argv[0];
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_single), cmocka_unit_test(test_forgotten_launcher),
                                       cmocka_unit_test(test_foreign_launcher),
                                       cmocka_unit_test(test_one_rank_by_launcher), cmocka_unit_test(test_abort)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
