/* SPDX-License-Identifier: Apache-2.0
 *
 * Pairs of idx files: images and labels. */
#include "base/memory.h"
#include "data/format_idx.h"
#include "data/import.h"
#include <string.h>

typedef struct Idx {
    const char *path[2][DATASET_SPLITS]; /* borrowed from the options: images, labels */
    FormatIdx images[DATASET_SPLITS], labels[DATASET_SPLITS];
    DatasetLabel label;
} Idx;

enum { IMAGES, LABELS };
static const char *const what[] = {"images", "labels"};

/* ---- which file is what ---- */

static Status put(Idx *idx, int kind, const char *path, DatasetSplit split) {
    const char **place = &idx->path[kind][split], *name = dataset_split_names[split];
    if (*place != NULL)
        return status_fail(STATUS_USAGE,
                           "both %s and %s look like the %s of %s. Say which is which, with --%s-%s FILE.", *place,
                           path, what[kind], name, name, what[kind]);
    *place = path;
    return STATUS_OK;
}

static Status cannot_tell(const char *path, int kind) {
    return status_fail(STATUS_USAGE, "cannot tell which split %s is. Say it with --train-%s, --val-%s or --test-%s.",
                       path, what[kind], what[kind], what[kind]);
}

/* A file of the command line; `only`: no other one has images. */
static Status sort_images(Idx *idx, const char *path, size_t count, bool only, size_t image_count[]) {
    DatasetSplit split = import_split_of(path);
    if (split == DATASET_SPLITS && !only)
        return cannot_tell(path, IMAGES);
    split = split == DATASET_SPLITS ? DATASET_TRAIN : split;
    image_count[split] = count;
    return put(idx, IMAGES, path, split);
}

/* A name that says nothing goes to the only images of its count. */
static Status sort_labels(Idx *idx, const char *path, size_t count, const size_t image_count[]) {
    DatasetSplit split = import_split_of(path);
    bool unnamed = split == DATASET_SPLITS;
    for (DatasetSplit s = 0; unnamed && s < DATASET_SPLITS; s++)
        if (idx->path[IMAGES][s] != NULL && image_count[s] == count) {
            if (split != DATASET_SPLITS)
                return cannot_tell(path, LABELS);
            split = s;
        }
    return split == DATASET_SPLITS ? cannot_tell(path, LABELS) : put(idx, LABELS, path, split);
}

/* Images first, so that labels can be matched with them by count. */
static Status sort(Idx *idx, const ImportOptions *options) {
    size_t image_count[DATASET_SPLITS] = {0}, count[IMPORT_PATHS], images = 0, files = 0;
    bool is_labels[IMPORT_PATHS];
    for (; files < IMPORT_PATHS && options->path[files][0]; files++) {
        FormatIdx file;
        TRY(format_idx_open(options->path[files], &file));
        is_labels[files] = file.shape.rank == 0;
        count[files] = file.count;
        images += !is_labels[files];
        format_idx_close(&file);
    }
    for (size_t i = 0; i < files; i++)
        if (!is_labels[i])
            TRY(sort_images(idx, options->path[i], count[i], images == 1, image_count));
    for (size_t i = 0; i < files; i++)
        if (is_labels[i])
            TRY(sort_labels(idx, options->path[i], count[i], image_count));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        if (options->images[split][0])
            idx->path[IMAGES][split] = options->images[split];
        if (options->labels[split][0])
            idx->path[LABELS][split] = options->labels[split];
    }
    return STATUS_OK;
}

/* ---- the kind ---- */

/* Opens a pair and checks that its files belong together. */
static Status open_pair(Idx *idx, DatasetSplit split, ImportSource *source) {
    const char *images = idx->path[IMAGES][split], *labels = idx->path[LABELS][split];
    const char *name = dataset_split_names[split];
    FormatIdx *x = &idx->images[split], *y = &idx->labels[split];
    if (images == NULL && labels == NULL)
        return STATUS_OK;
    if (images == NULL || labels == NULL)
        return status_fail(STATUS_USAGE, "%s has %s but no %s. Give them with --%s-%s FILE.", name,
                           what[images == NULL], what[images != NULL], name, what[images != NULL]);
    TRY(import_note_file(source, images));
    TRY(import_note_file(source, labels));
    TRY(format_idx_open(images, x));
    TRY(format_idx_open(labels, y));
    Shape shape = x->shape;
    if (shape.rank < 2)
        return status_fail(STATUS_FAILED, "%s does not hold images: it has %zu dimensions", images, shape.rank + 1);
    if (y->shape.rank != 0)
        return status_fail(STATUS_FAILED, "%s does not hold labels: it has more than one dimension", labels);
    if (x->count != y->count)
        return status_fail(STATUS_FAILED, "%s has %zu images, %s has %zu labels: they do not belong together", images,
                           x->count, labels, y->count);
    if (shape.rank == 2)
        shape.dim[shape.rank++] = 1;
    if (source->info.shape.rank != 0 && !shape_equal(&shape, &source->info.shape))
        return status_fail(STATUS_FAILED, "%s has images of another size than the other files", images);
    source->info.shape = shape;
    source->info.count[split] = x->count;
    return STATUS_OK;
}

static Status open_idx(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    Idx *idx;
    (void)names, (void)name_count;
    TRY(memory_new(&idx, 1, "idx files"));
    source->self = idx;
    TRY(sort(idx, options));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        TRY(open_pair(idx, split, source));
    if (source->info.shape.rank == 0)
        return status_fail(STATUS_USAGE, "no images given");
    idx->label = (DatasetLabel){.name = (char *)"y", .kind = LABEL_CLASS};
    source->info.is_uint8 = true;
    source->info.value_max = 255;
    source->info.labels = &idx->label;
    source->info.label_count = 1;
    return STATUS_OK;
}

static void close_idx(ImportSource *source) {
    Idx *idx = source->self;
    for (DatasetSplit split = 0; idx != NULL && split < DATASET_SPLITS; split++) {
        format_idx_close(&idx->images[split]);
        format_idx_close(&idx->labels[split]);
    }
    memory_free(idx);
}

static Status read_idx(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    const Idx *idx = source->self;
    const FormatIdx *images = &idx->images[split];
    memcpy(x, images->first + i * images->width, images->width);
    *(int64_t *)labels[0] = idx->labels[split].first[i];
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
