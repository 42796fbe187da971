/* SPDX-License-Identifier: Apache-2.0 */
#include "train/inspect_data.h"
#include "base/memory.h"
#include "data/folder.h"
#include "data/survey.h"
#include "io/h5io.h"
#include "train/cli.h"
#include "train/program.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rows of the table of classes, and copies, that a person reads. */
enum { CLASSES_SHOWN = 40, COPIES_SHOWN = 8, NAME_WIDTH = 36 };

static const char *const kinds[] = {"class numbers", "one-hot", "multi-hot", "numbers", "weights"}; /* LabelKind */

/* The name of a class, or ""; in `text` with its end cut off where it is long: of characters, not of bytes. */
static const char *name_of(const DatasetInfo *info, size_t class, char text[4 * NAME_WIDTH + 4]) {
    const char *name = class < info->class_name_count ? info->class_names[class] : "";
    size_t used = 0;
    for (size_t shown = 0; name[used] && shown < NAME_WIDTH && used < 4 * NAME_WIDTH; shown++)
        for (text[used] = name[used], used++; (name[used] & 0xc0) == 0x80 && used < 4 * NAME_WIDTH; used++)
            text[used] = name[used];
    text[used] = '\0';
    return text;
}

/* ---- for people ---- */

static void print_head(const DatasetInfo *info) {
    char shape[SHAPE_TEXT];
    printf("dataset %s\n  x %s %s, up to %g\n", info->path, shape_format(&info->shape, shape),
           info->is_uint8 ? "uint8" : "float32", info->value_max);
    for (size_t i = 0; i < info->label_count; i++) {
        const DatasetLabel *label = &info->labels[i];
        printf("  %s %s: %s", label->name, shape_format(&label->shape, shape), kinds[label->kind]);
        if (label->kind < LABEL_NUMBERS)
            printf(", %zu classes", label->classes);
        printf("\n");
    }
    for (int s = 0; s < DATASET_SPLITS; s++)
        printf("  %-5s %zu examples\n", dataset_split_names[s], info->count[s]);
    if (info->origin[0]) {
        printf("  origin: ");
        cli_wrapped(stdout, info->origin, 10, 10);
    }
    printf("  fingerprint %s\n", info->fingerprint);
}

/* What cnn_import left out, by its own list. */
static Status print_skipped(const char *path) {
    H5ioFile *file;
    char **list = NULL;
    size_t count = 0;
    bool exist;
    if (folder_is_source(path))
        return STATUS_OK;
    TRY(h5io_open(path, &file));
    Status status = h5io_attr_strings_exist(file, "/", "skipped", &exist);
    if (status == STATUS_OK && exist)
        status = h5io_attr_read_strings(file, "/", "skipped", &list, &count);
    h5io_close(file);
    if (count > 0)
        printf("  left out by cnn_import: %zu\n", count);
    for (size_t i = 0; i < count && i < COPIES_SHOWN; i++)
        printf("    %s\n", list[i]);
    if (count > COPIES_SHOWN)
        printf("    ...\n");
    memory_free(list);
    return status;
}

static void print_class(const DatasetInfo *info, const Survey *survey, size_t class) {
    char name[4 * NAME_WIDTH + 4];
    size_t characters = 0;
    for (const char *c = name_of(info, class, name); *c; c++)
        characters += (*c & 0xc0) != 0x80;
    printf("  %5zu %s%*s", class, name, (int)(NAME_WIDTH - characters), "");
    for (int s = 0; s < DATASET_SPLITS; s++)
        if (info->count[s] > 0)
            printf(" %10llu", (unsigned long long)survey->count[s][class]);
    printf("\n");
}

static void print_splits(const DatasetInfo *info, const char *begin) {
    printf("\n  %-*s", NAME_WIDTH + 6, begin);
    for (int s = 0; s < DATASET_SPLITS; s++)
        if (info->count[s] > 0)
            printf(" %10s", dataset_split_names[s]);
    printf("\n");
}

/* How much the classes of a split differ, and which have no examples. */
static void print_balance(const Survey *survey, DatasetSplit split) {
    uint64_t least = UINT64_MAX, most = 0;
    size_t empty = 0, first = 0;
    for (size_t c = 0; c < survey->classes; c++) {
        uint64_t n = survey->count[split][c];
        if (n == 0 && empty++ == 0)
            first = c;
        least = n > 0 && n < least ? n : least;
        most = n > most ? n : most;
    }
    if (empty > 0)
        printf("  %s: %zu class%s no examples, first class %zu\n", dataset_split_names[split], empty,
               empty == 1 ? " has" : "es have", first);
    if (most > least)
        printf("  %s: the largest class has %.*f times the examples of the smallest\n", dataset_split_names[split],
               (double)most < 10 * (double)least ? 2 : 0, (double)most / (double)least);
}

static void print_classes(const DatasetInfo *info, const Survey *survey) {
    print_splits(info, "class");
    for (size_t c = 0; c < survey->classes && c < CLASSES_SHOWN; c++)
        print_class(info, survey, c);
    if (survey->classes > CLASSES_SHOWN)
        printf("  ... and %zu more: --json has all\n", survey->classes - CLASSES_SHOWN);
    for (DatasetSplit s = 0; s < DATASET_SPLITS; s++)
        if (info->count[s] > 0)
            print_balance(survey, s);
}

static void print_channels(const DatasetInfo *info, const Survey *survey) {
    printf("\n  %-16s %12s %12s %12s %12s\n", "x", "min", "max", "mean", "deviation");
    for (int s = 0; s < DATASET_SPLITS; s++)
        for (size_t c = 0; c < survey->channels && info->count[s] > 0; c++) {
            const SurveyChannel *channel = &survey->channel[s][c];
            char name[32];
            snprintf(name, sizeof name, survey->channels > 1 ? "%s channel %zu" : "%s", dataset_split_names[s], c);
            printf("  %-16s %12.6g %12.6g %12.6g %12.6g\n", name, channel->min, channel->max, channel->mean,
                   channel->deviation);
        }
}

static void print_copies(const Survey *survey) {
    printf("\n");
    if (survey->listed == 0)
        printf("  no example is there twice\n");
    for (int s = 0; s < DATASET_SPLITS; s++)
        for (int t = 0; t <= s; t++)
            if (survey->copies[s][t] > 0)
                printf("  %llu examples of %s %s %s\n", (unsigned long long)survey->copies[s][t],
                       dataset_split_names[s], s == t ? "repeat others of" : "are also in", dataset_split_names[t]);
    if (survey->other_labels > 0)
        printf("  %llu of all these have another label\n", (unsigned long long)survey->other_labels);
    for (size_t i = 0; i < survey->listed && i < COPIES_SHOWN; i++) {
        const SurveyCopy *copy = &survey->list[i];
        printf("    %s %llu = %s %llu%s\n", dataset_split_names[copy->split], (unsigned long long)copy->row,
               dataset_split_names[copy->of_split], (unsigned long long)copy->of_row,
               copy->other_label ? ", with another label" : "");
    }
    if (survey->listed > COPIES_SHOWN)
        printf("    ... --json lists %s%zu\n", survey->listed == SURVEY_COPIES ? "the first " : "all ", survey->listed);
}

/* ---- as JSON ---- */

static json_t *real(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *classes_json(const DatasetInfo *info, const Survey *survey) {
    json_t *list = json_array();
    for (size_t c = 0; c < survey->classes; c++) {
        json_t *item = json_pack("{s:I}", "class", (json_int_t)c);
        if (c < info->class_name_count)
            json_object_set_new(item, "name", json_string(info->class_names[c]));
        for (int s = 0; s < DATASET_SPLITS; s++)
            if (info->count[s] > 0)
                json_object_set_new(item, dataset_split_names[s], json_integer((json_int_t)survey->count[s][c]));
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *channels_json(const Survey *survey, int split) {
    json_t *list = json_array();
    for (size_t c = 0; c < survey->channels; c++) {
        const SurveyChannel *channel = &survey->channel[split][c];
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o}", "min", real(channel->min), "max", real(channel->max),
                                        "mean", real(channel->mean), "deviation", real(channel->deviation)));
    }
    return list;
}

static json_t *splits_json(const DatasetInfo *info, const Survey *survey) {
    json_t *splits = json_object();
    for (int s = 0; s < DATASET_SPLITS; s++) {
        if (info->count[s] == 0)
            continue;
        json_t *item = json_pack("{s:I}", "examples", (json_int_t)info->count[s]);
        if (survey->has_x)
            json_object_set_new(item, "channels", channels_json(survey, s));
        for (int t = 0; survey->has_x && t <= s; t++)
            if (info->count[t] > 0) {
                char key[32];
                snprintf(key, sizeof key, s == t ? "repeated" : "also_in_%s", dataset_split_names[t]);
                json_object_set_new(item, key, json_integer((json_int_t)survey->copies[s][t]));
            }
        json_object_set_new(splits, dataset_split_names[s], item);
    }
    return splits;
}

static json_t *copies_json(const Survey *survey) {
    json_t *list = json_array();
    for (size_t i = 0; i < survey->listed; i++) {
        const SurveyCopy *copy = &survey->list[i];
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:s, s:I, s:b}", "split", dataset_split_names[copy->split], "row",
                                        (json_int_t)copy->row, "of_split", dataset_split_names[copy->of_split],
                                        "of_row", (json_int_t)copy->of_row, "other_label", copy->other_label));
    }
    return list;
}

static Status print_json(const DatasetInfo *info, const Survey *survey) {
    json_t *shape = json_array(), *labels = json_array();
    for (size_t i = 0; i < info->shape.rank; i++)
        json_array_append_new(shape, json_integer((json_int_t)info->shape.dim[i]));
    for (size_t i = 0; i < info->label_count; i++)
        json_array_append_new(labels,
                              json_pack("{s:s, s:s, s:I}", "name", info->labels[i].name, "kind",
                                        kinds[info->labels[i].kind], "classes", (json_int_t)info->labels[i].classes));
    json_t *json = json_pack("{s:o, s:o, s:s, s:o, s:o, s:o, s:s, s:o}", "dataset", program_json_text(info->path),
                             "shape", shape, "type", info->is_uint8 ? "uint8" : "float32", "value_max",
                             real(info->value_max), "labels", labels, "origin", program_json_text(info->origin),
                             "fingerprint", info->fingerprint, "splits", splits_json(info, survey));
    if (json && survey->classes > 0)
        json_object_set_new(json, "classes", classes_json(info, survey));
    if (json && survey->has_x)
        json_object_set_new(json, "copies", copies_json(survey));
    return program_print_json(json, "a text in the dataset is not UTF-8");
}

Status inspect_data(Dataset *dataset, bool read_x, bool json) {
    const DatasetInfo *info = dataset_info(dataset);
    Survey survey;
    TRY(survey_dataset(dataset, read_x, &survey));
    Status status = STATUS_OK;
    if (json) {
        status = print_json(info, &survey);
    } else {
        print_head(info);
        status = print_skipped(info->path);
        if (survey.classes > 0)
            print_classes(info, &survey);
        if (survey.has_x) {
            print_channels(info, &survey);
            print_copies(&survey);
        }
    }
    survey_free(&survey);
    return status;
}
