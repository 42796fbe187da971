/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables as text: lines, fields and numbers; labels; the kinds csv and series. */
#include "base/memory.h"
#include "data/label_set.h"
#include "data/text_table.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/import_all.h"
#include "support/tmpdir.h"

/* The import of a table; x, y of its train rows, n of them. */
static Status import_text(const char *kind, const char *text, ImportOptions *options, size_t n, Real *x, Real *y,
                          Dataset **dataset) {
    uint64_t rows[16];
    Real *out[] = {y};
    tmpdir_write("t.csv", text, strlen(text));
    static char path[TMPDIR_PATH], *const paths[] = {path};
    snprintf(path, sizeof path, "%s", tmpdir_path("t.csv"));
    options->paths = paths;
    options->path_count = 1;
    snprintf(options->output, IMPORT_TEXT, "%s", tmpdir_path("t.h5"));
    options->force = true;
    TRY(import_all(kind, options, 1, NULL));
    TRY(dataset_open(options->output, dataset));
    for (size_t i = 0; i < n; i++)
        rows[i] = i;
    return dataset_read(*dataset, DATASET_TRAIN, rows, n, NULL, x, out);
}

/* ---- fields ---- */

static void separators_and_headers(void **state) {
    (void)state;
    const struct {
        const char *text;
        char separator;
        size_t rows, columns;
        bool header;
        double last; /* number of the last row's last field */
    } cases[] = {
        {"1,2,3\n4,5,6", ',', 2, 3, false, 6},
        {"a;b\n\n1;2\r\n3;4\r\n\r\n", ';', 2, 2, true, 4},
        {"x\ty\n1\t-2.5e-3\n", '\t', 1, 2, true, -2.5e-3},
        {"  1  2   3 \n 4 5\t6", ' ', 2, 3, false, 6},
        {"\"a\",\"b\"\n\"1\", \"2\"\n", ',', 1, 2, true, 2},
        {"\"a,b\",c\n\"1\",7\n", ',', 1, 2, true, 7},
        {"\xef\xbb\xbf"
         "a,b\n1,2",
         ',', 1, 2, true, 2},
        {"7", ' ', 1, 1, false, 7},
        {"1|2\n", '|', 1, 2, false, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        TextTable table;
        TextField fields[8];
        double value;
        tmpdir_write("t", cases[i].text, strlen(cases[i].text));
        assert_ok(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table));
        assert_int_equal(table.separator, cases[i].separator);
        assert_int_equal(table.count, cases[i].rows);
        assert_int_equal(table.columns, cases[i].columns);
        assert_int_equal(table.header.at != NULL, cases[i].header);
        assert_ok(text_table_fields(&table, table.count - 1, fields));
        assert_ok(text_table_number(&table, table.count - 1, table.columns - 1, fields[table.columns - 1], &value));
        assert_true(value == cases[i].last);
        text_table_close(&table);
    }
}

static void bad_fields(void **state) {
    (void)state;
    static const char *const numbers[] = {"",
                                          "a",
                                          "1x",
                                          "0x10",
                                          "nan",
                                          "inf",
                                          "1e99",
                                          "1 2",
                                          "1e",
                                          "--1",
                                          "11111111111111111111111111111111111111111111111111111111111111111111111"};
    TextTable table;
    TextField fields[2];
    double value;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[128];
        int size = snprintf(text, sizeof text, "1,2\n\n3,%s\n", numbers[i]);
        tmpdir_write("t", text, (size_t)size);
        assert_ok(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table));
        assert_ok(text_table_fields(&table, 1, fields));
        assert_fails(text_table_number(&table, 1, 1, fields[1], &value), "t:3, column 2: \"");
        text_table_close(&table);
    }
    tmpdir_write("t", "1;2\n3;0,5\n", 10);
    assert_ok(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table));
    assert_ok(text_table_fields(&table, 1, fields));
    assert_fails(text_table_number(&table, 1, 1, fields[1], &value),
                 "\"0,5\" is no number: these have a decimal point");
    text_table_close(&table);
    tmpdir_write("t",
                 "\xff\xfe"
                 "1\0\n",
                 5);
    assert_fails(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table), "is text in UTF-16");
    tmpdir_write("t", "1,2\n3\n1,2,3\n", 12);
    assert_ok(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table));
    assert_fails(text_table_fields(&table, 1, fields), "t:2 has 1 fields; the first line of the file has 2");
    assert_fails(text_table_fields(&table, 2, fields), "t:3 has 3 fields");
    text_table_close(&table);
    tmpdir_write("t", "\n \r\n", 4);
    assert_fails(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table), "is empty");
    tmpdir_write("t", "a,b\n", 4);
    assert_fails(text_table_open(tmpdir_path("t"), 0, TEXT_HEADER_AUTO, &table), "has a header and no rows");
    assert_fails(text_table_open(tmpdir_path("none"), 0, TEXT_HEADER_AUTO, &table), "No such file");
}

/* ---- labels ---- */

static void check_labels(const char *const labels[], const int expected[], size_t n, char *const names[], size_t count,
                         const char *first_name) {
    LabelSet set = {0};
    for (size_t i = 0; i < n; i++)
        assert_ok(label_set_add(&set, labels[i], strlen(labels[i])));
    assert_ok(label_set_settle(&set, names, count));
    for (size_t i = 0; i < n; i++) {
        int64_t class;
        assert_true(label_set_find(&set, labels[i], strlen(labels[i]), &class));
        assert_int_equal(class, expected[i]);
    }
    if (first_name)
        assert_string_equal(set.names[0], first_name);
    else
        assert_null(set.names);
    label_set_free(&set);
}

static void labels_become_classes(void **state) {
    (void)state;
    char *names[] = {"dog", "cat", "bird"};
    int64_t class;
    LabelSet set = {0};
#define LABELS(...) (const char *const[]){__VA_ARGS__}
#define CLASSES(...)                                                                                                   \
    (const int[]) {                                                                                                    \
        __VA_ARGS__                                                                                                    \
    }
    check_labels(LABELS("3", "0", "1.0", "+1e0"), CLASSES(3, 0, 1, 1), 4, NULL, 0, NULL);
    check_labels(LABELS("1", "-1", "1.0000000e+00"), CLASSES(1, 0, 1), 3, NULL, 0, "-1");
    check_labels(LABELS("10", "9", "1"), CLASSES(2, 1, 0), 3, NULL, 0, "1");
    check_labels(LABELS("cat", "bird", "dog"), CLASSES(1, 0, 2), 3, NULL, 0, "bird");
    check_labels(LABELS("cat", "bird"), CLASSES(1, 2), 2, names, 3, NULL);
    check_labels(LABELS("7", "8", "9"), CLASSES(0, 1, 2), 3, names, 3, NULL);
    check_labels(LABELS("0", "2"), CLASSES(0, 2), 2, names, 3, NULL);
    check_labels(LABELS("0", "-0.0"), CLASSES(0, 0), 2, NULL, 0, NULL);
    assert_fails(label_set_add(&set, "", 0), "empty");
    assert_ok(label_set_add(&set, "5", 1));
    assert_false(label_set_find(&set, "6", 1, &class));
    assert_ok(label_set_add(&set, "6", 1));
    assert_fails(label_set_settle(&set, names, 3), "3 class names for 2 different labels, from 5 to 6");
    label_set_free(&set);
}

/* ---- the kinds ---- */

static void columns_by_name(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[8], y[4];
    ImportOptions options = {.label = "kind", .ignore = "id"};
    assert_ok(import_text("csv", "id,a,kind,b\n9,1,cat,2\n8,3,dog,4.5\n", &options, 2, x, y, &dataset));
    const Real want[] = {1, 2, 3, 4.5};
    assert_memory_equal(x, want, sizeof want);
    assert_true(y[0] == 0 && y[1] == 1);
    assert_string_equal(dataset_info(dataset)->class_names[1], "dog");
    assert_false(dataset_info(dataset)->is_uint8);
    dataset_close(dataset);
    options = (ImportOptions){.target = "b,1", .ignore = "kind"}; /* in the order named */
    assert_ok(import_text("csv", "id,a,kind,b\n9,1,cat,2\n8,3,dog,4.5\n", &options, 2, x, y, &dataset));
    assert_true(x[0] == 1 && x[1] == 3 && y[0] == 2 && y[1] == 9 && y[2] == 4.5 && y[3] == 8);
    assert_int_equal(dataset_info(dataset)->labels[0].kind, LABEL_NUMBERS);
    dataset_close(dataset);
}

/* Rows whose class is to be predicted: all columns are x, and there is no y. */
static void rows_without_labels(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[4];
    ImportOptions options = {.label = "none"};
    assert_ok(import_text("csv", "a,b\n1,2\n3,4\n", &options, 2, x, NULL, &dataset));
    assert_int_equal(dataset_info(dataset)->label_count, 0);
    assert_true(x[0] == 1 && x[3] == 4);
    dataset_close(dataset);
    assert_ok(import_text("series", "1 2\n3 4\n", &options, 2, x, NULL, &dataset));
    assert_int_equal(dataset_info(dataset)->label_count, 0);
    assert_true(shape_equal(&dataset_info(dataset)->shape, &SHAPE(2, 1)) && x[0] == 1);
    dataset_close(dataset);
    options = (ImportOptions){.label = "c"};
    assert_fails_with(STATUS_USAGE, import_text("csv", "a,b\n1,2\n", &options, 0, NULL, NULL, &dataset),
                      "no column c: its first line names 2: a,b.");
}

static void images_of_bytes(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[8], y[2];
    ImportOptions options = {.label = "first", .shape = "2x2x1", .value_max = 16};
    assert_ok(import_text("csv", "1,0,16,3,4\n0,5,6,7,8\n", &options, 2, x, y, &dataset));
    assert_true(dataset_info(dataset)->is_uint8 && dataset_info(dataset)->value_max == 16);
    assert_true(shape_equal(&dataset_info(dataset)->shape, &SHAPE(2, 2, 1)));
    assert_true(x[1] == 16 && x[7] == 8 && y[0] == 1);
    dataset_close(dataset);
    assert_ok(import_text("csv", "1,0,16,3,4\n0,5,6,7,8.5\n", &options, 2, x, y, &dataset));
    assert_true(!dataset_info(dataset)->is_uint8 && x[7] == 8.5);
    dataset_close(dataset);
    options.type = IMPORT_TYPE_UINT8;
    assert_fails(import_text("csv", "1,0,16,3,4\n0,5,6,7,8.5\n", &options, 2, x, y, &dataset),
                 "t.csv:2, column 5: 8.5 is not a whole number");
    options = (ImportOptions){.label = "first", .value_max = 15};
    assert_fails(import_text("csv", "1,0,15,3,4\n0,5,6,16,8\n", &options, 2, x, y, &dataset),
                 "t.csv:2, column 4: 16 is more than --value-max 15");
}

static void options_that_do_not_fit(void **state) {
    (void)state;
    Dataset *dataset;
    const struct {
        ImportOptions options;
        const char *message;
    } cases[] = {
        {{.label = ""}, "say which column is the class"},
        {{.label = "1", .target = "2"}, "say which column is the class"},
        {{.label = "nothing"}, "has no column nothing"},
        {{.label = "9"}, "has no column 9"},
        {{.label = "0"}, "has no column 0"},
        {{.label = "1", .ignore = "2,1"}, "column 1 is named twice"},
        {{.label = "1", .ignore = "2,3"}, "has no columns but"},
        {{.label = "1", .shape = "2x2"}, "these are 4 numbers, but an example has 2"},
        {{.label = "1", .shape = "2x"}, "must be like 28x28x1"},
        {{.label = "1", .shape = "-2x-1"}, "must be like 28x28x1"},
        {{.label = "1", .shape = "99999999999x99999999999x3"}, "must be like 28x28x1"},
        {{.label = "1", .separator = ":"}, "must be one of"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ImportOptions options = cases[i].options;
        assert_fails_with(STATUS_USAGE, import_text("csv", "1,2,3\n", &options, 0, NULL, NULL, &dataset),
                          cases[i].message);
    }
}

static void series_of_channels(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[12], y[2];
    ImportOptions options = {.channels = 2};
    assert_ok(import_text("series", " -1.0e+00 1 2 3 4 5 6\n 1.0e+00 9 9 9 9 9 9", &options, 2, x, y, &dataset));
    assert_true(shape_equal(&dataset_info(dataset)->shape, &SHAPE(3, 2)));
    for (size_t i = 0; i < 6; i++)
        assert_true(x[i] == (Real)(i + 1));
    assert_true(y[0] == 0 && y[1] == 1);
    assert_string_equal(dataset_info(dataset)->class_names[0], "-1");
    dataset_close(dataset);
    options.planar = options.normalise = true;
    assert_ok(import_text("series", " -1 1 2 3 4 6 5\n 1 9 9 9 9 9 9", &options, 2, x, y, &dataset));
    const double unit = sqrt(1.5);
    const double want[] = {-unit, -unit, 0, unit, unit, 0, 0, 0, 0, 0, 0, 0}; /* channel 0: 1 2 3, channel 1: 4 6 5 */
    for (size_t i = 0; i < 12; i++)
        assert_true(fabs((double)x[i] - want[i]) < 1e-6);
    dataset_close(dataset);
    options.channels = 4;
    assert_fails_with(STATUS_USAGE, import_text("series", "1 1 2 3 4 6 5\n", &options, 1, x, y, &dataset),
                      "6 samples a row, which are not 4 channels");
}

static void splits_by_names(void **state) {
    (void)state;
    char train[TMPDIR_PATH], test[TMPDIR_PATH], other[TMPDIR_PATH];
    Dataset *dataset;
    tmpdir_write("a_train.csv", "0,1\n1,2\n", 8);
    tmpdir_write("a_test.csv", "2,1\n", 4);
    tmpdir_write("b.csv", "2,1,3\n", 6);
    strcpy(train, tmpdir_path("a_train.csv"));
    strcpy(test, tmpdir_path("a_test.csv"));
    strcpy(other, tmpdir_path("b.csv"));
    ImportOptions options = import_options(tmpdir_path("o.h5"), 2, (const char *[]){test, train});
    strcpy(options.label, "first");
    assert_ok(import_all("csv", &options, 1, NULL));
    assert_ok(dataset_open(options.output, &dataset));
    assert_int_equal(dataset_info(dataset)->count[DATASET_TRAIN], 2);
    assert_int_equal(dataset_info(dataset)->count[DATASET_TEST], 1);
    assert_int_equal(dataset_info(dataset)->labels[0].classes, 3);
    dataset_close(dataset);
    options.force = true;
    strcpy(options.split[DATASET_TEST], other);
    assert_fails_with(STATUS_USAGE, import_all("csv", &options, 1, NULL), "look like test");
    options.path_count = 0;
    strcpy(options.split[DATASET_TRAIN], train);
    assert_fails(import_all("csv", &options, 1, NULL), "b.csv has 3 columns");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(separators_and_headers),  TEST(bad_fields),          TEST(labels_become_classes),
        TEST(columns_by_name),         TEST(rows_without_labels), TEST(images_of_bytes),
        TEST(options_that_do_not_fit), TEST(series_of_channels),  TEST(splits_by_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
