/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/rows.h"
#include "backend/onednn/onednn.h"
#include "backend/onednn/primitive.h"
#include "base/memory.h"
#include <limits.h>

/* y [M,O] = x [M,I] w [I,O] + bias,   dx = dy w^T,   dw = x^T dy,   all in the layouts that they have anyway: the
 * library copies blocks of the operands where that helps. */
typedef struct Dense {
    const OnednnFamily *family;
    bool relu;
    double relu_max;
    size_t rows, out; /* M, O */
    Primitive output;
    Primitive data[2], weights[2]; /* [1] adds */
} Dense;

/* With fewer rows or columns sgemm is as fast. */
enum { LEAST_ROWS = 4, LEAST_COLUMNS = 32 };

static size_t rows_of(const OpDesc *op) {
    return op->n * (shape_count(&op->x[0]) / op->w[0].dim[0]);
}

static bool supports(const OpDesc *op) {
    const size_t *w = op->w[0].dim;
    return rows_of(op) >= LEAST_ROWS && w[0] >= LEAST_COLUMNS && w[1] >= LEAST_COLUMNS &&
           shape_count(&op->w[0]) <= INT_MAX && rows_of(op) <= INT_MAX / w[0] && rows_of(op) <= INT_MAX / w[1];
}

/* The library's descriptions of the tensors. */
typedef struct Descs {
    ApiDesc x, y, x_transposed, w_transposed, w, bias;
} Descs;

static Status create_descs(const OpDesc *op, Descs *d) {
    dnnl_dim_t M = (dnnl_dim_t)rows_of(op), I = (dnnl_dim_t)op->w[0].dim[0], O = (dnnl_dim_t)op->w[0].dim[1];
    dnnl_status_t status = api_desc_create(2, (dnnl_dims_t){M, I}, dnnl_ab, &d->x);
    if (status == dnnl_success)
        status = api_desc_create(2, (dnnl_dims_t){M, O}, dnnl_ab, &d->y);
    if (status == dnnl_success)
        status = api_desc_create(2, (dnnl_dims_t){I, M}, dnnl_ba, &d->x_transposed);
    if (status == dnnl_success)
        status = api_desc_create(2, (dnnl_dims_t){O, I}, dnnl_ba, &d->w_transposed);
    if (status == dnnl_success)
        status = api_desc_create(2, (dnnl_dims_t){I, O}, dnnl_ab, &d->w);
    if (status == dnnl_success)
        status = api_desc_create(1, (dnnl_dims_t){O}, dnnl_a, &d->bias);
    return primitive_check(status, "describe a dense layer");
}

static void destroy_descs(Descs *d) {
    api_desc_destroy(&d->x);
    api_desc_destroy(&d->y);
    api_desc_destroy(&d->x_transposed);
    api_desc_destroy(&d->w_transposed);
    api_desc_destroy(&d->w);
    api_desc_destroy(&d->bias);
}

static Status create_output(Dense *s, const OpDesc *op, const Descs *d) {
    int roles[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, op->has_w[1] ? DNNL_ARG_BIAS : 0, 0};
    dnnl_primitive_attr_t attr;
    dnnl_engine_t engine;
    Status status;
    TRY(primitive_engine(&engine));
    TRY_GOTO(primitive_attr(op->relu, op->relu_max, false, &attr), done);
    TRY_GOTO(primitive_check(api_inner_product(engine, api_desc_view(&d->x), api_desc_view(&d->w_transposed),
                                               op->has_w[1] ? api_desc_view(&d->bias) : NULL, api_desc_view(&d->y),
                                               attr, &s->output.chosen),
                             "prepare a dense layer"),
             done);
    status = primitive_create(&s->output, roles);
done:
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return status;
}

/* The product, and the one that adds to what is there. */
static Status create_products(Primitive p[2], const ApiDesc *a, const ApiDesc *b, const ApiDesc *product) {
    dnnl_engine_t engine;
    Status status = STATUS_OK;
    TRY(primitive_engine(&engine));
    for (int adds = 0; adds < 2 && status == STATUS_OK; adds++) {
        dnnl_primitive_attr_t attr;
        status = primitive_attr(false, 0, adds, &attr);
        if (status == STATUS_OK)
            status = primitive_check(
                api_matmul(engine, api_desc_view(a), api_desc_view(b), api_desc_view(product), attr, &p[adds].chosen),
                "prepare a product of matrices");
        if (status == STATUS_OK)
            status = primitive_create(&p[adds], (int[]){DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, 0});
        if (attr)
            dnnl_primitive_attr_destroy(attr);
    }
    return status;
}

static Status create_passes(Dense *s, const OpDesc *op) {
    Descs d = {0};
    Status status;
    TRY_GOTO(create_descs(op, &d), done);
    TRY_GOTO(create_output(s, op, &d), done);
    if (op->want_dx[0])
        TRY_GOTO(create_products(s->data, &d.y, &d.w_transposed, &d.x), done);
    if (op->want_dw[0])
        TRY_GOTO(create_products(s->weights, &d.x_transposed, &d.y, &d.w), done);
done:
    destroy_descs(&d);
    return status;
}

static void release(void *state) {
    Dense *s = state;
    primitive_release(&s->output);
    for (int adds = 0; adds < 2; adds++) {
        primitive_release(&s->data[adds]);
        primitive_release(&s->weights[adds]);
    }
    memory_free(s);
}

static size_t work_bytes(const Dense *s) {
    const Primitive *all[] = {&s->output, &s->data[0], &s->data[1], &s->weights[0], &s->weights[1]};
    size_t most = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        most = primitive_scratch_bytes(all[i]) > most ? primitive_scratch_bytes(all[i]) : most;
    return most;
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    Dense *s;
    *state = NULL;
    *memory = (OpMemory){0};
    TRY(memory_new(&s, 1, "operation"));
    s->family = &onednn_dense;
    s->relu = op->relu;
    s->relu_max = op->relu_max;
    s->rows = rows_of(op);
    s->out = op->w[0].dim[1];
    Status status = create_passes(s, op);
    memory->work_bytes = work_bytes(s);
    if (status == STATUS_OK)
        *state = s;
    else
        release(s);
    return status;
}

static void forward(void *state, const OpBuffers *b) {
    Dense *s = state;
    primitive_run(&s->output, (const void *[]){b->x[0], b->w[0], b->y, b->w[1]}, b->work);
}

static void backward(void *state, const OpBuffers *b) {
    Dense *s = state;
    finish_rows_backward(b->y, s->relu, s->relu_max, b->dy, s->rows, s->out, b->dw_add[1], b->dw[1]);
    if (b->dw[0])
        primitive_run(&s->weights[b->dw_add[0]], (const void *[]){b->x[0], b->dy, b->dw[0]}, b->work);
    if (b->dx[0])
        primitive_run(&s->data[b->dx_add[0]], (const void *[]){b->dy, b->w[0], b->dx[0]}, b->work);
}

const OnednnFamily onednn_dense = {supports, prepare, forward, backward, release};
