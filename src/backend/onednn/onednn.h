/* SPDX-License-Identifier: Apache-2.0
 *
 * Operations by oneDNN (github.com/uxlfoundation/oneDNN), version 2.6 or newer.  Activations stay NHWC.  The library's
 * own layouts of weights are several times as fast as HWIO: they are made from HWIO when the weights have changed
 * (OpBuffers.pack), and a gradient in such a layout goes through scratch memory.
 *
 * A family of operations is one file, which defines a table of its functions.  The first member of each state says
 * which table it belongs to. */
#ifndef BACKEND_ONEDNN_ONEDNN_H
#define BACKEND_ONEDNN_ONEDNN_H
#include "backend/backend.h"

/* As in Backend. */
typedef struct OnednnFamily {
    bool (*supports)(const OpDesc *op);
    Status (*prepare)(const OpDesc *op, void **state, OpMemory *memory);
    void (*forward)(void *state, const OpBuffers *buffers);
    void (*backward)(void *state, const OpBuffers *buffers);
    void (*release)(void *state);
} OnednnFamily;

extern const OnednnFamily onednn_conv;  /* conv2d, conv2d_transpose */
extern const OnednnFamily onednn_dense; /* dense */

#endif
