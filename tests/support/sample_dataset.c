/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sample_dataset.h"
#include "base/memory.h"
#include "data/dataset_writer.h"

uint8_t sample_pixel(DatasetSplit split, size_t i, size_t j) {
    return (uint8_t)(i * 31 + (i >> 8) * 17 + j * 7 + (size_t)split * 101);
}

static Status write_split(DatasetWriter *writer, DatasetSplit split, size_t count) {
    uint8_t *x;
    int64_t *y = NULL;
    TRY(memory_new(&x, count * SAMPLE_NUMBERS, "pixels"));
    Status status = memory_new(&y, count, "labels");
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        y[i] = (int64_t)(i % SAMPLE_CLASSES);
        for (size_t j = 0; j < SAMPLE_NUMBERS; j++)
            x[i * SAMPLE_NUMBERS + j] = sample_pixel(split, i, j);
    }
    if (status == STATUS_OK)
        status = dataset_writer_append(writer, split, count, x, (const void *[]){y});
    memory_free(x);
    memory_free(y);
    return status;
}

Status sample_dataset(const char *path, const size_t count[DATASET_SPLITS]) {
    DatasetLabel label = {.name = "y", .kind = LABEL_CLASS};
    DatasetInfo info = {
        .shape = SHAPE(4, 3, 2), .is_uint8 = true, .value_max = 255, .labels = &label, .label_count = 1};
    DatasetWriter *writer;
    TRY(dataset_writer_create(path, true, &info, &writer));
    Status status = STATUS_OK;
    for (DatasetSplit split = 0; status == STATUS_OK && split < DATASET_SPLITS; split++)
        status = write_split(writer, split, count[split]);
    if (status == STATUS_OK)
        status = dataset_writer_finish(writer);
    dataset_writer_destroy(writer);
    return status;
}
