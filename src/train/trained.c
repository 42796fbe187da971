/* SPDX-License-Identifier: Apache-2.0 */
#include "train/trained.h"
#include "base/log.h"
#include "base/memory.h"
#include "data/folder.h"
#include "io/run.h"
#include "model/model_edit.h"
#include "train/record.h"
#include <string.h>

/* What all ranks need of the file. */
typedef struct Texts {
    char *model, *state, *preprocess;
} Texts;

static Status copy_text(const char *text, char **out) {
    return text ? memory_strdup(text, out) : STATUS_OK;
}

static Status read_file(const TrainedArguments *arguments, Trained *t, Texts *texts) {
    TRY(run_resolve(arguments->run, arguments->checkpoint, &t->path));
    TRY(checkpoint_read(t->path, CHECKPOINT_ANY, &t->checkpoint));
    if (t->checkpoint->model_config == NULL)
        return status_fail(STATUS_FAILED, "%s holds weights only, no network", t->path);
    TRY(record_network(t->checkpoint, t->path, &texts->model));
    TRY(copy_text(t->checkpoint->state, &texts->state));
    return copy_text(t->checkpoint->preprocess, &texts->preprocess);
}

static Status open_file(const TrainedArguments *arguments, Trained *t, Texts *texts) {
    Dist *dist = t->setup.dist;
    TRY(dist_agree(dist, dist_rank(dist) == 0 ? read_file(arguments, t, texts) : STATUS_OK));
    TRY(dist_broadcast_text(dist, &texts->model));
    TRY(dist_broadcast_text(dist, &texts->state));
    return dist_broadcast_text(dist, &texts->preprocess);
}

/* The run's options, and the fingerprint of its data where the file says it; its data, unless others are given. */
static Status choose_options(const TrainedArguments *arguments, const char *state, Trained *t, char **fingerprint) {
    RecordState saved = {0};
    if (state) {
        TRY(record_parse(state, arguments->run, &saved));
        t->config = saved.config;
        *fingerprint = saved.fingerprint;
        saved.fingerprint = NULL;
        record_free(&saved);
    }
    if (arguments->data[0])
        TRY(config_set(&t->config, "data", arguments->data, SOURCE_GIVEN));
    return config_fill(&t->config, NULL);
}

static Status choose_preprocess(const TrainedArguments *arguments, const char *record, Trained *t) {
    Preprocess recorded;
    if (record)
        TRY(preprocess_from_json(record, &recorded, &t->class_names, &t->class_count));
    if (record && arguments->preprocess[0] == '\0') {
        t->setup.preprocess = recorded;
        return STATUS_OK;
    }
    TRY(setup_preprocess(&t->setup, arguments->preprocess, NULL));
    if (arguments->preprocess[0] == '\0')
        log_warn(
            "%s does not say how numbers go into its network: --preprocess %s is taken%s. Give the one that it was "
            "trained with.",
            arguments->run, preprocess_names[t->setup.preprocess.mode],
            setup_scales_input(&t->setup) ? ", as the network scales its input itself" : "");
    return STATUS_OK;
}

/* The split that is asked for, or what the run validated on: a part of the training examples of the same data. */
static Status choose_examples(const char *fingerprint, Trained *t) {
    const DatasetInfo *info = t->setup.info;
    const Config *config = &t->config;
    uint64_t train = info->count[DATASET_TRAIN];
    t->split = t->asked;
    t->view = sampler_whole(info->count[t->asked]);
    if (t->asked == DATASET_VAL && t->view.count == 0 && config->validation_split > 0 && fingerprint &&
        strcmp(fingerprint, info->fingerprint) == 0) {
        t->split = DATASET_TRAIN;
        t->view = sampler_validation_part(train, config->validation_split, config->seed);
    }
    if (t->view.count == 0)
        return dataset_fail_empty(info, t->asked);
    return STATUS_OK;
}

/* Pictures come to the network as they did in training, and their classes have its numbers.  Pictures in folders that
 * do not tell their split are the one that is asked for, unless they are the run's own data. */
static Status open_data(const TrainedArguments *arguments, const char *record, const char *fingerprint, Trained *t) {
    DatasetOptions options = {.rule.fit = IMAGE_FITS};
    Preprocess recorded;
    char **names = NULL, place[CONFIG_PATH];
    const char *data = config_path(&t->config, "data", place);
    if (record)
        TRY(preprocess_from_json(record, &recorded, &names, &options.class_count));
    options.class_names = names;
    if (record)
        options.rule = preprocess_rule(&recorded);
    Status status = setup_data(&t->setup, data, &options);
    options.split = t->asked;
    if (status == STATUS_OK && arguments->data[0] && folder_is_source(arguments->data) &&
        t->setup.info->count[t->asked] == 0 &&
        (fingerprint == NULL || strcmp(fingerprint, t->setup.info->fingerprint) != 0)) {
        dataset_close(t->setup.data);
        t->setup.data = NULL;
        status = setup_data(&t->setup, data, &options);
    }
    memory_free(names);
    return status;
}

static Status open_with(const TrainedArguments *arguments, const Texts *texts, Trained *t, char **fingerprint) {
    Dist *dist = t->setup.dist;
    TRY(dist_agree(dist, choose_options(arguments, texts->state, t, fingerprint)));
    TRY(open_data(arguments, texts->preprocess, *fingerprint, t));
    TRY(setup_model(&t->setup, texts->model, arguments->run));
    TRY(dist_agree(dist, choose_preprocess(arguments, texts->preprocess, t)));
    return dist_agree(dist, choose_examples(*fingerprint, t));
}

/* What the network's input says of its examples. */
static Shape input_shape(const Model *model) {
    enum { USUAL_SIDE = 224, USUAL_CHANNELS = 3 };
    Shape shape = model_input_shape(model);
    for (size_t i = 0; i < shape.rank; i++)
        if (shape.dim[i] == 0)
            shape.dim[i] = i + 1 == shape.rank ? USUAL_CHANNELS : USUAL_SIDE;
    return shape;
}

static Status open_bare(const TrainedArguments *arguments, const Texts *texts, uint64_t count, Trained *t,
                        char **fingerprint) {
    Dist *dist = t->setup.dist;
    Preprocess recorded;
    char **names = NULL;
    size_t name_count;
    TRY(dist_agree(dist, choose_options(arguments, texts->state, t, fingerprint)));
    TRY(setup_model(&t->setup, texts->model, arguments->run));
    Status status = STATUS_OK;
    t->bare =
        (DatasetInfo){.path = "the input", .shape = input_shape(t->setup.model), .is_uint8 = true, .value_max = 255};
    if (texts->preprocess)
        status = preprocess_from_json(texts->preprocess, &recorded, &names, &name_count);
    if (status == STATUS_OK && texts->preprocess)
        t->bare.shape = recorded.shape;
    memory_free(names);
    t->setup.info = &t->bare;
    if (status == STATUS_OK)
        status = choose_preprocess(arguments, texts->preprocess, t);
    t->view = sampler_whole(count);
    return dist_agree(dist, status);
}

static Status open_any(Dist *dist, const TrainedArguments *arguments, const uint64_t *count, Trained *out) {
    Texts texts = {0};
    char *fingerprint = NULL;
    *out = (Trained){.setup.dist = dist, .asked = (DatasetSplit)arguments->split};
    Status status = open_file(arguments, out, &texts);
    if (status == STATUS_OK)
        status = count ? open_bare(arguments, &texts, *count, out, &fingerprint)
                       : open_with(arguments, &texts, out, &fingerprint);
    out->plan = (PlanOptions){.backend = arguments->backend, .winograd = (Winograd)out->config.winograd};
    memory_free(fingerprint);
    memory_free(texts.model);
    memory_free(texts.state);
    memory_free(texts.preprocess);
    return status;
}

Status trained_open(Dist *dist, const TrainedArguments *arguments, Trained *out) {
    return open_any(dist, arguments, NULL, out);
}

Status trained_open_bare(Dist *dist, const TrainedArguments *arguments, uint64_t count, Trained *out) {
    return open_any(dist, arguments, &count, out);
}

Status trained_load(Trained *t) {
    const Graph *graph = t->setup.graph;
    Real *weights = t->replica->weights;
    Dist *dist = t->setup.dist;
    size_t loaded;
    graph_initialize(graph, 0, weights); /* constants of the network are not in the file */
    TRY(dist_agree(dist, dist_rank(dist) == 0
                             ? record_load_weights(t->setup.model, graph, weights, t->checkpoint, t->path, &loaded)
                             : STATUS_OK));
    checkpoint_destroy(t->checkpoint);
    t->checkpoint = NULL;
    dist_broadcast(dist, weights, graph->weight_count * sizeof(Real));
    return STATUS_OK;
}

/* Adds the weights of the file to sum[weight_count]. */
static Status add_weights(const Trained *t, const TrainedArguments *arguments, const char *run, Real *weights,
                          double *sum) {
    const Graph *graph = t->setup.graph;
    Checkpoint *checkpoint = NULL;
    char *path;
    size_t loaded;
    TRY(run_resolve(run, arguments->checkpoint, &path));
    Status status = checkpoint_read(path, CHECKPOINT_ANY, &checkpoint);
    if (status == STATUS_OK)
        status = record_load_weights(t->setup.model, graph, weights, checkpoint, path, &loaded);
    for (size_t i = 0; status == STATUS_OK && i < graph->weight_count; i++)
        sum[i] += (double)weights[i];
    checkpoint_destroy(checkpoint);
    memory_free(path);
    return status;
}

static Status average(const Trained *t, const TrainedArguments *arguments, const CliWords *runs) {
    size_t count = t->setup.graph->weight_count;
    Real *weights = t->replica->weights, *other = NULL;
    double *sum;
    TRY(memory_new(&sum, count, "mean of weights"));
    Status status = memory_new(&other, count, "weights");
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        sum[i] = (double)(other[i] = weights[i]); /* what a file does not have, constants, stays */
    for (size_t k = 0; status == STATUS_OK && k < runs->count; k++)
        status = add_weights(t, arguments, runs->list[k], other, sum);
    for (size_t i = 0; status == STATUS_OK && i < count; i++)
        weights[i] = (Real)(sum[i] / (double)(runs->count + 1));
    memory_free(other);
    memory_free(sum);
    return status;
}

Status trained_average(Trained *t, const TrainedArguments *arguments, const CliWords *runs) {
    Dist *dist = t->setup.dist;
    TRY(dist_agree(dist, dist_rank(dist) == 0 ? average(t, arguments, runs) : STATUS_OK));
    dist_broadcast(dist, t->replica->weights, t->setup.graph->weight_count * sizeof(Real));
    return STATUS_OK;
}

const char *trained_class_name(const Trained *t, size_t number) {
    const DatasetInfo *info = t->setup.info;
    if (t->class_names)
        return number < t->class_count ? t->class_names[number] : NULL;
    return number < info->class_name_count ? info->class_names[number] : NULL;
}

void trained_close(Trained *t) {
    replica_destroy(t->replica);
    checkpoint_destroy(t->checkpoint);
    setup_close(&t->setup);
    memory_free(t->class_names);
    memory_free(t->path);
}
