/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes checkpoints beside the training: one background thread that computes the checksum, writes durably
 * (io/file.h) and then removes step files that are no longer wanted.  It calls neither MPI nor HDF5.
 *
 *     TRY(checkpoint_writer_wait(writer));
 *     TRY(checkpoint_image(&content, &image, &size));
 *     checkpoint_writer_submit(writer, &(CheckpointJob){.folder = run_folder(run), .step = 123, .keep = 3,
 *                              .best = true, .tries = 1}, image, size);
 *     ... train on ...
 *     TRY(checkpoint_writer_wait(writer));
 *
 * The step's file comes last, when best.h5 and final.h5 are as durable as it will be: whoever finds it finds everything
 * that it speaks of.  Where a best.h5 could not be written, its image is kept and written in front of the next
 * checkpoint, which fails if that does.
 *
 * Calls come from one thread.  One write is in flight at a time, so at most two images exist, three while a best.h5 is
 * owed. */
#ifndef IO_CHECKPOINT_WRITER_H
#define IO_CHECKPOINT_WRITER_H
#include "base/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct CheckpointJob {
    const char *folder; /* of the run; stays until the job is done */
    uint64_t step;      /* step-N.h5; afterwards, of the step checkpoints up to this one, */
    size_t keep;        /* the newest to keep (run_prune); 0: all */
    bool best;          /* also best.h5: a hard link or, where there are none, a copy */
    bool final;         /* also final.h5: likewise; the final.h5.old of a run that was resumed is then removed */
    bool final_is_best; /* but of best.h5, not of this image */
    int tries; /* so often, with growing pauses: 1 for a checkpoint that others follow, at most CHECKPOINT_TRIES */
} CheckpointJob;
enum { CHECKPOINT_TRIES = 4 }; /* pauses of 0.1, 1 and 5 seconds */

typedef struct CheckpointWriter CheckpointWriter;

Status checkpoint_writer_create(CheckpointWriter **out);

/* Waits for the write in flight, then ends the thread.  Call checkpoint_writer_wait before it: a failure that nobody
 * asked for is only logged as a warning.  Accepts NULL. */
void checkpoint_writer_destroy(CheckpointWriter *writer);

/* Hands `image` (from checkpoint_image; owned by the writer from here on) to the thread.  Only after
 * checkpoint_writer_wait. */
void checkpoint_writer_submit(CheckpointWriter *writer, const CheckpointJob *job, unsigned char *image, size_t size);

/* Waits until nothing is in flight: STATUS_OK means that the last job is on the disk.  A failure is told once; what was
 * written before it is whole. */
Status checkpoint_writer_wait(CheckpointWriter *writer);

/* Has the last job failed, so that checkpoint_writer_wait says why?  At once; never while it is in flight. */
bool checkpoint_writer_failed(CheckpointWriter *writer);

/* The step of the last job that succeeded, once nothing is in flight; UINT64_MAX: none. */
uint64_t checkpoint_writer_saved(CheckpointWriter *writer);

#endif
