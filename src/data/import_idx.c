/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of idx files: images and labels. */
#include "base/memory.h"
#include "data/format_idx.h"
#include "data/import.h"
#include <string.h>

enum { FILES = IMPORT_PATHS + 2 * DATASET_SPLITS };

typedef struct Idx {
    FormatIdx file[FILES];
    ImportPart part[FILES]; /* what each is */
    size_t files;
    const FormatIdx *images[DATASET_SPLITS], *labels[DATASET_SPLITS]; /* into file; NULL: no such split */
    DatasetLabel y;
} Idx;

static Status add_file(Idx *idx, const char *path, DatasetSplit split, ImportSource *source) {
    FormatIdx *file = &idx->file[idx->files];
    TRY(import_note_file(source, path));
    TRY(format_idx_open(path, file));
    idx->part[idx->files++] = (ImportPart){path, split, file->shape.rank == 0, file->count};
    return STATUS_OK;
}

/* A file that an option named as images or labels must be that. */
static Status add_named(Idx *idx, const char *path, DatasetSplit split, bool is_labels, ImportSource *source) {
    if (!path[0])
        return STATUS_OK;
    TRY(add_file(idx, path, split, source));
    if (is_labels != idx->part[idx->files - 1].is_labels)
        return is_labels ? status_fail(STATUS_FAILED, "%s does not hold labels: it has more than one dimension", path)
                         : status_fail(STATUS_FAILED, "%s does not hold images: it has one dimension", path);
    return STATUS_OK;
}

static Status open_files(Idx *idx, const ImportOptions *options, ImportSource *source) {
    for (size_t i = 0; i < IMPORT_PATHS && options->path[i][0]; i++)
        TRY(add_file(idx, options->path[i], import_split_of(options->path[i]), source));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        TRY(add_named(idx, options->images[split], split, false, source));
        TRY(add_named(idx, options->labels[split], split, true, source));
    }
    return STATUS_OK;
}

static Status take_pair(Idx *idx, DatasetSplit split, size_t x, size_t y, DatasetInfo *info) {
    if (x == SIZE_MAX)
        return STATUS_OK;
    Shape shape = idx->file[x].shape;
    if (shape.rank < 2)
        return status_fail(STATUS_FAILED, "%s does not hold images: it has %zu dimensions", idx->part[x].name,
                           shape.rank + 1);
    if (shape.rank == 2)
        shape.dim[shape.rank++] = 1;
    if (info->shape.rank != 0 && !shape_equal(&shape, &info->shape))
        return status_fail(STATUS_FAILED, "%s has images of another size than the other files", idx->part[x].name);
    info->shape = shape;
    info->count[split] = idx->file[x].count;
    idx->images[split] = &idx->file[x];
    idx->labels[split] = &idx->file[y];
    return STATUS_OK;
}

static Status open_idx(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    Idx *idx;
    size_t pick[2][DATASET_SPLITS];
    (void)names, (void)name_count;
    TRY(memory_new(&idx, 1, "idx files"));
    source->self = idx;
    TRY(open_files(idx, options, source));
    TRY(import_sort_parts(idx->part, idx->files, pick));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        TRY(take_pair(idx, split, pick[0][split], pick[1][split], &source->info));
    idx->y = (DatasetLabel){.name = (char *)"y", .kind = LABEL_CLASS};
    source->info.is_uint8 = true;
    source->info.value_max = 255;
    source->info.labels = &idx->y;
    source->info.label_count = 1;
    return STATUS_OK;
}

static void close_idx(ImportSource *source) {
    Idx *idx = source->self;
    for (size_t i = 0; idx != NULL && i < idx->files; i++)
        format_idx_close(&idx->file[i]);
    memory_free(idx);
}

static Status read_idx(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    const Idx *idx = source->self;
    const FormatIdx *images = idx->images[split];
    memcpy(x, images->first + i * images->width, images->width);
    *(int64_t *)labels[0] = idx->labels[split]->first[i];
    return STATUS_OK;
}

const ImportKind import_kind_idx = {
    .name = "idx",
    .arguments = "FILE...",
    .help = "files of the MNIST family: images and labels, told apart by content and name",
    .options = "train-images train-labels val-images val-labels test-images test-labels",
    .open = open_idx,
    .close = close_idx,
    .read = read_idx,
};
