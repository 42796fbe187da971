/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder for one test, and small helpers on files in it. */
#ifndef TESTS_TMPDIR_H
#define TESTS_TMPDIR_H
#include <stdbool.h>
#include <stddef.h>

enum { TMPDIR_PATH = 512 };

/* Makes a new folder below $TMPDIR or /tmp; ends the test program when it cannot. */
const char *tmpdir_make(void);

/* Removes the folder of the last tmpdir_make and all in it. */
void tmpdir_remove(void);

/* The two as set-up and tear-down of a cmocka test or group; the second fails when memory of base/memory.h is left. */
int tmpdir_setup(void **state);
int tmpdir_teardown(void **state);

/* Path of `name` in it, written into one of eight buffers in turn. */
const char *tmpdir_path(const char *name);

/* Writes a file of these bytes, not durably; reads its size (-1: missing); number of entries without "." and "..". */
void tmpdir_write(const char *name, const void *bytes, size_t size);
long tmpdir_size(const char *name);
int tmpdir_entries(const char *name);

/* The folder of test data, $CNN_TEST_DATA or shared/data beside the source tree; path of a file in it. */
const char *testdata_path(const char *name);

/* Between the two calls stderr goes into memory; the second gives it back and returns it, valid until the next
 * capture. */
void stderr_capture(void);
const char *stderr_captured(void);

#endif
