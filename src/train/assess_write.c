/* SPDX-License-Identifier: Apache-2.0
 *
 * An assessment as JSON and as pictures. */
#include "train/assess_write.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/sheet.h"
#include "io/chart.h"
#include "io/file.h"
#include "io/picture.h"
#include <math.h>
#include <string.h>

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static const char *const kinds[] = {"classes", "labels", "numbers", "nothing"};

static json_t *figures_json(const AssessFigures *f) {
    return json_pack("{s:f, s:f, s:f, s:I}", "precision", f->precision, "recall", f->recall, "f1", f->f1, "support",
                     (json_int_t)f->support);
}

static bool has_names(const AssessOutput *o, AssessNames names) {
    return names.names && names.count == o->classes;
}

static json_t *classes_json(const AssessOutput *o, AssessNames names) {
    json_t *array = json_array();
    for (size_t c = 0; c < o->classes; c++) {
        json_t *name = has_names(o, names) ? json_string(names.names[c]) : NULL; /* NULL also: no UTF-8 */
        json_t *class = json_pack("{s:o}", "name", name ? name : json_integer((json_int_t)c));
        json_t *figures = figures_json(&o->of[c]);
        json_object_update(class, figures);
        json_decref(figures);
        json_array_append_new(array, class);
    }
    return array;
}

static json_t *confusion_json(const AssessOutput *o) {
    json_t *rows = json_array();
    for (size_t t = 0; t < o->classes; t++) {
        json_t *row = json_array();
        for (size_t p = 0; p < o->classes; p++)
            json_array_append_new(row, json_integer((json_int_t)assess_confusion(o, t, p)));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *output_json(const Assessment *a, size_t output, AssessNames names) {
    static const char *const values[] = {"top_5", "auc", "ece", "mae", "rmse", "r2"};
    const AssessOutput *o = &a->outputs[output];
    json_t *json = json_pack("{s:s, s:s}", "output", o->name, "kind", kinds[o->kind]);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        double value = assess_value(a, output, values[i]);
        if (isfinite(value))
            json_object_set_new(json, values[i], json_real(value));
    }
    if (o->kind == ASSESS_LABELS) {
        json_object_set_new(json, "exact_match", json_real(o->all ? (double)o->exact / (double)o->all : 0));
        json_object_set_new(json, "micro", figures_json(&o->micro));
    }
    if (o->classes > 0) {
        json_object_set_new(json, "macro", figures_json(&o->macro));
        json_object_set_new(json, "weighted", figures_json(&o->weighted));
        json_object_set_new(json, "classes", classes_json(o, names));
    }
    if (o->kind == ASSESS_CLASSES && o->classes > 0)
        json_object_set_new(json, "confusion", confusion_json(o));
    return json;
}

json_t *assess_json(const Assessment *a, AssessNames names) {
    json_t *array = json_array();
    for (size_t i = 0; i < a->count; i++)
        json_array_append_new(array, output_json(a, i, names));
    return array;
}

/* ---- confusions -------------------------------------------------------------------------------------------------- */

Status assess_render_confusion(const Assessment *a, AssessNames names, AssessPicture how, unsigned char **bytes,
                               size_t *size) {
    const AssessOutput *o = &a->outputs[0];
    double *values;
    if (o->kind != ASSESS_CLASSES || o->classes == 0)
        return status_fail(STATUS_USAGE,
                           "%s: output %s does not tell up to %d classes apart, so there are no confusions", how.name,
                           o->name, ASSESS_MAX_CLASSES);
    TRY(memory_new(&values, o->classes * o->classes, "confusions"));
    for (size_t t = 0; t < o->classes; t++)
        for (size_t p = 0; p < o->classes; p++)
            values[t * o->classes + p] = (double)assess_confusion(o, t, p);
    const char *const *shown = has_names(o, names) ? (const char *const *)names.names : NULL;
    ChartHeat heat = {o->classes, o->classes, values, shown, shown};
    Chart chart = {.title = how.title, .x_label = "predicted class", .y_label = "true class", .heat = &heat};
    Status status = chart_render(&(ChartPicture){.charts = &chart, .chart_count = 1, .dark = how.dark}, how.format,
                                 how.name, bytes, size);
    memory_free(values);
    return status;
}

static Status write_bytes(const char *path, unsigned char *bytes, size_t size) {
    Status status = file_write(path, 1, &(FilePart){bytes, size});
    memory_free(bytes);
    return status;
}

Status assess_draw_confusion(const Assessment *a, AssessNames names, const char *title, bool dark, const char *path) {
    AssessPicture how = {.title = title, .dark = dark, .name = path};
    unsigned char *bytes;
    size_t size;
    TRY(drawing_format(path, &how.format));
    TRY(assess_render_confusion(a, names, how, &bytes, &size));
    return write_bytes(path, bytes, size);
}

/* ---- mistakes ---------------------------------------------------------------------------------------------------- */

enum { CAPTION = SHEET_CAPTION };

typedef struct Mistakes {
    PictureCell cells[ASSESS_MISTAKES];
    char captions[ASSESS_MISTAKES][2][CAPTION];
    uint8_t *pixels; /* owned, of all of them */
} Mistakes;

static const char *class_text(const AssessOutput *o, AssessNames names, double class, char text[CAPTION]) {
    if (!(class >= 0 && class < (double)o->classes))
        snprintf(text, CAPTION, "none");
    else if (has_names(o, names))
        snprintf(text, CAPTION, "%s", names.names[(size_t) class]);
    else
        snprintf(text, CAPTION, "%.0f", class);
    return text;
}

static void write_captions(const AssessOutput *o, AssessNames names, const AssessMistake *m, PictureColour verdict,
                           char captions[2][CAPTION], PictureCell *cell) {
    char text[CAPTION], truth[CAPTION];
    if (o->kind == ASSESS_CLASSES) {
        sheet_say(m->confidence, class_text(o, names, m->said, text), verdict, class_text(o, names, m->truth, truth),
                  captions, cell);
        return;
    }
    if (o->kind == ASSESS_LABELS) {
        snprintf(captions[0], CAPTION, "%s %.100s", m->said > 0 ? "not" : "missed",
                 class_text(o, names, m->confidence, text));
        snprintf(captions[1], CAPTION, "loss %.3g", m->loss);
    } else {
        snprintf(captions[0], CAPTION, "%.4g", m->said);
        snprintf(captions[1], CAPTION, "is %.4g", m->truth);
    }
    cell->caption[0] = captions[0];
    cell->caption[1] = verdict == PICTURE_RED ? captions[1] : NULL;
    cell->colour = verdict;
}

static Status draw_examples(const Assessment *a, const AssessMistake *list, size_t count, bool right, AssessNames names,
                            const AssessSource *source, Mistakes *draw) {
    const Shape *shape = &dataset_info(source->dataset)->shape;
    size_t one = shape->dim[0] * shape->dim[1] * 3;
    TRY(memory_alloc(count, one, "pictures", (void **)&draw->pixels));
    for (size_t i = 0; i < count; i++) {
        uint8_t *pixels = draw->pixels + i * one;
        TRY(sheet_example(source->dataset, source->split, sampler_row(source->view, list[i].example), pixels));
        draw->cells[i] = (PictureCell){shape->dim[0], shape->dim[1], pixels, {NULL}, PICTURE_BLACK};
        write_captions(&a->outputs[0], names, &list[i], right ? PICTURE_GREEN : PICTURE_RED, draw->captions[i],
                       &draw->cells[i]);
    }
    return STATUS_OK;
}

Status assess_render_examples(const Assessment *a, const AssessMistake *list, size_t count, bool right,
                              AssessNames names, const AssessSource *source, AssessPicture how, unsigned char **bytes,
                              size_t *size) {
    Mistakes *draw;
    *bytes = NULL;
    CHECK(count <= ASSESS_MISTAKES, "%zu examples", count);
    TRY(memory_new(&draw, 1, "sheet of examples"));
    Status status = draw_examples(a, list, count, right, names, source, draw);
    if (status == STATUS_OK)
        status = picture_render(&(PictureSheet){.title = how.title, .cells = draw->cells, .count = count}, how.format,
                                how.name, bytes, size);
    memory_free(draw->pixels);
    memory_free(draw);
    return status;
}

Status assess_draw_mistakes(const Assessment *a, AssessNames names, const AssessSource *source, const char *title,
                            const char *path) {
    const DatasetInfo *info = dataset_info(source->dataset);
    char shape[SHAPE_TEXT];
    AssessPicture how = {.title = title, .name = path};
    unsigned char *bytes;
    size_t size;
    if (info->shape.rank != 3)
        return status_fail(STATUS_USAGE,
                           "%s: examples of %s cannot be drawn: they are no images [height, width, channels]", path,
                           shape_format(&info->shape, shape));
    if (a->mistake_count == 0) {
        log_info("%s is not written: the network makes no mistake\n", path);
        return STATUS_OK;
    }
    TRY(drawing_format(path, &how.format));
    TRY(assess_render_examples(a, a->mistakes, a->mistake_count, false, names, source, how, &bytes, &size));
    return write_bytes(path, bytes, size);
}
