/* SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset_writer.h"
#include "base/memory.h"
#include "data/dataset_internal.h"
#include "io/file.h"
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20 };

struct DatasetWriter {
    char *path, *temporary; /* owned */
    H5ioFile *file;         /* owned; NULL once closed */
    const DatasetInfo *info;
    bool started[DATASET_SPLITS];
};

static H5ioType label_type(const DatasetLabel *label) {
    return label->kind == LABEL_CLASS ? H5IO_INT64 : H5IO_FLOAT;
}

Status dataset__write_attributes(H5ioFile *file, const DatasetInfo *info) {
    if (info->class_name_count > 0)
        TRY(h5io_attr_write_strings(file, "/", "class_names", (const char *const *)info->class_names,
                                    info->class_name_count));
    if (info->origin != NULL && *info->origin != '\0')
        TRY(h5io_attr_write_string(file, "/", "origin", info->origin));
    if (info->shape.rank == 2)
        TRY(h5io_attr_write_string(file, "/", "layout", "series"));
    if (info->is_pictures)
        TRY(h5io_attr_write_string(file, "/", "resize", image_fits[info->fit]));
    if (info->is_encoded) {
        int64_t shape[3] = {(int64_t)info->shape.dim[0], (int64_t)info->shape.dim[1], (int64_t)info->shape.dim[2]};
        TRY(h5io_attr_write(file, "/", "x_shape", H5IO_INT64, 3, shape));
    }
    return h5io_attr_write(file, "/", "value_max", H5IO_DOUBLE, 1, &info->value_max);
}

Status dataset_writer_create(const char *path, bool replace, const DatasetInfo *info, DatasetWriter **out) {
    DatasetWriter *writer;
    *out = NULL;
    if (!replace && access(path, F_OK) == 0)
        return status_fail(STATUS_FAILED, "%s exists already. Choose another name, or replace it with --force.", path);
    TRY(memory_new(&writer, 1, "dataset writer"));
    writer->info = info;
    Status status;
    TRY_GOTO(memory_strdup(path, &writer->path), failed);
    TRY_GOTO(memory_format(&writer->temporary, "%s.tmp-%ld", path, (long)getpid()), failed);
    TRY_GOTO(h5io_create(writer->temporary, &writer->file), failed);
    TRY_GOTO(dataset__write_attributes(writer->file, info), failed);
    *out = writer;
    return STATUS_OK;
failed:
    dataset_writer_destroy(writer);
    return status;
}

/* Rows of one chunk: up to 1 MB of whole examples, and no more than there will be. */
static size_t rows_of_chunk(size_t row_bytes, size_t expected) {
    size_t rows = row_bytes < CHUNK_BYTES ? CHUNK_BYTES / row_bytes : 1;
    return expected > 0 && expected < rows ? expected : rows;
}

static Status create_array(DatasetWriter *writer, DatasetSplit split, const char *name, H5ioType type,
                           const Shape *shape) {
    size_t dim[1 + SHAPE_MAX] = {0};
    char path[512];
    memcpy(dim + 1, shape->dim, sizeof shape->dim);
    return h5io_create_rows(writer->file, dataset__path(split, name, path), type, 1 + shape->rank, dim,
                            rows_of_chunk(shape_count(shape) * h5io_type_size(type), writer->info->count[split]));
}

static Status start_split(DatasetWriter *writer, DatasetSplit split) {
    const DatasetInfo *info = writer->info;
    writer->started[split] = true;
    TRY(create_array(writer, split, "x", info->is_uint8 ? H5IO_UINT8 : H5IO_FLOAT, &info->shape));
    for (size_t i = 0; i < info->label_count; i++)
        TRY(create_array(writer, split, info->labels[i].name, label_type(&info->labels[i]), &info->labels[i].shape));
    return STATUS_OK;
}

Status dataset_writer_append(DatasetWriter *writer, DatasetSplit split, size_t n, const void *x,
                             const void *const labels[]) {
    const DatasetInfo *info = writer->info;
    char path[512];
    if (n == 0)
        return STATUS_OK;
    if (!writer->started[split])
        TRY(start_split(writer, split));
    TRY(h5io_append_rows(writer->file, dataset__path(split, "x", path), info->is_uint8 ? H5IO_UINT8 : H5IO_FLOAT, n,
                         x));
    for (size_t i = 0; i < info->label_count; i++)
        TRY(h5io_append_rows(writer->file, dataset__path(split, info->labels[i].name, path),
                             label_type(&info->labels[i]), n, labels[i]));
    return STATUS_OK;
}

Status dataset_writer_finish(DatasetWriter *writer) {
    H5ioFile *file = writer->file;
    Dataset *written;
    writer->file = NULL;
    TRY(h5io_close(file));
    TRY(file_sync(writer->temporary));
    TRY(dataset_open(writer->temporary, &written));
    dataset_close(written);
    return file_put_in_place(writer->temporary, writer->path);
}

void dataset_writer_destroy(DatasetWriter *writer) {
    if (writer == NULL)
        return;
    h5io_close(writer->file);
    if (writer->temporary != NULL)
        unlink(writer->temporary); /* gone already when it was renamed */
    memory_free(writer->temporary);
    memory_free(writer->path);
    memory_free(writer);
}
