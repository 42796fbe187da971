/* SPDX-License-Identifier: Apache-2.0
 *
 * A backend computes operations.  One operation is prepared once for its shapes (everything that can fail or allocate
 * happens there) and then run any number of times.  Each backend is a folder that exports one symbol.
 *
 *   ref       plain loops, every operation: the oracle; also built in double
 *   winograd  3x3 convolutions by Winograd's minimal filtering
 *   direct    convolutions without a matrix in between, and dense layers of one example
 *   cpu       our own vectorised loops for what is not matrix arithmetic
 *   openblas  convolution and dense by cblas_sgemm
 *   onednn    when CMake finds it
 *   frames    3-D convolutions as 2-D ones of the backends above
 */
#ifndef BACKEND_BACKEND_H
#define BACKEND_BACKEND_H
#include "backend/op.h"
#include "base/status.h"

typedef struct OpMemory {
    size_t saved_bytes;  /* per slice, from forward to backward; 0 unless op->training */
    size_t totals_bytes; /* one for all slices, from the first collect (or forward) to the last backward */
    size_t packed_bytes; /* copies of the weights in a layout of its own, which outlive the pass (OpBuffers.pack) */
    size_t work_bytes;   /* scratch during one call, shared by all nodes */
} OpMemory;

typedef struct Backend {
    const char *name;

    /* Cheap; a function of the description alone (never of a timing: the choice decides bits).  May say no for shapes
     * where another backend is the better one.  Asked with the larger n of a plan; prepare then takes one less, too. */
    bool (*supports)(const OpDesc *op);

    /* Makes *state (owned by the backend, freed by release; may be NULL) and says how much memory the buffers need.
     * Everything that can fail.  `op` is copied where it is needed later. */
    Status (*prepare)(const OpDesc *op, void **state, OpMemory *memory);

    /* For an operation that collects (op_collects), called for every slice before the first forward: x is read, what is
     * needed of it goes to totals; and before the first backward: x and dy are read, dw is written.  NULL in a backend
     * without such an operation. */
    void (*collect)(void *state, const OpBuffers *buffers);
    void (*collect_backward)(void *state, const OpBuffers *buffers);

    /* y from x and w.  Never fails or allocates. */
    void (*forward)(void *state, const OpBuffers *buffers);

    /* dx and dw from dy, and from x, y, w, saved; an operation that collects has read y in collect_backward, and it may
     * be gone here.  Only with op->training; never fails or allocates. */
    void (*backward)(void *state, const OpBuffers *buffers);

    /* Accepts NULL. */
    void (*release)(void *state);

    /* Of a library; may be NULL.  How many threads it may use from now on; its name and version, which decide bits:
     * "onednn 2.6.3", at most `size` bytes. */
    void (*set_threads)(int threads);
    void (*describe)(char *text, size_t size);
} Backend;

/* Always built in; select.c knows the others. */
extern const Backend backend_ref;

#endif
