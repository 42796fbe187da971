/* SPDX-License-Identifier: Apache-2.0
 *
 * Embeddings of all examples of a split, gathered on rank 0, and their pairs. */
#include "base/log.h"
#include "base/memory.h"
#include "train/program.h"
#include "train/verify.h"
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rank 0's. */
typedef struct Gallery {
    size_t rows, width;
    Real *values;    /* [rows][width] owned */
    size_t *classes; /* [rows] owned; NULL: the data have no classes */
} Gallery;

static Status keep_rows(void *user, const PredictBlock *block) {
    Gallery *gallery = user;
    memcpy(gallery->values + block->first * gallery->width, block->values,
           block->n * gallery->width * sizeof *block->values);
    for (size_t i = 0; gallery->classes && i < block->n; i++)
        gallery->classes[block->first + i] = (size_t)block->labels[0][i];
    return STATUS_OK;
}

static Status new_gallery(const Predictor *p, Gallery *gallery) {
    const DatasetInfo *info = p->trained.setup.info;
    gallery->rows = p->trained.view.count;
    gallery->width = p->width;
    TRY(memory_alloc(gallery->rows, p->width * sizeof(Real), "embeddings", (void **)&gallery->values));
    if (info->label_count > 0 && info->labels[0].kind == LABEL_CLASS && info->labels[0].shape.rank == 0)
        TRY(memory_new(&gallery->classes, gallery->rows, "classes"));
    return STATUS_OK;
}

static double cosine(const Real *u, const Real *v, size_t width) {
    double uv = 0, uu = 0, vv = 0;
    for (size_t i = 0; i < width; i++) {
        uv += (double)u[i] * (double)v[i];
        uu += (double)u[i] * (double)u[i];
        vv += (double)v[i] * (double)v[i];
    }
    return uv / (sqrt(uu) * sqrt(vv));
}

/* `what`: a number of pairs to draw, or a file. */
static Status find_pairs(const Predictor *p, const Gallery *gallery, const char *what, uint64_t seed,
                         VerifyPair **pairs, size_t *count) {
    char *end;
    double number = strtod(what, &end);
    if (*end != '\0')
        return verify_read_pairs(what, gallery->rows, pairs, count);
    if (!(number >= VERIFY_FOLDS && number <= 1e9 && number == floor(number)))
        return status_fail(STATUS_USAGE, "--verify-pairs %s: must be a file, or a number of pairs from %d on", what,
                           VERIFY_FOLDS);
    if (gallery->classes == NULL)
        return status_fail(STATUS_FAILED, "%s has no classes to draw pairs from: give a file of pairs",
                           p->trained.setup.info->path);
    *count = (size_t)number;
    return verify_draw_pairs(gallery->classes, gallery->rows, *count, seed, pairs);
}

static Status print_json(const Predictor *p, const VerifyResult *r) {
    json_t *json =
        json_pack("{s:o, s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f}", "data",
                  program_json_text(p->trained.setup.info->path), "split", dataset_split_names[p->trained.asked],
                  "layer", p->outputs[0].name, "pairs", (json_int_t)r->pairs, "same", (json_int_t)r->same, "accuracy",
                  r->accuracy, "deviation", r->deviation, "threshold", r->threshold, "auc", r->auc, "eer", r->eer);
    return program_print_json(json, "the figures are not numbers");
}

static Status print(const Predictor *p, const VerifyResult *r) {
    log_info("%s: %zu pairs, %zu of the same, by the cosine of layer %s (%zu numbers)\n",
             dataset_split_names[p->trained.asked], r->pairs, r->same, p->outputs[0].name, p->width);
    log_info("accuracy %.6g +- %.4g (%d folds)  auc %.6g  eer %.6g  threshold %.6g\n", r->accuracy, r->deviation,
             VERIFY_FOLDS, r->auc, r->eer, r->threshold);
    return log_check_output();
}

static Status judge(const Predictor *p, const Gallery *gallery, const char *what, uint64_t seed, bool json) {
    VerifyPair *pairs = NULL;
    double *scores = NULL;
    size_t count = 0;
    VerifyResult result;
    Status status;
    TRY_GOTO(find_pairs(p, gallery, what, seed, &pairs, &count), done);
    TRY_GOTO(memory_new(&scores, count, "scores"), done);
    for (size_t i = 0; i < count; i++)
        scores[i] = cosine(gallery->values + pairs[i].a * gallery->width, gallery->values + pairs[i].b * gallery->width,
                           gallery->width);
    TRY_GOTO(verify_measure(pairs, scores, count, &result), done);
    TRY_GOTO(json ? print_json(p, &result) : print(p, &result), done);
done:
    memory_free(pairs);
    memory_free(scores);
    return status;
}

Status verify_run(Dist *dist, const PredictOptions *options, const char *pairs, uint64_t seed, bool json) {
    bool root = dist_rank(dist) == 0;
    Predictor predictor;
    Gallery gallery = {0};
    Status status = predict_open(dist, options, &predictor);
    if (status == STATUS_OK)
        status = dist_agree(dist, root ? new_gallery(&predictor, &gallery) : STATUS_OK);
    if (status == STATUS_OK)
        status = predict_run(&predictor, keep_rows, &gallery);
    if (status == STATUS_OK)
        status = dist_agree(dist, root ? judge(&predictor, &gallery, pairs, seed, json) : STATUS_OK);
    memory_free(gallery.values);
    memory_free(gallery.classes);
    predict_close(&predictor);
    return status;
}
