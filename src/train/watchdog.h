/* SPDX-License-Identifier: Apache-2.0
 *
 * Ends a run that hangs (--stall-timeout).  A rank that is stopped, sits on a dead disk or runs in circles leaves the
 * others waiting for ever: MPI and Slurm do not notice.  Here a helper thread of each rank looks about once a second
 * whether the pulse (base/pulse.h) of any rank of its node has moved.  When none has for the timeout, every rank that
 * still can says on stderr where it is, and each rank whose own thread has been silent, too, is named by the lowest one
 * of its node that is not:
 *
 *     cnn_train: error: rank 0 (node1): no progress for 600 s: in the exchange of step 1234 (epoch 3)
 *     cnn_train: error: rank 0 (node1): rank 2 (node1) does not answer, its process is stopped or blocked; it was
 *         last in the forward pass of step 1234 (epoch 3)
 *
 * Then the processes end with STATUS_RETRY, without a call of MPI, in which the main thread may be stuck; mpirun and
 * srun -K1 then kill what is left of the job, stopped processes too.
 *
 * Time counts only while the thread itself runs: after a job or a computer was suspended and wakes up as a whole,
 * nothing happens.  Between nodes nothing is exchanged: a rank that is alone on its node and stopped is not named, but
 * the others end, as they wait for it; a run's only rank is seen by nobody.  And the timeout must be longer than
 * whatever the ranks of one node can wait for another's: its share of a validation, or rank 0 writing a checkpoint.
 * The run's folder is waited for in any case. */
#ifndef TRAIN_WATCHDOG_H
#define TRAIN_WATCHDOG_H
#include "dist/dist.h"

typedef enum WatchPhase {
    WATCH_MPI,
    WATCH_START,
    WATCH_DATA,
    WATCH_FORWARD,
    WATCH_BACKWARD,
    WATCH_EXCHANGE,
    WATCH_OPTIMIZER,
    WATCH_REPLICAS,
    WATCH_VALIDATION,
    WATCH_CHECKPOINT,
    WATCH_FEATURES,
    WATCH_TEST,
    WATCH_END,
    WATCH_PHASES
} WatchPhase;

/* Begins to watch.  timeout in seconds; 0: nothing is watched.  Where the ranks of a node cannot share memory each
 * watches itself.  Collective, the same timeout on all.  STATUS_FAILED: no thread; agreed and printed.
 * dist NULL: each process watches itself while MPI starts, until watchdog_stop; not collective, nothing printed. */
Status watchdog_start(Dist *dist, double timeout);

/* Another timeout from now on; 0: never.  Has no effect where watchdog_start was given 0.  Not collective. */
void watchdog_set(double timeout);

/* Ends it.  Not collective; also where nothing is watched.  It may run until after dist_finish, which waits for all. */
void watchdog_stop(void);

/* Where the main thread is: a beat of its pulse.  Some nanoseconds; also where nothing is watched. */
void watchdog_at(WatchPhase phase);

/* Which step it is in, and of which epoch, both from 1. */
void watchdog_step(uint64_t step, uint64_t epoch);

#endif
