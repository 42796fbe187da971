/* SPDX-License-Identifier: Apache-2.0
 *
 * A backend computes operations.  One operation is prepared once for its shapes (everything that can fail or allocate
 * happens there) and then run any number of times.  Each backend is a folder that exports one symbol.
 *
 *   ref       plain loops, every operation: the oracle; also built in double
 *   cpu       our own vectorised loops for what is not matrix arithmetic
 *   openblas  convolution and dense by cblas_sgemm
 *   onednn    when CMake finds it
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H
#include "backend/op.h"
#include "base/status.h"

typedef struct OpMemory {
    size_t saved_bytes; /* lives from forward to backward of this node; 0 unless op->training */
    size_t work_bytes;  /* scratch during one call, shared by all nodes */
} OpMemory;

typedef struct Backend {
    const char *name;

    /* Cheap; a function of the description alone (never of a timing: the choice decides bits).  May say no for shapes
     * where another backend is the better one. */
    bool (*supports)(const OpDesc *op);

    /* Makes *state (owned by the backend, freed by release; may be NULL) and says how much memory the buffers need.
     * Everything that can fail.  `op` is copied where it is needed later. */
    Status (*prepare)(const OpDesc *op, void **state, OpMemory *memory);

    /* y from x and w.  Never fails or allocates. */
    void (*forward)(void *state, const OpBuffers *buffers);

    /* dx and dw from dy, and from x, y, w, saved.  Only with op->training; never fails or allocates. */
    void (*backward)(void *state, const OpBuffers *buffers);

    /* Accepts NULL. */
    void (*release)(void *state);
} Backend;

/* Always built in; select.c knows the others. */
extern const Backend backend_ref;

#endif
