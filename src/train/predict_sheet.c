/* SPDX-License-Identifier: Apache-2.0
 *
 * Predictions as a sheet of pictures: green what is right, red what is wrong, black where nobody knows. */
#include "base/log.h"
#include "base/memory.h"
#include "data/sheet.h"
#include "train/predict_write_internal.h"
#include <string.h>

enum { CAPTION = SHEET_CAPTION, SIDE = 256 };

typedef struct PredictSheet {
    size_t count, used;
    PictureCell *cells;           /* owned [count] */
    uint8_t **pixels;             /* owned [count], each of them, too */
    char (*captions)[2][CAPTION]; /* owned [count] */
} PredictSheet;

Status predict__sheet_open(PredictWriter *w) {
    uint64_t all = w->predictor->trained.view.count;
    size_t count = all < w->options.png_count ? (size_t)all : w->options.png_count;
    TRY(memory_new(&w->sheet, 1, "sheet"));
    w->sheet->count = count;
    TRY(memory_new(&w->sheet->cells, count, "sheet"));
    TRY(memory_new(&w->sheet->pixels, count, "sheet"));
    return memory_alloc(count, sizeof *w->sheet->captions, "sheet", (void **)&w->sheet->captions);
}

void predict__sheet_close(PredictWriter *w) {
    PredictSheet *sheet = w->sheet;
    if (sheet == NULL)
        return;
    for (size_t i = 0; sheet->pixels && i < sheet->count; i++)
        memory_free(sheet->pixels[i]);
    memory_free(sheet->pixels);
    memory_free(sheet->cells);
    memory_free(sheet->captions);
    memory_free(sheet);
    w->sheet = NULL;
}

/* Labels above one half, or numbers. */
static void describe_others(const PredictWriter *w, const PredictOutput *o, const Row *row, char *text) {
    char name[PREDICT_NAME];
    size_t used = 0;
    predict_probabilities(o, row->values + o->offset, w->p);
    text[0] = '\0';
    for (size_t c = 0; c < o->width && used < CAPTION; c++)
        if (o->kind == PREDICT_NUMBERS)
            used += (size_t)snprintf(text + used, CAPTION - used, "%s%.4g", used ? " " : "", w->p[c]);
        else if (w->p[c] > 0.5)
            used += (size_t)snprintf(text + used, CAPTION - used, "%s%s", used ? ", " : "",
                                     predict__class(w->predictor, o, c, name));
    if (used == 0)
        snprintf(text, CAPTION, "none");
}

static void write_captions(const PredictWriter *w, const Row *row, PictureCell *cell, char captions[2][CAPTION]) {
    const Predictor *p = w->predictor;
    const PredictOutput *o = &p->outputs[0];
    char name[PREDICT_NAME], truth[PREDICT_NAME];
    cell->caption[0] = captions[0];
    if (row->bad) {
        snprintf(captions[0], CAPTION, "cannot be read");
        return;
    }
    if (!predict__tells_classes(o)) {
        describe_others(w, o, row, captions[0]);
        return;
    }
    int64_t said = (int64_t)w->top[0].class;
    PictureColour verdict = row->truth < 0 ? PICTURE_BLACK : row->truth == said ? PICTURE_GREEN : PICTURE_RED;
    sheet_say(w->top[0].p, predict__class(p, o, (size_t)said, name), verdict,
              row->truth < 0 ? NULL : predict__class(p, o, (size_t)row->truth, truth), captions, cell);
}

Status predict__sheet_add(PredictWriter *w, const Row *row) {
    PredictSheet *sheet = w->sheet;
    const Predictor *p = w->predictor;
    const Trained *t = &p->trained;
    size_t at = sheet->used;
    if (at == sheet->count || row->example < at * (uint64_t)t->view.count / sheet->count)
        return STATUS_OK;
    PictureCell *cell = &sheet->cells[at];
    write_captions(w, row, cell, sheet->captions[at]);
    sheet->used++;
    if (row->bad)
        return STATUS_OK;
    TRY(p->inputs ? inputs_picture(p->inputs, row->example, SIDE, &sheet->pixels[at], &cell->height, &cell->width)
                  : inputs_dataset_picture(t->setup.data, t->split, row->row, &sheet->pixels[at], &cell->height,
                                           &cell->width));
    cell->rgb = sheet->pixels[at];
    return STATUS_OK;
}

Status predict__sheet_write(PredictWriter *w) {
    PredictSheet *sheet = w->sheet;
    char *title, judged[64] = "", shown[64] = "";
    if (w->judged > 0)
        snprintf(judged, sizeof judged, ", %zu of %zu right", w->right, w->judged);
    if (w->examples > sheet->used)
        snprintf(shown, sizeof shown, " (%zu of %zu examples)", sheet->used, w->examples);
    TRY(memory_format(&title, "%s%s%s", w->predictor->trained.path, judged, shown));
    Status status =
        picture_write(&(PictureSheet){.title = title, .cells = sheet->cells, .count = sheet->used}, w->options.png);
    memory_free(title);
    return status;
}
