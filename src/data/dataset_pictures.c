/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets of pictures: folders, and files that hold pictures as they are. */
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_internal.h"
#include <string.h>

/* ---- the rule ---- */

/* Shape and rule of data that are decoded when they are read. */
static void describe(Dataset *dataset) {
    DatasetInfo *info = &dataset->info;
    info->shape = picture_shape(&dataset->rule);
    info->fit = dataset->rule.fit;
    info->is_uint8 = info->is_pictures = info->is_encoded = true;
}

static Status read_fit(Dataset *dataset, ImageFit *fit) {
    char *text;
    bool exists;
    *fit = IMAGE_FITS;
    TRY(h5io_attr_exists(dataset->file, "/", "resize", &exists));
    if (!exists)
        return STATUS_OK;
    TRY(h5io_attr_read_string(dataset->file, "/", "resize", &text));
    for (*fit = 0; *fit < IMAGE_FITS && strcmp(text, image_fits[*fit]) != 0;)
        (*fit)++;
    memory_free(text);
    return *fit < IMAGE_FITS
               ? STATUS_OK
               : status_fail(STATUS_FAILED, "%s: attribute resize should be crop, pad or squash", dataset->info.path);
}

Status dataset__read_rule(Dataset *dataset, const DatasetOptions *options) {
    DatasetInfo *info = &dataset->info;
    PictureRule *rule = &dataset->rule;
    int64_t shape[3];
    bool exists;
    TRY(read_fit(dataset, &rule->fit));
    info->is_pictures = rule->fit < IMAGE_FITS;
    info->fit = info->is_pictures ? rule->fit : 0;
    TRY(h5io_attr_exists(dataset->file, "/", "x_shape", &exists));
    if (!exists)
        return STATUS_OK;
    TRY(h5io_attr_read(dataset->file, "/", "x_shape", H5IO_INT64, 3, shape));
    if (!info->is_pictures || shape[0] < 1 || shape[1] < 1 || shape[0] > IMAGE_SIDE_MAX || shape[1] > IMAGE_SIDE_MAX ||
        (shape[2] != 1 && shape[2] != 3))
        return status_fail(STATUS_FAILED, "%s: attribute x_shape should be height, width and 1 or 3, beside resize",
                           info->path);
    rule->height = (size_t)shape[0], rule->width = (size_t)shape[1], rule->channels = (size_t)shape[2];
    if (options)
        picture_rule_prefer(&options->rule, rule);
    describe(dataset);
    return STATUS_OK;
}

/* ---- pictures in a dataset file ---- */

Status dataset__read_ends(Dataset *dataset, DatasetSplit split, size_t bytes) {
    H5ioInfo about;
    int64_t *end;
    char path[512];
    TRY(h5io_info(dataset->file, dataset__path(split, "x_end", path), &about));
    if (about.class != H5IO_CLASS_INTEGER || about.rank != 1 || about.count == 0)
        return status_fail(STATUS_FAILED, "%s: %s should hold one integer for each picture", dataset->info.path, path);
    TRY(memory_new(&end, about.count, "places of pictures"));
    dataset->place[split].end = end;
    dataset->info.count[split] = about.count;
    TRY(h5io_read_range(dataset->file, path, H5IO_INT64, 0, about.count, end));
    for (size_t i = 0; i < about.count; i++)
        if (end[i] <= (i > 0 ? end[i - 1] : 0) || (uint64_t)end[i] > bytes)
            return status_fail(STATUS_FAILED, "%s: %s of picture %zu is %lld: should rise, up to the %zu bytes of x",
                               dataset->info.path, path, i, (long long)end[i], bytes);
    return STATUS_OK;
}

/* ---- folders ---- */

/* Names what is left out: pictures of other formats one by one, the rest with --verbose. */
static void tell_skipped(const Folder *folder) {
    for (size_t i = 0; i < folder->skipped_count; i++) {
        const FolderSkip *skip = &folder->skipped[i];
        ImageInfo info;
        if (skip->reason == FOLDER_FORMAT && image_info_file(skip->path, &info) != STATUS_OK)
            log_warn("left out: %s", status_message());
        else
            log_verbose("left out: %s %s\n", skip->path, folder_reason(skip->reason));
    }
}

static Status add_label(DatasetInfo *info) {
    TRY(memory_new(&info->labels, 1, "labels"));
    TRY(memory_strdup("y", &info->labels[0].name));
    info->label_count = 1;
    return STATUS_OK;
}

Status dataset__open_folder(Dataset *dataset, const DatasetOptions *options) {
    DatasetInfo *info = &dataset->info;
    Folder *folder = &dataset->folder;
    FolderOptions how = {0};
    dataset->rule = (PictureRule){.fit = IMAGE_FITS};
    if (options) {
        how = (FolderOptions){
            .class_names = options->class_names, .class_count = options->class_count, .split = options->split};
        picture_rule_prefer(&options->rule, &dataset->rule);
    }
    TRY(folder_scan(info->path, &how, folder));
    tell_skipped(folder);
    for (size_t i = 0; i < folder->count; i++)
        if (folder->files[i].size == 0)
            return status_fail(STATUS_FAILED, "%s is empty or not there: take it out of %s%s", folder->files[i].path,
                               info->path, folder->listed ? " (cnn_import csv reads tables of numbers)" : "");
    TRY(picture_rule_settle(folder, options ? &options->usual : NULL, &dataset->rule));
    describe(dataset);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        info->count[split] = folder->first[split + 1] - folder->first[split];
    info->value_max = 255;
    info->class_names = folder->class_names; /* now the dataset's */
    info->class_name_count = folder->class_name_count;
    folder->class_names = NULL;
    TRY(memory_strdup("", &info->origin));
    return folder->files[0].label >= 0 ? add_label(info) : STATUS_OK;
}

Status dataset_set_decoders(Dataset *dataset, size_t helpers) {
    crew_destroy(dataset->crew);
    dataset->crew = NULL;
    return helpers > 0 ? crew_create(helpers, "decodes pictures", &dataset->crew) : STATUS_OK;
}
