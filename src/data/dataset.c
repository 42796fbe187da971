/* SPDX-License-Identifier: Apache-2.0 */
#include "data/dataset.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MEMORY_LIMIT = 256 * 1000 * 1000 };

const char *const dataset_split_names[DATASET_SPLITS + 1] = {"train", "val", "test", NULL};

Status dataset_fail_empty(const DatasetInfo *info, DatasetSplit split) {
    const char *word = ". Choose with";
    Status status = status_fail(STATUS_FAILED, "%s has no %s data", info->path, dataset_split_names[split]);
    for (DatasetSplit s = 0; s < DATASET_SPLITS; s++)
        if (info->count[s] > 0) {
            status = status_fail(status, "%s%s --split %s", status_message(), word, dataset_split_names[s]);
            word = " or";
        }
    return status;
}

const char *dataset__path(DatasetSplit split, const char *array, char path[512]) {
    snprintf(path, 512, "/%s/%s", dataset_split_names[split], array);
    return path;
}

static Status bad(const Dataset *dataset, const char *array, const char *what) {
    return status_fail(STATUS_FAILED, "%s: %s %s", dataset->info.path, array, what);
}

/* ---- extents and types ---- */

/* The shape of one example: the dimensions after the first, an image without channels getting one. */
static Status example_shape(const Dataset *dataset, const char *path, const H5ioInfo *about, Shape *shape) {
    *shape = (Shape){.rank = about->rank - 1};
    if (about->rank < 1 || shape->rank > SHAPE_MAX)
        return bad(dataset, path, "should have 1 to 6 dimensions, the first one counting examples");
    for (size_t i = 0; i < shape->rank; i++)
        shape->dim[i] = about->dim[i + 1];
    if (about->count == 0)
        return bad(dataset, path, "is empty");
    return STATUS_OK;
}

static Status describe_x(Dataset *dataset, DatasetSplit split, bool first) {
    DatasetInfo *info = &dataset->info;
    H5ioInfo about;
    H5ioKind ends;
    Shape shape;
    char path[512];
    TRY(h5io_info(dataset->file, dataset__path(split, "x", path), &about));
    TRY(h5io_kind(dataset->file, dataset__path(split, "x_end", path), &ends));
    dataset__path(split, "x", path);
    bool is_uint8 = about.class == H5IO_CLASS_INTEGER && about.type_size == 1 && !about.is_signed;
    if (!is_uint8 && about.class != H5IO_CLASS_FLOAT)
        return bad(dataset, path, "should be uint8 or float32");
    if (info->is_encoded != (ends != H5IO_NONE) || (info->is_encoded && (!is_uint8 || about.rank != 1)))
        return bad(dataset, path,
                   "should be bytes of pictures, with x_end beside it, if and only if there is the attribute x_shape");
    if (info->is_encoded)
        return dataset__read_ends(dataset, split, about.count);
    TRY(example_shape(dataset, path, &about, &shape));
    if (shape.rank == 2 && !dataset->series) /* [n,H,W]: one channel */
        shape.dim[shape.rank++] = 1;
    if (shape.rank == 0) /* [n]: one number each */
        shape.dim[shape.rank++] = 1;
    if (!first && (!shape_equal(&shape, &info->shape) || is_uint8 != info->is_uint8)) {
        char a[SHAPE_TEXT], b[SHAPE_TEXT];
        return status_fail(STATUS_FAILED, "%s: %s has examples of %s %s, other splits of %s %s", info->path, path,
                           shape_format(&shape, a), is_uint8 ? "uint8" : "float", shape_format(&info->shape, b),
                           info->is_uint8 ? "uint8" : "float");
    }
    info->shape = shape;
    info->is_uint8 = is_uint8;
    info->count[split] = about.dim[0];
    return h5io_flat(dataset->file, path, dataset__x_type(dataset), &dataset->place[split].flat,
                     &dataset->place[split].offset);
}

/* Kind by type and extents alone; dataset__scan may find that LABEL_NUMBERS are one-hot. */
static Status describe_label(const Dataset *dataset, DatasetSplit split, DatasetLabel *label) {
    H5ioInfo about;
    char path[512];
    TRY(h5io_info(dataset->file, dataset__path(split, label->name, path), &about));
    if (about.class != H5IO_CLASS_INTEGER && about.class != H5IO_CLASS_FLOAT)
        return bad(dataset, path, "should hold numbers");
    TRY(example_shape(dataset, path, &about, &label->shape));
    bool weight = strcmp(label->name, "sample_weight") == 0;
    if (about.dim[0] != dataset->info.count[split])
        return status_fail(STATUS_FAILED, "%s: %s has %zu entries for %zu examples", dataset->info.path, path,
                           about.dim[0], dataset->info.count[split]);
    Shape *shape = &label->shape;
    bool single = shape->rank == 0 || (shape->rank == 1 && shape->dim[0] == 1);
    label->kind = about.class == H5IO_CLASS_INTEGER && (single || shape->rank > 1) ? LABEL_CLASS : LABEL_NUMBERS;
    if (weight && !single)
        return bad(dataset, path, "should hold one number for each example");
    if (weight)
        label->kind = LABEL_WEIGHT;
    if ((label->kind == LABEL_CLASS || weight) && single)
        shape->rank = 0;
    if (label->kind == LABEL_NUMBERS && shape->rank == 0)
        *shape = SHAPE(1);
    return STATUS_OK;
}

/* The labels of the first split that there is. */
static Status find_labels(Dataset *dataset, DatasetSplit split) {
    DatasetInfo *info = &dataset->info;
    char **names, group[512];
    size_t count;
    Status status = STATUS_OK;
    TRY(h5io_list(dataset->file, dataset__path(split, "", group), &names, &count));
    TRY_GOTO(memory_new(&info->labels, count, "labels"), done);
    /* "y" first, then the rest by name, weights at the end. */
    for (int pass = 0; pass < 3; pass++)
        for (size_t i = 0; i < count; i++) {
            int place = strcmp(names[i], "y") == 0 ? 0 : strcmp(names[i], "sample_weight") == 0 ? 2 : 1;
            if (place != pass || strcmp(names[i], "x") == 0 || strcmp(names[i], "x_end") == 0)
                continue;
            DatasetLabel *label = &info->labels[info->label_count];
            TRY_GOTO(memory_strdup(names[i], &label->name), done);
            info->label_count++;
            TRY_GOTO(describe_label(dataset, split, label), done);
        }
done:
    memory_free(names);
    return status;
}

/* Later splits must have the same labels. */
static Status compare_labels(Dataset *dataset, DatasetSplit split) {
    const DatasetInfo *info = &dataset->info;
    char **names, path[512];
    size_t count;
    TRY(h5io_list(dataset->file, dataset__path(split, "", path), &names, &count));
    memory_free(names);
    if (count != info->label_count + 1 + info->is_encoded)
        return bad(dataset, path, "has not the same arrays as the other splits");
    for (size_t i = 0; i < info->label_count; i++) {
        DatasetLabel here = {.name = info->labels[i].name};
        TRY(describe_label(dataset, split, &here));
        if (here.kind != info->labels[i].kind || !shape_equal(&here.shape, &info->labels[i].shape))
            return bad(dataset, dataset__path(split, here.name, path),
                       "has another type or shape than in other splits");
    }
    return STATUS_OK;
}

static Status read_layout(Dataset *dataset) {
    char *layout;
    bool exists;
    TRY(h5io_attr_exists(dataset->file, "/", "layout", &exists));
    if (!exists)
        return STATUS_OK;
    TRY(h5io_attr_read_string(dataset->file, "/", "layout", &layout));
    dataset->series = strcmp(layout, "series") == 0;
    memory_free(layout);
    return dataset->series ? STATUS_OK : bad(dataset, "attribute layout", "is none that this program knows: series");
}

static Status describe(Dataset *dataset) {
    char path[512];
    bool first = true;
    TRY(read_layout(dataset));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        H5ioKind kind;
        TRY(h5io_kind(dataset->file, dataset_split_names[split], &kind));
        if (kind == H5IO_NONE)
            continue;
        TRY(h5io_kind(dataset->file, dataset__path(split, "x", path), &kind));
        if (kind != H5IO_DATASET)
            return bad(dataset, path, "is missing");
        TRY(describe_x(dataset, split, first));
        TRY(first ? find_labels(dataset, split) : compare_labels(dataset, split));
        first = false;
    }
    return first ? status_fail(
                       STATUS_FAILED,
                       "%s is not a dataset: it has none of the groups train, val, test. cnn_import makes datasets",
                       dataset->info.path)
                 : STATUS_OK;
}

/* ---- attributes ---- */

static Status read_attributes(Dataset *dataset) {
    DatasetInfo *info = &dataset->info;
    bool exists;
    TRY(h5io_attr_strings_exist(dataset->file, "/", "class_names", &exists));
    if (exists)
        TRY(h5io_attr_read_strings(dataset->file, "/", "class_names", &info->class_names, &info->class_name_count));
    TRY(h5io_attr_exists(dataset->file, "/", "origin", &exists));
    if (exists)
        TRY(h5io_attr_read_string(dataset->file, "/", "origin", &info->origin));
    else
        TRY(memory_strdup("", &info->origin));
    TRY(h5io_attr_exists(dataset->file, "/", "value_max", &exists));
    info->value_max = info->is_uint8 ? 255 : 1;
    if (exists)
        TRY(h5io_attr_read(dataset->file, "/", "value_max", H5IO_DOUBLE, 1, &info->value_max));
    if (!isfinite(info->value_max) || info->value_max <= 0)
        return bad(dataset, "attribute value_max", "should be a number above 0");
    return STATUS_OK;
}

/* "data/digits.h5" to "digits", "photos/" to "photos" */
static Status name_of(const char *path, char **name) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    const char *base = memrchr(path, '/', length);
    base = base && length > 1 ? base + 1 : path;
    TRY(memory_format(name, "%.*s", (int)(path + length - base), base));
    char *end = strrchr(*name, '.');
    if (end != NULL && end != *name &&
        (strcmp(end, ".h5") == 0 || strcmp(end, ".hdf5") == 0 || strcmp(end, ".csv") == 0))
        *end = '\0';
    return STATUS_OK;
}

/* ---- open and close ---- */

static Status open_file(Dataset *dataset, const char *path, const DatasetOptions *options) {
    TRY(h5io_open(path, &dataset->file));
    dataset->bytes = open(path, O_RDONLY | O_CLOEXEC);
    if (dataset->bytes < 0)
        return status_fail(STATUS_FAILED, "cannot open %s: %s", path, strerror(errno));
    struct stat about;
    if (fstat(dataset->bytes, &about) == 0)
        dataset->written = (uint64_t)about.st_mtim.tv_sec * 1000000000u + (uint64_t)about.st_mtim.tv_nsec;
    TRY(dataset__read_rule(dataset, options));
    TRY(describe(dataset));
    return read_attributes(dataset);
}

static Status fill(Dataset *dataset, const char *path, const DatasetOptions *options) {
    TRY(memory_strdup(path, &dataset->info.path));
    TRY(name_of(path, &dataset->info.name));
    TRY(folder_is_source(path) ? dataset__open_folder(dataset, options) : open_file(dataset, path, options));
    dataset->plain = (Preprocess){.shape = dataset->info.shape, .channels = 1, .scale = {1}};
    return dataset__scan(dataset);
}

Status dataset_open_with(const char *path, const DatasetOptions *options, Dataset **out) {
    Dataset *dataset;
    *out = NULL;
    TRY(memory_new(&dataset, 1, "dataset"));
    pthread_mutex_init(&dataset->lock, NULL);
    pthread_mutex_init(&dataset->works.lock, NULL);
    dataset->memory_limit = MEMORY_LIMIT;
    dataset->bytes = -1;
    Status status = fill(dataset, path, options);
    if (status == STATUS_OK)
        *out = dataset;
    else
        dataset_close(dataset);
    return status;
}

Status dataset_open(const char *path, Dataset **out) {
    return dataset_open_with(path, NULL, out);
}

void dataset_close(Dataset *dataset) {
    if (dataset == NULL)
        return;
    DatasetInfo *info = &dataset->info;
    crew_destroy(dataset->crew);
    picture_works_free(&dataset->works);
    dataset__free_parts(dataset);
    folder_free(&dataset->folder);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        memory_free(dataset->place[split].end);
    if (dataset->bytes >= 0)
        close(dataset->bytes);
    h5io_close(dataset->file); /* was read only: nothing to lose */
    for (size_t i = 0; i < info->label_count; i++)
        memory_free(info->labels[i].name);
    memory_free(info->labels);
    memory_free(info->class_names);
    memory_free(info->origin);
    memory_free(info->name);
    memory_free(info->path);
    pthread_mutex_destroy(&dataset->works.lock);
    pthread_mutex_destroy(&dataset->lock);
    memory_free(dataset);
}

const DatasetInfo *dataset_info(const Dataset *dataset) {
    return &dataset->info;
}

void dataset_warn_of_doubts(const DatasetInfo *info) {
    enum { SIDE = 8 }; /* more channels than an image in the order that we read has, or series of one row */
    const size_t *dim = info->shape.dim;
    char text[SHAPE_TEXT];
    if (info->shape.rank == 3 && dim[2] >= SIDE && dim[1] >= SIDE && (dim[0] == 3 || (dim[0] == 1 && dim[1] == dim[2])))
        log_warn("%s has examples of %s: are these %zu channels of %zux%zu? They are taken as height x width x "
                 "channels: write x as [n, height, width, channels] (NumPy: x.transpose(0, 2, 3, 1))",
                 info->path, shape_format(&info->shape, text), dim[0], dim[1], dim[2]);
    if (info->label_count > 0 && info->labels[0].like_classes)
        log_warn(
            "%s: labels %s are whole numbers of which none is missing, but stored as floats: they are numbers to be "
            "predicted. If they are classes, write them as integers",
            info->path, info->labels[0].name);
}

int dataset_weights(const DatasetInfo *info) {
    bool last = info->label_count > 0 && info->labels[info->label_count - 1].kind == LABEL_WEIGHT;
    return last ? (int)info->label_count - 1 : -1;
}

void dataset_set_memory_limit(Dataset *dataset, size_t bytes) {
    dataset->memory_limit = bytes;
}

/* ---- the digits that ship with the project ---- */

static void folder_of_program(char folder[4096]) {
    ssize_t length = readlink("/proc/self/exe", folder, 4095);
    folder[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash != NULL)
        *slash = '\0';
}

Status dataset_find_default(char **path) {
    char program[4096], beside[4096 + 32];
    const char *asked = getenv("CNN_DATASETS");
    if (asked != NULL && *asked != '\0')
        return memory_format(path, "%s/digits.h5", asked);
    folder_of_program(program);
    snprintf(beside, sizeof beside, "%s/../share/cnn/datasets", program);
    const char *folders[] = {beside, CNN_DATA_DIR "/datasets", CNN_SOURCE_DIR "/datasets"};
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        TRY(memory_format(path, "%s/digits.h5", folders[i]));
        if (access(*path, R_OK) == 0)
            return STATUS_OK;
        memory_free(*path);
        *path = NULL;
    }
    return status_fail(
        STATUS_FAILED,
        "cannot find digits.h5, which ships with this program, in %s, %s or %s. Give a dataset with --data, "
        "or the folder of digits.h5 in the environment variable CNN_DATASETS.",
        folders[0], folders[1], folders[2]);
}
