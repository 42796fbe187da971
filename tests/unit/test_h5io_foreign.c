/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 files that another library has written and this one cannot read: compressed otherwise, or of a later version. */
#include "base/memory.h"
#include "io/h5io.h"
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/assert_status.h"
#include <cmocka.h>

static char folder[] = "/tmp/test_h5io_foreign_XXXXXX";
static char path[sizeof folder + 32];

static int finish(void **state) {
    (void)state;
    unlink(path);
    return memory_stats().live_count == 0 ? 0 : -1;
}

static size_t keep_bytes(unsigned flags, size_t n, const unsigned values[], size_t bytes, size_t *size, void **data) {
    (void)flags, (void)n, (void)values, (void)size, (void)data;
    return bytes;
}

/* As h5py's lzf is: known to the program that writes alone. */
static void compression_that_is_not_known(void **state) {
    (void)state;
    const H5Z_class2_t other = {H5Z_CLASS_T_VERS, 32000, 1, 1, "lzf", NULL, NULL, keep_bytes};
    const hsize_t dim[1] = {100};
    const float values[100] = {0};
    float back[100];
    H5ioFile *file;
    assert_true(H5Zregister(&other) >= 0);
    hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), creation = H5Pcreate(H5P_DATASET_CREATE),
          space = H5Screate_simple(1, dim, NULL);
    assert_true(H5Pset_chunk(creation, 1, dim) >= 0 && H5Pset_filter(creation, 32000, 0, 0, NULL) >= 0);
    hid_t data = H5Dcreate2(id, "x", H5T_NATIVE_FLOAT, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    assert_true(H5Dwrite(data, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    assert_true(H5Dclose(data) >= 0 && H5Sclose(space) >= 0 && H5Pclose(creation) >= 0 && H5Fclose(id) >= 0);
    assert_ok(h5io_open(path, &file));
    assert_ok(h5io_read(file, "/x", H5IO_FLOAT, 1, (size_t[]){100}, back));
    assert_ok(h5io_close(file));
    assert_true(H5Zunregister(32000) >= 0);
    assert_ok(h5io_open(path, &file));
    assert_fails(h5io_read(file, "/x", H5IO_FLOAT, 1, (size_t[]){100}, back),
                 "it is compressed by \"lzf\" (filter 32000), which is not known here. Write it with gzip");
    assert_ok(h5io_close(file));
}

/* HDF5 2.0 writes the layout of a dataset as version 5; this one knows 4. */
static void file_of_a_newer_hdf5(void **state) {
    (void)state;
    H5ioFile *file;
    H5ioInfo info;
    uint64_t offset;
    unsigned char bytes[4096], layout[10] = {3, 1}; /* version, contiguous, address */
    const uint8_t numbers[5] = {0};
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_create_flat(file, "/x", H5IO_UINT8, 1, (size_t[]){5}));
    assert_ok(h5io_offset(file, "/x", &offset));
    assert_ok(h5io_close(file));
    memcpy(layout + 2, &offset, sizeof offset);
    int fd = open(path, O_RDWR);
    ssize_t size = read(fd, bytes, sizeof bytes);
    const unsigned char *at = size > 0 ? memmem(bytes, (size_t)size, layout, sizeof layout) : NULL;
    assert_non_null(at);
    assert_int_equal(pwrite(fd, "\5", 1, at - bytes), 1);
    assert_int_equal(pwrite(fd, numbers, sizeof numbers, (off_t)offset), sizeof numbers);
    close(fd);
    assert_ok(h5io_open(path, &file));
    assert_fails(h5io_info(file, "/x", &info), "cannot open /x in ");
    assert_non_null(strstr(status_message(), "newer HDF5 than this program has"));
    assert_ok(h5io_close(file));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(compression_that_is_not_known, finish),
        cmocka_unit_test_teardown(file_of_a_newer_hdf5, finish),
    };
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/a.h5", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
