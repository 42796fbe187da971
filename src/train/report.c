/* SPDX-License-Identifier: Apache-2.0 */
#include "train/report.h"
#include "base/log.h"
#include "base/memory.h"
#include "io/file.h"
#include "io/run.h"
#include "train/evaluate.h"
#include "train/freeze.h"
#include "train/record.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* A report that is made from a run folder. */
typedef struct Reporter {
    Dist *dist;
    Trained trained;
    Evaluation *evaluation; /* NULL: there are no examples to try */
    Assessment *assessment;
    PlotRuns runs;                   /* rank 0 */
    char *environment;               /* rank 0 */
    char missing[CONFIG_PATH + 128]; /* why no examples are tried; "": they are */
    Config config;                   /* of config.json, rank 0 */
    uint64_t all;                    /* examples of the split */
    bool no_graph;                   /* there is none to show */
} Reporter;

/* The test data, else what the run validated on, and of these as many as are wanted: no examples, when there is
 * neither. */
static void choose_examples(Trained *t, uint64_t most, uint64_t *all) {
    const size_t *count = t->setup.info->count;
    double fraction = t->config.validation_split;
    t->asked = count[DATASET_TEST] ? DATASET_TEST : DATASET_VAL;
    t->split = t->asked;
    t->view = sampler_whole(count[t->asked]);
    if (t->view.count == 0 && fraction > 0) {
        t->split = DATASET_TRAIN;
        t->view = sampler_validation_part(count[DATASET_TRAIN], fraction, t->config.seed);
    }
    *all = t->view.count;
    if (most == 0 || most >= t->view.count)
        return;
    t->view.permuted = true; /* a part of the validation data is permuted already */
    t->view.count = most;
}

static Status prepare(Reporter *r) {
    Trained *t = &r->trained;
    TRY(replica_create(t->setup.graph, t->plan, &t->replica));
    TRY(evaluate_prepare(t->replica, t->view.count));
    TRY(replica_ready(t->replica));
    if (t->view.count == 0)
        return STATUS_OK;
    TRY(evaluate_create(&t->setup, t->split, t->view, &r->evaluation));
    LoaderOptions share = evaluate_loader_options(&t->setup, t->split, t->view);
    uint64_t first = share.first_unit * EVALUATE_BLOCK, end = first + share.units * EVALUATE_BLOCK;
    end = end < t->view.count ? end : t->view.count;
    TRY(assess_create(t->setup.graph, first, end > first ? end - first : 0, t->view.count, &r->assessment));
    r->evaluation->assessment = r->assessment;
    return STATUS_OK;
}

/* Layers are trained or frozen as at the run's end. */
static Status set_frozen(Trained *t) {
    bool changed;
    TRY(freeze_layers(t->setup.model, t->config.freeze, t->config.freeze_until));
    return freeze_thaw(t->setup.model, t->config.unfreeze, t->config.epochs, &changed);
}

/* What rank 0 reads beside the network. */
static Status read_run(const TrainedArguments *arguments, Reporter *r) {
    char *folder = (char *)arguments->run;
    RecordState state;
    TRY(plot_open(&folder, 1, &r->runs));
    if (r->trained.checkpoint->state == NULL)
        return STATUS_OK;
    TRY(record_parse(r->trained.checkpoint->state, r->trained.path, &state));
    r->environment = state.environment;
    state.environment = NULL;
    record_free(&state);
    return STATUS_OK;
}

/* r->missing, if the run's data cannot be opened. */
static Status find_data(const TrainedArguments *arguments, Reporter *r) {
    char *path, *text = NULL, place[CONFIG_PATH];
    size_t size;
    TRY(memory_format(&path, "%s/" RUN_CONFIG, arguments->run));
    bool known = file_read(path, (unsigned char **)&text, &size) == STATUS_OK &&
                 config_from_json(&r->config, text, path, SOURCE_FILE) == STATUS_OK;
    memory_free(text);
    memory_free(path);
    const char *data = config_path(&r->config, "data", place);
    if (known && data[0] && access(data, R_OK) != 0)
        snprintf(r->missing, sizeof r->missing, "the run's data cannot be opened: %s: %s", data, strerror(errno));
    return STATUS_OK;
}

/* The network and the run without examples to try. */
static Status describe(const TrainedArguments *arguments, Reporter *r) {
    Trained *t = &r->trained;
    TRY(trained_open_bare(r->dist, arguments, 1, t));
    TRY(dist_agree(r->dist, dist_rank(r->dist) == 0 ? read_run(arguments, r) : STATUS_OK));
    TRY(dist_agree(r->dist, set_frozen(t)));
    r->no_graph = setup_graph_to_predict(&t->setup, NULL) != STATUS_OK; /* it reads more than x */
    return STATUS_OK;
}

static Status assess(const TrainedArguments *arguments, uint64_t examples, Reporter *r) {
    TrainedArguments any = *arguments;
    Trained *t = &r->trained;
    Totals totals;
    any.split = DATASET_TRAIN; /* which is always there */
    TRY(trained_open(r->dist, &any, t));
    TRY(dist_agree(r->dist, dist_rank(r->dist) == 0 ? read_run(arguments, r) : STATUS_OK));
    choose_examples(t, examples, &r->all);
    TRY(dist_agree(r->dist, set_frozen(t)));
    TRY(setup_graph(&t->setup, &t->config));
    TRY(dist_agree(r->dist, prepare(r)));
    TRY(trained_load(t));
    if (r->evaluation == NULL) {
        snprintf(r->missing, sizeof r->missing, "the data hold neither test nor validation examples");
        return STATUS_OK;
    }
    TRY(evaluate_run(r->evaluation, t->replica, &totals));
    return assess_collect(r->assessment, r->dist);
}

static Status make(const TrainedArguments *arguments, uint64_t examples, Reporter *r) {
    bool looks = dist_rank(r->dist) == 0 && arguments->data[0] == '\0';
    TRY(dist_agree(r->dist, looks ? find_data(arguments, r) : STATUS_OK));
    dist_broadcast(r->dist, r->missing, sizeof r->missing);
    if (r->missing[0] == '\0')
        return assess(arguments, examples, r);
    log_warn("the report is without results: %s. --data names other data.", r->missing);
    return describe(arguments, r);
}

static Status write_page(const TrainedArguments *arguments, const char *path, const char *machine, const Reporter *r) {
    const Trained *t = &r->trained;
    const DatasetInfo *info = t->setup.info;
    ReportPage page = {.folder = arguments->run,
                       .path = path,
                       .runs = &r->runs,
                       .config = &t->config,
                       .network = t->setup.model->name,
                       .graph = r->no_graph ? NULL : t->setup.graph,
                       .environment = r->environment,
                       .machine = machine,
                       .assessment = r->assessment,
                       .missing = r->missing,
                       .names = t->class_names ? (AssessNames){t->class_names, t->class_count}
                                               : (AssessNames){info->class_names, info->class_name_count},
                       .source = {t->setup.data, t->split, &t->view},
                       .split = dataset_split_names[t->asked],
                       .checkpoint = t->path,
                       .all = r->all};
    return report_write(&page);
}

Status report_make(Dist *dist, const TrainedArguments *arguments, uint64_t examples, const char *path,
                   const char *machine) {
    Reporter *r;
    TRY(dist_agree(dist, memory_new(&r, 1, "report")));
    r->dist = dist;
    Status status = make(arguments, examples, r);
    if (status == STATUS_OK)
        status = dist_agree(dist, dist_rank(dist) == 0 ? write_page(arguments, path, machine, r) : STATUS_OK);
    assess_destroy(r->assessment);
    evaluate_destroy(r->evaluation);
    trained_close(&r->trained);
    plot_close(&r->runs);
    memory_free(r->environment);
    memory_free(r);
    return status;
}
