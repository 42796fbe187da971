/* SPDX-License-Identifier: Apache-2.0
 *
 * A small checkpoint with every kind of content and awkward numbers, for the tests of io/. */
#ifndef TESTS_SAMPLE_CHECKPOINT_H
#define TESTS_SAMPLE_CHECKPOINT_H
#include "io/checkpoint.h"

/* Static: not to be freed, the same at every call. */
const Checkpoint *sample_checkpoint(void);

/* Writes it, durably and sealed, to `path`; ends the test program when it cannot. */
void sample_write(const char *path);

/* Its image (memory_free). */
unsigned char *sample_image(size_t *size);

#endif
