/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "data/dataset_internal.h"
#include "io/digest.h"
#include <math.h>
#include <string.h>

enum { SCAN_NUMBERS = 1 << 16, SAMPLE = 64, CLASSES_MAX = 1000000, CLASS_LIKE = 1024 };

/* What the numbers of a label array, over all splits, have in common. */
typedef struct LabelFacts {
    double max;
    bool zero_one; /* nothing but 0 and 1 */
    bool one_hot;  /* and exactly one 1 per example */
    bool whole;    /* nothing but whole numbers from 0 to below CLASS_LIKE, */
    bool seen[CLASS_LIKE];
} LabelFacts;

/* Checks the labels of examples first .. first+n-1 and updates what is known. */
static Status check_block(const Dataset *dataset, const DatasetLabel *label, const char *path, size_t first, size_t n,
                          const double *values, LabelFacts *facts) {
    size_t width = shape_count(&label->shape);
    for (size_t i = 0; i < n; i++) {
        double sum = 0;
        for (size_t j = 0; j < width; j++) {
            double value = values[i * width + j];
            if (!isfinite(value) || fabs(value) > 1e30)
                return status_fail(STATUS_FAILED, "%s: %s of example %zu is %g", dataset->info.path, path, first + i,
                                   value);
            if (label->kind == LABEL_CLASS && (value < 0 || value >= CLASSES_MAX))
                return status_fail(STATUS_FAILED, "%s: %s of example %zu is %.0f; class numbers go from 0 to %d",
                                   dataset->info.path, path, first + i, value, CLASSES_MAX - 1);
            if (label->kind == LABEL_WEIGHT && value < 0)
                return status_fail(STATUS_FAILED, "%s: %s of example %zu is %g; a weight is at least 0",
                                   dataset->info.path, path, first + i, value);
            facts->max = value > facts->max ? value : facts->max;
            facts->zero_one = facts->zero_one && (value == 0 || value == 1);
            facts->whole = facts->whole && value >= 0 && value < CLASS_LIKE && value == floor(value);
            if (facts->whole)
                facts->seen[(size_t)value] = true;
            sum += value;
        }
        facts->one_hot = facts->one_hot && facts->zero_one && sum == 1;
    }
    return STATUS_OK;
}

static Status scan_array(Dataset *dataset, DatasetSplit split, const DatasetLabel *label, Digest *digest,
                         LabelFacts *facts) {
    size_t width = shape_count(&label->shape), count = dataset->info.count[split];
    size_t block = width < SCAN_NUMBERS ? SCAN_NUMBERS / width : 1;
    block = block < count ? block : count;
    char path[512];
    double *values;
    dataset__path(split, label->name, path);
    TRY(memory_new(&values, block * width, "labels"));
    Status status = STATUS_OK;
    for (size_t first = 0; status == STATUS_OK && first < count; first += block) {
        size_t n = count - first < block ? count - first : block;
        status = dataset__labels(dataset, split, (size_t)(label - dataset->info.labels), first, n, H5IO_DOUBLE, values);
        if (status == STATUS_OK)
            status = check_block(dataset, label, path, first, n, values, facts);
        if (status == STATUS_OK)
            status = digest_bytes(digest, values, n * width * sizeof *values);
    }
    memory_free(values);
    return status;
}

/* Whole numbers of which all from 0 to the largest, 2 or more, occur: class numbers, most likely. */
static bool are_like_classes(const LabelFacts *facts) {
    if (!facts->whole || facts->max < 2)
        return false;
    for (size_t i = 0; i <= (size_t)facts->max; i++)
        if (!facts->seen[i])
            return false;
    return true;
}

/* Kind and number of classes, from what was seen. */
static Status settle(const Dataset *dataset, DatasetLabel *label, const LabelFacts *facts) {
    const DatasetInfo *info = &dataset->info;
    if (label->kind == LABEL_NUMBERS && label->shape.rank == 1 && facts->zero_one)
        label->kind = facts->one_hot && label->shape.dim[0] > 1 ? LABEL_ONE_HOT : LABEL_MULTI_HOT;
    label->like_classes = label->kind == LABEL_NUMBERS && shape_count(&label->shape) == 1 && are_like_classes(facts);
    label->classes = label->kind == LABEL_CLASS ? (size_t)facts->max + 1 : shape_count(&label->shape);
    if (label != info->labels || info->class_names == NULL || label->kind == LABEL_NUMBERS ||
        label->kind == LABEL_WEIGHT)
        return STATUS_OK; /* class names belong to the first label array */
    if (label->kind == LABEL_CLASS ? label->classes > info->class_name_count : label->classes != info->class_name_count)
        return status_fail(STATUS_FAILED, "%s: the labels %s are of %zu classes, class_names has %zu", info->path,
                           label->name, label->classes, info->class_name_count);
    label->classes = info->class_name_count;
    return STATUS_OK;
}

/* An example as the file has it; of pictures, the encoded bytes. */
static Status digest_example(Dataset *dataset, DatasetSplit split, uint64_t row, PictureWork *work, Digest *digest) {
    size_t size = dataset__x_bytes(dataset);
    char path[512];
    if (dataset->info.is_encoded) {
        TRY(dataset__picture(dataset, split, row, work, &size, path));
    } else {
        TRY(picture_room(work, size));
        TRY(h5io_read_range(dataset->file, dataset__path(split, "x", path), dataset__x_type(dataset), row, 1,
                            work->bytes));
    }
    return digest_bytes(digest, work->bytes, size);
}

/* 64 examples, evenly spaced, the first and the last among them. */
static Status digest_sample(Dataset *dataset, DatasetSplit split, Digest *digest) {
    size_t count = dataset->info.count[split], picks = count < SAMPLE ? count : SAMPLE;
    PictureWork *work;
    TRY(picture_work_take(&dataset->works, &work));
    Status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < picks; i++) {
        /* i * (count-1) / (picks-1), in an order that cannot overflow */
        size_t row = picks == 1 ? 0 : (count - 1) / (picks - 1) * i + (count - 1) % (picks - 1) * i / (picks - 1);
        status = digest_example(dataset, split, row, work, digest);
    }
    picture_work_give(&dataset->works, work);
    return status;
}

/* Of pictures: by which rule they are decoded, sizes, and names of files. */
static Status digest_pictures(Dataset *dataset, Digest *digest) {
    const Folder *folder = &dataset->folder;
    const char *root = dataset->info.path, *slash = strrchr(root, '/');
    size_t above = dataset->folder.listed ? (slash ? (size_t)(slash - root) : 0) : strlen(root);
    TRY(digest_text(digest, image_fits[dataset->info.fit]));
    for (size_t i = 0; i < folder->count; i++) {
        const char *path = folder->files[i].path;
        if (strncmp(path, root, above) == 0)
            path += above; /* the folder may move */
        TRY(digest_text(digest, path + strspn(path, "/")));
        TRY(digest_bytes(digest, &folder->files[i].size, sizeof folder->files[i].size));
    }
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        if (dataset->place[split].end)
            TRY(digest_bytes(digest, dataset->place[split].end, dataset->info.count[split] * sizeof(int64_t)));
    return STATUS_OK;
}

static Status scan(Dataset *dataset, Digest *digest) {
    DatasetInfo *info = &dataset->info;
    char shape[SHAPE_TEXT];
    TRY(digest_text(digest, shape_format(&info->shape, shape)));
    TRY(digest_text(digest, info->is_uint8 ? "uint8" : "float"));
    TRY(digest_bytes(digest, &info->value_max, sizeof info->value_max));
    for (size_t i = 0; i < info->class_name_count; i++)
        TRY(digest_text(digest, info->class_names[i]));
    if (info->is_encoded)
        TRY(digest_pictures(dataset, digest));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        uint64_t count = info->count[split];
        TRY(digest_bytes(digest, &count, sizeof count));
        if (count > 0)
            TRY(digest_sample(dataset, split, digest));
    }
    for (size_t i = 0; i < info->label_count; i++) {
        LabelFacts facts = {.zero_one = true, .one_hot = true, .whole = true};
        TRY(digest_text(digest, info->labels[i].name));
        TRY(digest_text(digest, shape_format(&info->labels[i].shape, shape)));
        for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
            if (info->count[split] > 0)
                TRY(scan_array(dataset, split, &info->labels[i], digest, &facts));
        TRY(settle(dataset, &info->labels[i], &facts));
    }
    return digest_finish(digest, info->fingerprint);
}

Status dataset__scan(Dataset *dataset) {
    Digest *digest;
    TRY(digest_create(&digest));
    Status status = scan(dataset, digest);
    digest_destroy(digest);
    return status;
}
