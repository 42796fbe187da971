/* SPDX-License-Identifier: Apache-2.0 */
#include "base/memory.h"
#include "base/pulse.h"
#include "base/thread.h"
#include "data/import_internal.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Examples are dealt out in blocks of about 1 MB; the journal is written every COMMIT_SECONDS. */
enum { BLOCK_BYTES = 1 << 20, BLOCK_MOST = 256, COMMIT_SECONDS = 1, THREADS_MOST = 256, LABEL_MAX = 1000000 };

/* One call of import_job_work. */
typedef struct ImportWork {
    ImportJob *job;
    size_t rank, ranks, block, blocks; /* examples of a block; blocks of all processes */
    atomic_size_t next;                /* block of this process */
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    size_t running;   /* threads */
    size_t *finished; /* owned; blocks, in the order in which they were finished */
    size_t finished_count, committed;
    Status status; /* of the failed example that comes first */
    size_t failed;
    char message[2048];
} ImportWork;

/* Examples that a thread has read and not yet written: neighbours in number and in the file, so that a system call
 * writes many. */
typedef struct Run {
    size_t first, count;           /* examples */
    uint8_t *array[IMPORT_ARRAYS]; /* owned: their x, labels */
    size_t x_bytes, x_room;        /* bytes of x */
    Image own, resized;            /* an example before job->rule, and between its size and its channels */
} Run;

/* ---- a run of examples ---- */

static Status check_labels(const ImportJob *job, void *const labels[], DatasetSplit split, size_t index) {
    const DatasetInfo *info = &job->info;
    for (size_t k = 0; k < info->label_count; k++) {
        const int64_t *class = labels[k];
        size_t n = info->labels[k].kind == LABEL_CLASS ? shape_count(&info->labels[k].shape) : 0;
        bool named = k == 0 && info->class_name_count > 0;
        int64_t classes = named ? (int64_t)info->class_name_count : LABEL_MAX;
        for (size_t i = 0; i < n; i++)
            if (class[i] < 0 || class[i] >= classes)
                return status_fail(STATUS_FAILED, "label %lld of example %zu of %s is out of range: there are %lld %s",
                                   (long long)class[i], index, dataset_split_names[split], (long long)classes,
                                   named ? "class names" : "classes at most");
    }
    return STATUS_OK;
}

/* Room for so many bytes of x, in a run that is empty. */
static Status fit(Run *run, size_t bytes) {
    if (bytes <= run->x_room)
        return STATUS_OK;
    memory_free(run->array[0]);
    run->array[0] = NULL;
    run->x_room = 0;
    TRY(memory_alloc(bytes, 1, "examples", (void **)&run->array[0]));
    run->x_room = bytes;
    return STATUS_OK;
}

static void free_run(Run *run) {
    for (size_t k = 0; k < IMPORT_ARRAYS; k++)
        memory_free(run->array[k]);
    image_free(&run->own);
    image_free(&run->resized);
}

static Status new_run(const ImportJob *job, size_t most, Run *run) {
    *run = (Run){0};
    Status status = fit(run, most * import__row_bytes(job, 0));
    for (size_t k = 1; status == STATUS_OK && k < import__arrays(job); k++)
        status = memory_alloc(most, import__row_bytes(job, k), "labels", (void **)&run->array[k]);
    if (status == STATUS_OK && job->rule.height > 0)
        status = memory_alloc(shape_count(&job->source.info.shape), 1, "image", (void **)&run->own.pixels);
    if (status != STATUS_OK)
        free_run(run);
    return status;
}

static ImportPlace place_of(const ImportJob *job, size_t example) {
    size_t index;
    DatasetSplit split = import__split(job, example, &index);
    return import__place(job, split, index);
}

/* Writes what has been read. */
static Status flush(ImportJob *job, Run *run) {
    const ImportFile *part = &job->part;
    if (run->count == 0)
        return STATUS_OK;
    ImportPlace place = place_of(job, run->first);
    const uint64_t *offset = part->offset[place.split];
    size_t bytes;
    uint64_t begin = import__x_begin(job, place.split, place.row, &bytes);
    TRY(import__write(part, run->array[0], run->x_bytes, offset[0] + begin));
    for (size_t k = 1; k < import__arrays(job); k++) {
        bytes = import__row_bytes(job, k);
        TRY(import__write(part, run->array[k], run->count * bytes, offset[k] + place.row * bytes));
    }
    memset(job->state + run->first, EXAMPLE_DONE, run->count);
    run->count = run->x_bytes = 0;
    return STATUS_OK;
}

static bool continues(const ImportJob *job, const Run *run, size_t example) {
    ImportPlace first = place_of(job, run->first), place = place_of(job, example);
    return example == run->first + run->count && place.split == first.split && place.row == first.row + run->count;
}

/* x = run->own as job->rule says. */
static Status bring(const ImportJob *job, Run *run, uint8_t *x) {
    const PictureRule *rule = &job->rule;
    size_t count = rule->height * rule->width;
    Image example = {.pixels = x, .room = count * rule->channels};
    if (rule->channels < run->own.channels)
        image_make_grey(&run->own);
    if (rule->channels == run->own.channels)
        return image_resize(&run->own, rule->height, rule->width, rule->fit, &example);
    TRY(image_resize(&run->own, rule->height, rule->width, rule->fit, &run->resized));
    for (size_t i = 0; i < count; i++)
        memset(x + rule->channels * i, run->resized.pixels[i], rule->channels);
    return STATUS_OK;
}

static Status read_example(const ImportJob *job, Run *run, DatasetSplit split, size_t index, uint8_t *x,
                           void *const labels[]) {
    const Shape *own = &job->source.info.shape;
    if (job->rule.height == 0)
        return job->kind->read(&job->source, split, index, x, labels);
    TRY(job->kind->read(&job->source, split, index, run->own.pixels, labels));
    run->own.height = own->dim[0], run->own.width = own->dim[1], run->own.channels = own->dim[2];
    return bring(job, run, x);
}

/* Reads an example; it is written with its run.  *bad: it was this example that failed, and not the disk that is
 * written to. */
static Status do_example(ImportJob *job, Run *run, size_t example, bool *bad) {
    size_t index, x_bytes;
    DatasetSplit split = import__split(job, example, &index);
    ImportPlace place = import__place(job, split, index);
    void *labels[IMPORT_ARRAYS];
    *bad = false;
    import__x_begin(job, place.split, place.row, &x_bytes);
    if (!continues(job, run, example) || run->x_bytes + x_bytes > run->x_room) {
        TRY(flush(job, run));
        TRY(fit(run, x_bytes));
        run->first = example;
    }
    for (size_t k = 1; k < import__arrays(job); k++)
        labels[k - 1] = run->array[k] + run->count * import__row_bytes(job, k);
    Status status = read_example(job, run, split, index, run->array[0] + run->x_bytes, labels);
    if (status == STATUS_OK)
        status = check_labels(job, labels, split, index);
    *bad = status != STATUS_OK;
    TRY(status);
    run->count++;
    run->x_bytes += x_bytes;
    return STATUS_OK;
}

Status import__do_example(ImportJob *job, size_t example) {
    Run run;
    bool bad;
    TRY(new_run(job, 1, &run));
    Status status = do_example(job, &run, example, &bad);
    if (status == STATUS_OK)
        status = flush(job, &run);
    free_run(&run);
    return status;
}

/* ---- threads ---- */

static void note_failure(ImportWork *work, Status status, size_t example) {
    pthread_mutex_lock(&work->lock);
    if (work->status == STATUS_OK || example < work->failed) {
        work->status = status;
        work->failed = example;
        snprintf(work->message, sizeof work->message, "%s", status_message());
    }
    pthread_mutex_unlock(&work->lock);
    work->stop = true;
}

static Status do_block(ImportWork *work, Run *run, size_t first, size_t n) {
    ImportJob *job = work->job;
    for (size_t i = first; i < first + n && !work->stop; i++) {
        bool bad;
        if (job->state[i] == EXAMPLE_DONE || (job->state[i] == EXAMPLE_BAD && job->options->skip))
            continue;
        job->done += job->state[i] == EXAMPLE_MISSING;
        Status status = do_example(job, run, i, &bad);
        if (status != STATUS_OK && !(bad && job->options->skip)) {
            if (bad)
                status_fail(status, "%s (--on-bad-file skip leaves out such examples)", status_message());
            note_failure(work, status, i);
            return status;
        }
        if (bad)
            job->state[i] = EXAMPLE_BAD;
        pulse();
    }
    Status status = flush(job, run);
    if (status != STATUS_OK)
        note_failure(work, status, first);
    return status;
}

static void do_blocks(ImportWork *work, Run *run) {
    size_t count = import_job_count(work->job);
    while (!work->stop) {
        size_t block = work->next++ * work->ranks + work->rank, first = block * work->block;
        if (block >= work->blocks)
            return;
        if (do_block(work, run, first, count - first < work->block ? count - first : work->block) != STATUS_OK)
            return;
        pthread_mutex_lock(&work->lock);
        work->finished[work->finished_count++] = block;
        pthread_mutex_unlock(&work->lock);
    }
}

static void *work_thread(void *argument) {
    ImportWork *work = argument;
    Run run;
    Status status = new_run(work->job, work->block, &run);
    if (status == STATUS_OK) {
        do_blocks(work, &run);
        free_run(&run);
    } else {
        note_failure(work, status, 0);
    }
    pthread_mutex_lock(&work->lock);
    work->running--;
    pthread_cond_signal(&work->ended);
    pthread_mutex_unlock(&work->lock);
    return NULL;
}

/* ---- the main thread ---- */

/* Brings what was finished to the disk, then tells the journal. */
static Status commit(ImportWork *work) {
    ImportJob *job = work->job;
    size_t count = import_job_count(job);
    pthread_mutex_lock(&work->lock);
    size_t finished = work->finished_count;
    pthread_mutex_unlock(&work->lock);
    if (finished == work->committed)
        return STATUS_OK;
    if (fdatasync(job->part.file) != 0)
        return import__write_failed(job->part.path, errno);
    for (; work->committed < finished; work->committed++) {
        size_t first = work->finished[work->committed] * work->block;
        TRY(import__journal_write(job, first, count - first < work->block ? count - first : work->block));
    }
    return STATUS_OK;
}

/* Looks ten times a second until all threads have ended. */
static void attend(ImportWork *work, ImportProgress *progress, void *context) {
    time_t committed = thread_later(0).tv_sec;
    pthread_mutex_lock(&work->lock);
    while (work->running > 0) {
        struct timespec wake = thread_later(0.1);
        pthread_cond_timedwait(&work->ended, &work->lock, &wake);
        pthread_mutex_unlock(&work->lock);
        if (progress != NULL)
            progress(context, work->job);
        if (wake.tv_sec - committed >= COMMIT_SECONDS) {
            committed = wake.tv_sec;
            if (import__journal_stopped(work->job))
                work->stop = true;
            Status status = commit(work);
            if (status != STATUS_OK)
                note_failure(work, status, 0);
        }
        pthread_mutex_lock(&work->lock);
    }
    pthread_mutex_unlock(&work->lock);
}

static Status run_threads(ImportWork *work, size_t threads, ImportProgress *progress, void *context) {
    pthread_t thread[THREADS_MOST];
    size_t started = 0;
    Status status = STATUS_OK;
    work->running = threads;
    while (started < threads && status == STATUS_OK) {
        status = thread_start(&thread[started], "reads examples", work_thread, work);
        started += status == STATUS_OK;
    }
    if (status != STATUS_OK) {
        note_failure(work, status, 0);
        pthread_mutex_lock(&work->lock);
        work->running -= threads - started;
        pthread_mutex_unlock(&work->lock);
    }
    attend(work, progress, context);
    for (size_t i = 0; i < started; i++)
        pthread_join(thread[i], NULL);
    status = commit(work);
    if (work->status != STATUS_OK)
        status = status_fail(work->status, "%s", work->message);
    return status;
}

Status import_job_work(ImportJob *job, size_t rank, size_t ranks, size_t threads, ImportProgress *progress,
                       void *context) {
    size_t count = import_job_count(job), bytes = import__row_bytes(job, 0) + 1;
    ImportWork work = {.job = job, .rank = rank, .ranks = ranks};
    work.block = BLOCK_BYTES / bytes < 1 ? 1 : BLOCK_BYTES / bytes > BLOCK_MOST ? BLOCK_MOST : BLOCK_BYTES / bytes;
    work.blocks = (count + work.block - 1) / work.block;
    threads = threads < 1 ? 1 : threads > THREADS_MOST ? THREADS_MOST : threads;
    job->done = 0;
    for (size_t i = 0; i < count; i++)
        job->done += job->state[i] != EXAMPLE_MISSING;
    TRY(memory_new(&work.finished, work.blocks, "blocks of the import"));
    pthread_mutex_init(&work.lock, NULL);
    thread_condition(&work.ended);
    Status status = run_threads(&work, threads, progress, context);
    if (status != STATUS_OK)
        import__journal_stop(job);
    pthread_cond_destroy(&work.ended);
    pthread_mutex_destroy(&work.lock);
    memory_free(work.finished);
    return status;
}

size_t import_job_done(const ImportJob *job) {
    return job->done;
}
