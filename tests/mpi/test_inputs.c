/* SPDX-License-Identifier: Apache-2.0
 *
 * A network with two inputs, trained by the trainer: images "x", which say nothing, and an array "size" of the dataset,
 * which says all.  Only who gets the right array with the right example learns it, and says so of a single one.  And
 * the report of such a run. */
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "io/file.h"
#include "support/mpi_test.h"
#include "support/tmpdir.h"
#include "train/look.h"
#include "train/report.h"
#include "train/trainer.h"
#include <stdlib.h>
#include <string.h>

enum { EXAMPLES = 60 };

static const char network[] =
    "{\"class_name\": \"Functional\", \"config\": {\"name\": \"two\", \"layers\": ["
    "{\"class_name\": \"InputLayer\", \"name\": \"x\", \"config\": {\"name\": \"x\", \"batch_input_shape\": [null, 2, "
    "2, 1]},"
    " \"inbound_nodes\": []},"
    "{\"class_name\": \"InputLayer\", \"name\": \"size\", \"config\": {\"name\": \"size\", \"batch_input_shape\": "
    "[null, 2]},"
    " \"inbound_nodes\": []},"
    "{\"class_name\": \"Flatten\", \"name\": \"flat\", \"config\": {\"name\": \"flat\"}, \"inbound_nodes\": [[[\"x\", "
    "0, 0, {}]]]},"
    "{\"class_name\": \"Concatenate\", \"name\": \"all\", \"config\": {\"name\": \"all\"},"
    " \"inbound_nodes\": [[[\"flat\", 0, 0, {}], [\"size\", 0, 0, {}]]]},"
    "{\"class_name\": \"Dense\", \"name\": \"fc\", \"config\": {\"name\": \"fc\", \"units\": 2, \"activation\": "
    "\"softmax\"},"
    " \"inbound_nodes\": [[[\"all\", 0, 0, {}]]]}],"
    "\"input_layers\": [[\"x\", 0, 0], [\"size\", 0, 0]], \"output_layers\": [[\"fc\", 0, 0]]}}";

/* What the run's report.html is written with, and a clock by which an epoch takes hours. */
static size_t while_training, at_end;

Status __real_report_write(const ReportPage *page);
Status __wrap_report_write(const ReportPage *page);
Status __wrap_report_write(const ReportPage *page) {
    ++*(page->assessment || page->missing ? &at_end : &while_training);
    return __real_report_write(page);
}

double __real_dist_time(void);
double __wrap_dist_time(void);
double __wrap_dist_time(void) {
    return 1e6 * __real_dist_time();
}

static int64_t class_of(size_t example) {
    return (int64_t)(example * 7 % 3 % 2);
}

/* `name` is that of the second array. */
static Status write_data(const char *path, const char *name) {
    static uint8_t x[EXAMPLES * 4];
    static int64_t y[EXAMPLES];
    static float size[EXAMPLES * 2];
    char y_name[] = "y", other[16];
    snprintf(other, sizeof other, "%s", name);
    DatasetLabel labels[] = {{.name = y_name, .kind = LABEL_CLASS},
                             {.name = other, .kind = LABEL_NUMBERS, .shape = SHAPE(2)}};
    DatasetInfo info = {
        .shape = SHAPE(2, 2, 1), .is_uint8 = true, .value_max = 255, .labels = labels, .label_count = 2};
    for (size_t i = 0; i < EXAMPLES; i++) {
        y[i] = class_of(i);
        size[2 * i + (size_t)y[i]] = 2.5f;
    }
    DatasetWriter *writer;
    TRY(dataset_writer_create(path, true, &info, &writer));
    Status status = dataset_writer_append(writer, DATASET_TRAIN, EXAMPLES, x, (const void *[]){y, size});
    if (status == STATUS_OK)
        status = dataset_writer_finish(writer);
    dataset_writer_destroy(writer);
    return status;
}

static Status train(const char *array) {
    static Config config;
    Dist *dist = mpi_test_dist();
    config = (Config){0};
    if (dist_rank(dist) == 0) {
        char data[TMPDIR_PATH], model[TMPDIR_PATH], out[TMPDIR_PATH];
        char *argv[] = {"cnn_train", "--quiet", "--epochs",        "20", "--batch-size", "6",  "--optimizer", "sgd",
                        "--lr",      "0.5",     "--micro-batches", "6",  "--data",       data, "--model",     model,
                        "--out",     out,       "--overwrite"};
        bool exit_now;
        snprintf(data, sizeof data, "%s", tmpdir_path("data.h5"));
        snprintf(model, sizeof model, "%s", tmpdir_path("net.json"));
        snprintf(out, sizeof out, "%s", tmpdir_path("run"));
        tmpdir_write("net.json", network, strlen(network));
        CHECK(write_data(data, array) == STATUS_OK, "%s", status_message());
        CHECK(config_parse(sizeof argv / sizeof *argv, argv, &config, &exit_now) == STATUS_OK, "%s", status_message());
    }
    dist_broadcast(dist, &config, sizeof config);
    return trainer_run(dist, &config);
}

/* cnn_plot's way to a single example. */
static void look_at(size_t index) {
    LookArguments arguments = {.trained = {.checkpoint = "final", .split = DATASET_TRAIN}, .index = index};
    Look look;
    char label[8];
    bool right = false;
    if (dist_rank(mpi_test_dist()) == 0)
        snprintf(arguments.trained.run, sizeof arguments.trained.run, "%s", tmpdir_path("run"));
    dist_broadcast(mpi_test_dist(), &arguments, sizeof arguments);
    Status status = look_open(mpi_test_dist(), &arguments, &look);
    snprintf(label, sizeof label, "%d", (int)class_of(index));
    if (status == STATUS_OK)
        right = look.output[class_of(index)] > (Real)0.9 && strcmp(look.label, label) == 0;
    look_close(&look);
    mpi_assert_ok(status);
    mpi_assert(right, "example %zu", index);
}

static void each_input_gets_its_array(void **state) {
    (void)state;
    mpi_assert_ok(train("size"));
    double accuracy = 1;
    if (dist_rank(mpi_test_dist()) == 0) {
        char *csv, *last;
        size_t size;
        CHECK(file_read(tmpdir_path("run/metrics.csv"), (unsigned char **)&csv, &size) == STATUS_OK, "%s",
              status_message());
        csv[size - 1] = '\0';
        last = strrchr(csv, '\n') + 1;
        for (int comma = 0; comma < 4; comma++) /* epoch, step, lr, loss */
            last = strchr(last, ',') + 1;
        accuracy = atof(last);
        memory_free(csv);
    }
    mpi_assert(accuracy == 1, "accuracy %g", accuracy);
    bool right = dist_rank(mpi_test_dist()) == 0 ? while_training > 0 && while_training < 19 && at_end == 1
                                                 : while_training + at_end == 0;
    mpi_assert(right, "%zu reports on the way, %zu at the end", while_training, at_end);
    for (size_t i = 0; i < 4; i++)
        look_at(i);
}

static void a_missing_array_is_named(void **state) {
    (void)state;
    mpi_test_capture();
    Status status = train("weight");
    bool named = dist_rank(mpi_test_dist()) != 0 || strstr(mpi_test_captured(), "no array for input size") != NULL;
    mpi_assert(status == STATUS_FAILED && named, "status %d", (int)status);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_input_gets_its_array, mpi_test_open_folder, mpi_test_close_folder),
        cmocka_unit_test_setup_teardown(a_missing_array_is_named, mpi_test_open_folder, mpi_test_close_folder)};
    log_set_level(LOG_QUIET);
    return mpi_test_main(argc, argv, tests, 2);
}
