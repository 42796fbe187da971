/* SPDX-License-Identifier: Apache-2.0
 *
 * Predictions as text: a table, CSV, JSON. */
#include "base/memory.h"
#include "base/terminal.h"
#include "train/predict_write_internal.h"
#include "train/program.h"
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const predict_formats[] = {"table", "csv", "json", NULL};

enum {
    WIDTH = 79,
    INPUT_WIDTH = 34, /* longest input (on a terminal) and class name in a table */
    CLASS_WIDTH = 20,
    TABLE_NUMBERS = 6 /* numbers of a row in a table */
};

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Appends; a failure stays in text->status. */
static void add(Text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(Text *text, const char *format, ...) {
    va_list list;
    for (int tries = 0; tries < 2 && text->status == STATUS_OK; tries++) {
        va_start(list, format);
        int n = vsnprintf(text->bytes + text->used, text->room - text->used, format, list);
        va_end(list);
        if (n >= 0 && text->used + (size_t)n < text->room) {
            text->used += (size_t)n;
            return;
        }
        size_t more = (size_t)(n < 0 ? 0 : n) + 65536; /* so that mostly the first try succeeds */
        text->status = memory_grow(&text->bytes, text->used, more, "text of predictions");
        if (text->status == STATUS_OK)
            text->room = text->used + more;
    }
}

/* Columns that a UTF-8 text takes, one for each character. */
static size_t columns_of(const char *text) {
    size_t columns = 0;
    for (; *text; text++)
        columns += (*text & 0xc0) != 0x80;
    return columns;
}

/* In `width` columns, on the left; a longer text loses its beginning (`tail`) or its end. */
static void add_padded(Text *text, const char *word, size_t width, bool tail) {
    size_t columns = columns_of(word);
    if (columns <= width) {
        add(text, "%s%*s", word, (int)(width - columns), "");
        return;
    }
    if (tail) {
        for (size_t drop = columns - width + 2; drop > 0 || (*word & 0xc0) == 0x80; word++)
            drop -= (*word & 0xc0) != 0x80;
        add(text, "..%s", word);
        return;
    }
    const char *end = word;
    for (size_t keep = width - 2; keep > 0 || (*end & 0xc0) == 0x80; end++)
        keep -= (*end & 0xc0) != 0x80;
    add(text, "%.*s..", (int)(end - word), word);
}

static void add_csv(Text *text, const char *word) {
    if (strpbrk(word, ",\"\r\n") == NULL) {
        add(text, "%s", word);
        return;
    }
    add(text, "\"");
    for (; *word; word++)
        add(text, *word == '"' ? "\"\"" : "%c", *word);
    add(text, "\"");
}

/* ---- table ------------------------------------------------------------------------------------------------------- */

static void begin_table(PredictWriter *w) {
    const Predictor *p = w->predictor;
    const PredictOutput *o = &p->outputs[0];
    char text[PREDICT_NAME];
    w->class_width = strlen("class");
    for (size_t c = 0; predict__tells_classes(o) && c < (o->width > 1 ? o->width : 2); c++) {
        size_t width = columns_of(predict__class(p, o, c, text));
        w->class_width = width > w->class_width ? width : w->class_width;
    }
    w->class_width = w->class_width < CLASS_WIDTH ? w->class_width : CLASS_WIDTH;
    w->input_width = strlen("example");
    for (size_t i = 0; p->inputs && i < p->inputs->item_count; i++) {
        const InputItem *item = &p->inputs->items[i];
        size_t width = columns_of(item->path) + (item->dataset ? 1 + strlen("1000000") : 0);
        w->input_width = width > w->input_width ? width : w->input_width;
    }
    if (w->options.out[0] == '\0' && terminal_width(STDOUT_FILENO) > 0 && w->input_width > INPUT_WIDTH)
        w->input_width = INPUT_WIDTH; /* files and pipes get whole names */
    size_t before = w->input_width + 2 + (w->labelled ? w->class_width + 2 : 0), one = w->class_width + 1 + 6 + 2;
    w->in_line = before + one > WIDTH + 2 ? 1 : (WIDTH + 2 - before) / one;
    add_padded(&w->text, p->inputs ? "input" : "example", w->input_width, false);
    if (w->labelled) {
        add(&w->text, "  ");
        add_padded(&w->text, "is", w->class_width, false);
    }
    add(&w->text, "  %s\n", p->output_count > 1 ? "outputs" : predict__tells_classes(o) ? "prediction" : o->name);
}

static void table_classes(PredictWriter *w, const PredictOutput *o, const Real *values, size_t column) {
    char name[PREDICT_NAME];
    size_t count = predict__top(w, o, values);
    for (size_t k = 0; k < count; k++) {
        if (k > 0 && w->in_line > 0 && k % w->in_line == 0)
            add(&w->text, "\n%*s", (int)column, "");
        add(&w->text, "  ");
        add_padded(&w->text, predict__class(w->predictor, o, w->top[k].class, name), w->class_width, false);
        add(&w->text, " %.4f", w->top[k].p);
    }
}

/* What is above one half. */
static void table_labels(PredictWriter *w, const PredictOutput *o, const Real *values) {
    char name[PREDICT_NAME];
    bool none = true;
    predict_probabilities(o, values, w->p);
    for (size_t c = 0; c < o->width; c++)
        if (w->p[c] > 0.5) {
            add(&w->text, "  %s %.4f", predict__class(w->predictor, o, c, name), w->p[c]);
            none = false;
        }
    if (none)
        add(&w->text, "  none");
}

static void add_table_row(PredictWriter *w, const Row *row) {
    const Predictor *p = w->predictor;
    char name[PREDICT_NAME], *path = NULL;
    size_t column = w->input_width + (w->labelled ? w->class_width + 2 : 0);
    if (p->inputs && row->has_row &&
        memory_format(&path, "%s:%llu", row->input, (unsigned long long)row->row) != STATUS_OK)
        return;
    snprintf(name, sizeof name, "%llu", (unsigned long long)row->row);
    add_padded(&w->text, path ? path : p->inputs ? row->input : name, w->input_width, true);
    memory_free(path);
    if (w->labelled) {
        add(&w->text, "  ");
        add_padded(&w->text, row->truth < 0 ? "" : predict__class(p, &p->outputs[0], (size_t)row->truth, name),
                   w->class_width, false);
    }
    if (row->bad)
        add(&w->text, "  cannot be read");
    for (size_t k = 0; !row->bad && k < p->output_count; k++) {
        const PredictOutput *o = &p->outputs[k];
        if (p->output_count > 1)
            add(&w->text, "  %s", o->name);
        if (predict__tells_classes(o))
            table_classes(w, o, row->values + o->offset, column);
        else if (o->kind == PREDICT_LABELS)
            table_labels(w, o, row->values + o->offset);
        for (size_t c = 0; o->kind == PREDICT_NUMBERS && c < o->width && c < TABLE_NUMBERS; c++)
            add(&w->text, "  %.6g", (double)row->values[o->offset + c]);
        if (o->kind == PREDICT_NUMBERS && o->width > TABLE_NUMBERS)
            add(&w->text, "  ... (%zu numbers)", o->width);
    }
    add(&w->text, "\n");
}

/* ---- CSV --------------------------------------------------------------------------------------------------------- */

static void begin_csv(PredictWriter *w) {
    const Predictor *p = w->predictor;
    char name[PREDICT_NAME], *column;
    add(&w->text, "input,row,is");
    for (size_t k = 0; k < p->output_count; k++) {
        const PredictOutput *o = &p->outputs[k];
        size_t classes = o->kind == PREDICT_CLASSES ? o->width : 2,
               top = w->options.top < classes ? w->options.top : classes;
        char prefix[PREDICT_NAME] = "";
        if (p->output_count > 1)
            snprintf(prefix, sizeof prefix, "%s_", o->name);
        for (size_t c = 1; predict__tells_classes(o) && c <= top; c++)
            add(&w->text, ",%sclass_%zu,%sprobability_%zu", prefix, c, prefix, c);
        for (size_t c = 0; !predict__tells_classes(o) && c < o->width; c++) {
            const char *label = o->kind == PREDICT_LABELS ? predict__class(p, o, c, name) : NULL;
            Status status = label ? memory_format(&column, "%s%s", prefix, label)
                                  : memory_format(&column, "%svalue_%zu", prefix, c + 1);
            add(&w->text, ",");
            add_csv(&w->text, status == STATUS_OK ? column : "");
            memory_free(column);
        }
    }
    add(&w->text, "\n");
}

static void add_csv_row(PredictWriter *w, const Row *row) {
    const Predictor *p = w->predictor;
    char name[PREDICT_NAME];
    if (row->bad)
        return;
    add_csv(&w->text, row->input);
    add(&w->text, ",");
    if (row->has_row)
        add(&w->text, "%llu", (unsigned long long)row->row);
    add(&w->text, ",");
    if (row->truth >= 0)
        add_csv(&w->text, predict__class(p, &p->outputs[0], (size_t)row->truth, name));
    for (size_t k = 0; k < p->output_count; k++) {
        const PredictOutput *o = &p->outputs[k];
        size_t top = predict__tells_classes(o) ? predict__top(w, o, row->values + o->offset) : 0;
        for (size_t c = 0; c < top; c++) {
            add(&w->text, ",");
            add_csv(&w->text, predict__class(p, o, w->top[c].class, name));
            add(&w->text, ",%.6g", w->top[c].p);
        }
        predict_probabilities(o, row->values + o->offset, w->p);
        for (size_t c = 0; !predict__tells_classes(o) && c < o->width; c++)
            add(&w->text, ",%.9g", w->p[c]);
    }
    add(&w->text, "\n");
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static json_t *number_json(double value) {
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *output_json(PredictWriter *w, const PredictOutput *o, const Real *values) {
    const Predictor *p = w->predictor;
    char name[PREDICT_NAME];
    json_t *array = json_array();
    size_t top = predict__tells_classes(o) ? predict__top(w, o, values) : 0;
    for (size_t c = 0; c < top; c++)
        json_array_append_new(array, json_pack("{s:o, s:o}", "class",
                                               program_json_text(predict__class(p, o, w->top[c].class, name)),
                                               "probability", number_json(w->top[c].p)));
    predict_probabilities(o, values, w->p);
    for (size_t c = 0; !predict__tells_classes(o) && c < o->width; c++)
        json_array_append_new(array,
                              o->kind == PREDICT_NUMBERS
                                  ? number_json(w->p[c])
                                  : json_pack("{s:o, s:o}", "label", program_json_text(predict__class(p, o, c, name)),
                                              "probability", number_json(w->p[c])));
    return array;
}

static void add_json_row(PredictWriter *w, const Row *row) {
    static const char *const keys[] = {"classes", "labels", "values"};
    const Predictor *p = w->predictor;
    char name[PREDICT_NAME];
    if (row->bad)
        return;
    json_t *json = json_pack("{s:o}", "input", program_json_text(row->input));
    if (row->has_row)
        json_object_set_new(json, "row", json_integer((json_int_t)row->row));
    if (row->truth >= 0)
        json_object_set_new(json, "is", program_json_text(predict__class(p, &p->outputs[0], (size_t)row->truth, name)));
    json_t *outputs = p->output_count > 1 ? json_object() : json;
    for (size_t k = 0; k < p->output_count; k++) {
        const PredictOutput *o = &p->outputs[k];
        const char *key = predict__tells_classes(o) ? keys[0] : keys[o->kind];
        json_object_set_new(outputs, p->output_count > 1 ? o->name : key, output_json(w, o, row->values + o->offset));
    }
    if (outputs != json)
        json_object_set_new(json, "outputs", outputs);
    char *text = json_dumps(json, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9));
    json_decref(json);
    add(&w->text, "%s%s", w->written++ ? ",\n" : "", text ? text : "null");
    free(text);
}

/* ---- of any form ------------------------------------------------------------------------------------------------- */

void predict__text_begin(PredictWriter *w) {
    if (w->options.format == PREDICT_TABLE)
        begin_table(w);
    else if (w->options.format == PREDICT_CSV)
        begin_csv(w);
    else
        add(&w->text, "[\n");
}

void predict__text_add(PredictWriter *w, const Row *row) {
    if (w->options.format == PREDICT_TABLE)
        add_table_row(w, row);
    else if (w->options.format == PREDICT_CSV)
        add_csv_row(w, row);
    else
        add_json_row(w, row);
}

void predict__text_end(PredictWriter *w) {
    if (w->options.format == PREDICT_TABLE && w->judged > 1)
        add(&w->text, "%zu of %zu right (%.2f %%)\n", w->right, w->judged, 100 * (double)w->right / (double)w->judged);
    if (w->options.format == PREDICT_JSON)
        add(&w->text, "\n]\n");
}
