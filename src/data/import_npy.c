/* SPDX-License-Identifier: Apache-2.0
 *
 * NumPy's arrays: files .npy of x and of labels, or archives .npz of both, as numpy.savez and Keras's mnist.npz have
 * them. Which array is what follows from its name: a word of a split (train, val, test) and one of what it is (x,
 * images, data; y, labels, targets), as in x_train or test_images. */
#include "base/memory.h"
#include "data/import.h"
#include "io/file_bytes.h"
#include "io/keras_zip.h"
#include "io/npy.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

typedef struct Array {
    char *name;           /* owned: "mnist.npz: x_train" */
    unsigned char *entry; /* owned: the bytes of an entry of an archive; NULL: those of a file */
    Npy npy;
} Array;

typedef struct Arrays {
    FileBytes *file; /* owned */
    size_t files;
    Array *array;     /* owned */
    ImportPart *part; /* owned; what each is */
    size_t count;
    size_t width;
    bool bounded; /* --value-max is given */
    DatasetLabel label;
} Arrays;

/* ---- names ---- */

typedef enum Role { ROLE_NONE, ROLE_X, ROLE_LABELS } Role;

/* What the words of a name say, which stand between anything that is no letter: "x_train", "test-images-1". */
static Role role_of(const char *name, DatasetSplit *split) {
    static const char *const x[] = {"x", "image", "images", "img", "data", "features", "inputs"};
    static const char *const labels[] = {"y", "label", "labels", "target", "targets", "class", "classes"};
    static const struct {
        const char *word;
        DatasetSplit split;
    } splits[] = {{"train", DATASET_TRAIN}, {"training", DATASET_TRAIN}, {"val", DATASET_VAL},
                  {"valid", DATASET_VAL},   {"validation", DATASET_VAL}, {"test", DATASET_TEST}};
    char copy[256], *rest = copy;
    Role role = ROLE_NONE;
    snprintf(copy, sizeof copy, "%s", name);
    for (char *word; (word = strsep(&rest, "_-. 0123456789")) != NULL;) {
        for (size_t i = 0; i < sizeof x / sizeof *x; i++)
            role = strcasecmp(word, x[i]) == 0 ? ROLE_X : strcasecmp(word, labels[i]) == 0 ? ROLE_LABELS : role;
        for (size_t i = 0; i < sizeof splits / sizeof *splits; i++)
            *split = strcasecmp(word, splits[i].word) == 0 ? splits[i].split : *split;
    }
    return role;
}

/* ---- arrays ---- */

/* Takes `unpacked`, the bytes of an entry of an archive; NULL: bytes are a file's. */
static Status add_array(Arrays *arrays, const char *name, const char *entry, unsigned char *unpacked,
                        const uint8_t *bytes, size_t size, Role role, DatasetSplit split) {
    Array *array = &arrays->array[arrays->count];
    ImportPart *part = &arrays->part[arrays->count++];
    array->entry = unpacked;
    TRY(entry ? memory_format(&array->name, "%s: %s", name, entry) : memory_strdup(name, &array->name));
    TRY(npy_open(array->name, bytes, size, &array->npy));
    if (array->npy.rank < 1 || array->npy.dim[0] == 0)
        return status_fail(STATUS_FAILED, "%s holds no rows", array->name);
    bool is_labels = role == ROLE_NONE ? array->npy.rank == 1 : role == ROLE_LABELS;
    *part = (ImportPart){array->name, split, is_labels, array->npy.dim[0], 0};
    return STATUS_OK;
}

static Status make_room(Arrays *arrays, size_t more) {
    TRY(memory_grow(&arrays->array, arrays->count, more, "arrays"));
    return memory_grow(&arrays->part, arrays->count, more, "arrays");
}

/* Entries whose names say nothing are passed over. */
static Status add_entries(Arrays *arrays, const char *path, const FileBytes *file, char *const names[], size_t count,
                          DatasetSplit usual) {
    size_t before = arrays->count, size;
    TRY(make_room(arrays, count));
    for (size_t i = 0; i < count; i++) {
        DatasetSplit split = usual;
        Role role = role_of(names[i], &split);
        if (role == ROLE_NONE)
            continue;
        unsigned char *entry;
        TRY(keras_zip_read(path, file->at, file->size, names[i], SIZE_MAX / 2, &entry, &size));
        TRY(add_array(arrays, path, names[i], entry, entry, size, role, split));
    }
    if (arrays->count == before)
        return status_fail(STATUS_FAILED, "%s has no arrays with names like x_train and y_train%s%s", path,
                           count > 0 ? "; the first is called " : "", count > 0 ? names[0] : "");
    return STATUS_OK;
}

static Status add_file(Arrays *arrays, const char *path, Role role, DatasetSplit split, ImportSource *source) {
    FileBytes *file = &arrays->file[arrays->files];
    const char *base = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    char **names;
    size_t count;
    TRY(import_note_file(source, path));
    TRY(file_bytes_open(path, file));
    arrays->files++;
    if (role == ROLE_NONE)
        role = role_of(base, &split);
    TRY(make_room(arrays, 1));
    if (!keras_zip_is(file->at, file->size))
        return add_array(arrays, path, NULL, NULL, file->at, file->size, role, split);
    TRY(keras_zip_list(path, file->at, file->size, &names, &count));
    Status status = add_entries(arrays, path, file, names, count, split);
    memory_free(names);
    return status;
}

static Status open_files(Arrays *arrays, const ImportOptions *options, ImportSource *source) {
    for (size_t i = 0; i < options->path_count; i++)
        TRY(add_file(arrays, options->paths[i], ROLE_NONE, DATASET_SPLITS, source));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        if (options->images[split][0])
            TRY(add_file(arrays, options->images[split], ROLE_X, split, source));
        if (options->labels[split][0])
            TRY(add_file(arrays, options->labels[split], ROLE_LABELS, split, source));
    }
    return STATUS_OK;
}

/* ---- shapes ---- */

/* The channels, which come first, become the last dimension: only strides change. */
static void move_channels(Npy *x) {
    size_t dim = x->dim[1], stride = x->stride[1];
    for (size_t d = 1; d + 1 < x->rank; d++) {
        x->dim[d] = x->dim[d + 1];
        x->stride[d] = x->stride[d + 1];
    }
    x->dim[x->rank - 1] = dim;
    x->stride[x->rank - 1] = stride;
}

static Status row_shape(const char *name, const Npy *array, Shape *shape) {
    size_t width = 1;
    *shape = (Shape){.rank = array->rank - 1};
    if (shape->rank > SHAPE_MAX)
        return status_fail(STATUS_FAILED, "%s has %zu dimensions; at most %d can be used", name, array->rank,
                           SHAPE_MAX + 1);
    for (size_t i = 0; i < shape->rank; i++) {
        shape->dim[i] = array->dim[i + 1];
        if (shape->dim[i] == 0 || !memory_multiply(width, shape->dim[i], &width))
            return status_fail(STATUS_FAILED, "%s has an extent of 0", name);
    }
    return STATUS_OK;
}

static Status take_x(Arrays *arrays, size_t part, const ImportOptions *options, bool first, DatasetInfo *info) {
    Npy *x = &arrays->array[part].npy;
    const char *name = arrays->part[part].name;
    Shape shape;
    if (options->planar && x->rank > 2)
        move_channels(x);
    TRY(row_shape(name, x, &shape));
    if (options->shape[0])
        TRY(import_shape(options->shape, shape_count(&shape), &shape));
    else if (shape.rank == 2)
        shape.dim[shape.rank++] = 1; /* an image of one channel */
    else if (shape.rank == 0)
        shape = SHAPE(1);
    bool bytes =
        options->type == IMPORT_TYPE_AUTO ? x->kind == 'u' && x->size == 1 : options->type == IMPORT_TYPE_UINT8;
    if (!first && (!shape_equal(&shape, &info->shape) || bytes != info->is_uint8))
        return status_fail(STATUS_FAILED, "%s has examples of another shape or type than other files", name);
    info->shape = shape;
    info->is_uint8 = bytes;
    arrays->width = shape_count(&shape);
    return STATUS_OK;
}

/* Whole numbers, one a row, are classes; all else is numbers (which may turn out to be one-hot). */
static Status take_y(Arrays *arrays, size_t part, bool first) {
    const Npy *y = &arrays->array[part].npy;
    const char *name = arrays->part[part].name;
    DatasetLabel label = {.name = (char *)"y", .kind = LABEL_NUMBERS};
    TRY(row_shape(name, y, &label.shape));
    if (y->kind != 'f' && shape_count(&label.shape) == 1)
        label = (DatasetLabel){.name = label.name, .kind = LABEL_CLASS};
    else if (label.shape.rank == 0)
        label.shape = SHAPE(1);
    if (!first && (label.kind != arrays->label.kind || !shape_equal(&label.shape, &arrays->label.shape)))
        return status_fail(STATUS_FAILED, "%s has labels of another shape or type than other files", name);
    arrays->label = label;
    return STATUS_OK;
}

/* ---- the kind ---- */

static Status open_npy(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    Arrays *arrays;
    DatasetInfo *info = &source->info;
    bool first[2] = {true, true}, labelled;
    (void)names, (void)name_count;
    TRY(memory_new(&arrays, 1, "arrays"));
    source->self = arrays;
    TRY(memory_new(&arrays->file, options->path_count + 2 * DATASET_SPLITS, "files of arrays"));
    TRY(open_files(arrays, options, source));
    TRY(import_sort_parts(arrays->part, arrays->count, info->count, &labelled));
    for (size_t i = 0; i < arrays->count; i++) {
        bool is_labels = arrays->part[i].is_labels;
        TRY(is_labels ? take_y(arrays, i, first[1]) : take_x(arrays, i, options, first[0], info));
        first[is_labels] = false;
    }
    arrays->bounded = options->value_max > 0;
    info->value_max = options->value_max > 0 ? options->value_max : info->is_uint8 ? 255 : 1;
    info->labels = &arrays->label;
    info->label_count = labelled;
    return STATUS_OK;
}

static void close_npy(ImportSource *source) {
    Arrays *arrays = source->self;
    if (arrays == NULL)
        return;
    for (size_t i = 0; i < arrays->count; i++) {
        memory_free(arrays->array[i].name);
        memory_free(arrays->array[i].entry);
    }
    for (size_t i = 0; i < arrays->files; i++)
        file_bytes_close(&arrays->file[i]);
    memory_free(arrays->file);
    memory_free(arrays->array);
    memory_free(arrays->part);
    memory_free(arrays);
}

/* Example i, as its array has it. */
static void get_row(const Arrays *arrays, bool is_labels, DatasetSplit split, size_t i, double *row) {
    const Array *array = &arrays->array[import_find_part(arrays->part, is_labels, split, &i)];
    npy_row(&array->npy, i, row);
}

static Status put_row(const Arrays *arrays, DatasetSplit split, size_t i, const DatasetInfo *info, double *row, void *x,
                      void *y) {
    const char *name = dataset_split_names[split];
    bool bytes = info->is_uint8;
    get_row(arrays, false, split, i, row);
    for (size_t k = 0; k < arrays->width; k++) {
        if (bytes ? !(row[k] >= 0 && row[k] <= 255 && row[k] == floor(row[k])) : !isfinite((float)row[k]))
            return status_fail(STATUS_FAILED, "number %zu of example %zu of %s is %g%s", k, i, name, row[k],
                               bytes ? ", no whole number from 0 to 255. Import with --type float32." : "");
        if (arrays->bounded && (float)row[k] > (float)info->value_max)
            return status_fail(STATUS_FAILED, "number %zu of example %zu of %s is %g, more than --value-max %g", k, i,
                               name, row[k], info->value_max);
        if (bytes)
            ((uint8_t *)x)[k] = (uint8_t)row[k];
        else
            ((float *)x)[k] = (float)row[k];
    }
    if (info->label_count == 0)
        return STATUS_OK;
    get_row(arrays, true, split, i, row);
    for (size_t k = 0; k < shape_count(&arrays->label.shape); k++) {
        if (!isfinite((float)row[k]))
            return status_fail(STATUS_FAILED, "the label of example %zu of %s is %g", i, name, row[k]);
        if (arrays->label.kind == LABEL_CLASS)
            *(int64_t *)y = (int64_t)row[k];
        else
            ((float *)y)[k] = (float)row[k];
    }
    return STATUS_OK;
}

static Status read_npy(const ImportSource *source, DatasetSplit split, size_t i, void *x, void *const labels[]) {
    const Arrays *arrays = source->self;
    size_t width = shape_count(&arrays->label.shape);
    double *row;
    TRY(memory_new(&row, arrays->width > width ? arrays->width : width, "a row"));
    Status status = put_row(arrays, split, i, &source->info, row, x, labels[0]);
    memory_free(row);
    return status;
}

const ImportKind import_kind_npy = {
    .name = "npy",
    .arguments = "FILE...",
    .help = "arrays of NumPy: .npy files of images and of labels, or .npz archives with x_train, y_train, ...",
    .options = "train-images train-labels val-images val-labels test-images test-labels shape type value-max planar "
               "size resize channels",
    .resizes = true,
    .open = open_npy,
    .close = close_npy,
    .read = read_npy,
};
