/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "data/sheet.h"
#include "train/inputs_internal.h"
#include <string.h>

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* texts of rank 0 on all ranks. */
static Status share_list(Dist *dist, InputList *list) {
    uint64_t sizes[2] = {list->used, list->count};
    Status status = STATUS_OK;
    dist_broadcast(dist, sizes, sizeof sizes);
    if (dist_rank(dist) > 0)
        status = memory_alloc(sizes[0], 1, "list of inputs", (void **)&list->texts);
    TRY(dist_agree(dist, status));
    dist_broadcast(dist, list->texts, sizes[0]);
    list->used = sizes[0];
    list->count = sizes[1];
    return STATUS_OK;
}

static bool is_hdf5(const char *path) {
    return cli_has_ending(path, ".h5") || cli_has_ending(path, ".hdf5");
}

static Status open_dataset(Inputs *inputs, InputItem *item) {
    TRY(dataset_open(item->path, &item->dataset));
    const DatasetInfo *info = dataset_info(item->dataset);
    item->count = info->count[inputs->split];
    TRY(dataset_load(item->dataset, inputs->split));
    if (item->count == 0)
        return dataset_fail_empty(info, inputs->split);
    if (dist_rank(inputs->dist) == 0 && info->label_count > 0 && info->labels[0].kind == LABEL_CLASS &&
        info->labels[0].shape.rank == 0)
        TRY(dataset_read_labels(item->dataset, inputs->split, 0, &item->labels));
    return STATUS_OK;
}

static Status open_items(Inputs *inputs) {
    char *path = inputs->texts;
    TRY(memory_new(&inputs->items, inputs->item_count, "inputs"));
    for (size_t i = 0; i < inputs->item_count; i++, path += strlen(path) + 1) {
        InputItem *item = &inputs->items[i];
        *item = (InputItem){.path = path, .first = inputs->count, .count = 1};
        if (is_hdf5(path))
            TRY(open_dataset(inputs, item));
        inputs->count += item->count;
    }
    return STATUS_OK;
}

Status inputs_open(Dist *dist, const CliWords *words, const InputOptions *options, Inputs **out) {
    InputList list = {.skip = options->skip};
    Status status = memory_new(out, 1, "inputs");
    if (status == STATUS_OK && dist_rank(dist) == 0)
        status = inputs__list(words, &list);
    status = dist_agree(dist, status);
    if (status == STATUS_OK)
        status = share_list(dist, &list);
    if (*out)
        **out = (Inputs){.dist = dist,
                         .split = options->split,
                         .skip = options->skip,
                         .texts = list.texts,
                         .item_count = list.count};
    if (status == STATUS_OK)
        status = dist_agree(dist, open_items(*out));
    return status;
}

void inputs_close(Inputs *inputs) {
    if (inputs == NULL)
        return;
    for (size_t i = 0; inputs->items && i < inputs->item_count; i++) {
        dataset_close(inputs->items[i].dataset);
        memory_free(inputs->items[i].labels);
    }
    image_free(&inputs->photo);
    image_free(&inputs->small);
    memory_free(inputs->items);
    memory_free(inputs->texts);
    memory_free(inputs);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

Status inputs_fit(Inputs *inputs, const Preprocess *preprocess) {
    const Shape *shape = &preprocess->shape;
    char have[SHAPE_TEXT], want[SHAPE_TEXT];
    inputs->fit = preprocess->fit;
    inputs->pixel = preprocess_value_max(preprocess) / 255;
    inputs->picture = (DatasetInfo){.path = "pictures", .shape = *shape, .is_uint8 = true, .value_max = 255};
    for (size_t i = 0; i < inputs->item_count; i++) {
        const InputItem *item = &inputs->items[i];
        const Shape *found = item->dataset ? &dataset_info(item->dataset)->shape : NULL;
        if (found && !shape_equal(found, shape))
            return status_fail(STATUS_FAILED, "%s has examples of %s; the network takes %s", item->path,
                               shape_format(found, have), shape_format(shape, want));
        if (found == NULL && (shape->rank != 3 || (shape->dim[2] != 1 && shape->dim[2] != 3)))
            return status_fail(STATUS_USAGE, "%s: the network takes examples of %s, which are no pictures", item->path,
                               shape_format(shape, want));
    }
    return STATUS_OK;
}

const InputItem *inputs_item(const Inputs *inputs, uint64_t example, uint64_t *row) {
    size_t low = 0, high = inputs->item_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (inputs->items[middle].first <= example)
            low = middle;
        else
            high = middle;
    }
    *row = example - inputs->items[low].first;
    return &inputs->items[low];
}

/* inputs->small = the picture as the network takes it. */
static Status read_picture(Inputs *inputs, const InputItem *item) {
    const Shape *shape = &inputs->picture.shape;
    TRY(image_decode_file(item->path, shape->dim[2], &inputs->photo));
    TRY(image_resize(&inputs->photo, shape->dim[0], shape->dim[1], inputs->fit, &inputs->small));
    return STATUS_OK;
}

static void convert(const Inputs *inputs, uint64_t example, const Preprocess *preprocess, const AugmentPass *augment,
                    Real *x) {
    const void *pixels = inputs->small.pixels;
    bool bytes = true;
    Preprocess scaled = *preprocess;
    for (size_t c = 0; c < scaled.channels; c++)
        scaled.scale[c] *= inputs->pixel;
    if (augment)
        pixels = augment_apply(augment, &inputs->picture, example, pixels, &bytes);
    if (bytes)
        preprocess_uint8(&scaled, pixels, 1, x);
    else
        preprocess_float(&scaled, pixels, 1, x);
}

Status inputs_read(Inputs *inputs, const uint64_t rows[], size_t n, const Preprocess *preprocess,
                   const AugmentPass *augment, Real *x, bool bad[]) {
    size_t width = shape_count(&preprocess->shape);
    for (size_t i = 0; i < n; i++) {
        uint64_t row;
        const InputItem *item = inputs_item(inputs, rows[i], &row);
        Real *to = x + i * width;
        if (item->dataset) {
            TRY(dataset_read_augmented(item->dataset, inputs->split, &row, 1, preprocess, augment, to, NULL));
            continue;
        }
        Status status = bad[i] ? STATUS_FAILED : read_picture(inputs, item);
        if (status == STATUS_OK) {
            convert(inputs, rows[i], preprocess, augment, to);
            continue;
        }
        if (!inputs->skip)
            return status;
        if (!bad[i])
            log_error("%s", status_message());
        bad[i] = true;
        memset(to, 0, width * sizeof *to);
    }
    return STATUS_OK;
}

/* ---- truth ------------------------------------------------------------------------------------------------------- */

static int64_t find_name(const char *name, size_t length, char *const names[], size_t count) {
    for (size_t c = 0; c < count; c++)
        if (strlen(names[c]) == length && memcmp(names[c], name, length) == 0)
            return (int64_t)c;
    return -1;
}

/* The nearest folder of the path that is named like a class. */
static int64_t class_of_path(const char *path, char *const names[], size_t count) {
    const char *end = strrchr(path, '/');
    while (end && end > path) {
        const char *start = end;
        while (start > path && start[-1] != '/')
            start--;
        int64_t class = find_name(start, (size_t)(end - start), names, count);
        if (class >= 0)
            return class;
        end = start > path ? start - 1 : NULL;
    }
    return -1;
}

int64_t inputs_truth(const Inputs *inputs, uint64_t example, char *const names[], size_t count) {
    uint64_t row;
    const InputItem *item = inputs_item(inputs, example, &row);
    if (item->dataset == NULL)
        return class_of_path(item->path, names, count);
    if (item->labels == NULL)
        return -1;
    const DatasetInfo *info = dataset_info(item->dataset);
    size_t class = (size_t)item->labels[row];
    if (count == 0 || class >= info->class_name_count)
        return (int64_t) class;
    return find_name(info->class_names[class], strlen(info->class_names[class]), names, count);
}

/* ---- for people -------------------------------------------------------------------------------------------------- */

Status inputs_dataset_picture(Dataset *dataset, DatasetSplit split, uint64_t row, uint8_t **rgb, size_t *height,
                              size_t *width) {
    const Shape *shape = &dataset_info(dataset)->shape;
    *height = shape->rank == 3 ? shape->dim[0] : 1;
    *width = shape->rank == 3 ? shape->dim[1] : 1;
    TRY(memory_new(rgb, *height * *width * 3, "picture"));
    return sheet_example(dataset, split, row, *rgb);
}

/* *rgb = a copy of the pixels. */
static Status take(const Image *image, uint8_t **rgb, size_t *height, size_t *width) {
    *height = image->height;
    *width = image->width;
    TRY(memory_new(rgb, *height * *width * 3, "picture"));
    for (size_t i = 0; i < *height * *width * 3; i++)
        (*rgb)[i] = image->pixels[image->channels == 3 ? i : i / 3];
    return STATUS_OK;
}

Status inputs_picture(Inputs *inputs, uint64_t example, size_t side, uint8_t **rgb, size_t *height, size_t *width) {
    uint64_t row;
    const InputItem *item = inputs_item(inputs, example, &row);
    Image *photo = &inputs->photo;
    *rgb = NULL;
    if (item->dataset)
        return inputs_dataset_picture(item->dataset, inputs->split, row, rgb, height, width);
    TRY(image_decode_file(item->path, 3, photo));
    size_t longer = photo->height > photo->width ? photo->height : photo->width;
    if (longer <= side)
        return take(photo, rgb, height, width);
    *height = photo->height * side / longer > 0 ? photo->height * side / longer : 1;
    *width = photo->width * side / longer > 0 ? photo->width * side / longer : 1;
    TRY(image_resize(photo, *height, *width, IMAGE_SQUASH, &inputs->small));
    return take(&inputs->small, rgb, height, width);
}

Status inputs_seen(Inputs *inputs, uint64_t example, size_t side, uint8_t **rgb, size_t *height, size_t *width) {
    const Shape *shape = &inputs->picture.shape;
    uint64_t row;
    const InputItem *item = inputs_item(inputs, example, &row);
    *rgb = NULL;
    if (item->dataset)
        return inputs_dataset_picture(item->dataset, inputs->split, row, rgb, height, width);
    size_t longer = shape->dim[0] > shape->dim[1] ? shape->dim[0] : shape->dim[1];
    size_t scale = longer < side ? side / longer : 1;
    TRY(image_decode_file(item->path, shape->dim[2], &inputs->photo));
    TRY(image_resize(&inputs->photo, scale * shape->dim[0], scale * shape->dim[1], inputs->fit, &inputs->small));
    return take(&inputs->small, rgb, height, width);
}
