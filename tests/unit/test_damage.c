/* SPDX-License-Identifier: Apache-2.0
 *
 * A checkpoint that was cut anywhere, or in which one bit is another, is never taken for a whole one. */
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/run.h"
#include "support/assert_status.h"
#include "support/sample_checkpoint.h"
#include "support/tmpdir.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FLIPS = 10000, LARGE = 1 << 20, BLOCK = 4096 };

/* The newest whole checkpoint is step 1, and a warning names step 2. */
static void assert_passed_over(void) {
    char *path;
    stderr_capture();
    Status status = run_newest_whole(tmpdir_path("run"), &path);
    const char *warnings = stderr_captured();
    assert_ok(status);
    assert_string_equal(path, tmpdir_path("run/step-00000001.h5"));
    assert_contains(warnings, "run/step-00000002.h5");
    memory_free(path);
}

static void assert_damaged(bool reads) {
    Checkpoint *checkpoint;
    assert_fails(checkpoint_verify(tmpdir_path("run/step-00000002.h5")), "run/step-00000002.h5");
    if (!reads)
        return;
    assert_fails(checkpoint_read(tmpdir_path("run/step-00000002.h5"), CHECKPOINT_OURS, &checkpoint),
                 "step-00000002.h5");
    assert_passed_over();
}

static void every_flipped_bit_is_seen(void **state) {
    (void)state;
    const char *path = tmpdir_path("run/step-00000002.h5");
    uint64_t random = 1;
    sample_write(path);
    long size = tmpdir_size("run/step-00000002.h5");
    int file = open(path, O_RDWR);
    for (int i = 0; i < FLIPS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        off_t place = (off_t)((random >> 20) % (uint64_t)size);
        unsigned char byte, bent;
        assert_int_equal(pread(file, &byte, 1, place), 1);
        bent = (unsigned char)(byte ^ 1u << (random >> 17) % 8);
        assert_int_equal(pwrite(file, &bent, 1, place), 1);
        assert_damaged(i % 100 == 0);
        assert_int_equal(pwrite(file, &byte, 1, place), 1);
    }
    close(file);
    assert_ok(checkpoint_verify(tmpdir_path("run/step-00000002.h5")));
}

/* At every 4 KiB, and wherever the trailer is cut. */
static void every_cut_is_seen(void **state) {
    (void)state;
    static unsigned char image[LARGE], trailer[CHECKPOINT_TRAILER];
    char path[TMPDIR_PATH];
    snprintf(path, sizeof path, "%s", tmpdir_path("run/step-00000002.h5"));
    for (size_t i = 0; i < LARGE; i++)
        image[i] = (unsigned char)(i * 2654435761u >> 13);
    assert_ok(checkpoint_seal(image, LARGE, trailer));
    assert_ok(file_write(path, 2, (FilePart[]){{image, LARGE}, {trailer, sizeof trailer}}));
    assert_ok(checkpoint_verify(path));
    for (off_t size = LARGE + CHECKPOINT_TRAILER - 1; size >= LARGE; size--) {
        assert_int_equal(truncate(path, size), 0);
        assert_damaged(size % 16 == 0);
    }
    for (off_t size = LARGE - BLOCK; size >= 0; size -= BLOCK) {
        assert_int_equal(truncate(path, size), 0);
        assert_damaged(size % (16 * BLOCK) == 0);
    }
}

static int make_run(void **state) {
    if (tmpdir_setup(state) != 0)
        return -1;
    mkdir(tmpdir_path("run"), 0777);
    sample_write(tmpdir_path("run/step-00000001.h5"));
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(every_cut_is_seen),
    };
    return cmocka_run_group_tests(tests, make_run, tmpdir_teardown);
}
