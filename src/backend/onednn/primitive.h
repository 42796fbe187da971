/* SPDX-License-Identifier: Apache-2.0
 *
 * One prepared oneDNN operation with the memory objects that it is called with.  Made once; running it sets pointers
 * and calls the library, which takes about a microsecond. */
#ifndef BACKEND_ONEDNN_PRIMITIVE_H
#define BACKEND_ONEDNN_PRIMITIVE_H
#include "backend/onednn/api.h"
#include "base/status.h"
#include <stddef.h>

enum { PRIMITIVE_TENSORS = 4 };

typedef struct Primitive {
    dnnl_primitive_desc_t chosen; /* owned, like all below; NULL: nothing is prepared */
    dnnl_primitive_t primitive;
    dnnl_exec_arg_t args[PRIMITIVE_TENSORS + 1]; /* the last one is scratch */
    const void *bound[PRIMITIVE_TENSORS + 1];    /* borrowed: where args' memory objects point to now */
    int count;
} Primitive;

/* The process's engine (its cores) and the order of execution on it, made when first asked for. */
Status primitive_engine(dnnl_engine_t *engine);

/* Attributes: scratch is given by the caller; then, when relu, min(max(result, 0), relu_max), or, when sum, the result
 * is added to what is there.  The caller destroys *attr. */
Status primitive_attr(bool relu, double relu_max, bool sum, dnnl_primitive_attr_t *attr);

/* Completes `p`, whose `chosen` was set, for a call with the tensors of these roles (DNNL_ARG_SRC, ..), `roles` ending
 * with 0.  On failure `p` is still to be released. */
Status primitive_create(Primitive *p, const int *roles);

/* Completes `p` as a copy that changes the layout; sum: it adds to what is there. */
Status primitive_create_copy(Primitive *p, ApiDescView from, ApiDescView to, bool sum);

/* The desc of the tensor in that role. */
ApiDescView primitive_desc(const Primitive *p, int role);

/* Bytes of that tensor, of the scratch that a run needs; 0 when nothing is prepared. */
size_t primitive_bytes(const Primitive *p, int role);
size_t primitive_scratch_bytes(const Primitive *p);

/* `tensors` in the order of the roles, as many.  A failure of the library ends the job. */
void primitive_run(Primitive *p, const void *const *tensors, void *scratch);

void primitive_release(Primitive *p);

/* STATUS_OK, or the message that oneDNN failed to `what` ("prepare conv2d"). */
Status primitive_check(dnnl_status_t status, const char *what);

#endif
