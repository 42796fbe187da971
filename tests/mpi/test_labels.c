/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels of other kinds than one class number, trained by the trainer with a named network: several labels of an image,
 * numbers; and weights of examples. */
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/h5io.h"
#include "support/mpi_test.h"
#include "support/tmpdir.h"
#include "train/trainer.h"
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 120, SIDE = 8, PIXELS = SIDE * SIDE, LABELS = 3 };

/* Bit k of i * 5 % 8: whether the image's column of blocks k is bright. */
static bool bright(size_t i, size_t k) {
    return i * 5 % 8 >> k & 1;
}

typedef struct Data {
    H5ioType type; /* of y: uint8 or float */
    bool numbers;  /* y is one number for each example: how many columns are bright, halved; else LABELS of 0 or 1 */
    bool spoiled;  /* every third label of the training data is wrong */
    int weights;   /* sample_weight: 0 none, 1 all 1, 2 nothing for the spoiled */
} Data;

static Status write_split(H5ioFile *file, const Data *data, const char *split) {
    static float x[EXAMPLES * PIXELS], y[EXAMPLES * LABELS], weights[EXAMPLES];
    static uint8_t bytes[EXAMPLES * LABELS];
    char name[64];
    bool train = strcmp(split, "train") == 0;
    size_t width = data->numbers ? 1 : LABELS;
    for (size_t i = 0; i < EXAMPLES; i++) {
        bool wrong = train && data->spoiled && i % 3 == 0;
        weights[i] = data->weights == 2 && wrong ? 0 : 1;
        for (size_t p = 0; p < PIXELS; p++)
            x[i * PIXELS + p] = bright(i, p % SIDE / 3) ? 1 : (float)(p * i % 7) * 0.03f;
        y[i * width] = 0;
        for (size_t k = 0; k < LABELS; k++)
            y[i * width + (data->numbers ? 0 : k)] =
                data->numbers ? y[i] + 0.5f * bright(i, k) : (float)(bright(i, k) != wrong);
        for (size_t k = 0; k < width; k++)
            bytes[i * width + k] = (uint8_t)y[i * width + k];
    }
    snprintf(name, sizeof name, "/%s/x", split);
    TRY(h5io_write(file, name, H5IO_FLOAT, 4, (size_t[]){EXAMPLES, SIDE, SIDE, 1}, x));
    snprintf(name, sizeof name, "/%s/y", split);
    TRY(h5io_write(file, name, data->type, data->numbers ? 1 : 2, (size_t[]){EXAMPLES, width},
                   data->type == H5IO_UINT8 ? (const void *)bytes : (const void *)y));
    snprintf(name, sizeof name, "/%s/sample_weight", split);
    return data->weights ? h5io_write(file, name, H5IO_FLOAT, 1, (size_t[]){EXAMPLES}, weights) : STATUS_OK;
}

static Status write_data(const char *path, const Data *data) {
    H5ioFile *file;
    TRY(h5io_create(path, &file));
    Status status = write_split(file, data, "train");
    if (status == STATUS_OK)
        status = write_split(file, data, "val");
    Status closed = h5io_close(file);
    return status != STATUS_OK ? status : closed;
}

/* Trains; the last row of metrics.csv: epoch, step, lr, loss, accuracy, val_loss, val_accuracy, on rank 0. */
static void train(const Data *data, const char *loss, const char *epochs, double row[7]) {
    static Config config;
    Dist *dist = mpi_test_dist();
    config = (Config){0};
    if (dist_rank(dist) == 0) {
        char path[TMPDIR_PATH], out[TMPDIR_PATH];
        char *argv[] = {"cnn_train",
                        "--quiet",
                        "--epochs",
                        (char *)epochs,
                        "--batch-size",
                        "24",
                        "--optimizer",
                        "adam",
                        "--lr",
                        "0.003",
                        "--micro-batches",
                        "6",
                        "--data",
                        path,
                        "--model",
                        "digits-net",
                        "--loss",
                        (char *)loss,
                        "--schedule",
                        "constant",
                        "--label-smoothing",
                        "0",
                        "--out",
                        out,
                        "--overwrite"};
        bool exit_now;
        snprintf(path, sizeof path, "%s", tmpdir_path("data.h5"));
        snprintf(out, sizeof out, "%s", tmpdir_path("run"));
        CHECK(write_data(path, data) == STATUS_OK, "%s", status_message());
        CHECK(config_parse(sizeof argv / sizeof *argv, argv, &config, &exit_now) == STATUS_OK, "%s", status_message());
    }
    dist_broadcast(dist, &config, sizeof config);
    mpi_assert_ok(trainer_run(dist, &config));
    if (dist_rank(dist) == 0) {
        char *csv, *last;
        size_t size;
        CHECK(file_read(tmpdir_path("run/metrics.csv"), (unsigned char **)&csv, &size) == STATUS_OK, "%s",
              status_message());
        csv[size - 1] = '\0';
        last = strrchr(csv, '\n') + 1;
        for (int k = 0; k < 7; k++) {
            row[k] = strtod(last, &last);
            last += *last == ',';
        }
        memory_free(csv);
    }
    dist_broadcast(dist, row, 7 * sizeof *row);
}

static void several_labels(void **state) {
    (void)state;
    double floats[7], bytes[7];
    train(&(Data){.type = H5IO_FLOAT}, "auto", "12", floats);
    mpi_assert(floats[4] > 0.97 && floats[6] > 0.97, "accuracy %g, of validation %g", floats[4], floats[6]);
    train(&(Data){.type = H5IO_UINT8}, "auto", "12", bytes);
    mpi_assert(memcmp(floats, bytes, sizeof bytes) == 0, "labels in bytes give another result");
    train(&(Data){.type = H5IO_UINT8}, "binary_focal_crossentropy", "12", bytes);
    mpi_assert(bytes[6] > 0.97, "accuracy of validation with the focal loss %g", bytes[6]);
}

static void numbers(void **state) {
    (void)state;
    double row[7];
    train(&(Data){.type = H5IO_FLOAT, .numbers = true}, "auto", "25", row);
    mpi_assert(row[5] < 0.02, "squared error of validation %g", row[5]); /* their variance is 0.19 */
    train(&(Data){.type = H5IO_FLOAT, .numbers = true}, "log_cosh", "25", row);
    mpi_assert(row[5] < 0.02, "log-cosh of validation %g", row[5]);
}

static void weights_of_examples(void **state) {
    (void)state;
    double without[7], ones[7], row[7];
    Data data = {.type = H5IO_FLOAT, .spoiled = true};
    train(&data, "auto", "12", without);
    data.weights = 1;
    train(&data, "auto", "12", ones);
    mpi_assert(memcmp(without, ones, sizeof ones) == 0, "weights of 1 change the result");
    data.weights = 2;
    train(&data, "auto", "12", row);
    mpi_assert(row[6] > 0.97 && row[5] < 0.1 * ones[5],
               "validation without the spoiled examples: loss %g, accuracy %g; with them %g, %g", row[5], row[6],
               ones[5], ones[6]);
    mpi_assert(row[4] < 0.75, "accuracy counts all examples, %g", row[4]);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(several_labels, mpi_test_open_folder, mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(numbers, mpi_test_open_folder, mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(weights_of_examples, mpi_test_open_folder, mpi_test_close_folder),
    };
    log_set_level(LOG_QUIET);
    return mpi_test_main(argc, argv, tests, sizeof tests / sizeof *tests);
}
