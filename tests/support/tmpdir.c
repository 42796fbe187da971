/* SPDX-License-Identifier: Apache-2.0 */
#include "support/tmpdir.h"
#include "base/memory.h"
#include "support/assert_status.h"
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];

const char *tmpdir_make(void) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/cnn_test_XXXXXX", base != NULL && base[0] != '\0' ? base : "/tmp");
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(1);
    }
    return folder;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *where) {
    (void)about, (void)kind, (void)where;
    return remove(path);
}

void tmpdir_remove(void) {
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int tmpdir_setup(void **state) {
    (void)state;
    tmpdir_make();
    return 0;
}

int tmpdir_teardown(void **state) {
    (void)state;
    tmpdir_remove();
    if (memory_stats().live_count == 0)
        return 0;
    print_error("%zu blocks were not given back\n", memory_stats().live_count);
    return -1;
}

const char *tmpdir_path(const char *name) {
    static char paths[8][TMPDIR_PATH];
    static unsigned next;
    char *path = paths[next++ % 8];
    snprintf(path, TMPDIR_PATH, "%s/%s", folder, name);
    return path;
}

void tmpdir_write(const char *name, const void *bytes, size_t size) {
    unlink(tmpdir_path(name)); /* ext4 waits for the disk when a file is emptied and written anew */
    FILE *file = fopen(tmpdir_path(name), "w");
    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(name);
        exit(1);
    }
}

long tmpdir_size(const char *name) {
    struct stat about;
    return stat(tmpdir_path(name), &about) == 0 ? (long)about.st_size : -1;
}

int tmpdir_entries(const char *name) {
    struct dirent **entries;
    int count = scandir(tmpdir_path(name), &entries, NULL, NULL);
    for (int i = 0; i < count; i++)
        free(entries[i]);
    if (count >= 0)
        free(entries);
    return count - 2;
}

const char *testdata_path(const char *name) {
    static char path[1024];
    const char *data = getenv("CNN_TEST_DATA"), *source = getenv("CNN_SOURCE_DIR");
    if (data != NULL)
        snprintf(path, sizeof path, "%s/%s", data, name);
    else
        snprintf(path, sizeof path, "%s/../shared/data/%s", source != NULL ? source : ".", name);
    return path;
}

static char captured[8192];
static int saved_stderr = -1;
static FILE *capture;

void stderr_capture(void) {
    fflush(stderr);
    capture = tmpfile();
    saved_stderr = dup(STDERR_FILENO);
    dup2(fileno(capture), STDERR_FILENO);
}

const char *stderr_captured(void) {
    fflush(stderr);
    dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
    rewind(capture);
    captured[fread(captured, 1, sizeof captured - 1, capture)] = '\0';
    fclose(capture);
    return captured;
}
