/* SPDX-License-Identifier: Apache-2.0
 *
 * Tables: an example a row, of numbers in a text file.  A column is its class (--label; none: of no row it is known),
 * some are numbers to be predicted (--target), some are not read (--ignore), all others, from left to right, are x.
 *
 * Series are the same with the class first where nothing else is said, and x [length, channels]: sample by sample, or
 * channel by channel (--planar).  --normalise: (v - mean) / deviation (of the population) over the samples of each
 * channel of each series; 0 where the deviation is 0. */
#include "base/memory.h"
#include "data/import.h"
#include "data/label_set.h"
#include "data/text_table.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LOOK_ROWS = 100 }; /* from which the type is told */

typedef enum Role { ROLE_X, ROLE_LABEL, ROLE_TARGET, ROLE_IGNORED } Role;

typedef struct Csv {
    TextTable table[DATASET_SPLITS]; /* count 0: no such split */
    const TextTable *first;          /* the first of them that there is */
    bool series, planar, normalise, unlabelled;
    bool bounded; /* --value-max is given */
    size_t channels;
    Role *role;      /* owned, [columns] */
    size_t *targets; /* owned, [target_count]: columns in the order in which they were named */
    size_t target_count, label, width;
    LabelSet labels;
    DatasetLabel y;
} Csv;

/* ---- columns ---- */

static Status give_role(Csv *csv, const char *name, Role role) {
    size_t column;
    TRY(text_table_column(csv->first, name, &column));
    if (csv->role[column] != ROLE_X)
        return status_fail(STATUS_USAGE, "column %s is named twice in --label, --target and --ignore", name);
    csv->role[column] = role;
    if (role == ROLE_LABEL)
        csv->label = column;
    else if (role == ROLE_TARGET)
        csv->targets[csv->target_count++] = column;
    return STATUS_OK;
}

static Status give_roles(Csv *csv, const char *names, Role role) {
    char words[IMPORT_TEXT], *rest = words;
    snprintf(words, sizeof words, "%s", names);
    for (char *word; names[0] && (word = strsep(&rest, ",")) != NULL;)
        TRY(give_role(csv, word, role));
    return STATUS_OK;
}

static Status choose_columns(Csv *csv, const ImportOptions *options) {
    size_t columns = csv->first->columns;
    const char *label = csv->series && !options->label[0] && !options->target[0] ? "first" : options->label;
    if ((label[0] != '\0') == (options->target[0] != '\0'))
        return status_fail(STATUS_USAGE, "say which column is the class, with --label first, last, a number or a name "
                                         "of the first line; or which ones are numbers to be predicted, with --target; "
                                         "or --label none, where the class is to be predicted");
    csv->unlabelled = strcmp(label, "none") == 0;
    TRY(memory_new(&csv->role, columns, "columns"));
    TRY(memory_new(&csv->targets, columns, "columns"));
    csv->y = (DatasetLabel){.name = (char *)"y", .kind = label[0] ? LABEL_CLASS : LABEL_NUMBERS};
    if (label[0] && !csv->unlabelled)
        TRY(give_role(csv, label, ROLE_LABEL));
    TRY(give_roles(csv, options->target, ROLE_TARGET));
    TRY(give_roles(csv, options->ignore, ROLE_IGNORED));
    for (size_t i = 0; i < columns; i++)
        csv->width += csv->role[i] == ROLE_X;
    return csv->width > 0 ? STATUS_OK
                          : status_fail(STATUS_USAGE, "%s has no columns but those of --label, --target and --ignore",
                                        csv->first->path);
}

/* ---- what the rows hold ---- */

static bool is_byte(double value) {
    return value >= 0 && value <= 255 && value == (double)(int)value;
}

/* The class of a row; STATUS_FAILED: not in the set. */
static Status find_class(const Csv *csv, const TextTable *table, size_t row, TextField field, int64_t *class) {
    char place[512];
    if (label_set_find(&csv->labels, field.at, field.length, class))
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "%s: the label \"%.*s\" is not among the classes",
                       text_table_place(table, row, place), (int)(field.length < 40 ? field.length : 40), field.at);
}

/* Rows that have no whole label are left to be found when they are read. */
static Status collect_labels(Csv *csv, const TextTable *table, TextField fields[]) {
    for (size_t row = 0; row < table->count; row++)
        if (text_table_fields(table, row, fields) == STATUS_OK && fields[csv->label].length > 0)
            TRY(label_set_add(&csv->labels, fields[csv->label].at, fields[csv->label].length));
    return STATUS_OK;
}

/* Pixels are bytes: --type says so, or the first rows of something that has the shape of an image. */
static bool choose_bytes(const Csv *csv, const ImportOptions *options, const Shape *shape, TextField fields[]) {
    double value;
    if (options->type != IMPORT_TYPE_AUTO || shape->rank != 3)
        return options->type == IMPORT_TYPE_UINT8;
    for (size_t row = 0; row < csv->first->count && row < LOOK_ROWS; row++) {
        if (text_table_fields(csv->first, row, fields) != STATUS_OK)
            continue;
        for (size_t i = 0; i < csv->first->columns; i++)
            if (csv->role[i] == ROLE_X &&
                (text_table_number(csv->first, row, i, fields[i], &value) != STATUS_OK || !is_byte(value)))
                return false;
    }
    return true;
}

/* ---- the kind ---- */

static Status open_tables(Csv *csv, const ImportOptions *options, ImportSource *source) {
    const char *path[DATASET_SPLITS];
    char separator = 0;
    TRY(import_sort_paths(options, path));
    if (options->separator[0])
        TRY(text_table_separator(options->separator, &separator));
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++) {
        TextTable *table = &csv->table[split];
        if (path[split] == NULL)
            continue;
        TRY(import_note_file(source, path[split]));
        TRY(text_table_open(path[split], separator, (TextHeader)options->header, table));
        source->info.count[split] = table->count;
        if (csv->first == NULL)
            csv->first = table;
        else if (table->columns != csv->first->columns)
            return status_fail(STATUS_FAILED, "%s has %zu columns, %s has %zu", path[split], table->columns,
                               csv->first->path, csv->first->columns);
    }
    return STATUS_OK;
}

static Status settle(Csv *csv, const ImportOptions *options, char **names, size_t name_count, TextField fields[],
                     ImportSource *source) {
    DatasetInfo *info = &source->info;
    for (DatasetSplit split = 0; csv->y.kind == LABEL_CLASS && !csv->unlabelled && split < DATASET_SPLITS; split++)
        if (csv->table[split].count > 0)
            TRY(collect_labels(csv, &csv->table[split], fields));
    if (csv->unlabelled && name_count > 0)
        return status_fail(STATUS_USAGE, "names of classes are given, but --label none says that there are no labels");
    TRY(label_set_settle(&csv->labels, names, name_count));
    info->is_uint8 = choose_bytes(csv, options, &info->shape, fields);
    csv->bounded = options->value_max > 0;
    info->value_max = options->value_max > 0 ? options->value_max : info->is_uint8 ? 255 : 1;
    if (csv->y.kind == LABEL_NUMBERS)
        csv->y.shape = SHAPE(csv->target_count);
    info->labels = &csv->y;
    info->label_count = !csv->unlabelled;
    info->class_names = csv->labels.names;
    info->class_name_count = csv->labels.name_count;
    return STATUS_OK;
}

/* [length, channels] */
static Status choose_channels(Csv *csv, const ImportOptions *options, Shape *shape) {
    csv->channels = options->channels > 0 ? options->channels : 1;
    csv->planar = options->planar && csv->channels > 1;
    csv->normalise = options->normalise;
    if (csv->width % csv->channels != 0)
        return status_fail(STATUS_USAGE, "%s has %zu samples a row, which are not %zu channels", csv->first->path,
                           csv->width, csv->channels);
    *shape = SHAPE(csv->width / csv->channels, csv->channels);
    return STATUS_OK;
}

static Status open_kind(const ImportOptions *options, bool series, char **names, size_t name_count,
                        ImportSource *source) {
    Csv *csv;
    TextField *fields;
    TRY(memory_new(&csv, 1, "tables"));
    source->self = csv;
    csv->series = series;
    TRY(open_tables(csv, options, source));
    TRY(choose_columns(csv, options));
    TRY(series ? choose_channels(csv, options, &source->info.shape)
               : import_shape(options->shape, csv->width, &source->info.shape));
    TRY(memory_new(&fields, csv->first->columns, "a row"));
    Status status = settle(csv, options, names, name_count, fields, source);
    memory_free(fields);
    return status;
}

static Status open_csv(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    return open_kind(options, false, names, name_count, source);
}

static Status open_series(const ImportOptions *options, char **names, size_t name_count, ImportSource *source) {
    return open_kind(options, true, names, name_count, source);
}

static void close_csv(ImportSource *source) {
    Csv *csv = source->self;
    if (csv == NULL)
        return;
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        text_table_close(&csv->table[split]);
    label_set_free(&csv->labels);
    memory_free(csv->role);
    memory_free(csv->targets);
    memory_free(csv);
}

static Status put_x(const ImportSource *source, const TextTable *table, size_t row, const TextField fields[], void *x) {
    const Csv *csv = source->self;
    char place[512];
    double value;
    float most = (float)source->info.value_max; /* as the numbers are kept */
    for (size_t i = 0, k = 0; i < table->columns; i++) {
        if (csv->role[i] != ROLE_X)
            continue;
        TRY(text_table_number(table, row, i, fields[i], &value));
        if (source->info.is_uint8 && !is_byte(value))
            return status_fail(STATUS_FAILED,
                               "%s, column %zu: %g is not a whole number from 0 to 255. Import with --type float32.",
                               text_table_place(table, row, place), i + 1, value);
        if (csv->bounded && (float)value > most)
            return status_fail(STATUS_FAILED, "%s, column %zu: %g is more than --value-max %g",
                               text_table_place(table, row, place), i + 1, value, source->info.value_max);
        if (source->info.is_uint8)
            ((uint8_t *)x)[k++] = (uint8_t)value;
        else
            ((float *)x)[k++] = (float)value;
    }
    return STATUS_OK;
}

static Status put_y(const Csv *csv, const TextTable *table, size_t row, const TextField fields[], void *y) {
    double value;
    if (csv->y.kind == LABEL_CLASS)
        return find_class(csv, table, row, fields[csv->label], y);
    for (size_t k = 0; k < csv->target_count; k++) {
        size_t column = csv->targets[k];
        TRY(text_table_number(table, row, column, fields[column], &value));
        ((float *)y)[k] = (float)value;
    }
    return STATUS_OK;
}

static Status read_csv(const ImportSource *source, DatasetSplit split, size_t row, void *x, void *const labels[]) {
    const Csv *csv = source->self;
    const TextTable *table = &csv->table[split];
    TextField *fields;
    TRY(memory_new(&fields, table->columns, "a row"));
    Status status = text_table_fields(table, row, fields);
    if (status == STATUS_OK)
        status = put_x(source, table, row, fields, x);
    if (status == STATUS_OK && !csv->unlabelled)
        status = put_y(csv, table, row, fields, labels[0]);
    memory_free(fields);
    return status;
}

static Status interleave(const Csv *csv, float *x) {
    size_t length = csv->width / csv->channels;
    float *planes;
    TRY(memory_new(&planes, csv->width, "a series"));
    memcpy(planes, x, csv->width * sizeof *x);
    for (size_t i = 0; i < length; i++)
        for (size_t c = 0; c < csv->channels; c++)
            x[i * csv->channels + c] = planes[c * length + i];
    memory_free(planes);
    return STATUS_OK;
}

static void normalise(const Csv *csv, float *x) {
    size_t step = csv->channels, length = csv->width / step;
    for (size_t c = 0; c < step; c++) {
        double mean = 0, square = 0;
        for (size_t i = 0; i < length; i++)
            mean += x[i * step + c] / (double)length;
        for (size_t i = 0; i < length; i++)
            square += (x[i * step + c] - mean) * (x[i * step + c] - mean);
        double deviation = sqrt(square / (double)length);
        for (size_t i = 0; i < length; i++)
            x[i * step + c] = deviation > 0 ? (float)((x[i * step + c] - mean) / deviation) : 0;
    }
}

static Status read_series(const ImportSource *source, DatasetSplit split, size_t row, void *x, void *const labels[]) {
    const Csv *csv = source->self;
    TRY(read_csv(source, split, row, x, labels));
    if (csv->planar)
        TRY(interleave(csv, x));
    if (csv->normalise)
        normalise(csv, x);
    return STATUS_OK;
}

const ImportKind import_kind_csv = {
    .name = "csv",
    .arguments = "FILE...",
    .help = "tables of numbers as text, an example a line, packed by gzip or not",
    .options = "train val test label target ignore separator header type shape value-max",
    .open = open_csv,
    .close = close_csv,
    .read = read_csv,
};

const ImportKind import_kind_series = {
    .name = "series",
    .arguments = "FILE...",
    .help = "time series as text, one a line, the class first, as in the UCR archive",
    .options = "train val test label target ignore separator header channels planar normalise",
    .open = open_series,
    .close = close_csv,
    .read = read_series,
};
