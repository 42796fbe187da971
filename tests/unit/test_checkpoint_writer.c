/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer thread and durable files: what was there survives every failure and every kill. */
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/checkpoint_writer.h"
#include "io/file.h"
#include "io/run.h"
#include "support/assert_status.h"
#include "support/sample_checkpoint.h"
#include "support/tmpdir.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Submits the sample; the result is that of the job before. */
static Status submit(CheckpointWriter *writer, const char *folder, uint64_t step, const char *also, size_t keep) {
    size_t size;
    bool best = also && strcmp(also, RUN_BEST) == 0, final = also && strcmp(also, RUN_FINAL) == 0;
    TRY(checkpoint_writer_wait(writer));
    unsigned char *image = sample_image(&size);
    CheckpointJob job = {.folder = folder, .step = step, .keep = keep, .best = best, .final = final, .tries = 1};
    checkpoint_writer_submit(writer, &job, image, size);
    return STATUS_OK;
}

static ino_t inode(const char *name) {
    struct stat about;
    assert_int_equal(stat(tmpdir_path(name), &about), 0);
    return about.st_ino;
}

static void writes_links_and_prunes(void **state) {
    (void)state;
    CheckpointWriter *writer;
    mkdir(tmpdir_path("run"), 0777);
    const char *folder = tmpdir_path("run");
    tmpdir_write("run/step-00000009.h5", "later", 5); /* after the steps written: left alone */
    tmpdir_write("run/final.h5.old", "before", 6);    /* goes when there is a new final.h5 */
    assert_ok(checkpoint_writer_create(&writer));
    for (uint64_t step = 1; step <= 5; step++)
        assert_ok(submit(writer, folder, step, step == 2 ? RUN_BEST : step == 5 ? RUN_FINAL : NULL, 3));
    assert_ok(checkpoint_writer_wait(writer));
    checkpoint_writer_destroy(writer);
    assert_int_equal(tmpdir_entries("run"), 6); /* 3, 4, 5, 9, best, final */
    const char *const whole[] = {"run/step-00000003.h5", "run/step-00000004.h5", "run/step-00000005.h5", "run/best.h5",
                                 "run/final.h5"};
    for (size_t i = 0; i < 5; i++)
        assert_ok(checkpoint_verify(tmpdir_path(whole[i])));
    assert_int_equal(inode("run/step-00000005.h5"), inode("run/final.h5"));
    Checkpoint *read;
    assert_ok(checkpoint_read(tmpdir_path("run/best.h5"), CHECKPOINT_OURS, &read));
    assert_string_equal(read->state, sample_checkpoint()->state);
    checkpoint_destroy(read);
}

static void a_name_may_be_written_again(void **state) {
    (void)state;
    CheckpointWriter *writer;
    mkdir(tmpdir_path("again"), 0777);
    assert_ok(checkpoint_writer_create(&writer));
    assert_ok(submit(writer, tmpdir_path("again"), 1, RUN_BEST, 0));
    assert_ok(submit(writer, tmpdir_path("again"), 1, RUN_BEST, 0));
    assert_ok(checkpoint_writer_wait(writer));
    checkpoint_writer_destroy(writer);
    assert_int_equal(tmpdir_entries("again"), 2);
    assert_int_equal(inode("again/step-00000001.h5"), inode("again/best.h5"));
    assert_ok(checkpoint_verify(tmpdir_path("again/best.h5")));
    /* Both are names of one file already: rename() would leave the temporary one behind. */
    assert_ok(file_link(tmpdir_path("again/step-00000001.h5"), tmpdir_path("again/best.h5")));
    assert_int_equal(tmpdir_entries("again"), 2);
}

static void a_missing_folder_is_told_once(void **state) {
    (void)state;
    CheckpointWriter *writer;
    assert_ok(checkpoint_writer_create(&writer));
    assert_ok(submit(writer, tmpdir_path("nowhere"), 1, NULL, 0));
    assert_fails(checkpoint_writer_wait(writer), "nowhere/step-00000001.h5: No such file or directory");
    assert_ok(checkpoint_writer_wait(writer));
    assert_ok(submit(writer, tmpdir_path("nowhere"), 2, NULL, 0));
    assert_fails(submit(writer, tmpdir_path("nowhere"), 3, NULL, 0), "step-00000002.h5");
    assert_true(checkpoint_writer_saved(writer) == UINT64_MAX);
    assert_ok(submit(writer, tmpdir_path("nowhere"), 4, NULL, 0));
    stderr_capture();
    checkpoint_writer_destroy(writer);
    assert_contains(stderr_captured(), "step-00000004.h5");
}

/* A full disk, as far as a process can have one to itself: files may not grow beyond a limit. */
static void full_disk_leaves_the_old_files(void **state) {
    (void)state;
    CheckpointWriter *writer;
    static char large[60000];
    struct rlimit before, small = {.rlim_cur = 50000};
    mkdir(tmpdir_path("full"), 0777);
    assert_ok(checkpoint_writer_create(&writer));
    assert_ok(submit(writer, tmpdir_path("full"), 1, RUN_BEST, 1));
    assert_ok(checkpoint_writer_wait(writer));
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    Status written[3] = {0};
    for (uint64_t step = 1; step <= 2; step++) { /* over the old file, and a new one */
        written[step] = submit(writer, tmpdir_path("full"), step, RUN_BEST, 1);
        if (written[step] == STATUS_OK)
            written[step] = checkpoint_writer_wait(writer);
    }
    written[0] = file_write(tmpdir_path("full/large"), 1, &(FilePart){large, sizeof large}); /* written in part */
    setrlimit(RLIMIT_FSIZE, &before);
    assert_contains(status_message(), "full/large: File too large");
    for (int i = 0; i < 3; i++)
        assert_int_equal(written[i], STATUS_FAILED);
    checkpoint_writer_destroy(writer);
    assert_int_equal(tmpdir_entries("full"), 2);
    assert_ok(checkpoint_verify(tmpdir_path("full/step-00000001.h5")));
    assert_ok(checkpoint_verify(tmpdir_path("full/best.h5")));
    /* The same for a device without room, which cannot be renamed onto either. */
    assert_fails(file_write("/dev/full/x", 1, &(FilePart){"x", 1}), "/dev/full/x: Not a directory");
}

static void failed_replacement_leaves_the_old_file(void **state) {
    (void)state;
    mkdir(tmpdir_path("old"), 0777);
    mkdir(tmpdir_path("old/name"), 0777); /* a folder cannot be replaced by a file */
    assert_fails(file_write(tmpdir_path("old/name"), 1, &(FilePart){"x", 1}), "old/name: Is a directory");
    assert_int_equal(tmpdir_entries("old"), 1);
    assert_fails(file_link(tmpdir_path("old/none"), tmpdir_path("old/best.h5")), "No such file");
    assert_int_equal(tmpdir_entries("old"), 1);
}

/* Writes checkpoints into the folder until it is killed, going on behind the newest: a writer prunes nothing after its
 * own step. */
static void write_for_ever(const char *folder) {
    CheckpointWriter *writer;
    Run *run;
    uint64_t *steps;
    size_t count;
    if (run_open(folder, &run) != STATUS_OK || checkpoint_writer_create(&writer) != STATUS_OK ||
        run_steps(folder, &steps, &count) != STATUS_OK)
        _exit(1);
    for (uint64_t step = count > 0 ? steps[0] + 1 : 1;; step++)
        if (submit(writer, folder, step, step % 2 ? RUN_BEST : NULL, 2) != STATUS_OK)
            _exit(1);
}

static void kill_at_any_time_leaves_a_whole_one(void **state) {
    (void)state;
    Run *run;
    char *newest;
    mkdir(tmpdir_path("killed"), 0777);
    char folder[TMPDIR_PATH];
    snprintf(folder, sizeof folder, "%s", tmpdir_path("killed"));
    size_t size;
    memory_free(sample_image(&size)); /* HDF5 and the sample are set up once, before the forks */
    size_t most = 2;                  /* kept; more where the last writer was killed before it could prune */
    for (int round = 0; round < 12; round++) {
        pid_t child = fork();
        if (child == 0)
            write_for_ever(folder);
        while (tmpdir_size("killed/best.h5") < 0 && waitpid(child, NULL, WNOHANG) == 0)
            usleep(1000);
        usleep((useconds_t)(1700 * round));
        int how;
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        assert_ok(run_open(folder, &run)); /* the lock died with the process, what was half-written goes */
        run_close(run);
        stderr_capture();
        Status status = run_newest_whole(folder, &newest);
        assert_string_equal(stderr_captured(), ""); /* no damaged file was met */
        assert_ok(status);
        memory_free(newest);
        assert_ok(checkpoint_verify(tmpdir_path("killed/best.h5")));
        uint64_t *steps;
        size_t count;
        assert_ok(run_steps(folder, &steps, &count));
        for (size_t i = 0; i < count; i++) {
            char name[RUN_NAME], path[RUN_NAME + 8];
            snprintf(path, sizeof path, "killed/%s", run_step_name(steps[i], name));
            assert_ok(checkpoint_verify(tmpdir_path(path)));
        }
        memory_free(steps);
        assert_true(count <=
                    most + 1); /* and one that pruning had not reached; none: killed between best.h5 and the first */
        most = count > 2 ? count : 2;
        assert_int_equal(tmpdir_entries("killed"), (int)count + 2); /* and best.h5, .lock */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_links_and_prunes),
        cmocka_unit_test(a_name_may_be_written_again),
        cmocka_unit_test(a_missing_folder_is_told_once),
        cmocka_unit_test(full_disk_leaves_the_old_files),
        cmocka_unit_test(failed_replacement_leaves_the_old_file),
        cmocka_unit_test(kill_at_any_time_leaves_a_whole_one),
    };
    return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
