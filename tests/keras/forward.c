/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a network of a Keras file on given data, for tests/keras/compare.py:
 *
 *     keras_forward FILE DATA OUT [NETWORK]
 *
 *     FILE      whole model or weights, as checkpoint_read takes them
 *     DATA      HDF5: x [n, ...] (several inputs: their names); for one step of training also the label y
 *     OUT       HDF5: parameters; output/NAME of a prediction; with a label loss, gradient/LAYER/WEIGHT and
 *               statistic/LAYER/WEIGHT (means over the batch; batch statistics of batch normalizations)
 *     NETWORK   a named network that takes the file's weights; its number of classes is the attribute classes of DATA.
 *               Without it: the network of the file */
#include "base/memory.h"
#include "io/checkpoint.h"
#include "io/h5io.h"
#include "model/zoo/zoo.h"
#include "train/record.h"
#include "train/replica.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_ARRAYS = 8 };

typedef struct Job {
    const char *file, *network;
    H5ioFile *data, *out;
    Checkpoint *checkpoint;
    char *text; /* of the network in the file */
    Model *model;
    Graph *graph;
    Replica *replica;
    size_t n;
    bool train;
    Real *arrays[MAX_ARRAYS]; /* per input of the graph */
    Real *gradients;
} Job;

/* Extents of one example of DATA's x. */
static Status example_shape(Job *job, Shape *shape) {
    H5ioInfo info;
    TRY(h5io_info(job->data, "/x", &info));
    if (info.rank < 1 || info.rank > SHAPE_MAX + 1)
        return status_fail(STATUS_FAILED, "x has %zu dimensions", info.rank);
    job->n = info.dim[0];
    *shape = (Shape){.rank = info.rank - 1};
    for (size_t i = 1; i < info.rank; i++)
        shape->dim[i - 1] = info.dim[i];
    return STATUS_OK;
}

/* compare.py does the same in a file that it saves for a step of training. */
static void drop_nothing(Model *model) {
    for (size_t i = 0; i < model->layer_count; i++)
        if (json_object_get(model->layers[i].config, "rate"))
            json_object_set_new(model->layers[i].config, "rate", json_real(0));
}

static Status open_network(Job *job) {
    Shape x;
    int64_t classes = 0;
    H5ioKind label;
    ModelLoss loss = {.kind = MODEL_LOSS_AUTO, .weight = 1};
    TRY(example_shape(job, &x));
    TRY(h5io_kind(job->data, "/y", &label));
    job->train = label == H5IO_DATASET;
    TRY(checkpoint_read(job->file, CHECKPOINT_ANY, &job->checkpoint));
    if (job->network) {
        TRY(h5io_attr_read(job->data, "/", "classes", H5IO_INT64, 1, &classes));
        TRY(zoo_create(job->network, x, (size_t)classes, &job->model));
        if (job->train)
            drop_nothing(job->model);
    } else {
        TRY(record_network(job->checkpoint, job->file, &job->text));
        TRY(model_parse(job->text, job->file, &job->model));
    }
    TRY(graph_create(&job->graph));
    TRY(model_build(job->model, &(ModelBuild){.open = &x, .losses = &loss, .loss_count = job->train}, job->graph));
    return graph_finish(job->graph);
}

static Status read_data(Job *job) {
    for (size_t i = 0; i < job->graph->input_count; i++) {
        Shape shape = graph_shape(job->graph, job->graph->inputs[i]);
        size_t dim[SHAPE_MAX + 1] = {job->n};
        char path[256];
        for (size_t k = 0; k < shape.rank; k++)
            dim[k + 1] = shape.dim[k];
        CHECK(i < MAX_ARRAYS, "%zu inputs", i + 1);
        TRY(memory_new(&job->arrays[i], job->n * shape_count(&shape), "data"));
        snprintf(path, sizeof path, "/%s", job->graph->input_names[i]);
        TRY(h5io_read(job->data, path, H5IO_REAL, shape.rank + 1, dim, job->arrays[i]));
    }
    return STATUS_OK;
}

static Status load(Job *job) {
    size_t loaded;
    int64_t parameters = 0;
    TRY(replica_create(job->graph, (PlanOptions){0}, &job->replica));
    TRY(replica_prepare(job->replica, PASS_PREDICT, job->n));
    if (job->train)
        TRY(replica_prepare(job->replica, PASS_TRAIN, job->n));
    TRY(replica_ready(job->replica));
    graph_initialize(job->graph, 1, job->replica->weights);
    TRY(record_load_weights(job->model, job->graph, job->replica->weights, job->checkpoint, job->file, &loaded));
    for (size_t i = 0; i < job->graph->param_count; i++)
        if (job->graph->params[i].spec.role != PARAM_CONSTANT)
            parameters += (int64_t)job->graph->params[i].count;
    return h5io_write(job->out, "/parameters", H5IO_INT64, 0, NULL, &parameters);
}

/* An array [shape], with first extent n in front unless that is 0. */
static Status write_array(Job *job, const char *path, size_t n, const Shape *shape, const Real *values) {
    size_t dim[SHAPE_MAX + 1], rank = 0;
    if (n)
        dim[rank++] = n;
    for (size_t k = 0; k < shape->rank; k++)
        dim[rank++] = shape->dim[k];
    return h5io_write(job->out, path, H5IO_REAL, rank, dim, values);
}

static Status predict(Job *job, ExecutorRun run) {
    Plan *plan = replica_plan(job->replica, PASS_PREDICT, job->n);
    executor_forward(plan, &run);
    for (size_t i = 0; i < job->graph->output_count; i++) {
        const GraphOutput *output = &job->graph->outputs[i];
        Shape shape = graph_shape(job->graph, output->node);
        char path[256];
        snprintf(path, sizeof path, "/output/%s", output->name);
        TRY(write_array(job, path, job->n, &shape, executor_value(plan, &run, output->node)));
    }
    return STATUS_OK;
}

static Status train(Job *job, ExecutorRun run) {
    const Graph *graph = job->graph;
    Plan *plan = replica_plan(job->replica, PASS_TRAIN, job->n);
    TRY(memory_new(&job->gradients, graph->gradient_count, "gradients"));
    run.gradients = job->gradients;
    executor_forward(plan, &run);
    executor_backward(plan, &run, NULL, NULL);
    for (size_t i = 0; i < graph->gradient_count; i++)
        job->gradients[i] /= (Real)job->n;
    for (size_t i = 0; i < graph->param_count; i++) {
        const Param *param = &graph->params[i];
        char path[512];
        if (param->spec.role != PARAM_TRAINED && param->spec.role != PARAM_STATISTIC)
            continue;
        snprintf(path, sizeof path, "/%s/%s/%s", param->spec.role == PARAM_TRAINED ? "gradient" : "statistic",
                 param->spec.layer, param->spec.name);
        TRY(write_array(job, path, 0, &param->spec.shape, job->gradients + param->offset));
    }
    const Real *sums = job->gradients + graph->sums_offset;
    Real loss = sums[LOSS_SUM_LOSS] / sums[LOSS_SUM_WEIGHT];
    return write_array(job, "/loss", 0, &(Shape){0}, &loss);
}

static Status run_job(Job *job, const char *data, const char *out) {
    TRY(h5io_open(data, &job->data));
    TRY(h5io_create(out, &job->out));
    TRY(open_network(job));
    TRY(read_data(job));
    TRY(load(job));
    ExecutorRun run = {.inputs = (const Real *const *)job->arrays, .context.seed = 1};
    TRY(predict(job, run));
    if (job->train)
        TRY(train(job, run));
    Status status = h5io_close(job->out);
    job->out = NULL;
    return status;
}

int main(int argc, char **argv) {
    if (argc != 4 && argc != 5) {
        fprintf(stderr, "usage: %s FILE DATA OUT [NETWORK]\n", argv[0]);
        return 2;
    }
    Job job = {.file = argv[1], .network = argc == 5 ? argv[4] : NULL};
    Status status = run_job(&job, argv[2], argv[3]);
    if (status != STATUS_OK)
        fprintf(stderr, "%s\n", status_message());
    h5io_close(job.data);
    h5io_close(job.out);
    for (size_t i = 0; i < MAX_ARRAYS; i++)
        memory_free(job.arrays[i]);
    memory_free(job.gradients);
    memory_free(job.text);
    replica_destroy(job.replica);
    graph_destroy(job.graph);
    model_destroy(job.model);
    checkpoint_destroy(job.checkpoint);
    return status == STATUS_OK ? 0 : 1;
}
