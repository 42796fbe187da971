/* SPDX-License-Identifier: Apache-2.0
 *
 * Writes checkpoints beside the training: one background thread that computes the checksum, writes durably
 * (io/file.h) and then removes step files that are no longer wanted.  It calls neither MPI nor HDF5.
 *
 *     TRY(checkpoint_image(&content, &image, &size));
 *     job = (CheckpointJob){.folder = run_folder(run), .step = 123, .keep = 3,
 *                           .names = {"step-00000123.h5", "best.h5"}};
 *     TRY(checkpoint_writer_submit(writer, &job, image, size));
 *     ... train on ...
 *     TRY(checkpoint_writer_wait(writer));
 *
 * Calls come from one thread.  One write is in flight at a time, so at most two images exist.  A failed write is told
 * once, by the next submit or wait; files written before it are whole. */
#ifndef IO_CHECKPOINT_WRITER_H
#define IO_CHECKPOINT_WRITER_H
#include "base/status.h"
#include <stddef.h>
#include <stdint.h>

enum { CHECKPOINT_NAMES = 3 };

typedef struct CheckpointJob {
    const char *folder; /* of the run; copied */
    /* In the folder, copied: the first is written, the others become hard links to it or, where there are none, copies;
     * NULL: unused. */
    const char *names[CHECKPOINT_NAMES];
    uint64_t step; /* afterwards, of the step checkpoints up to this one, */
    size_t keep;   /* the newest to keep (run_prune); 0: all */
} CheckpointJob;

typedef struct CheckpointWriter CheckpointWriter;

Status checkpoint_writer_create(CheckpointWriter **out);

/* Waits for the write in flight, then ends the thread.  Call checkpoint_writer_wait before it: a failure that nobody
 * asked for is only logged as a warning.  Accepts NULL. */
void checkpoint_writer_destroy(CheckpointWriter *writer);

/* Hands `image` (from checkpoint_image; owned by the writer from here on, whatever is returned) to the
 * thread.  Waits while an earlier write is in flight.  Fails with the earlier write's message when that one failed;
 * then this one is not started. */
Status checkpoint_writer_submit(CheckpointWriter *writer, const CheckpointJob *job, unsigned char *image, size_t size);

/* Waits until nothing is in flight: STATUS_OK means that everything submitted is on the disk. */
Status checkpoint_writer_wait(CheckpointWriter *writer);

#endif
