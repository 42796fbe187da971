/* SPDX-License-Identifier: Apache-2.0 */
#include "train/predict_file.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "train/evaluate.h"

typedef struct Output {
    const Predictor *predictor;
    DatasetWriter *writer;
    float *values; /* owned; of a block */
    void **labels; /* owned, each of them, too */
} Output;

static void free_output(Output *out) {
    for (size_t i = 0; out->labels && i < out->predictor->trained.setup.info->label_count; i++)
        memory_free(out->labels[i]);
    memory_free(out->labels);
    memory_free(out->values);
    dataset_writer_destroy(out->writer);
}

static Status write_rows(void *user, const PredictBlock *block) {
    Output *out = user;
    const Predictor *p = out->predictor;
    const DatasetInfo *info = p->trained.setup.info;
    size_t n = block->n;
    for (size_t i = 0; i < n * p->width; i++)
        out->values[i] = (float)block->values[i];
    for (size_t k = 0; k < info->label_count; k++)
        for (size_t i = 0; i < n * shape_count(&info->labels[k].shape); i++)
            if (info->labels[k].kind == LABEL_CLASS)
                ((int64_t *)out->labels[k])[i] = (int64_t)block->labels[k][i];
            else
                ((float *)out->labels[k])[i] = (float)block->labels[k][i];
    return dataset_writer_append(out->writer, p->trained.asked, n, out->values, (const void *const *)out->labels);
}

/* What the file says of itself: a dataset like that of the examples, with other numbers in the place of x. */
static Status open_output(const Predictor *p, const char *path, bool force, DatasetInfo *info, Output *out) {
    *info = *p->trained.setup.info;
    info->shape = p->outputs[0].shape;
    info->is_uint8 = info->is_pictures = info->is_encoded = false;
    info->value_max = 1;
    *out = (Output){.predictor = p};
    TRY(memory_new(&out->values, EVALUATE_BLOCK * p->width, "results of a block"));
    TRY(memory_new(&out->labels, info->label_count, "labels of a block"));
    for (size_t i = 0; i < info->label_count; i++)
        TRY(memory_alloc(EVALUATE_BLOCK * shape_count(&info->labels[i].shape), sizeof(int64_t), "labels of a block",
                         &out->labels[i]));
    return dataset_writer_create(path, force, info, &out->writer);
}

Status predict_to_dataset(Predictor *p, const char *path, bool force) {
    Dist *dist = p->trained.setup.dist;
    bool root = dist_rank(dist) == 0;
    Output out = {.predictor = p};
    DatasetInfo info;
    char shape[SHAPE_TEXT];
    Status status = dist_agree(dist, root ? open_output(p, path, force, &info, &out) : STATUS_OK);
    if (status == STATUS_OK)
        status = predict_run(p, write_rows, &out);
    if (status == STATUS_OK)
        status = dist_agree(dist, root ? dataset_writer_finish(out.writer) : STATUS_OK);
    if (status == STATUS_OK)
        log_info("%s: %zu rows of %s from layer %s\n", path, (size_t)p->trained.view.count,
                 shape_format(&p->outputs[0].shape, shape), p->outputs[0].name);
    free_output(&out);
    return status;
}
