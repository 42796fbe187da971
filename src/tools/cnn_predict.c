/* SPDX-License-Identifier: Apache-2.0
 *
 * cnn_predict: what a trained network, or one of its layers, makes of each example: as a table, or as a dataset file. */
#include "backend/select.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "train/cli.h"
#include "train/evaluate.h"
#include "train/predict.h"
#include "train/program.h"
#include <math.h>
#include <string.h>

typedef struct Arguments {
    TrainedArguments trained;
    char layer[CLI_TEXT], out[CLI_TEXT];
    size_t top;
    bool force;
} Arguments;

#define TEXT(field, shown) OPTION_TEXT, .offset = offsetof(Arguments, field), .argument = shown
static const Option options[] = {
    TRAINED_OPTIONS(Arguments, trained),
    {.name = "layer", .type = TEXT(layer, "NAME"), .help = "the output of this layer, not of the network"},
    {.name = "out",
     .key = 'o',
     .type = TEXT(out, "FILE.h5"),
     .endings = ".h5 .hdf5",
     .help = "write a dataset with the outputs as x, and the labels, in the order of the examples; else print a table: "
             "number, label, then classes with probability, between tabulators"},
    {.name = "force", .type = OPTION_FLAG, .offset = offsetof(Arguments, force), .help = "replace the file of --out"},
    {.name = "top",
     .type = OPTION_SIZE,
     .offset = offsetof(Arguments, top),
     .argument = "K",
     .fallback = "1",
     .min = 1,
     .max = 1000,
     .help = "classes in the table: the K most probable ones"},
};
static const CliProgram program = {
    .name = "cnn_predict",
    .summary = "What a trained network makes of each example of a split: its class, or the\n"
               "output of any layer.",
    .examples = "Examples:\n  cnn_predict run1 --top 3\n"
                "  mpirun -np 8 cnn_predict run1 --split train --layer avg_pool -o features.h5",
    .options = options,
    .option_count = sizeof options / sizeof *options,
};

/* ---- a table -------------------------------------------------------------------------------------------------------- */

typedef struct Table {
    const Predictor *predictor;
    size_t top;
    bool classes, probabilities; /* the outputs tell classes apart; and are probabilities already */
} Table;

/* Outputs of a network without softmax become probabilities. */
static void make_probabilities(const Table *table, const Real *values, double *p, size_t width) {
    double largest = -INFINITY, sum = 0;
    for (size_t i = 0; i < width; i++)
        largest = fmax(largest, (double)values[i]);
    for (size_t i = 0; i < width; i++)
        sum += p[i] = table->probabilities ? (double)values[i] : exp((double)values[i] - largest);
    for (size_t i = 0; i < width && !table->probabilities; i++)
        p[i] /= sum;
}

static void print_class(const Predictor *p, size_t number) {
    const DatasetInfo *info = p->trained.setup.info;
    if (p->trained.class_names && number < p->trained.class_count)
        log_info("\t%s", p->trained.class_names[number]);
    else if (!p->trained.class_names && number < info->class_name_count)
        log_info("\t%s", info->class_names[number]);
    else
        log_info("\t%zu", number);
}

/* The most probable classes, each with its probability; of equal ones the first. */
static void print_top(const Table *table, double *p, size_t width) {
    for (size_t k = 0; k < table->top && k < width; k++) {
        size_t best = 0;
        for (size_t i = 1; i < width; i++)
            best = p[i] > p[best] ? i : best;
        print_class(table->predictor, best);
        log_info("\t%.4f", p[best]);
        p[best] = -1;
    }
}

static Status print_rows(void *user, size_t first, size_t n, const Real *values, Real *const labels[]) {
    const Table *table = user;
    const Predictor *p = table->predictor;
    const DatasetInfo *info = p->trained.setup.info;
    bool labelled = info->label_count > 0 && info->labels[0].kind == LABEL_CLASS && info->labels[0].shape.rank == 0;
    double *probability;
    TRY(memory_new(&probability, p->width, "probabilities"));
    for (size_t i = 0; i < n; i++) {
        const Real *row = values + i * p->width;
        log_info("%llu", (unsigned long long)sampler_row(&p->trained.view, first + i));
        if (labelled)
            print_class(p, (size_t)labels[0][i]);
        if (table->classes) {
            make_probabilities(table, row, probability, p->width);
            print_top(table, probability, p->width);
        }
        for (size_t k = 0; !table->classes && k < p->width; k++)
            log_info("\t%.6g", (double)row[k]);
        log_info("\n");
    }
    memory_free(probability);
    return STATUS_OK;
}

static Status print_table(Predictor *p, const Arguments *arguments) {
    const PredictOutput *o = &p->outputs[0];
    Table table = {.predictor = p, .top = arguments->top, .classes = o->kind == PREDICT_CLASSES};
    table.probabilities = !o->logits;
    return predict_run(p, print_rows, &table);
}

/* ---- a file --------------------------------------------------------------------------------------------------------- */

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

static Status write_rows(void *user, size_t first, size_t n, const Real *values, Real *const labels[]) {
    Output *out = user;
    const Predictor *p = out->predictor;
    const DatasetInfo *info = p->trained.setup.info;
    (void)first;
    for (size_t i = 0; i < n * p->width; i++)
        out->values[i] = (float)values[i];
    for (size_t k = 0; k < info->label_count; k++)
        for (size_t i = 0; i < n * shape_count(&info->labels[k].shape); i++)
            if (info->labels[k].kind == LABEL_CLASS)
                ((int64_t *)out->labels[k])[i] = (int64_t)labels[k][i];
            else
                ((float *)out->labels[k])[i] = (float)labels[k][i];
    return dataset_writer_append(out->writer, p->trained.asked, n, out->values, (const void *const *)out->labels);
}

/* What the file says of itself: a dataset like that of the examples, with other numbers in the place of x. */
static Status open_output(const Predictor *p, const Arguments *arguments, DatasetInfo *info, Output *out) {
    *info = *p->trained.setup.info;
    info->shape = p->outputs[0].shape;
    info->is_uint8 = false;
    info->value_max = 1;
    *out = (Output){.predictor = p};
    TRY(memory_new(&out->values, EVALUATE_BLOCK * p->width, "results of a block"));
    TRY(memory_new(&out->labels, info->label_count, "labels of a block"));
    for (size_t i = 0; i < info->label_count; i++)
        TRY(memory_alloc(EVALUATE_BLOCK * shape_count(&info->labels[i].shape), sizeof(int64_t), "labels of a block",
                         &out->labels[i]));
    return dataset_writer_create(arguments->out, arguments->force, info, &out->writer);
}

static Status write_file(Predictor *p, const Arguments *arguments) {
    Dist *dist = p->trained.setup.dist;
    bool root = dist_rank(dist) == 0;
    Output out = {.predictor = p};
    DatasetInfo info;
    char shape[SHAPE_TEXT];
    Status status = dist_agree(dist, root ? open_output(p, arguments, &info, &out) : STATUS_OK);
    if (status == STATUS_OK)
        status = predict_run(p, write_rows, &out);
    if (status == STATUS_OK)
        status = dist_agree(dist, root ? dataset_writer_finish(out.writer) : STATUS_OK);
    if (status == STATUS_OK)
        log_info("%s: %zu rows of %s from layer %s\n", arguments->out, (size_t)p->trained.view.count,
                 shape_format(&p->outputs[0].shape, shape), p->outputs[0].name);
    free_output(&out);
    return status;
}

/* ---- the program ---------------------------------------------------------------------------------------------------- */

static Status predict(Dist *dist, const Arguments *arguments) {
    PredictOptions wanted = {.trained = &arguments->trained, .layer = arguments->layer};
    Predictor predictor;
    Status status = predict_open(dist, &wanted, &predictor);
    if (status == STATUS_OK)
        status = arguments->out[0] ? write_file(&predictor, arguments) : print_table(&predictor, arguments);
    predict_close(&predictor);
    TRY(status);
    return dist_agree(dist, log_check_output());
}

static Status run(Dist *dist, int argc, char **argv) {
    static Arguments arguments;
    OptionSource source[CLI_MAX_OPTIONS] = {0};
    bool exit_now = false;
    Status status = STATUS_OK;
    if (dist_rank(dist) == 0)
        status = cli_parse(&program, argc, argv, &arguments, source, &exit_now);
    if (status == STATUS_OK)
        cli_defaults(&program, &arguments, source);
    if (status == STATUS_OK && arguments.layer[0] && !arguments.out[0] && !exit_now)
        status = status_fail(STATUS_USAGE, "--layer needs --out FILE.h5");
    if (status == STATUS_OK)
        status = backend_check_name(arguments.trained.backend);
    TRY(dist_agree(dist, status));
    dist_broadcast(dist, &exit_now, sizeof exit_now);
    dist_broadcast(dist, &arguments, sizeof arguments);
    return exit_now ? STATUS_OK : predict(dist, &arguments);
}

int main(int argc, char **argv) {
    return program_run(&program, run, argc, argv);
}
