/* SPDX-License-Identifier: Apache-2.0 */
#include "train/watchdog.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/pulse.h"
#include "base/thread.h"
#include "dist/shared.h"
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

/* What a rank shows to those of its node.  Each writes its own; a cache line of its own, as the main thread writes
 * often. */
typedef struct Beat {
    alignas(64) _Atomic int phase; /* of the main thread: WatchPhase, */
    _Atomic uint64_t step, epoch;  /* and place; 0: before the first */
    _Atomic uint64_t pulse, looks; /* of the helper thread: pulse_count, how often it has looked */
    _Atomic bool ended;            /* watches no more */
    int rank;
} Beat;

enum { PLACE = 96, HOST = 256 }; /* bytes */

/* One of the process, as there is one main thread. */
static struct Watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* stop */
    bool runs, stop;
    _Atomic double timeout;
    char host[HOST];
    Shared shared;
    Beat **beats; /* owned [count]: of the node, or this rank's alone */
    size_t count;
    double *silent;  /* owned [count]: seconds for which the rank's thread has not looked */
    uint64_t *looks; /* owned [count]: as they were at the last look */
} dog = {.lock = PTHREAD_MUTEX_INITIALIZER};

static Beat unwatched, *mine = &unwatched;

void watchdog_at(WatchPhase phase) {
    atomic_store_explicit(&mine->phase, phase, memory_order_relaxed);
    pulse();
}

void watchdog_step(uint64_t step, uint64_t epoch) {
    atomic_store_explicit(&mine->step, step, memory_order_relaxed);
    atomic_store_explicit(&mine->epoch, epoch, memory_order_relaxed);
}

/* ---- the thread -------------------------------------------------------------------------------------------------- */

static const char *describe(Beat *beat, char text[PLACE]) {
    static const char *const phases[WATCH_PHASES] = {
        [WATCH_MPI] = "while MPI starts",
        [WATCH_START] = "at the start",
        [WATCH_DATA] = "waiting for the data",
        [WATCH_FORWARD] = "in the forward pass",
        [WATCH_BACKWARD] = "in the backward pass",
        [WATCH_EXCHANGE] = "in the exchange",
        [WATCH_OPTIMIZER] = "in the optimizer",
        [WATCH_REPLICAS] = "comparing replicas",
        [WATCH_VALIDATION] = "in the validation",
        [WATCH_CHECKPOINT] = "in the checkpoint",
        [WATCH_FEATURES] = "computing features",
        [WATCH_TEST] = "in the test",
        [WATCH_END] = "at the end",
    };
    unsigned long long step = beat->step, epoch = beat->epoch;
    int used = snprintf(text, PLACE, "%s", phases[beat->phase]);
    if (step > 0)
        snprintf(text + used, PLACE - (size_t)used, " of step %llu (epoch %llu)", step, epoch);
    return text;
}

/* A thread that looks ten times in the timeout and was not heard for half of it. */
static bool answers(size_t i) {
    return dog.beats[i] == mine || dog.silent[i] < dog.timeout / 2;
}

static void name_silent(void) {
    char place[PLACE];
    size_t first = 0;
    while (!answers(first))
        first++;
    if (dog.beats[first] != mine)
        return;
    for (size_t i = 0; i < dog.count; i++)
        if (!answers(i) && !dog.beats[i]->ended)
            log_last_words("rank %d (%s) does not answer, its process is stopped or blocked; it was last %s",
                           dog.beats[i]->rank, dog.host, describe(dog.beats[i], place));
}

static _Noreturn void give_up(double still) {
    char place[PLACE];
    if (mine->phase == WATCH_MPI)
        log_last_words(
            "MPI has not started in %.0f s: a rank does not come, or the hosts do not reach each other. Name their "
            "network: OMPI_MCA_btl_tcp_if_include=eth0, or 10.1.0.0/16, in the environment of mpirun or srun",
            still);
    else
        log_last_words("no progress for %.0f s: %s. The job ends; start it again with --resume auto", still,
                       describe(mine, place));
    name_silent();
    sleep(2); /* the others have something to say, too */
    status_end(STATUS_RETRY);
}

/* One look, `passed` seconds after the last: has any rank of the node moved? */
static bool look(double passed, uint64_t *seen) {
    uint64_t sum = 0;
    mine->pulse = pulse_count();
    mine->looks++;
    for (size_t i = 0; i < dog.count; i++) {
        uint64_t looks = dog.beats[i]->looks;
        dog.silent[i] = looks == dog.looks[i] ? dog.silent[i] + passed : 0;
        dog.looks[i] = looks;
        sum += dog.beats[i]->pulse;
    }
    bool moved = sum != *seen;
    *seen = sum;
    return moved;
}

static void *watch(void *argument) {
    (void)argument;
    double still = 0, before = dist_time();
    uint64_t seen = 0;
    pthread_mutex_lock(&dog.lock);
    while (!dog.stop) {
        double timeout = dog.timeout, interval = timeout > 0 && timeout < 10 ? timeout / 10 : 1;
        struct timespec next = thread_later(interval);
        pthread_cond_timedwait(&dog.changed, &dog.lock, &next);
        double now = dist_time(),
               passed = now - before < 2 * interval ? now - before : 2 * interval; /* not suspended */
        before = now;
        still = look(passed, &seen) ? 0 : still + passed;
        if (!dog.stop && timeout > 0 && still >= timeout)
            give_up(still);
    }
    pthread_mutex_unlock(&dog.lock);
    return NULL;
}

/* ---- start and end ----------------------------------------------------------------------------------------------- */

static Status allocate(size_t count) {
    TRY(memory_new(&dog.beats, count, "watchdog"));
    TRY(memory_new(&dog.silent, count, "watchdog"));
    return memory_new(&dog.looks, count, "watchdog");
}

static void release(void) {
    shared_unmap(&dog.shared);
    memory_free(dog.beats);
    memory_free(dog.silent);
    memory_free(dog.looks);
    dog.beats = NULL;
    dog.silent = NULL;
    dog.looks = NULL;
}

static void share_beats(Dist *dist) {
    dog.count = dist ? (size_t)dist_local_ranks(dist) : 1;
    mine = NULL;
    if (dog.count > 1 && shared_map(dist, sizeof *mine, (void **)dog.beats, &dog.shared) == STATUS_OK)
        mine = dog.beats[dist_local_rank(dist)];
    if (mine == NULL) {
        mine = &unwatched;
        dog.beats[0] = mine;
        dog.count = 1;
    }
    mine->rank = dist ? dist_rank(dist) : 0;
    mine->ended = false;
    watchdog_at(dist ? WATCH_START : WATCH_MPI);
}

static Status start_thread(void) {
    thread_condition(&dog.changed);
    dog.stop = false;
    Status status = thread_start(&dog.thread, "watches for ranks that hang", watch, NULL);
    dog.runs = status == STATUS_OK;
    if (!dog.runs)
        pthread_cond_destroy(&dog.changed);
    return status;
}

static Status agree(Dist *dist, Status status) {
    return dist ? dist_agree(dist, status) : status;
}

Status watchdog_start(Dist *dist, double timeout) {
    if (timeout <= 0)
        return STATUS_OK;
    watchdog_stop(); /* of a run before */
    snprintf(dog.host, sizeof dog.host, "%s", dist ? dist_host(dist) : "");
    dog.timeout = timeout;
    Status status = agree(dist, allocate(dist ? (size_t)dist_local_ranks(dist) : 1));
    if (status == STATUS_OK) {
        share_beats(dist);
        status = agree(dist, start_thread());
    }
    if (status != STATUS_OK)
        watchdog_stop();
    return status;
}

void watchdog_set(double timeout) {
    dog.timeout = timeout;
}

void watchdog_stop(void) {
    if (dog.runs) {
        pthread_mutex_lock(&dog.lock);
        dog.stop = true;
        pthread_cond_signal(&dog.changed);
        pthread_mutex_unlock(&dog.lock);
        pthread_join(dog.thread, NULL);
        pthread_cond_destroy(&dog.changed);
        dog.runs = false;
    }
    mine->ended = true;
    mine = &unwatched;
    release();
}
