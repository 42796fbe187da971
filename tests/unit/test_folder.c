/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders and lists of pictures: which files are found, of which class and split, in which order, and what is left
 * out. */
#include "base/memory.h"
#include "data/folder.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Makes a file and the folders above it. */
static void make(const char *name) {
    char folder[TMPDIR_PATH];
    for (size_t i = 0; name[i]; i++)
        if (name[i] == '/') {
            snprintf(folder, sizeof folder, "%.*s", (int)i, name);
            mkdir(tmpdir_path(folder), 0777);
        }
    tmpdir_write(name, "abc", 3);
}

static void make_all(const char *const names[]) {
    for (size_t i = 0; names[i]; i++)
        make(names[i]);
}

static void scan(const char *name, Folder *folder) {
    assert_ok(folder_scan(tmpdir_path(name), &(FolderOptions){0}, folder));
}

static void scan_fails(const char *name, const FolderOptions *options, const char *text) {
    Folder folder;
    assert_fails(folder_scan(tmpdir_path(name), options, &folder), text);
    folder_free(&folder);
}

/* "train 0 cat/1.jpg" for each file, below `root`. */
static void assert_files(const Folder *folder, const char *root, const char *const expected[]) {
    char line[TMPDIR_PATH + 64];
    size_t length = strlen(tmpdir_path(root)) + (*root != '\0'), i = 0;
    for (; expected[i]; i++) {
        assert_true(i < folder->count);
        const FolderFile *file = &folder->files[i];
        snprintf(line, sizeof line, "%s %lld %s", dataset_split_names[file->split], (long long)file->label,
                 file->path + length);
        assert_string_equal(line, expected[i]);
        assert_true(i >= folder->first[file->split] && i < folder->first[file->split + 1]);
    }
    assert_int_equal(folder->count, i);
    assert_int_equal(folder->first[DATASET_SPLITS], i);
}

static void assert_skipped(const Folder *folder, size_t i, const char *name, FolderReason reason) {
    assert_true(i < folder->skipped_count);
    assert_string_equal(folder->skipped[i].path, tmpdir_path(name));
    assert_int_equal(folder->skipped[i].reason, reason);
}

static void classes(void **state) {
    (void)state;
    Folder folder;
    make_all((const char *[]){"a/dog/2.JPG", "a/dog/10.jpeg", "a/cat/x/1.png", "a/cat/b.webp", "a/cat/Thumbs.db",
                              "a/.hidden/1.jpg", "a/cat/.x.jpg", "a/notes/readme.txt", "a/dog/3.gif", "a/loose.png",
                              "a/__MACOSX/1.jpg", NULL});
    scan("a", &folder);
    assert_files(&folder, "a",
                 (const char *[]){"train 0 cat/b.webp", "train 0 cat/x/1.png", "train 1 dog/10.jpeg",
                                  "train 1 dog/2.JPG", NULL});
    assert_int_equal(folder.files[0].size, 3);
    assert_int_equal(folder.class_name_count, 2);
    assert_string_equal(folder.class_names[0], "cat");
    assert_string_equal(folder.class_names[1], "dog");
    assert_int_equal(folder.skipped_count, 3);
    assert_skipped(&folder, 0, "a/dog/3.gif", FOLDER_FORMAT);
    assert_skipped(&folder, 1, "a/loose.png", FOLDER_NO_CLASS);
    assert_skipped(&folder, 2, "a/notes/readme.txt", FOLDER_OTHER);
    folder_free(&folder);
}

static void given_classes(void **state) {
    (void)state;
    Folder folder;
    char **names;
    size_t count;
    make_all((const char *[]){"g/cat/1.jpg", "g/dog/1.jpg", NULL});
    tmpdir_write("names", "dog\r\n\ncat\nbird", 14);
    assert_ok(folder_read_classes(tmpdir_path("names"), &names, &count));
    assert_int_equal(count, 3);
    assert_string_equal(names[2], "bird");
    FolderOptions options = {.class_names = names, .class_count = count, .split = DATASET_TEST};
    assert_ok(folder_scan(tmpdir_path("g/"), &options, &folder));
    assert_files(&folder, "g", (const char *[]){"test 0 dog/1.jpg", "test 1 cat/1.jpg", NULL});
    assert_int_equal(folder.class_name_count, 3);
    folder_free(&folder);
    options.class_count = 1;
    scan_fails("g", &options, "the class cat, which is none of the 1 classes");
    memory_free(names);
    tmpdir_write("names", "a\nb\na\n", 6);
    assert_fails(folder_read_classes(tmpdir_path("names"), &names, &count), "the class a twice");
    tmpdir_write("names", "\n\n", 2);
    assert_fails(folder_read_classes(tmpdir_path("names"), &names, &count), "names no classes");
}

static void splits(void **state) {
    (void)state;
    Folder folder;
    make_all((const char *[]){"s/Train/b/1.jpg", "s/Train/a/1.jpg", "s/valid/b/2.jpg", "s/testing/3.jpg",
                              "s/masks/a/1.jpg", "s/list.txt", NULL});
    scan("s", &folder);
    assert_files(&folder, "s",
                 (const char *[]){"train 0 Train/a/1.jpg", "train 1 Train/b/1.jpg", "val 1 valid/b/2.jpg", NULL});
    assert_int_equal(folder.skipped_count, 3);
    assert_skipped(&folder, 0, "s/list.txt", FOLDER_NO_SPLIT);
    assert_skipped(&folder, 1, "s/masks", FOLDER_NO_SPLIT);
    assert_skipped(&folder, 2, "s/testing/3.jpg", FOLDER_NO_CLASS);
    folder_free(&folder);
    make_all((const char *[]){"t/test/1.jpg", "t/exam/1.jpg", NULL}); /* classes */
    scan("t", &folder);
    assert_files(&folder, "t", (const char *[]){"train 0 exam/1.jpg", "train 1 test/1.jpg", NULL});
    folder_free(&folder);
    make_all((const char *[]){"u/test/1.jpg", "u/val/1.jpg", NULL});
    scan("u", &folder);
    assert_files(&folder, "u", (const char *[]){"val -1 val/1.jpg", "test -1 test/1.jpg", NULL});
    folder_free(&folder);
}

static void flat(void **state) {
    (void)state;
    Folder folder;
    make_all((const char *[]){"f/2.jpg", "f/10.jpg", "f/x.txt", NULL});
    scan("f", &folder);
    assert_files(&folder, "f", (const char *[]){"train -1 10.jpg", "train -1 2.jpg", NULL});
    assert_null(folder.class_names);
    folder_free(&folder);
    make("e/x.txt");
    scan_fails("e", &(FolderOptions){0}, "holds no pictures");
    scan_fails("missing", &(FolderOptions){0}, "cannot read");
    assert_true(folder_is_source(tmpdir_path("e")));
    assert_false(folder_is_source(tmpdir_path("e/x.txt")));
    symlink(".", tmpdir_path("e/loop"));
    scan_fails("e", &(FolderOptions){0}, "folders deep");
}

static void csv(const char *text) {
    tmpdir_write("list.csv", text, strlen(text));
}

static void lists(void **state) {
    (void)state;
    Folder folder;
    make_all((const char *[]){"1.jpg", "b,c.jpg", NULL});
    csv("1.jpg,dog\r\n\"b,c.jpg\",\"a \"\"cat\"\"\"\n\nmissing.jpg,dog");
    scan("list.csv", &folder);
    assert_files(&folder, "", (const char *[]){"train 1 1.jpg", "train 0 b,c.jpg", "train 1 missing.jpg", NULL});
    assert_string_equal(folder.class_names[0], "a \"cat\"");
    assert_int_equal(folder.files[0].size, 3);
    assert_int_equal(folder.files[2].size, 0);
    folder_free(&folder);
    csv("\xef\xbb\xbfsplit,Label,x,File\ntest,7,.,1.jpg\nTrain,10,.,1.jpg\ntest,0,.,2.jpg\n");
    scan("list.csv", &folder);
    assert_files(&folder, "", (const char *[]){"train 10 1.jpg", "test 7 1.jpg", "test 0 2.jpg", NULL});
    assert_null(folder.class_names);
    folder_free(&folder);
    csv("2.jpg\n1.jpg\n");
    scan("list.csv", &folder);
    assert_files(&folder, "", (const char *[]){"train -1 2.jpg", "train -1 1.jpg", NULL});
    folder_free(&folder);
    csv("1.jpg,a\n2.jpg\n");
    scan_fails("list.csv", &(FolderOptions){0}, "line 2 has no label");
    csv("1.jpg,a,exam\n");
    scan_fails("list.csv", &(FolderOptions){0}, "exam is no split: train, val or test. Lines of a list of pictures");
    csv("1.jpg,a\n\"1.jpg,b\n");
    scan_fails("list.csv", &(FolderOptions){0}, "line 2: a quotation mark");
    csv("");
    scan_fails("list.csv", &(FolderOptions){0}, "no pictures");
}

/* Every allocation of a scan may fail: a message, nothing lost (tmpdir_teardown counts). */
static void no_memory(void **state) {
    (void)state;
    Folder folder;
    make_all((const char *[]){"m/train/cat/1.jpg", "m/val/cat/2.jpg", "m/x.txt", NULL});
    size_t n = 1;
    for (Status status = STATUS_FAILED; status != STATUS_OK; n++) {
        memory_fail_at(n);
        status = folder_scan(tmpdir_path("m"), &(FolderOptions){0}, &folder);
        memory_fail_at(0);
        folder_free(&folder);
    }
    assert_true(n > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(classes, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(given_classes, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(splits, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(flat, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(lists, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(no_memory, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
