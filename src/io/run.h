/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder that one run writes:
 *
 *     step-00000123.h5   checkpoints, the last few        metrics.csv    one row per epoch
 *     best.h5            the best so far                  config.json    the complete effective options
 *     final.h5           when all epochs are done         .lock          held by the process that writes here
 *     tensorboard/train, tensorboard/validation           files of events (io/event_file.h)
 *     report.html        all of it for people
 *
 * Only files of these names (and our temporary and set-aside ones) are ever removed or renamed.  Not collective:
 * rank 0 calls it. */
#ifndef IO_RUN_H
#define IO_RUN_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUN_BEST              "best.h5"
#define RUN_FINAL             "final.h5"
#define RUN_METRICS           "metrics.csv"
#define RUN_CONFIG            "config.json"
#define RUN_REPORT            "report.html"
#define RUN_TENSORBOARD       "tensorboard" /* a folder, of these two */
#define RUN_EVENTS_TRAIN      RUN_TENSORBOARD "/train"
#define RUN_EVENTS_VALIDATION RUN_TENSORBOARD "/validation"
#define RUN_OLD               ".old" /* behind the name of a file that was set aside */
enum { RUN_NAME = 64 };

/* Writes "step-00000123.h5" and returns `name`. */
const char *run_step_name(uint64_t step, char name[RUN_NAME]);

typedef struct Run Run; /* a run folder held for writing */

/* Makes and holds the folder of a new run.  folder NULL: `base`-N ("checkpoints/lenet5-mnist-1") with N one above the
 * largest there is; made with mkdir, so that two jobs started together get different ones.  An existing folder is taken
 * when it holds no run; with `overwrite` the run's files in it are removed first, others stay.
 * STATUS_USAGE: holds a run and not `overwrite`.  STATUS_FAILED: cannot be made or written, or another process holds
 * it. */
Status run_create(const char *folder, const char *base, bool overwrite, Run **out);

/* Holds a folder, made where it is not there, whatever is in it: what is, nobody else changes from now on.  Waits and
 * fails like run_open. */
Status run_enter(const char *folder, Run **out);

/* Seconds; a file server may take this long to notice that the node which held a lock is dead (NFS version 4: 90 s). */
enum { RUN_LOCK_WAIT = 120 };

/* Holds an existing run's folder, to go on with it.  What a killed process left half-written is removed.
 * Held by a living process of this host: waits for five seconds, as it may be about to end; by another host, which may
 * have died: for RUN_LOCK_WAIT.  Then STATUS_FAILED.  Where the file system has no locks, a warning says that two
 * jobs must not share the folder. */
Status run_open(const char *folder, Run **out);

/* Removes the run's files from a folder that is held, for a run that begins again.  STATUS_USAGE: it has such files,
 * and not `overwrite`. */
Status run_clear(const Run *run, bool overwrite);

/* Gives the folder back; removes it if it was made for this and nothing has come into it.  Accepts NULL. */
void run_close(Run *run);
const char *run_folder(const Run *run);

/* Replaces the small text file `name` in the folder, durably (io/file.h). */
Status run_write_text(const Run *run, const char *name, const char *text);

/* Renames step checkpoints after `step`, and final.h5, to NAME.old: the run goes on from `step`, and what an abandoned
 * branch or a damaged file left must not be taken for the newest.  The next final.h5 ends final.h5.old
 * (io/checkpoint_writer.h). */
Status run_set_aside(const Run *run, uint64_t step);

/* Renames best.h5 to best.h5.old: it is of an abandoned branch.  No failure where there is none. */
Status run_set_best_aside(const Run *run);

/* Removes the oldest of the step checkpoints up to `step` so that `keep` are left.  keep >= 1; later ones are not
 * touched. */
Status run_prune(const char *folder, uint64_t step, size_t keep);

/* The step checkpoints in `folder`, newest first (by number).  *steps: the caller frees it with memory_free. */
Status run_steps(const char *folder, uint64_t **steps, size_t *count);

/* The checkpoints in `folder`: step checkpoints, newest first, then final.h5 and best.h5 where they are there.
 * *names: the caller frees it with memory_free. */
Status run_checkpoints(const char *folder, char (**names)[RUN_NAME], size_t *count);

/* The N of all folders `base`-N, largest first; *numbers is freed with memory_free. */
Status run_numbers(const char *base, uint64_t **numbers, size_t *count);

/* Whether final.h5 is there: the run did all its epochs. */
bool run_is_finished(const char *folder);

/* *path (freed with memory_free) = the newest checkpoint whose checksum is right: step checkpoints from the newest,
 * then final.h5, then best.h5.  Each damaged one is named in a warning.  STATUS_FAILED: no whole one. */
Status run_newest_whole(const char *folder, char **path);

/* The checkpoint that a program was given.  `given` a file: itself.  A run folder: `which` = "best", "final", "last"
 * (run_newest_whole) or a step number.  *path: freed with memory_free.
 * STATUS_FAILED: not there; the message lists what is.  STATUS_USAGE: `which` is none of these. */
Status run_resolve(const char *given, const char *which, char **path);

#endif
