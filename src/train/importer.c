/* SPDX-License-Identifier: Apache-2.0 */
#include "train/importer.h"
#include "base/log.h"
#include "data/import_job.h"
#include "train/progress.h"
#include <sched.h>
#include <stdio.h>

/* An import that fails within the first seconds of its work leaves nothing behind: it is as quickly done again. */
enum { WORTH_SECONDS = 5 };

typedef struct Importer {
    Dist *dist;
    ImportJob *job;
    bool terminal, open; /* stdout is one; the line has no end yet */
    double started, shown;
    size_t before; /* examples that were there at the start */
} Importer;

/* ---- progress ---- */

static const char *format_time(double seconds, char text[32]) {
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(text, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(text, 32, "%lu:%02lu", s / 60, s % 60);
    return text;
}

/* Each rank has about the same number of examples to do: what rank 0 has done stands for all. */
static void show(void *context, const ImportJob *job) {
    Importer *importer = context;
    double now = dist_time(), took = now - importer->started;
    size_t count = import_job_count(job), own = import_job_done(job) - importer->before;
    size_t done = importer->before + own * (size_t)dist_ranks(importer->dist);
    if (dist_rank(importer->dist) != 0 || log_level() == LOG_QUIET ||
        now - importer->shown < (importer->terminal ? 0.1 : 10))
        return;
    char left[32] = "";
    done = done < count ? done : count;
    double rate = took > 0 ? (double)(done - importer->before) / took : 0;
    if (rate > 0)
        format_time((double)(count - done) / rate, left);
    log_info("%s%zu of %zu  %3zu %%  %.0f/s  %s left%s", importer->terminal ? "\r" : "", done, count,
             100 * done / count, rate, rate > 0 ? left : "?", importer->terminal ? "\033[K" : "\n");
    importer->shown = now;
    importer->open = importer->terminal;
}

static void end_line(Importer *importer) {
    if (importer->open)
        log_info("\r\033[K");
    importer->open = false;
}

/* "a.h5: examples of 28x28x1 uint8, 10 classes; train 60000 test 10000" */
static Status print_result(const char *path) {
    Dataset *dataset;
    char shape[SHAPE_TEXT];
    TRY(dataset_open(path, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    dataset_warn_of_doubts(info);
    log_info("%s: examples of %s %s", path, shape_format(&info->shape, shape), info->is_uint8 ? "uint8" : "float32");
    if (info->label_count > 0 && info->labels[0].kind == LABEL_CLASS)
        log_info(", %zu class%s", info->labels[0].classes, info->labels[0].classes == 1 ? "" : "es");
    if (info->label_count == 0)
        log_info(", no labels");
    log_info(";");
    for (DatasetSplit split = 0; split < DATASET_SPLITS; split++)
        if (info->count[split] > 0)
            log_info(" %s %zu", dataset_split_names[split], info->count[split]);
    log_info("\n");
    dataset_close(dataset);
    return STATUS_OK;
}

/* ---- the import ---- */

/* Alone on a computer, a thread for each processor that it may use; under mpirun there is a rank for each. */
static size_t usual_threads(const Dist *dist) {
    cpu_set_t usable;
    if (dist_ranks(dist) > 1 || sched_getaffinity(0, sizeof usable, &usable) != 0)
        return 1;
    return (size_t)CPU_COUNT(&usable);
}

static Status work(Importer *importer, const ImportOptions *options) {
    Dist *dist = importer->dist;
    size_t threads = options->threads > 0 ? options->threads : usual_threads(dist);
    importer->started = importer->shown = dist_time();
    TRY(dist_agree(dist, import_job_join(importer->job)));
    Status status =
        import_job_work(importer->job, (size_t)dist_rank(dist), (size_t)dist_ranks(dist), threads, show, importer);
    end_line(importer);
    return dist_agree(dist, status);
}

static Status finish(Importer *importer, const ImportOptions *options) {
    size_t skipped;
    if (dist_rank(importer->dist) != 0)
        return STATUS_OK;
    TRY(import_job_finish(importer->job, &skipped));
    TRY(print_result(options->output));
    if (skipped > 0)
        log_info("%zu could not be read and %s left out: the attribute \"skipped\" lists them\n", skipped,
                 skipped == 1 ? "was" : "were");
    return STATUS_OK;
}

/* After a failure. */
static void keep_or_not(Importer *importer, const ImportOptions *options) {
    if (dist_rank(importer->dist) != 0)
        return;
    if (importer->before == 0 && dist_time() - importer->started < WORTH_SECONDS)
        import_job_give_up(importer->job);
    else
        log_info("What is done so far is kept in %s.part: the same command goes on\n", options->output);
}

static Status run(Importer *importer, const ImportOptions *options) {
    Dist *dist = importer->dist;
    Status status = STATUS_OK;
    importer->started = dist_time();
    importer->terminal = progress_create().terminal;
    if (dist_rank(dist) == 0)
        status = import_job_begin(importer->job, &importer->before);
    TRY(dist_agree(dist, status)); /* another import's .part is not touched */
    if (importer->before > 0)
        log_info("going on: %zu of %zu are done\n", importer->before, import_job_count(importer->job));
    status = work(importer, options);
    if (status == STATUS_OK)
        status = dist_agree(dist, finish(importer, options));
    if (status != STATUS_OK)
        keep_or_not(importer, options);
    return status;
}

Status importer_run(Dist *dist, const ImportKind *kind, const ImportOptions *options) {
    Importer importer = {.dist = dist};
    Status status = dist_agree(dist, import_job_create(kind, options, &importer.job));
    if (status == STATUS_OK)
        status = run(&importer, options);
    import_job_destroy(importer.job);
    return status;
}
