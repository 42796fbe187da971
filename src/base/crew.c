/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crew.h"
#include "base/memory.h"
#include "base/thread.h"
#include <stdbool.h>
#include <stdio.h>

/* A list of work. */
typedef struct Job {
    CrewWork *work;
    void *context;
    size_t count, next;  /* pieces; the first that nobody has begun */
    size_t failed_piece; /* of status */
    Status status;
    char message[1024]; /* messages belong to the thread that failed */
} Job;

struct Crew {
    size_t count;       /* threads */
    pthread_t *threads; /* owned */
    pthread_mutex_t lock;
    pthread_cond_t wanted, ended;
    Job *job;    /* NULL: nothing to do */
    size_t busy; /* helpers at work on it */
    bool stop;
};

/* Does pieces until all are begun.  With the lock held, and without it while it works. */
static void help(Crew *crew, Job *job) {
    while (job->next < job->count && job->status == STATUS_OK) {
        size_t piece = job->next++;
        pthread_mutex_unlock(&crew->lock);
        Status status = job->work(job->context, piece);
        pthread_mutex_lock(&crew->lock);
        if (status != STATUS_OK && (job->status == STATUS_OK || piece < job->failed_piece)) {
            job->status = status;
            job->failed_piece = piece;
            snprintf(job->message, sizeof job->message, "%s", status_message());
        }
    }
}

static void *run(void *argument) {
    Crew *crew = argument;
    pthread_mutex_lock(&crew->lock);
    while (!crew->stop) {
        Job *job = crew->job;
        if (job == NULL || job->next >= job->count || job->status != STATUS_OK) {
            pthread_cond_wait(&crew->wanted, &crew->lock);
            continue;
        }
        crew->busy++;
        help(crew, job);
        if (--crew->busy == 0)
            pthread_cond_signal(&crew->ended);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

Status crew_create(size_t helpers, const char *does, Crew **out) {
    Crew *crew;
    *out = NULL;
    TRY(memory_new(&crew, 1, "helper threads"));
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->wanted, NULL);
    pthread_cond_init(&crew->ended, NULL);
    Status status = memory_new(&crew->threads, helpers, "helper threads");
    while (status == STATUS_OK && crew->count < helpers) {
        status = thread_start(&crew->threads[crew->count], does, run, crew);
        crew->count += status == STATUS_OK;
    }
    if (status == STATUS_OK)
        *out = crew;
    else
        crew_destroy(crew);
    return status;
}

void crew_destroy(Crew *crew) {
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->lock);
    crew->stop = true;
    pthread_cond_broadcast(&crew->wanted);
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; i < crew->count; i++)
        pthread_join(crew->threads[i], NULL);
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->wanted);
    pthread_cond_destroy(&crew->ended);
    memory_free(crew->threads);
    memory_free(crew);
}

Status crew_run(Crew *crew, size_t count, CrewWork *work, void *context) {
    if (crew == NULL || crew->count == 0) {
        for (size_t i = 0; i < count; i++)
            TRY(work(context, i));
        return STATUS_OK;
    }
    Job job = {.work = work, .context = context, .count = count};
    pthread_mutex_lock(&crew->lock);
    crew->job = &job;
    if (count > 1)
        pthread_cond_broadcast(&crew->wanted);
    help(crew, &job);
    while (crew->busy > 0)
        pthread_cond_wait(&crew->ended, &crew->lock);
    crew->job = NULL;
    pthread_mutex_unlock(&crew->lock);
    return job.status == STATUS_OK ? STATUS_OK : status_fail(job.status, "%s", job.message);
}
