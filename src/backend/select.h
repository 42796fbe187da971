/* SPDX-License-Identifier: Apache-2.0
 *
 * Which backend runs an operation, and what the numeric libraries do on this CPU. */
#ifndef BACKEND_SELECT_H
#define BACKEND_SELECT_H
#include "backend/backend.h"

/* The first of the built-in backends, best first, that supports `op`; by rule, never by timing.  `wanted` (NULL or
 * "auto": all) leaves out those better than the named one ("openblas": no onednn; "ref": only ref).  Never NULL: ref
 * supports every operation. */
const Backend *backend_select(const OpDesc *op, const char *wanted);

/* Names of the built-in backends, best first, NULL at the end. */
const char *const *backend_names(void);

/* STATUS_USAGE when `wanted` is not a built-in backend or "auto"; the message lists them. */
Status backend_check_name(const char *wanted);

/* Limits the built-in backends to so many threads: see Backend. */
void backend_set_threads(int threads);

/* Writes "onednn 2.6.3, " for each of them that describes itself, at most `size` bytes; returns the length. */
size_t backend_describe_libraries(char *text, size_t size);

/* To be called first in main(), before MPI_Init.  OpenBLAS picks its kernels when it is loaded and falls back to its
 * slowest ones on a CPU that it does not know; then this sets OPENBLAS_CORETYPE to the best kernels that the CPU's
 * features allow and executes the program again, once (a variable set by the user wins).  Also limits the libraries to
 * OMP_NUM_THREADS threads (1 when not set).  Returns when there is nothing to do. */
void backend_fix_cpu(char **argv);

/* What decides bits on this machine, for the checkpoint and the agreement of nodes: "onednn 2.6.3, openblas 0.3.21
 * SkylakeX, avx512, 1 thread".  Writes at most `size` bytes and returns `text`. */
const char *backend_describe(char *text, size_t size);

#endif
