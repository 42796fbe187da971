/* SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 files that cannot be trusted are refused with a message that names them. */
#include "base/memory.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <hdf5.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;
static char path[TMPDIR_PATH];

static int make_folder(void **state) {
    (void)state;
    folder = tmpdir_make();
    snprintf(path, sizeof path, "%s/a.h5", folder);
    return 0;
}

static int finish(void **state) {
    (void)state;
    unlink(path);
    if (memory_stats().live_count != 0 || H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) != 0) {
        print_error("%zu blocks and %zd handles were not given back\n", memory_stats().live_count,
                    H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL));
        return -1;
    }
    return 0;
}

static void files_that_are_none(void **state) {
    (void)state;
    H5ioFile *file;
    assert_fails(h5io_open("/nonexistent/a.h5", &file), "cannot open /nonexistent/a.h5: No such file or directory");
    assert_fails(h5io_open(folder, &file), "not a file");
    assert_fails(h5io_create("/nonexistent/a.h5", &file), "/nonexistent/a.h5");
    assert_null(file);
    FILE *text = fopen(path, "w");
    fclose(text);
    assert_fails(h5io_open(path, &file), "not an HDF5 file");
    text = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no HDF5 file\n", text);
    fclose(text);
    assert_fails(h5io_open(path, &file), "not an HDF5 file");
    static const unsigned char bytes[2000];
    assert_fails(h5io_open_image("zeros", bytes, sizeof bytes, &file), "cannot read zeros: it is not an HDF5 file");
}

/* Cut at every length: opening or reading fails, or (cut in unused space) gives the right numbers. */
static void truncated_file(void **state) {
    (void)state;
    H5ioFile *file;
    float numbers[500] = {0}, back[500];
    numbers[499] = 5;
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_write(file, "/a/w", H5IO_FLOAT, 1, (size_t[]){500}, numbers));
    assert_ok(h5io_close(file));
    struct stat about;
    stat(path, &about);
    int failed = 0;
    assert_int_equal(truncate(path, about.st_size / 2), 0);
    assert_fails(h5io_open(path, &file), "its end is missing");
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_write(file, "/a/w", H5IO_FLOAT, 1, (size_t[]){500}, numbers));
    assert_ok(h5io_close(file));
    for (off_t length = about.st_size - 1; length >= 0; length -= 13) {
        assert_int_equal(truncate(path, length), 0);
        Status status = h5io_open(path, &file);
        if (status == STATUS_OK) {
            status = h5io_read(file, "/a/w", H5IO_FLOAT, 1, (size_t[]){500}, back);
            if (status == STATUS_OK)
                assert_memory_equal(numbers, back, sizeof numbers);
            h5io_close(file);
        }
        if (status != STATUS_OK) {
            failed++;
            assert_non_null(strstr(status_message(), path));
        }
    }
    assert_true(failed > 100);
}

/* Files made with HDF5 itself, as somebody else might. */
static void links_and_storage_outside_the_file(void **state) {
    (void)state;
    hid_t file_id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_external("/etc/other.h5", "/x", file_id, "outside", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/inside", file_id, "soft", H5P_DEFAULT, H5P_DEFAULT);
    H5Lcreate_soft("/soft_loop", file_id, "soft_loop", H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = H5Screate_simple(1, (hsize_t[]){4}, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    hid_t inside = H5Dcreate2(file_id, "inside", H5T_STD_U8LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(inside, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, "abcd");
    H5Pset_external(creation, "/etc/passwd", 0, 4);
    hid_t external = H5Dcreate2(file_id, "stored", H5T_STD_U8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    hid_t creation2 = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_virtual(creation2, space, "/etc/other.h5", "/x", space);
    hid_t virtual = H5Dcreate2(file_id, "virtual", H5T_STD_U8LE, space, H5P_DEFAULT, creation2, H5P_DEFAULT);
    hid_t type = H5Tcopy(H5T_C_S1), one = H5Screate_simple(1, (hsize_t[]){1}, NULL);
    H5Tset_size(type, 4);
    hid_t text = H5Dcreate2(file_id, "text", type, one, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Dclose(text), H5Tclose(type), H5Sclose(one);
    H5Dclose(inside), H5Dclose(external), H5Dclose(virtual), H5Sclose(space), H5Pclose(creation), H5Pclose(creation2);
    H5Fclose(file_id);

    H5ioFile *file;
    H5ioKind kind;
    uint8_t back[4];
    assert_ok(h5io_open(path, &file));
    assert_ok(h5io_read(file, "/soft", H5IO_UINT8, 1, (size_t[]){4}, back));
    assert_memory_equal(back, "abcd", 4);
    assert_fails(h5io_read(file, "/outside", H5IO_UINT8, 1, (size_t[]){4}, back),
                 "link to another file (/etc/other.h5)");
    assert_fails(h5io_kind(file, "/outside/y", &kind), "link to another file");
    assert_fails(h5io_kind(file, "/soft_loop", &kind), "/soft_loop");
    assert_fails(h5io_read(file, "/stored", H5IO_UINT8, 1, (size_t[]){4}, back), "in other files");
    assert_fails(h5io_read(file, "/virtual", H5IO_UINT8, 1, (size_t[]){4}, back), "in other files");
    char *read;
    assert_fails(h5io_read_string(file, "/text", &read), "in other files");
    assert_ok(h5io_close(file));
}

static void extents_that_are_not_in_the_file(void **state) {
    (void)state;
    hid_t file_id = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hsize_t huge[2] = {1ull << 40, 1ull << 20}, chunk[2] = {1, 1 << 10};
    hid_t space = H5Screate_simple(2, huge, NULL), creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(creation, 2, chunk);
    hid_t plain = H5Dcreate2(file_id, "plain", H5T_STD_U8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    H5Pset_deflate(creation, 9);
    hid_t packed = H5Dcreate2(file_id, "packed", H5T_STD_U8LE, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    hid_t scalar = H5Screate(H5S_SCALAR), compound = H5Tcreate(H5T_COMPOUND, 4);
    H5Tinsert(compound, "field", 0, H5T_NATIVE_INT);
    hid_t other = H5Dcreate2(file_id, "compound", compound, scalar, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    H5Dwrite(other, compound, H5S_ALL, H5S_ALL, H5P_DEFAULT, &(int){1});
    H5Dclose(plain), H5Dclose(packed), H5Dclose(other);
    H5Sclose(space), H5Sclose(scalar), H5Pclose(creation), H5Tclose(compound), H5Fclose(file_id);

    H5ioFile *file;
    H5ioInfo info;
    uint8_t back[4];
    assert_ok(h5io_open(path, &file));
    assert_fails(h5io_info(file, "/plain", &info), "the file holds 0 of them");
    assert_fails(h5io_info(file, "/packed", &info), "the file holds 0 of them");
    assert_fails(h5io_read(file, "/compound", H5IO_UINT8, 0, NULL, back), "does not hold numbers");
    assert_ok(h5io_close(file));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(files_that_are_none, finish),
        cmocka_unit_test_teardown(truncated_file, finish),
        cmocka_unit_test_teardown(links_and_storage_outside_the_file, finish),
        cmocka_unit_test_teardown(extents_that_are_not_in_the_file, finish),
    };
    return cmocka_run_group_tests(tests, make_folder, tmpdir_teardown);
}
