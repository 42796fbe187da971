/* SPDX-License-Identifier: Apache-2.0
 *
 * Between checkpoint.c and checkpoint_read.c. */
#ifndef IO_CHECKPOINT_INTERNAL_H
#define IO_CHECKPOINT_INTERNAL_H
#include "io/checkpoint.h"

/* *present = whether the bytes of a file end in a trailer.  STATUS_FAILED: the file is empty, or has a trailer that
 * does not fit the bytes before it. */
Status checkpoint__check_trailer(const char *path, const unsigned char *bytes, size_t size, bool *present);

#endif
