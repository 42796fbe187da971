/* SPDX-License-Identifier: Apache-2.0
 *
 * Run folders: names, who may write where, what is removed, and which checkpoint is taken. */
#include "base/memory.h"
#include "io/file.h"
#include "io/run.h"
#include "support/assert_status.h"
#include "support/sample_checkpoint.h"
#include "support/tmpdir.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool there(const char *name) {
    return access(tmpdir_path(name), F_OK) == 0;
}

/* ---- making and holding ---- */

static void new_runs_count_up(void **state) {
    (void)state;
    Run *run;
    char base[TMPDIR_PATH];
    snprintf(base, sizeof base, "%s", tmpdir_path("deep/er/lenet5-mnist"));
    for (int i = 1; i <= 3; i++) {
        char expected[TMPDIR_PATH + 8];
        assert_ok(run_create(NULL, base, false, &run));
        snprintf(expected, sizeof expected, "%s-%d", base, i);
        assert_string_equal(run_folder(run), expected);
        assert_ok(run_write_text(run, RUN_CONFIG, "{}"));
        run_close(run);
    }
    rmdir(tmpdir_path("deep/er/lenet5-mnist-1")); /* holds .lock: stays */
    mkdir(tmpdir_path("deep/er/lenet5-mnist-41"), 0777);
    mkdir(tmpdir_path("deep/er/lenet5-mnist-digits-99"), 0777);
    mkdir(tmpdir_path("deep/er/lenet5-mnist-050"), 0777);
    assert_ok(run_create(NULL, base, false, &run));
    assert_contains(run_folder(run), "lenet5-mnist-42");
    uint64_t *numbers;
    size_t count;
    assert_ok(run_numbers(base, &numbers, &count));
    assert_int_equal(count, 5);
    assert_int_equal(numbers[0], 42);
    assert_int_equal(numbers[4], 1);
    memory_free(numbers);
    run_close(run);
    assert_false(there("deep/er/lenet5-mnist-42")); /* nothing has come into it */
    assert_ok(run_numbers(tmpdir_path("nowhere/x"), &numbers, &count));
    assert_int_equal(count, 0);
    memory_free(numbers);
}

static void a_folder_is_entered_whatever_is_in_it(void **state) {
    (void)state;
    Run *run;
    for (int i = 0; i < 2; i++) {
        assert_ok(run_enter(tmpdir_path("entered/here"), &run));
        assert_true(there("entered/here/.lock"));
        run_close(run);
        assert_false(there("entered/here"));
    }
    assert_ok(run_enter(tmpdir_path("entered/here"), &run));
    assert_ok(run_write_text(run, RUN_BEST, "x"));
    run_close(run);
    assert_ok(run_enter(tmpdir_path("entered/here"), &run));
    run_close(run);
    assert_true(there("entered/here/best.h5"));
    mkdir(tmpdir_path("entered/empty"), 0777); /* somebody else's stays */
    assert_ok(run_enter(tmpdir_path("entered/empty"), &run));
    run_close(run);
    assert_true(there("entered/empty/.lock"));
}

static bool has_open(pid_t process, const char *path) {
    char entry[64], target[TMPDIR_PATH + 16];
    bool found = false;
    for (int file = 3; file < 64 && !found; file++) {
        snprintf(entry, sizeof entry, "/proc/%d/fd/%d", (int)process, file);
        ssize_t n = readlink(entry, target, sizeof target - 1);
        target[n > 0 ? n : 0] = '\0';
        found = strcmp(target, path) == 0;
    }
    return found;
}

/* Who waited for a lock whose holder has removed the folder holds nothing. */
static void a_folder_that_is_gone_is_not_held(void **state) {
    (void)state;
    Run *run, *second;
    int how;
    pid_t child = fork();
    if (child == 0) {
        while (tmpdir_size("gone/.lock") <= 0)
            usleep(1000);
        _exit(run_open(tmpdir_path("gone"), &second) == STATUS_FAILED && strstr(status_message(), "removed") ? 0 : 1);
    }
    assert_ok(run_enter(tmpdir_path("gone"), &run));
    while (!has_open(child, tmpdir_path("gone/.lock")))
        usleep(1000);
    run_close(run);
    waitpid(child, &how, 0);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
    assert_false(there("gone"));
}

static void jobs_started_together_get_different_folders(void **state) {
    (void)state;
    enum { JOBS = 8, EACH = 25 };
    char base[TMPDIR_PATH];
    int gate[2], ok = 0, how;
    snprintf(base, sizeof base, "%s", tmpdir_path("race/run"));
    assert_int_equal(pipe(gate), 0);
    for (int i = 0; i < JOBS; i++)
        if (fork() == 0) {
            Run *run;
            char byte;
            close(gate[1]);
            if (read(gate[0], &byte, 1) != 0) /* until all are ready */
                _exit(2);
            for (int j = 0; j < EACH; j++)
                if (run_create(NULL, base, false, &run) != STATUS_OK)
                    _exit(1);
            _exit(0);
        }
    close(gate[0]);
    close(gate[1]);
    for (int i = 0; i < JOBS; i++)
        ok += wait(&how) > 0 && WIFEXITED(how) && WEXITSTATUS(how) == 0;
    assert_int_equal(ok, JOBS);
    assert_int_equal(tmpdir_entries("race"), JOBS * EACH);
}

static void a_run_is_not_overwritten(void **state) {
    (void)state;
    Run *run;
    mkdir(tmpdir_path("mine"), 0777);
    tmpdir_write("mine/slurm-17.out", "log", 3); /* not a run's file: the folder may be taken */
    assert_ok(run_create(tmpdir_path("mine"), NULL, false, &run));
    assert_ok(run_write_text(run, RUN_CONFIG, "{}"));
    run_close(run);
    assert_fails_with(STATUS_USAGE, run_create(tmpdir_path("mine"), NULL, false, &run), "--overwrite");
    assert_null(run);
    const char *const ours[] = {"mine/step-00000001.h5", "mine/step-123456789.h5", "mine/step-00000007.h5.old",
                                "mine/best.h5",          "mine/final.h5",          "mine/final.h5.old",
                                "mine/metrics.csv"};
    const char *const others[] = {"mine/slurm-17.out", "mine/step-1.h5",  "mine/step-00000001.h5.bak",
                                  "mine/notes.txt",    "mine/my-best.h5", "mine/step-0000000x.h5"};
    for (size_t i = 0; i < 7; i++)
        tmpdir_write(ours[i], "x", 1);
    for (size_t i = 0; i < 6; i++)
        tmpdir_write(others[i], "x", 1);
    assert_ok(run_create(tmpdir_path("mine"), NULL, true, &run));
    run_close(run);
    for (size_t i = 0; i < 7; i++)
        assert_false(there(ours[i]));
    for (size_t i = 0; i < 6; i++)
        assert_true(there(others[i]));
    assert_false(there("mine/config.json"));
    tmpdir_write("file", "x", 1);
    assert_fails(run_create(tmpdir_path("file"), NULL, true, &run), "Not a directory");
    assert_fails(run_create(tmpdir_path("file/below"), NULL, true, &run), "Not a directory");
    assert_fails(run_open(tmpdir_path("nowhere"), &run), "No such file");
}

static void one_process_writes_a_folder(void **state) {
    (void)state;
    Run *run, *second;
    char process[32];
    mkdir(tmpdir_path("held"), 0777);
    pid_t child = fork();
    if (child == 0) { /* holds the folder until it is killed */
        if (run_open(tmpdir_path("held"), &run) != STATUS_OK)
            _exit(1);
        for (;;)
            pause();
    }
    while (tmpdir_size("held/.lock") <= 0)
        usleep(1000);
    tmpdir_write("held/.best.h5.node7-1.cnn-tmp", "being written", 13);
    snprintf(process, sizeof process, "process %d", (int)child);
    assert_fails(run_open(tmpdir_path("held"), &second), process);
    assert_null(second);
    assert_true(there("held/.best.h5.node7-1.cnn-tmp"));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_ok(run_open(tmpdir_path("held"), &run)); /* a crash blocks nobody, and its leftovers go */
    assert_false(there("held/.best.h5.node7-1.cnn-tmp"));
    int lock = open(tmpdir_path("held/.lock"), O_RDWR);
    assert_true(flock(lock, LOCK_EX | LOCK_NB) != 0); /* and it is held again */
    close(lock);
    run_close(run);
    assert_ok(run_open(tmpdir_path("held"), &run));
    run_close(run);
}

/* Has the process, whose stderr is captured, said something? */
static bool has_spoken(pid_t process) {
    struct stat about;
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)process, STDERR_FILENO);
    return stat(path, &about) == 0 && about.st_nlink == 0 && about.st_size > 0;
}

/* The lock of a node that died may stand until the file server notices: that is waited for. */
static void another_hosts_lock_is_waited_for(void **state) {
    (void)state;
    static const char elsewhere[] = "host elsewhere, process 1 .............";
    Run *run;
    mkdir(tmpdir_path("node"), 0777);
    pid_t child = fork();
    if (child == 0) {
        if (run_open(tmpdir_path("node"), &run) != STATUS_OK)
            _exit(1);
        while (!has_spoken(getppid()))
            usleep(1000);
        _exit(0);
    }
    while (tmpdir_size("node/.lock") <= 0)
        usleep(1000);
    int lock = open(tmpdir_path("node/.lock"), O_WRONLY);
    assert_int_equal(pwrite(lock, elsewhere, sizeof elsewhere, 0), sizeof elsewhere);
    close(lock);
    stderr_capture();
    Status status = run_open(tmpdir_path("node"), &run);
    assert_contains(stderr_captured(), "host elsewhere, process 1");
    assert_ok(status);
    run_close(run);
    waitpid(child, NULL, 0);
}

/* ---- checkpoints ---- */

static void old_steps_are_set_aside_and_pruned(void **state) {
    (void)state;
    Run *run;
    uint64_t *steps;
    size_t count;
    assert_ok(run_create(tmpdir_path("steps"), NULL, false, &run));
    const char *const names[] = {"steps/step-00000010.h5", "steps/step-00000020.h5", "steps/step-00000030.h5",
                                 "steps/step-123456789.h5", "steps/final.h5"};
    for (size_t i = 0; i < 5; i++)
        tmpdir_write(names[i], "x", 1);
    assert_true(run_is_finished(run_folder(run)));
    assert_ok(run_steps(run_folder(run), &steps, &count));
    assert_int_equal(count, 4);
    assert_int_equal(steps[0], 123456789);
    assert_int_equal(steps[3], 10);
    memory_free(steps);
    char(*checkpoints)[RUN_NAME];
    assert_ok(run_checkpoints(run_folder(run), &checkpoints, &count));
    assert_int_equal(count, 5); /* no best.h5 */
    assert_string_equal(checkpoints[0], "step-123456789.h5");
    assert_string_equal(checkpoints[4], "final.h5");
    memory_free(checkpoints);
    assert_ok(run_prune(run_folder(run), 30, 2)); /* counts 10, 20, 30 */
    assert_false(there("steps/step-00000010.h5"));
    assert_true(there("steps/step-00000020.h5") && there("steps/step-00000030.h5") && there("steps/step-123456789.h5"));
    assert_ok(run_set_aside(run, 20));
    assert_false(run_is_finished(run_folder(run)));
    assert_true(there("steps/step-00000020.h5") && there("steps/step-00000030.h5.old") &&
                there("steps/step-123456789.h5.old") && there("steps/final.h5.old"));
    assert_int_equal(tmpdir_entries("steps"), 5);
    run_close(run);
}

static void the_newest_whole_checkpoint_is_taken(void **state) {
    (void)state;
    char *path;
    mkdir(tmpdir_path("damaged"), 0777);
    sample_write(tmpdir_path("damaged/step-00000001.h5"));
    sample_write(tmpdir_path("damaged/step-00000002.h5"));
    sample_write(tmpdir_path("damaged/best.h5"));
    assert_ok(run_newest_whole(tmpdir_path("damaged"), &path));
    assert_string_equal(path, tmpdir_path("damaged/step-00000002.h5"));
    memory_free(path);
    assert_int_equal(truncate(tmpdir_path("damaged/step-00000002.h5"), 1000), 0);
    tmpdir_write("damaged/step-00000003.h5", "", 0);
    stderr_capture();
    Status status = run_newest_whole(tmpdir_path("damaged"), &path);
    const char *warnings = stderr_captured();
    assert_ok(status);
    assert_string_equal(path, tmpdir_path("damaged/step-00000001.h5"));
    memory_free(path);
    assert_contains(warnings, "step-00000002.h5 has no checksum");
    assert_contains(warnings, "step-00000003.h5 is empty");
    tmpdir_write("damaged/step-00000001.h5", "x", 1);
    stderr_capture();
    status = run_newest_whole(tmpdir_path("damaged"), &path); /* no step is left, and there is no final.h5 */
    warnings = stderr_captured();
    assert_ok(status);
    assert_string_equal(path, tmpdir_path("damaged/best.h5"));
    memory_free(path);
    assert_null(strstr(warnings, "final.h5"));
    tmpdir_write("damaged/best.h5", "x", 1);
    stderr_capture();
    status = run_newest_whole(tmpdir_path("damaged"), &path);
    stderr_captured();
    assert_fails(status, "holds no whole checkpoint");
    assert_null(path);
}

static void programs_find_the_checkpoint_they_are_given(void **state) {
    (void)state;
    char *path;
    mkdir(tmpdir_path("given"), 0777);
    char folder[TMPDIR_PATH];
    snprintf(folder, sizeof folder, "%s", tmpdir_path("given"));
    assert_fails(run_resolve(folder, "best", &path), "is it a run folder?");
    sample_write(tmpdir_path("given/step-00000005.h5"));
    const char *const wanted[][2] = {{"5", "given/step-00000005.h5"}, {"last", "given/step-00000005.h5"}};
    for (size_t i = 0; i < 2; i++) {
        assert_ok(run_resolve(folder, wanted[i][0], &path));
        assert_string_equal(path, tmpdir_path(wanted[i][1]));
        memory_free(path);
    }
    assert_fails(run_resolve(folder, "best", &path), "step checkpoints go from 5 to 5");
    assert_fails(run_resolve(folder, "final", &path), "has no final.h5");
    assert_fails(run_resolve(folder, "6", &path), "has no step-00000006.h5");
    assert_fails_with(STATUS_USAGE, run_resolve(folder, "newest", &path), "must be best, last, final");
    assert_fails_with(STATUS_USAGE, run_resolve(folder, "99999999999999999999999", &path), "must be");
    assert_fails_with(STATUS_USAGE, run_resolve(folder, "-5", &path), "must be");
    assert_fails(run_resolve(tmpdir_path("nowhere"), "best", &path), "cannot find the checkpoint or run");
    tmpdir_write("given/best.h5", "x", 1);
    assert_ok(run_resolve(folder, "best", &path));
    assert_string_equal(path, tmpdir_path("given/best.h5"));
    memory_free(path);
    assert_ok(run_resolve(tmpdir_path("given/best.h5"), "last", &path)); /* a file is taken as it is */
    assert_string_equal(path, tmpdir_path("given/best.h5"));
    memory_free(path);
}

static void small_files_are_replaced_whole(void **state) {
    (void)state;
    Run *run;
    unsigned char *text;
    size_t size;
    assert_ok(run_create(tmpdir_path("text"), NULL, false, &run));
    assert_ok(run_write_text(run, RUN_METRICS, "epoch,loss\n1,0.5\n2,0.25\n"));
    assert_ok(run_write_text(run, RUN_METRICS, "epoch,loss\n1,0.5\n"));
    run_close(run);
    assert_ok(file_read(tmpdir_path("text/metrics.csv"), &text, &size));
    assert_string_equal((char *)text, "epoch,loss\n1,0.5\n");
    assert_int_equal(size, 17);
    memory_free(text);
    assert_int_equal(tmpdir_entries("text"), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_runs_count_up),
        cmocka_unit_test(a_folder_is_entered_whatever_is_in_it),
        cmocka_unit_test(a_folder_that_is_gone_is_not_held),
        cmocka_unit_test(jobs_started_together_get_different_folders),
        cmocka_unit_test(a_run_is_not_overwritten),
        cmocka_unit_test(one_process_writes_a_folder),
        cmocka_unit_test(another_hosts_lock_is_waited_for),
        cmocka_unit_test(old_steps_are_set_aside_and_pruned),
        cmocka_unit_test(the_newest_whole_checkpoint_is_taken),
        cmocka_unit_test(programs_find_the_checkpoint_they_are_given),
        cmocka_unit_test(small_files_are_replaced_whole),
    };
    return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
