/* SPDX-License-Identifier: Apache-2.0 */
#include "data/survey.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/pulse.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_NUMBERS = 1 << 18, BLOCK_ROWS = 1024 };

/* An example, to be sorted by its content. */
typedef struct Mark {
    uint64_t hash, label, row; /* label: hash of the first label array's numbers */
    DatasetSplit split;
} Mark;

/* Sums of one channel of one split; numbers as differences from the first, which keeps their squares small. */
typedef struct Sums {
    double first, sum, square, min, max;
    uint64_t count;
} Sums;

/* ---- labels ---- */

static Status count_classes(Dataset *dataset, DatasetSplit split, Survey *out) {
    const DatasetInfo *info = dataset_info(dataset);
    const DatasetLabel *label = &info->labels[0];
    size_t width = shape_count(&label->shape);
    Real *values;
    TRY(memory_new(&out->count[split], out->classes, "classes"));
    if (info->count[split] == 0)
        return STATUS_OK;
    TRY(dataset_read_labels(dataset, split, 0, &values));
    for (size_t i = 0; i < info->count[split] * width; i++)
        if (label->kind == LABEL_CLASS)
            out->count[split][(size_t)values[i]]++;
        else
            out->count[split][i % width] += values[i] != 0;
    memory_free(values);
    return STATUS_OK;
}

/* ---- numbers ---- */

static size_t channels_of(const Shape *shape) {
    size_t last = shape->rank > 1 ? shape->dim[shape->rank - 1] : 1;
    return last <= SURVEY_CHANNELS ? last : 1;
}

static void add_numbers(Sums sums[], size_t channels, const Real *x, size_t count) {
    for (size_t c = 0; c < channels; c++) {
        Sums *s = &sums[c];
        if (s->count == 0)
            *s = (Sums){.first = x[c], .min = x[c], .max = x[c]};
        double sum = 0, square = 0, min = s->min, max = s->max;
        for (size_t i = c; i < count; i += channels) {
            double value = x[i], d = value - s->first;
            sum += d;
            square += d * d;
            min = value < min ? value : min;
            max = value > max ? value : max;
        }
        s->sum += sum, s->square += square, s->min = min, s->max = max;
        s->count += count / channels;
    }
}

static SurveyChannel finish_sums(const Sums *s) {
    double n = (double)s->count, mean = n > 0 ? s->sum / n : 0, square = n > 0 ? s->square / n - mean * mean : 0;
    return (SurveyChannel){s->min, s->max, s->first + mean, sqrt(square > 0 ? square : 0)};
}

static Status read_split(Dataset *dataset, DatasetSplit split, Survey *out, Mark *marks) {
    const DatasetInfo *info = dataset_info(dataset);
    size_t width = shape_count(&info->shape), count = info->count[split];
    size_t label_width = info->label_count > 0 ? shape_count(&info->labels[0].shape) : 0;
    size_t block = width < BLOCK_NUMBERS / BLOCK_ROWS ? BLOCK_ROWS : width < BLOCK_NUMBERS ? BLOCK_NUMBERS / width : 1;
    uint64_t rows[BLOCK_ROWS];
    Sums sums[SURVEY_CHANNELS] = {0};
    Real *x = NULL, *labels = NULL;
    Status status;
    TRY_GOTO(memory_new(&x, block * width, "examples"), done);
    if (label_width > 0 && count > 0)
        TRY_GOTO(dataset_read_labels(dataset, split, 0, &labels), done);
    for (size_t first = 0; first < count; first += block) {
        size_t n = count - first < block ? count - first : block;
        for (size_t i = 0; i < n; i++)
            rows[i] = first + i;
        TRY_GOTO(dataset_read(dataset, split, rows, n, NULL, x, NULL), done);
        add_numbers(sums, out->channels, x, n * width);
        for (size_t i = 0; i < n; i++)
            *marks++ = (Mark){.hash = hash_bytes(0, x + i * width, width * sizeof *x),
                              .label = hash_bytes(0, labels + (first + i) * label_width, label_width * sizeof *labels),
                              .row = first + i,
                              .split = split};
        pulse();
    }
    for (size_t c = 0; c < out->channels; c++)
        out->channel[split][c] = finish_sums(&sums[c]);
done:
    memory_free(x);
    memory_free(labels);
    return status;
}

/* ---- copies ---- */

static int by_content(const void *a, const void *b) {
    const Mark *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->split != y->split ? (int)x->split - (int)y->split : (x->row > y->row) - (x->row < y->row);
}

static int by_place(const void *a, const void *b) {
    const SurveyCopy *x = a, *y = b;
    return x->split != y->split ? (int)x->split - (int)y->split : (x->row > y->row) - (x->row < y->row);
}

/* marks[n] have the same content, in the order of splits and rows. */
static void count_group(const Mark marks[], size_t n, Survey *out) {
    bool in[DATASET_SPLITS] = {false};
    for (size_t i = 0; i < n; i++) {
        DatasetSplit split = marks[i].split;
        out->copies[split][split] += in[split];
        in[split] = true;
        for (DatasetSplit before = 0; before < split; before++)
            out->copies[split][before] += in[before];
        if (i == 0)
            continue;
        bool other = marks[i].label != marks[0].label;
        out->other_labels += other;
        out->list[out->listed++] = (SurveyCopy){split, marks[0].split, marks[i].row, marks[0].row, other};
    }
}

static Status find_copies(Mark *marks, size_t count, Survey *out) {
    size_t copies = 0;
    qsort(marks, count, sizeof *marks, by_content);
    for (size_t i = 1; i < count; i++)
        copies += marks[i].hash == marks[i - 1].hash;
    TRY(memory_new(&out->list, copies, "list of copies"));
    for (size_t i = 0, n; i < count; i += n) {
        for (n = 1; i + n < count && marks[i + n].hash == marks[i].hash;)
            n++;
        count_group(marks + i, n, out);
    }
    qsort(out->list, out->listed, sizeof *out->list, by_place);
    out->listed = out->listed < SURVEY_COPIES ? out->listed : SURVEY_COPIES;
    return STATUS_OK;
}

/* ---- the whole ---- */

static Status read_all(Dataset *dataset, Survey *out) {
    const DatasetInfo *info = dataset_info(dataset);
    size_t count = 0, done = 0;
    Mark *marks;
    out->has_x = true;
    out->channels = channels_of(&info->shape);
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        count += info->count[split];
    TRY(memory_new(&marks, count, "list of examples"));
    Status status = STATUS_OK;
    for (DatasetSplit split = 0; status == STATUS_OK && split < DATASET_SPLITS; split++) {
        status = read_split(dataset, split, out, marks + done);
        done += info->count[split];
    }
    if (status == STATUS_OK)
        status = find_copies(marks, count, out);
    memory_free(marks);
    return status;
}

Status survey_dataset(Dataset *dataset, bool read_x, Survey *out) {
    const DatasetInfo *info = dataset_info(dataset);
    LabelKind kind = info->label_count > 0 ? info->labels[0].kind : LABEL_WEIGHT;
    *out = (Survey){0};
    if (kind == LABEL_CLASS || kind == LABEL_ONE_HOT || kind == LABEL_MULTI_HOT)
        out->classes = info->labels[0].classes;
    Status status = STATUS_OK;
    for (DatasetSplit split = 0; status == STATUS_OK && out->classes > 0 && split < DATASET_SPLITS; split++)
        status = count_classes(dataset, split, out);
    if (status == STATUS_OK && read_x)
        status = read_all(dataset, out);
    if (status != STATUS_OK)
        survey_free(out);
    return status;
}

void survey_free(Survey *survey) {
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        memory_free(survey->count[split]);
    memory_free(survey->list);
    *survey = (Survey){0};
}
