/* SPDX-License-Identifier: Apache-2.0 */
#include "io/checkpoint_writer.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/run.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct CheckpointWriter {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;  /* busy, stop */
    bool busy, stop, failed; /* under the lock; failed: a finished write did, and nobody has been told yet */
    char failure[2048];      /* its message */
    /* The job: the thread's while busy, else the caller's. */
    char *folder, *paths[CHECKPOINT_NAMES]; /* owned; of the job */
    uint64_t step;
    size_t keep;
    unsigned char *image; /* owned */
    size_t size;
};

/* ---- the thread ---- */

static Status write_files(const CheckpointWriter *writer) {
    unsigned char trailer[CHECKPOINT_TRAILER];
    TRY(checkpoint_seal(writer->image, writer->size, trailer));
    const FilePart parts[] = {{writer->image, writer->size}, {trailer, sizeof trailer}};
    TRY(file_write(writer->paths[0], 2, parts));
    for (size_t i = 1; i < CHECKPOINT_NAMES && writer->paths[i] != NULL; i++)
        if (file_link(writer->paths[0], writer->paths[i]) != STATUS_OK)
            TRY(file_write(writer->paths[i], 2, parts));
    /* The new file is durable: now, and not before, old ones may go.  One that stays does no harm. */
    if (writer->keep > 0 && run_prune(writer->folder, writer->step, writer->keep) != STATUS_OK)
        log_warn("%s", status_message());
    return STATUS_OK;
}

static void clear_job(CheckpointWriter *writer) {
    memory_free(writer->image);
    memory_free(writer->folder);
    writer->image = NULL;
    writer->folder = NULL;
    for (size_t i = 0; i < CHECKPOINT_NAMES; i++) {
        memory_free(writer->paths[i]);
        writer->paths[i] = NULL;
    }
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
        Status status = write_files(writer);
        clear_job(writer);
        pthread_mutex_lock(&writer->lock);
        writer->failed = status != STATUS_OK;
        if (writer->failed)
            snprintf(writer->failure, sizeof writer->failure, "%s", status_message());
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

Status checkpoint_writer_wait(CheckpointWriter *writer) {
    pthread_mutex_lock(&writer->lock);
    while (writer->busy)
        pthread_cond_wait(&writer->changed, &writer->lock);
    bool failed = writer->failed;
    writer->failed = false; /* told once */
    pthread_mutex_unlock(&writer->lock);
    return failed ? status_fail(STATUS_FAILED, "%s", writer->failure) : STATUS_OK;
}

/* Copies the job into the writer, which is idle. */
static Status take_job(CheckpointWriter *writer, const CheckpointJob *job) {
    writer->step = job->step;
    writer->keep = job->keep;
    TRY(memory_strdup(job->folder, &writer->folder));
    for (size_t i = 0; i < CHECKPOINT_NAMES && job->names[i] != NULL; i++)
        TRY(memory_format(&writer->paths[i], "%s/%s", job->folder, job->names[i]));
    return STATUS_OK;
}

Status checkpoint_writer_submit(CheckpointWriter *writer, const CheckpointJob *job, unsigned char *image, size_t size) {
    Status status = checkpoint_writer_wait(writer);
    if (status != STATUS_OK) {
        memory_free(image);
        return status;
    }
    writer->image = image;
    writer->size = size;
    status = take_job(writer, job);
    if (status != STATUS_OK) {
        clear_job(writer);
        return status;
    }
    pthread_mutex_lock(&writer->lock);
    writer->busy = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    return STATUS_OK;
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
    memory_free(writer);
}
