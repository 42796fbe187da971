/* SPDX-License-Identifier: Apache-2.0
 *
 * Rows of x that are not in memory: in one piece in a file, in HDF5's hands, or pictures in a file or in files of their
 * own. */
#include "base/memory.h"
#include "data/dataset_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- arrays ---- */

/* Reads bytes of the dataset file without HDF5. */
static Status read_bytes(const Dataset *dataset, uint64_t offset, void *to, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(dataset->bytes, (char *)to + done, size - done, (off_t)(offset + done));
        if (got == 0 || (got < 0 && errno != EINTR))
            return status_fail(STATUS_FAILED, "cannot read %s: %s", dataset->info.path,
                               got == 0 ? "it became shorter" : strerror(errno));
        done += got > 0 ? (size_t)got : 0;
    }
    return STATUS_OK;
}

/* Neighbours in one go. */
static Status read_flat(const Dataset *dataset, const DatasetPlace *place, const uint64_t rows[], size_t n, void *raw) {
    size_t bytes = dataset__x_bytes(dataset);
    for (size_t i = 0, run; i < n; i += run) {
        for (run = 1; i + run < n && rows[i + run] == rows[i] + run;)
            run++;
        TRY(read_bytes(dataset, place->offset + rows[i] * bytes, (char *)raw + i * bytes, run * bytes));
    }
    return STATUS_OK;
}

/* ---- pictures ---- */

static const FolderFile *file_of(const Dataset *dataset, DatasetSplit split, uint64_t row) {
    return &dataset->folder.files[dataset->folder.first[split] + row];
}

/* The bytes of a picture in a dataset file. */
static Status read_picture(Dataset *dataset, DatasetSplit split, uint64_t row, PictureWork *work, size_t *size) {
    const DatasetPlace *place = &dataset->place[split];
    uint64_t begin = row > 0 ? (uint64_t)place->end[row - 1] : 0;
    char path[512];
    *size = (size_t)((uint64_t)place->end[row] - begin);
    TRY(picture_room(work, *size));
    if (place->flat)
        return read_bytes(dataset, place->offset + begin, work->bytes, *size);
    return h5io_read_range(dataset->file, dataset__path(split, "x", path), H5IO_UINT8, (size_t)begin, *size,
                           work->bytes);
}

Status dataset__picture(Dataset *dataset, DatasetSplit split, uint64_t row, PictureWork *work, size_t *size,
                        char name[512]) {
    if (dataset->file == NULL) {
        const FolderFile *file = file_of(dataset, split, row);
        snprintf(name, 512, "%s", file->path);
        return picture_read(file->path, file->size, work, size);
    }
    snprintf(name, 512, "picture %llu of %s in %s", (unsigned long long)row, dataset_split_names[split],
             dataset->info.path);
    return read_picture(dataset, split, row, work, size);
}

/* What a crew decodes. */
typedef struct Pictures {
    Dataset *dataset;
    DatasetSplit split;
    const uint64_t *rows;
    uint8_t *x; /* NULL: into the split's x in memory */
} Pictures;

/* Decodes picture rows[i]. */
static Status decode_one(void *context, size_t i) {
    const Pictures *pictures = context;
    Dataset *dataset = pictures->dataset;
    DatasetPart *part = &dataset->part[pictures->split];
    uint64_t row = pictures->rows[i];
    uint8_t *x = pictures->x ? pictures->x + i * dataset__x_bytes(dataset)
                             : (uint8_t *)part->x + row * dataset__x_bytes(dataset);
    PictureWork *work;
    size_t size;
    char name[512];
    TRY(picture_work_take(&dataset->works, &work));
    Status status = dataset__picture(dataset, pictures->split, row, work, &size, name);
    if (status == STATUS_OK)
        status = picture_decode(&dataset->rule, work->bytes, size, name, work, x);
    if (status == STATUS_OK && pictures->x == NULL)
        part->decoded[row] = 1;
    picture_work_give(&dataset->works, work);
    return status;
}

Status dataset__decode(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n) {
    enum { PIECE = 256 };
    uint8_t *decoded = dataset->part[split].decoded;
    uint64_t missing[PIECE];
    Status status = STATUS_OK;
    for (size_t i = 0, count = 0; i < n; i++) {
        if (decoded[rows[i]] == 0) {
            decoded[rows[i]] = 2; /* a row may be asked for twice */
            missing[count++] = rows[i];
        }
        if (count < PIECE && i + 1 < n)
            continue;
        if (status == STATUS_OK)
            status = crew_run(dataset->crew, count, decode_one, &(Pictures){dataset, split, missing, NULL});
        for (size_t k = 0; k < count; k++)
            decoded[missing[k]] &= 1;
        count = 0;
    }
    return status;
}

/* ---- the whole ---- */

Status dataset__fetch(Dataset *dataset, DatasetSplit split, const uint64_t rows[], size_t n, void *raw) {
    char path[512];
    if (dataset->info.is_encoded)
        return crew_run(dataset->crew, n, decode_one, &(Pictures){dataset, split, rows, raw});
    if (dataset->place[split].flat)
        return read_flat(dataset, &dataset->place[split], rows, n, raw);
    return h5io_read_rows(dataset->file, dataset__path(split, "x", path), dataset__x_type(dataset), rows, n, raw);
}

Status dataset__labels(Dataset *dataset, DatasetSplit split, size_t label, size_t first, size_t n, H5ioType type,
                       void *values) {
    char path[512];
    if (dataset->file)
        return h5io_read_range(dataset->file, dataset__path(split, dataset->info.labels[label].name, path), type, first,
                               n, values);
    for (size_t i = 0; i < n; i++) {
        int64_t class = file_of(dataset, split, first + i)->label;
        if (type == H5IO_DOUBLE)
            ((double *)values)[i] = (double)class;
        else
            ((Real *)values)[i] = (Real) class;
    }
    return STATUS_OK;
}
