/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "train/predict_write_internal.h"
#include <string.h>

/* ---- what a row says --------------------------------------------------------------------------------------------- */

const char *predict__class(const Predictor *p, const PredictOutput *o, size_t class, char text[PREDICT_NAME]) {
    size_t count = p->trained.class_names ? p->trained.class_count : p->trained.setup.info->class_name_count;
    size_t classes = o->kind == PREDICT_LABELS && o->width == 1 ? 2 : o->width;
    const char *name = count == classes ? trained_class_name(&p->trained, class) : NULL;
    if (name)
        return name;
    snprintf(text, PREDICT_NAME, "%zu", class);
    return text;
}

bool predict__tells_classes(const PredictOutput *o) {
    return o->kind == PREDICT_CLASSES || (o->kind == PREDICT_LABELS && o->width == 1);
}

/* p becomes the probabilities of two classes where there is one number: yes. */
static size_t class_probabilities(const PredictOutput *o, const Real *values, double *p) {
    predict_probabilities(o, values, p);
    if (o->kind == PREDICT_CLASSES)
        return o->width;
    p[1] = p[0];
    p[0] = 1 - p[1];
    return 2;
}

size_t predict__top(PredictWriter *w, const PredictOutput *o, const Real *values) {
    size_t count = class_probabilities(o, values, w->p), found = 0;
    for (; found < w->options.top && found < count; found++) {
        size_t best = count;
        for (size_t c = 0; c < count; c++)
            if (w->p[c] >= 0 && (best == count || w->p[c] > w->p[best]))
                best = c;
        if (best == count)
            break;
        w->top[found] = (TopClass){best, w->p[best]};
        w->p[best] = -1;
    }
    return found;
}

/* The label array that says which class of the first output is true: class numbers, one-hot, or yes and no; -1:
 * none. */
static int truth_label(const Predictor *p) {
    const PredictOutput *o = &p->outputs[0];
    const DatasetInfo *info = p->trained.setup.info;
    const DatasetLabel *label = setup_label(info, o->name);
    if (p->inputs || label == NULL || !predict__tells_classes(o))
        return -1;
    bool number = label->kind == LABEL_CLASS && label->shape.rank == 0;
    bool one_hot = label->kind == LABEL_ONE_HOT && o->kind == PREDICT_CLASSES && label->classes == o->width;
    bool yes = label->kind == LABEL_MULTI_HOT && o->width == 1 && shape_count(&label->shape) == 1;
    return number || one_hot || yes ? (int)(label - info->labels) : -1;
}

/* Number of the dataset's class in the network's names; where one of the two has no names, as it is. */
static int64_t truth_of(const PredictWriter *w, const PredictBlock *block, size_t i) {
    const Trained *t = &w->predictor->trained;
    const DatasetInfo *info = t->setup.info;
    const DatasetLabel *label = &info->labels[w->truth_label];
    const Real *value = block->labels[w->truth_label] + i * shape_count(&label->shape);
    size_t class = label->kind == LABEL_CLASS     ? (size_t)value[0]
                   : label->kind == LABEL_ONE_HOT ? loss_class(value, label->classes)
                                                  : value[0] > (Real)0.5;
    if (t->class_names == NULL || class >= info->class_name_count)
        return (int64_t) class;
    for (size_t c = 0; c < t->class_count; c++)
        if (strcmp(t->class_names[c], info->class_names[class]) == 0)
            return (int64_t)c;
    return -1;
}

static void describe_row(const PredictWriter *w, const PredictBlock *block, size_t i, Row *row) {
    const Predictor *p = w->predictor;
    *row = (Row){.example = block->first + i, .truth = -1, .bad = p->inputs && block->bad[i]};
    if (p->inputs) {
        const InputItem *item = inputs_item(p->inputs, block->rows[i], &row->row);
        row->input = item->path;
        row->has_row = item->dataset != NULL;
        row->truth = inputs_truth(p->inputs, block->rows[i], p->trained.class_names, p->trained.class_count);
    } else {
        row->input = p->trained.setup.info->path;
        row->has_row = true;
        row->row = block->rows[i];
        if (w->labelled)
            row->truth = truth_of(w, block, i);
    }
    row->values = block->values + i * p->width;
}

/* ---- the writer -------------------------------------------------------------------------------------------------- */

/* May an example's truth be known? */
static bool has_truth(const Predictor *p, int label) {
    if (p->inputs == NULL || !predict__tells_classes(&p->outputs[0]))
        return label >= 0;
    for (uint64_t i = 0; i < p->inputs->count; i++) /* mostly the first one says it */
        if (inputs_truth(p->inputs, i, p->trained.class_names, p->trained.class_count) >= 0)
            return true;
    return false;
}

Status predict_writer_create(const Predictor *p, const PredictWriteOptions *options, PredictWriter **out) {
    TRY(memory_new(out, 1, "predictions"));
    PredictWriter *w = *out;
    w->predictor = p;
    w->options = *options;
    w->truth_label = truth_label(p);
    w->labelled = has_truth(p, w->truth_label);
    Status status = memory_new(&w->p, p->width + 2, "probabilities");
    if (status == STATUS_OK)
        status = memory_new(&w->top, options->top, "classes");
    if (status == STATUS_OK && options->png[0])
        status = predict__sheet_open(w);
    if (status != STATUS_OK)
        return status;
    predict__text_begin(w);
    return w->text.status;
}

void predict_writer_destroy(PredictWriter *w) {
    if (w == NULL)
        return;
    predict__sheet_close(w);
    memory_free(w->text.bytes);
    memory_free(w->top);
    memory_free(w->p);
    memory_free(w);
}

/* To stdout what there is. */
static Status flush(PredictWriter *w) {
    TRY(w->text.status);
    if (w->options.out[0] == '\0' && w->text.used > 0) {
        fwrite(w->text.bytes, 1, w->text.used, stdout);
        w->text.used = 0;
    }
    return log_check_output();
}

static void count_right(PredictWriter *w, const Row *row) {
    if (row->bad) {
        w->bad++;
        return;
    }
    w->examples++;
    if (row->truth < 0)
        return;
    w->judged++;
    const PredictOutput *o = &w->predictor->outputs[0];
    w->right += predict__top(w, o, row->values + o->offset) > 0 && w->top[0].class == (size_t)row->truth;
}

Status predict_writer_sink(void *user, const PredictBlock *block) {
    PredictWriter *w = user;
    for (size_t i = 0; i < block->n; i++) {
        Row row;
        describe_row(w, block, i, &row);
        count_right(w, &row);
        predict__text_add(w, &row);
        if (w->options.png[0])
            TRY(predict__sheet_add(w, &row));
    }
    return flush(w);
}

Status predict_writer_finish(PredictWriter *w) {
    predict__text_end(w);
    TRY(flush(w));
    if (w->options.out[0])
        TRY(file_write(w->options.out, 1, &(FilePart){w->text.bytes, w->text.used}));
    if (w->options.png[0])
        TRY(predict__sheet_write(w));
    return w->bad == 0
               ? STATUS_OK
               : status_fail(STATUS_FAILED, "%zu of %zu inputs could not be read", w->bad, w->bad + w->examples);
}
