/* SPDX-License-Identifier: Apache-2.0
 *
 * idx files: images, and labels if there are any. */
#include "base/memory.h"
#include "data/format_idx.h"
#include "data/import.h"
#include <string.h>

typedef struct Idx {
    FormatIdx *file;  /* owned */
    ImportPart *part; /* owned; what each is */
    size_t files;
    DatasetLabel y;
} Idx;

static Status add_file(Idx *idx, const char *path, DatasetSplit split, ImportSource *source) {
    FormatIdx *file = &idx->file[idx->files];
    TRY(import_note_file(source, path));
    TRY(format_idx_open(path, file));
    idx->part[idx->files++] = (ImportPart){path, split, file->shape.rank == 0, file->count, 0};
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
    for (size_t i = 0; i < options->path_count; i++)
        TRY(add_file(idx, options->paths[i], import_split_of(options->paths[i]), source));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        TRY(add_named(idx, options->images[split], split, false, source));
        TRY(add_named(idx, options->labels[split], split, true, source));
    }
    return STATUS_OK;
}

static Status check_size(const Idx *idx, size_t x, DatasetInfo *info) {
    Shape shape = idx->file[x].shape;
    if (shape.rank < 2)
        return status_fail(STATUS_FAILED, "%s does not hold images: it has %zu dimensions", idx->part[x].name,
                           shape.rank + 1);
    if (shape.rank == 2)
        shape.dim[shape.rank++] = 1;
    if (info->shape.rank != 0 && !shape_equal(&shape, &info->shape))
        return status_fail(STATUS_FAILED, "%s has images of another size than the other files", idx->part[x].name);
    info->shape = shape;
    return STATUS_OK;
}

static Status open_idx(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    size_t room = options->path_count + 2 * DATASET_SPLITS;
    DatasetInfo *info = &source->info;
    bool labelled;
    Idx *idx;
    (void)names, (void)name_count;
    TRY(memory_new(&idx, 1, "idx files"));
    source->self = idx;
    TRY(memory_new(&idx->file, room, "idx files"));
    TRY(memory_new(&idx->part, room, "idx files"));
    TRY(open_files(idx, options, source));
    TRY(import_sort_parts(idx->part, idx->files, info->count, &labelled));
    for (size_t i = 0; i < idx->files; i++)
        if (!idx->part[i].is_labels)
            TRY(check_size(idx, i, info));
    idx->y = (DatasetLabel){.name = (char *)"y", .kind = LABEL_CLASS};
    info->is_uint8 = true;
    info->value_max = 255;
    info->labels = &idx->y;
    info->label_count = labelled;
    return STATUS_OK;
}

static void close_idx(ImportSource *source) {
    Idx *idx = source->self;
    if (idx == NULL)
        return;
    for (size_t i = 0; i < idx->files; i++)
        format_idx_close(&idx->file[i]);
    memory_free(idx->file);
    memory_free(idx->part);
    memory_free(idx);
}

static Status read_idx(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    const Idx *idx = source->self;
    size_t row = i;
    const FormatIdx *images = &idx->file[import_find_part(idx->part, false, split, &row)];
    memcpy(x, images->first + row * images->width, images->width);
    if (source->info.label_count > 0)
        *(int64_t *)labels[0] = idx->file[import_find_part(idx->part, true, split, &i)].first[i];
    return STATUS_OK;
}

const ImportKind import_kind_idx = {
    .name = "idx",
    .arguments = "FILE...",
    .help = "files of the MNIST family: images and labels, told apart by content and name",
    .options = "train-images train-labels val-images val-labels test-images test-labels size resize channels",
    .resizes = true,
    .open = open_idx,
    .close = close_idx,
    .read = read_idx,
};
