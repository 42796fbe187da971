/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files checkpoint*.c. */
#ifndef IO_CHECKPOINT_INTERNAL_H
#define IO_CHECKPOINT_INTERNAL_H
#include "io/checkpoint.h"
#include "io/h5io.h"

/* *present = whether the bytes of a file end in a trailer.  STATUS_FAILED: the file is empty, or has a trailer that
 * does not fit the bytes before it. */
Status checkpoint__check_trailer(const char *path, const unsigned char *bytes, size_t size, bool *present);

/* STATUS_FAILED for the files of other programs that people take for Keras's (PyTorch, ONNX, TensorFlow): the message
 * says what the file is, and the way to one that is read. */
Status checkpoint__refuse_foreign(const char *path, const unsigned char *bytes, size_t size);

/* Reads GROUP/STORED, a weight of the layer `layer`. */
Status checkpoint__read_tensor(H5ioFile *file, const char *group, const char *stored, const char *layer,
                               CheckpointTensor *out);

/* Keras 3's layout of weights and optimizer, CHECKPOINT_CLASS_PATHS. */
Status checkpoint__has_class_paths(H5ioFile *file, bool *yes);
Status checkpoint__read_class_paths(H5ioFile *file, Checkpoint *out);
Status checkpoint__write_class_paths(H5ioFile *file, const Checkpoint *content);

#endif
