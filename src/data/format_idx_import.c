/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "data/format_idx.h"
#include "data/sampler.h"
#include <stdio.h>
#include <string.h>

enum { BLOCK_BYTES = 1 << 20 };

/* ---- which file is what ---- */

/* The split that the file name tells, or DATASET_SPLITS. */
static DatasetSplit split_by_name(const char *path) {
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    static const struct {
        const char *part;
        DatasetSplit split;
    } names[] = {{"train", DATASET_TRAIN}, {"t10k", DATASET_TEST}, {"test", DATASET_TEST}, {"val", DATASET_VAL}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasestr(base, names[i].part) != NULL)
            return names[i].split;
    return DATASET_SPLITS;
}

static Status look_at(const char *path, bool *is_labels, size_t *count) {
    FormatIdx *file;
    TRY(format_idx_open(path, &file));
    *is_labels = format_idx_shape(file).rank == 0;
    *count = format_idx_count(file);
    format_idx_close(file);
    return STATUS_OK;
}

static Status put(const char **place, const char *path, const char *option, DatasetSplit split) {
    if (*place != NULL)
        return status_fail(STATUS_USAGE,
                           "both %s and %s look like the %s of %s. Say which is which, with --%s-%s FILE.", *place,
                           path, option, dataset_split_names[split], dataset_split_names[split], option);
    *place = path;
    return STATUS_OK;
}

static Status cannot_tell(const char *path, const char *option) {
    return status_fail(STATUS_USAGE, "cannot tell which split %s is. Say it with --train-%s, --val-%s or --test-%s.",
                       path, option, option, option);
}

/* Images first, so that labels can be matched with them by count. */
static Status sort_one(const char *path, size_t images_given, bool want_labels, size_t image_count[DATASET_SPLITS],
                       FormatIdxImport *import) {
    bool is_labels;
    size_t count;
    DatasetSplit split = split_by_name(path);
    TRY(look_at(path, &is_labels, &count));
    if (is_labels != want_labels)
        return STATUS_OK;
    if (!is_labels) {
        if (split == DATASET_SPLITS && images_given > 1)
            return cannot_tell(path, "images");
        split = split == DATASET_SPLITS ? DATASET_TRAIN : split;
        image_count[split] = count;
        return put(&import->images[split], path, "images", split);
    }
    bool unnamed = split == DATASET_SPLITS;
    for (DatasetSplit s = 0; unnamed && s < DATASET_SPLITS; s++)
        if (import->images[s] != NULL && image_count[s] == count) {
            if (split != DATASET_SPLITS)
                return cannot_tell(path, "labels");
            split = s;
        }
    return split == DATASET_SPLITS ? cannot_tell(path, "labels") : put(&import->labels[split], path, "labels", split);
}

Status format_idx_sort(const char *const files[], size_t count, FormatIdxImport *import) {
    size_t image_count[DATASET_SPLITS] = {0}, images = 0, entries;
    for (size_t i = 0; i < count; i++) {
        bool is_labels;
        TRY(look_at(files[i], &is_labels, &entries));
        images += !is_labels;
    }
    for (int labels = 0; labels < 2; labels++)
        for (size_t i = 0; i < count; i++)
            TRY(sort_one(files[i], images, labels != 0, image_count, import));
    return STATUS_OK;
}

/* ---- import ---- */

typedef struct Import {
    const FormatIdxImport *options;
    FormatIdx *images[DATASET_SPLITS], *labels[DATASET_SPLITS];
    DatasetLabel label;
    DatasetInfo info;
    DatasetWriter *writer;
    bool *is_validation; /* of each train example; NULL: none is */
    size_t block;        /* examples read at once */
    uint8_t *x, *y, *val_x;
    int64_t *class, *val_class;
} Import;

/* Opens the pairs and checks that they belong together. */
static Status open_pair(Import *import, DatasetSplit split) {
    const char *images = import->options->images[split], *labels = import->options->labels[split];
    const char *name = dataset_split_names[split];
    if (images == NULL && labels == NULL)
        return STATUS_OK;
    if (images == NULL || labels == NULL)
        return status_fail(STATUS_USAGE, "%s has %s but no %s. Give them with --%s-%s FILE.", name,
                           images ? "images" : "labels", images ? "labels" : "images", name,
                           images ? "labels" : "images");
    TRY(format_idx_open(images, &import->images[split]));
    TRY(format_idx_open(labels, &import->labels[split]));
    Shape shape = format_idx_shape(import->images[split]);
    if (shape.rank < 2)
        return status_fail(STATUS_FAILED, "%s does not hold images: it has %zu dimensions", images, shape.rank + 1);
    if (format_idx_shape(import->labels[split]).rank != 0)
        return status_fail(STATUS_FAILED, "%s does not hold labels: it has more than one dimension", labels);
    if (format_idx_count(import->images[split]) != format_idx_count(import->labels[split]))
        return status_fail(STATUS_FAILED, "%s has %zu images, %s has %zu labels: they do not belong together", images,
                           format_idx_count(import->images[split]), labels, format_idx_count(import->labels[split]));
    if (shape.rank == 2)
        shape.dim[shape.rank++] = 1;
    if (import->info.shape.rank != 0 && !shape_equal(&shape, &import->info.shape))
        return status_fail(STATUS_FAILED, "%s has images of another size than the other files", images);
    import->info.shape = shape;
    import->info.count[split] = format_idx_count(import->images[split]);
    return STATUS_OK;
}

static Status choose_validation(Import *import) {
    const FormatIdxImport *options = import->options;
    size_t total = import->info.count[DATASET_TRAIN];
    if (options->validation_split == 0)
        return STATUS_OK;
    if (import->images[DATASET_VAL] != NULL)
        return status_fail(STATUS_USAGE, "--validation-split excludes --val-images: there is a val part already");
    if (total == 0)
        return status_fail(STATUS_USAGE, "--validation-split needs train images");
    TRY(memory_new(&import->is_validation, total, "validation split"));
    SamplerView view = sampler_validation_part(total, options->validation_split, options->seed);
    for (uint64_t i = 0; i < view.count; i++)
        import->is_validation[sampler_row(&view, i)] = true;
    import->info.count[DATASET_VAL] = (size_t)view.count;
    import->info.count[DATASET_TRAIN] -= (size_t)view.count;
    return STATUS_OK;
}

static Status start(Import *import) {
    const FormatIdxImport *options = import->options;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        TRY(open_pair(import, split));
    if (import->info.shape.rank == 0)
        return status_fail(STATUS_USAGE, "no images given");
    TRY(choose_validation(import));
    import->label = (DatasetLabel){.name = "y", .kind = LABEL_CLASS};
    import->info.is_uint8 = true;
    import->info.value_max = 255;
    import->info.labels = &import->label;
    import->info.label_count = 1;
    import->info.class_names = options->class_names;
    import->info.class_name_count = options->class_name_count;
    import->info.origin = (char *)(uintptr_t)options->origin; /* only read */
    size_t width = shape_count(&import->info.shape);
    import->block = width < BLOCK_BYTES ? BLOCK_BYTES / width : 1;
    TRY(memory_new(&import->x, import->block * width, "images"));
    TRY(memory_new(&import->y, import->block, "labels"));
    TRY(memory_new(&import->class, import->block, "labels"));
    TRY(memory_new(&import->val_x, import->block * width, "images"));
    TRY(memory_new(&import->val_class, import->block, "labels"));
    return dataset_writer_create(options->output, options->replace, &import->info, &import->writer);
}

/* Moves the validation examples of a block out of x and class; returns how many stay. */
static size_t part_validation(Import *import, size_t first, size_t n, size_t *moved) {
    size_t width = shape_count(&import->info.shape), kept = 0;
    *moved = 0;
    for (size_t i = 0; i < n; i++) {
        bool validation = import->is_validation[first + i];
        size_t to = validation ? (*moved)++ : kept++;
        memmove((validation ? import->val_x : import->x) + to * width, import->x + i * width, width);
        (validation ? import->val_class : import->class)[to] = import->class[i];
    }
    return kept;
}

static Status write_block(Import *import, DatasetSplit split, size_t first, size_t n) {
    size_t moved = 0;
    if (split == DATASET_TRAIN && import->is_validation != NULL)
        n = part_validation(import, first, n, &moved);
    TRY(dataset_writer_append(import->writer, split, n, import->x, (const void *[]){import->class}));
    return dataset_writer_append(import->writer, DATASET_VAL, moved, import->val_x,
                                 (const void *[]){import->val_class});
}

static Status copy_split(Import *import, DatasetSplit split) {
    FormatIdx *images = import->images[split], *labels = import->labels[split];
    const FormatIdxImport *options = import->options;
    size_t count = format_idx_count(images);
    for (size_t first = 0; first < count; first += import->block) {
        size_t n = count - first < import->block ? count - first : import->block;
        TRY(format_idx_read(images, n, import->x));
        TRY(format_idx_read(labels, n, import->y));
        for (size_t i = 0; i < n; i++) {
            import->class[i] = import->y[i];
            if (options->class_name_count > 0 && import->y[i] >= options->class_name_count)
                return status_fail(STATUS_FAILED,
                                   "label %d of example %zu in %s is out of range: there are %zu class names",
                                   import->y[i], first + i, options->labels[split], options->class_name_count);
        }
        TRY(write_block(import, split, first, n));
        log_verbose("%s: %zu of %zu\n", dataset_split_names[split], first + n, count);
    }
    TRY(format_idx_at_end(images));
    return format_idx_at_end(labels);
}

Status format_idx_import(const FormatIdxImport *options) {
    Import import = {.options = options};
    Status status = start(&import);
    for (DatasetSplit split = 0; status == STATUS_OK && split < DATASET_SPLITS; split++)
        if (import.images[split] != NULL)
            status = copy_split(&import, split);
    if (status == STATUS_OK)
        status = dataset_writer_finish(import.writer);
    dataset_writer_destroy(import.writer);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        format_idx_close(import.images[split]);
        format_idx_close(import.labels[split]);
    }
    memory_free(import.is_validation);
    memory_free(import.x);
    memory_free(import.y);
    memory_free(import.class);
    memory_free(import.val_x);
    memory_free(import.val_class);
    return status;
}
