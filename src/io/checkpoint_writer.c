/* SPDX-License-Identifier: Apache-2.0 */
#include "io/checkpoint_writer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/run.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef struct Image {
    unsigned char *bytes; /* owned */
    size_t size;
    unsigned char trailer[CHECKPOINT_TRAILER];
} Image;

struct CheckpointWriter {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;  /* busy, stop */
    bool busy, stop, failed; /* under the lock; failed: the last job did, and nobody has been told yet */
    char failure[2048];      /* its message */
    uint64_t saved;          /* under the lock */
    /* The thread's while busy, else the caller's. */
    CheckpointJob job;
    Image image;
    bool best_written; /* by this job */
    Image owed;        /* of a best.h5 that could not be written; bytes NULL: none */
};

/* ---- the thread ---- */

static Status write_image(const Image *image, const char *path) {
    const FilePart parts[] = {{image->bytes, image->size}, {image->trailer, sizeof image->trailer}};
    return file_write(path, 2, parts);
}

static void drop(Image *image) {
    memory_free(image->bytes);
    image->bytes = NULL;
}

/* folder/name: of the image or, if `first` is a file of it already, a second name of that; *first = this path, which
 * the caller frees. */
static Status write_name(const CheckpointWriter *writer, const char *name, char **first) {
    char *path;
    TRY(memory_format(&path, "%s/%s", writer->job.folder, name));
    Status status = *first && file_link(*first, path) == STATUS_OK ? STATUS_OK : write_image(&writer->image, path);
    memory_free(*first);
    *first = path;
    return status;
}

static Status write_owed(CheckpointWriter *writer) {
    char *path;
    TRY(memory_format(&path, "%s/" RUN_BEST, writer->job.folder));
    Status status = write_image(&writer->owed, path);
    memory_free(path);
    if (status == STATUS_OK)
        drop(&writer->owed);
    return status;
}

/* final.h5 of best.h5. */
static Status copy_best(const CheckpointWriter *writer) {
    char *best, *final = NULL;
    TRY(memory_format(&best, "%s/" RUN_BEST, writer->job.folder));
    Status status = memory_format(&final, "%s/" RUN_FINAL, writer->job.folder);
    if (status == STATUS_OK)
        status = file_copy(best, final);
    memory_free(best);
    memory_free(final);
    return status;
}

static Status write_files(CheckpointWriter *writer) {
    const CheckpointJob *job = &writer->job;
    char name[RUN_NAME], *first = NULL;
    Status status;
    TRY(checkpoint_seal(writer->image.bytes, writer->image.size, writer->image.trailer));
    if (writer->owed.bytes)
        TRY(write_owed(writer));
    if (job->best)
        TRY_GOTO(write_name(writer, RUN_BEST, &first), done);
    writer->best_written = job->best;
    if (job->final)
        TRY_GOTO(job->final_is_best ? copy_best(writer) : write_name(writer, RUN_FINAL, &first), done);
    TRY_GOTO(write_name(writer, run_step_name(job->step, name), &first), done);
    /* The new file is durable: now, and not before, old ones may go.  One that stays does no harm.  What a resume set
     * aside of final.h5 is also the step checkpoint or best.h5 that it was a name of. */
    if (job->final && file_remove(job->folder, RUN_FINAL RUN_OLD) != STATUS_OK)
        log_warn("%s", status_message());
    if (job->keep > 0 && run_prune(job->folder, job->step, job->keep) != STATUS_OK)
        log_warn("%s", status_message());
done:
    memory_free(first);
    return status;
}

static Status run_job(CheckpointWriter *writer) {
    static const useconds_t pauses[CHECKPOINT_TRIES - 1] = {100000, 1000000, 5000000};
    writer->best_written = false;
    if (writer->job.best) /* there is a better one now */
        drop(&writer->owed);
    Status status = write_files(writer);
    for (int i = 1; i < writer->job.tries && status != STATUS_OK; i++) {
        usleep(pauses[i - 1]);
        status = write_files(writer);
    }
    if (status != STATUS_OK && writer->job.best && !writer->best_written) {
        writer->owed = writer->image;
        writer->image.bytes = NULL;
    }
    memory_keep(writer->image.bytes); /* the next image has its size */
    writer->image.bytes = NULL;
    return status;
}

static void *run_thread(void *argument) {
    CheckpointWriter *writer = argument;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (!writer->busy && !writer->stop)
            pthread_cond_wait(&writer->changed, &writer->lock);
        if (!writer->busy)
            break;
        pthread_mutex_unlock(&writer->lock);
        Status status = run_job(writer);
        pthread_mutex_lock(&writer->lock);
        writer->failed = status != STATUS_OK;
        if (writer->failed)
            snprintf(writer->failure, sizeof writer->failure, "%s", status_message());
        else
            writer->saved = writer->job.step;
        writer->busy = false;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* ---- the callers' side ---- */

Status checkpoint_writer_create(CheckpointWriter **out) {
    CheckpointWriter *writer;
    *out = NULL;
    TRY(memory_new(&writer, 1, "checkpoint writer"));
    writer->saved = UINT64_MAX;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    Status status = thread_start(&writer->thread, "writes checkpoints", run_thread, writer);
    if (status != STATUS_OK) {
        pthread_cond_destroy(&writer->changed);
        pthread_mutex_destroy(&writer->lock);
        memory_free(writer);
        return status;
    }
    *out = writer;
    return STATUS_OK;
}

/* Takes the lock, when nothing is in flight. */
static void lock_idle(CheckpointWriter *writer) {
    pthread_mutex_lock(&writer->lock);
    while (writer->busy)
        pthread_cond_wait(&writer->changed, &writer->lock);
}

Status checkpoint_writer_wait(CheckpointWriter *writer) {
    lock_idle(writer);
    bool failed = writer->failed;
    writer->failed = false; /* told once */
    pthread_mutex_unlock(&writer->lock);
    return failed ? status_fail(STATUS_FAILED, "%s", writer->failure) : STATUS_OK;
}

bool checkpoint_writer_failed(CheckpointWriter *writer) {
    pthread_mutex_lock(&writer->lock);
    bool failed = writer->failed;
    pthread_mutex_unlock(&writer->lock);
    return failed;
}

uint64_t checkpoint_writer_saved(CheckpointWriter *writer) {
    lock_idle(writer);
    uint64_t saved = writer->saved;
    pthread_mutex_unlock(&writer->lock);
    return saved;
}

void checkpoint_writer_submit(CheckpointWriter *writer, const CheckpointJob *job, unsigned char *image, size_t size) {
    pthread_mutex_lock(&writer->lock);
    CHECK(!writer->busy && !writer->failed, "checkpoint_writer_wait comes first");
    writer->job = *job;
    writer->image = (Image){.bytes = image, .size = size};
    writer->busy = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
}

void checkpoint_writer_destroy(CheckpointWriter *writer) {
    if (writer == NULL)
        return;
    if (checkpoint_writer_wait(writer) != STATUS_OK)
        log_warn("%s", status_message());
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    drop(&writer->owed);
    memory_keep(NULL);
    memory_free(writer);
}
