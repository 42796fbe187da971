/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of operation cases, and what is checked of each.  One file per op family, cases_<family>.c, defines
 *
 *     const OpCases op_cases_<family> = {cases, COUNT(cases), shapes, COUNT(shapes)};
 *
 * and is named once in OP_CASE_FAMILIES.  Every case is then run by test_gradient (in double, ref against central
 * differences), test_backends (in float, each backend against ref) and, for the second list, test_shapes. */
#ifndef TESTS_OPS_OP_CASE_H
#define TESTS_OPS_OP_CASE_H
#include "backend/backend.h"

#define OP_CASE_FAMILIES(X)                                                                                            \
    X(conv)                                                                                                            \
    X(conv3d)                                                                                                          \
    X(dense) X(embedding) X(pool) X(reshape) X(resize) X(rescale) X(norm) X(merge) X(activation) X(dropout) X(loss)

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The tensors of one case: x[i] has n * shape_count elements, w[i] shape_count. */
typedef struct OpRun OpRun;

typedef struct OpCase {
    const char *name;
    OpDesc op; /* kind, n, inputs, x, params, has_w, w, attr; op_shape completes it */

    /* All x and w are uniform in [-1, 1).  NULL, or changes them: labels, positive variances, values for broadcasts.
     * Must write values that float holds, as every backend and precision starts from the same numbers. */
    void (*fill)(const OpDesc *op, Real **x, Real **w);

    unsigned fixed_x;   /* bit i: x[i] has no gradient (a label); dx[i] is NULL */
    unsigned fixed_w;   /* bit i: w[i] has no gradient; dw[i] is NULL */
    unsigned forward_w; /* bit i: forward writes dw[i] in training (statistics of batch_norm); no gradient */
    bool large;         /* a shape of a real network: only test_backends runs it, with n as given */
    double tolerance;   /* of backends in float: |a - b| <= tolerance * largest |b|; 0: OP_TOLERANCE */
} OpCase;

#define OP_TOLERANCE 1e-5

/* One line of the test of shape rules: either the shape y, or a part of the message. */
typedef struct ShapeCase {
    const char *name;
    OpDesc op;
    Shape y;
    const char *error; /* NULL: y is expected */
} ShapeCase;

typedef struct OpCases {
    const OpCase *cases;
    size_t count;
    const ShapeCase *shapes;
    size_t shape_count;
} OpCases;

#define OP_CASES(family) extern const OpCases op_cases_##family;
OP_CASE_FAMILIES(OP_CASES)
#undef OP_CASES

enum { OP_CHECK_TEXT = 256, OP_CASE_NAME = 80 };

/* Variants of a case: 0 is the case itself; 1 and 2 have a ReLU at the end, plain and of 0.4 at most, where the plan
 * may fuse one with the operation; all may be computed by Winograd's algorithm.  False: the case has no such variant.
 * `name` is the memory of variant->name. */
bool op_case_variant(const OpCase *c, size_t number, OpCase *variant, char name[OP_CASE_NAME]);
enum { OP_VARIANTS = 3 };

/* All checks give true, or false and in `text` what differs where.  `backend` is ref, or another one that supports the
 * case, or a wrong one that a test plants. */

/* Backward of `backend` against central differences (f(x + hv) - f(x - hv)) / 2h of its forward, where f = sum of
 * y * dy for a random dy, h = 1e-5 (1e-7 with a ReLU), and v is a random direction or a single coordinate: for each dx
 * and dw to a relative error of 1e-6.  Only in double. */
bool op_check_gradient(const OpCase *c, const Backend *backend, char text[OP_CHECK_TEXT]);

/* The contract of OpBuffers: dx_add and dw_add add, NULL dx and dw are skipped without changing the others, one dx may
 * be that of all inputs, in_place works with y on x0 and dx0 on dy, dx1 of batch_norm on dy; dy is only read, or masked
 * by a ReLU.  To `c`'s tolerance in float, 1e-12 in double. */
bool op_check_contract(const OpCase *c, const Backend *backend, char text[OP_CHECK_TEXT]);

/* The case run in two and in three slices, of two sizes where n does not divide, against the case run in one: y, dx,
 * dw, in and out of training.  True also where n is too small or the backend says no to slices. */
bool op_check_slices(const OpCase *c, const Backend *backend, char text[OP_CHECK_TEXT]);

/* `backend` against `ref`: y in and out of training, dx and dw, to the case's tolerance. */
bool op_check_against(const OpCase *c, const Backend *backend, const Backend *ref, char text[OP_CHECK_TEXT]);

/* The rule's answer: y, or a failure whose message contains c->error. */
bool op_check_shape(const ShapeCase *c, char text[OP_CHECK_TEXT]);

/* For the checks: |a - (b + old)| <= tolerance * largest |b| for all elements; old may be NULL.  NaN fits NaN alone. */
bool op_near(const OpCase *c, const char *what, size_t index, const Real *a, const Real *b, const Real *old,
             size_t count, char text[OP_CHECK_TEXT]);

/* Elements of y: n times the shape's; a loss sums over the batch. */
size_t op_y_count(const OpDesc *op);

/* A run: tensors, filled as above, and a prepared backend.  For tests that look at values themselves. */
struct OpRun {
    OpDesc op;
    const Backend *backend;
    void *state;
    OpMemory memory;
    OpContext context;
    Real *x[OP_MAX_INPUTS], *dx[OP_MAX_INPUTS]; /* owned, like all below; dx NULL where no gradient is wanted */
    Real *w[OP_MAX_PARAMS], *dw[OP_MAX_PARAMS];
    Real *y, *dy;
    void *saved, *totals, *packed, *work;
};

/* Completes the shapes, allocates everything, prepares.  want_x, want_w: bit i: dx[i], dw[i] is wanted (also subject to
 * the case's fixed_x and fixed_w). */
Status op_run_create(OpRun *run, const OpCase *c, const Backend *backend, bool training, unsigned want_x,
                     unsigned want_w);
void op_run_destroy(OpRun *run);

/* y from x and w.  y and work are filled with NaN before. */
void op_run_forward(OpRun *run);

/* dx and dw from dy; x and y are passed only as keeps_x and keeps_y say.  Unless `add`, they are filled with NaN
 * before.  Where dx[i] is dx[0], input i adds to it. */
void op_run_backward(OpRun *run, bool add);

#endif
