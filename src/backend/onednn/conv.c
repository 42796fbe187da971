/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/cpu/cpu.h"
#include "backend/onednn/onednn.h"
#include "backend/onednn/primitive.h"
#include "backend/openblas/openblas.h"
#include "base/memory.h"
#include <limits.h>

/* A convolution image [n,H,W,C] -> out [n,P,Q,K] and its passes
 *     API_FORWARD  out from image and w     API_DATA  d image from d out and w     API_WEIGHTS  dw from image, d out
 * conv2d: x is the image, y is out.  conv2d_transpose is the data gradient of a convolution: y is the image, x is out;
 * its own gradient by x is then the forward pass. */
typedef struct Conv {
    const OnednnFamily *family;
    OpDesc op;
    bool transposed, bias_in_pass;     /* bias_in_pass: the forward pass adds the bias itself */
    size_t x_count, y_count, channels; /* of one call; channels: of y */
    ConvSizes sizes;
    bool gemm_weights;   /* dw by sgemm */
    Primitive pass[3];   /* by ApiPass; only those that are wanted are complete */
    Primitive pack[2];   /* from HWIO to the layout of w in API_FORWARD, API_DATA; empty where that is HWIO */
    size_t packed_at[2]; /* that layout's place in OpBuffers.packed */
    Primitive give, add; /* from the layout of dw to HWIO; give is empty where that is HWIO */
    size_t result_at;    /* in OpBuffers.work: a gradient before it is added or changes its layout */
} Conv;

/* From 1 MB on, dw no longer fits in the cache beside the activations, and the library's kernels, which add to all of
 * it once per example, run at half the speed of sgemm, which goes through it once. */
enum { GEMM_WEIGHTS = 1024 * 1024 / sizeof(float) };

/* The library's descriptions of the tensors. */
typedef struct Descs {
    ApiDesc image, out, w, hwio, bias; /* w: any layout */
} Descs;

static Status create_descs(const ConvSizes *g, Descs *d) {
    dnnl_dim_t n = (dnnl_dim_t)g->n, groups = (dnnl_dim_t)g->groups, K = (dnnl_dim_t)g->K, C = (dnnl_dim_t)g->C;
    dnnl_dims_t image = {n, C, (dnnl_dim_t)g->H, (dnnl_dim_t)g->W};
    dnnl_dims_t out = {n, K, (dnnl_dim_t)g->P, (dnnl_dim_t)g->Q};
    dnnl_dims_t grouped = {groups, K / groups, C / groups, (dnnl_dim_t)g->R, (dnnl_dim_t)g->S};
    const dnnl_dim_t *w = groups > 1 ? grouped : grouped + 1;
    int rank = groups > 1 ? 5 : 4;
    dnnl_status_t status = api_desc_create(4, image, dnnl_nhwc, &d->image);
    if (status == dnnl_success)
        status = api_desc_create(4, out, dnnl_nhwc, &d->out);
    if (status == dnnl_success)
        status = api_desc_create(rank, w, dnnl_format_tag_any, &d->w);
    if (status == dnnl_success)
        status = api_desc_create(rank, w, groups > 1 ? dnnl_hwigo : dnnl_hwio, &d->hwio);
    if (status == dnnl_success)
        status = api_desc_create(1, (dnnl_dims_t){K}, dnnl_x, &d->bias);
    return primitive_check(status, "describe a convolution");
}

static void destroy_descs(Descs *d) {
    api_desc_destroy(&d->image);
    api_desc_destroy(&d->out);
    api_desc_destroy(&d->w);
    api_desc_destroy(&d->hwio);
    api_desc_destroy(&d->bias);
}

static Status choose(Conv *s, const OpDesc *op, ApiPass pass, const Descs *d) {
    const ConvAttr *a = &op->attr.conv;
    bool finishes = pass == API_FORWARD && !s->transposed;
    dnnl_primitive_attr_t attr;
    dnnl_engine_t engine;
    ApiWindow window;
    Status status;
    for (int axis = 0; axis < 2; axis++) {
        window.stride[axis] = (dnnl_dim_t)a->stride[axis];
        window.dilation[axis] = (dnnl_dim_t)a->dilation[axis] - 1;
        window.before[axis] = (dnnl_dim_t)a->pad[axis][0];
        window.after[axis] = (dnnl_dim_t)a->pad[axis][1];
    }
    TRY(primitive_engine(&engine));
    TRY_GOTO(primitive_attr(finishes && op->relu, op->relu_max, false, &attr), done);
    status = primitive_check(api_convolution(pass, engine, api_desc_view(&d->image), api_desc_view(&d->w),
                                             finishes && s->bias_in_pass ? api_desc_view(&d->bias) : NULL,
                                             api_desc_view(&d->out), &window, attr, s->pass[API_FORWARD].chosen,
                                             &s->pass[pass].chosen),
                             "prepare a convolution");
done:
    if (attr)
        dnnl_primitive_attr_destroy(attr);
    return status;
}

/* The pass of the operation's forward, and of its gradient by x. */
static ApiPass output_pass(const Conv *s) {
    return s->transposed ? API_DATA : API_FORWARD;
}

static ApiPass input_pass(const Conv *s) {
    return s->transposed ? API_FORWARD : API_DATA;
}

static Status complete_pass(Conv *s, ApiPass pass, const Descs *d, OpMemory *memory) {
    static const int roles[3][PRIMITIVE_TENSORS] = {
        [API_FORWARD] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST},
        [API_DATA] = {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST},
        [API_WEIGHTS] = {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST},
    };
    bool bias = pass == API_FORWARD && s->bias_in_pass;
    int all[] = {roles[pass][0], roles[pass][1], roles[pass][2], bias ? DNNL_ARG_BIAS : 0, 0};
    ApiDescView hwio = api_desc_view(&d->hwio), w = primitive_desc(&s->pass[pass], roles[pass][1]);
    TRY(primitive_create(&s->pass[pass], all));
    bool same = dnnl_memory_desc_equal(w, hwio);
    if (pass == API_WEIGHTS) {
        if (!same)
            TRY(primitive_create_copy(&s->give, w, hwio, false));
        return primitive_create_copy(&s->add, w, hwio, true);
    }
    s->packed_at[pass] = memory->packed_bytes;
    if (same)
        return STATUS_OK;
    memory->packed_bytes += (dnnl_memory_desc_get_size(w) + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    return primitive_create_copy(&s->pack[pass], hwio, w, false);
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Scratch of any call, then the largest gradient that goes through scratch memory. */
static size_t work_bytes(Conv *s, bool wants_dx) {
    size_t scratch = 0, result = wants_dx ? s->x_count * sizeof(float) : 0;
    const Primitive *all[] = {
        &s->pass[API_FORWARD], &s->pass[API_DATA], &s->pass[API_WEIGHTS], &s->pack[0], &s->pack[1], &s->give, &s->add};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->primitive)
            scratch = larger(scratch, primitive_scratch_bytes(all[i]));
    if (s->pass[API_WEIGHTS].primitive)
        result = larger(result, primitive_bytes(&s->pass[API_WEIGHTS], DNNL_ARG_DIFF_WEIGHTS));
    s->result_at = (scratch + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
    return larger(s->result_at + result, s->gemm_weights ? conv_work_bytes(&s->sizes) : 0);
}

static void release(void *state) {
    Conv *s = state;
    for (int i = 0; i < 3; i++)
        primitive_release(&s->pass[i]);
    for (int i = 0; i < 2; i++)
        primitive_release(&s->pack[i]);
    primitive_release(&s->give);
    primitive_release(&s->add);
    memory_free(s);
}

static Status create_passes(Conv *s, const OpDesc *op, OpMemory *memory) {
    Descs d = {0};
    Status status;
    TRY_GOTO(create_descs(&s->sizes, &d), done);
    TRY_GOTO(choose(s, op, API_FORWARD, &d), done); /* first: the others are chosen to go with it */
    TRY_GOTO(choose(s, op, API_DATA, &d), done);
    TRY_GOTO(choose(s, op, API_WEIGHTS, &d), done);
    TRY_GOTO(complete_pass(s, output_pass(s), &d, memory), done);
    if (op->want_dx[0])
        TRY_GOTO(complete_pass(s, input_pass(s), &d, memory), done);
    if (op->want_dw[0] && !s->gemm_weights)
        TRY_GOTO(complete_pass(s, API_WEIGHTS, &d, memory), done);
    memory->work_bytes = work_bytes(s, op->want_dx[0]);
done:
    destroy_descs(&d);
    return status;
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    Conv *s;
    *state = NULL;
    *memory = (OpMemory){0};
    TRY(memory_new(&s, 1, "operation"));
    s->family = &onednn_conv;
    s->op = *op;
    s->transposed = op->kind == OP_CONV2D_TRANSPOSE;
    s->bias_in_pass = !s->transposed && op->has_w[1];
    s->sizes = conv_sizes(op);
    s->x_count = op->n * shape_count(&op->x[0]);
    s->y_count = op->n * shape_count(&op->y);
    s->channels = op->y.dim[2];
    s->gemm_weights = shape_count(&op->w[0]) >= GEMM_WEIGHTS;
    Status status = create_passes(s, op, memory);
    if (status == STATUS_OK)
        *state = s;
    else
        release(s);
    return status;
}

/* The weights in the layout of that pass. */
static const void *weights_of(Conv *s, ApiPass pass, const OpBuffers *b) {
    if (!s->pack[pass].primitive)
        return b->w[0];
    void *packed = (char *)b->packed + s->packed_at[pass];
    if (b->pack)
        primitive_run(&s->pack[pass], (const void *[]){b->w[0], packed}, b->work);
    return packed;
}

static void forward(void *state, const OpBuffers *b) {
    Conv *s = state;
    Primitive *pass = &s->pass[output_pass(s)];
    const void *w = weights_of(s, output_pass(s), b);
    if (!s->transposed) {
        primitive_run(pass, (const void *[]){b->x[0], w, b->y, b->w[1]}, b->work);
        return;
    }
    primitive_run(pass, (const void *[]){b->y, w, b->x[0]}, b->work);
    finish_rows(b->y, s->y_count / s->channels, s->channels, b->w[1], s->op.relu, s->op.relu_max);
}

static void weight_gradient(Conv *s, const OpBuffers *b, const float *image, const float *out) {
    float *result = s->give.primitive || b->dw_add[0] ? (float *)((char *)b->work + s->result_at) : b->dw[0];
    if (s->gemm_weights) {
        conv_weight_gradient(&s->sizes, image, out, b->dw_add[0], b->dw[0], b->work);
        return;
    }
    primitive_run(&s->pass[API_WEIGHTS], (const void *[]){image, result, out}, b->work);
    if (result != b->dw[0])
        primitive_run(b->dw_add[0] ? &s->add : &s->give, (const void *[]){result, b->dw[0]}, b->work);
}

static void data_gradient(Conv *s, const OpBuffers *b) {
    Primitive *pass = &s->pass[input_pass(s)];
    const void *w = weights_of(s, input_pass(s), b);
    float *result = b->dx_add[0] ? (float *)((char *)b->work + s->result_at) : b->dx[0];
    if (s->transposed)
        primitive_run(pass, (const void *[]){b->dy, w, result}, b->work);
    else
        primitive_run(pass, (const void *[]){result, w, b->dy}, b->work);
    if (b->dx_add[0])
        scale_values(result, s->x_count, 1, true, b->dx[0]);
}

static void backward(void *state, const OpBuffers *b) {
    Conv *s = state;
    finish_rows_backward(b->y, s->op.relu, s->op.relu_max, b->dy, s->y_count / s->channels, s->channels, b->dw_add[1],
                         b->dw[1]);
    if (b->dw[0])
        weight_gradient(s, b, s->transposed ? b->dy : b->x[0], s->transposed ? b->x[0] : b->dy);
    if (b->dx[0])
        data_gradient(s, b);
}

/* Small convolutions are over before the library is ready: each call and change of layout takes it about a microsecond.
 * What would else run them is slower by far for groups, so less work is enough there.  With few weights per window
 * position the library's kernels cannot fill their vectors. */
enum { LEAST_WORK = 1 << 20, LEAST_GROUPED_WORK = 1 << 17, LEAST_CHANNELS = 64 };

static bool supports(const OpDesc *op) {
    ConvSizes g = conv_sizes(op);
    size_t weights = shape_count(&op->w[0]), work = op->n * g.P * g.Q * weights;
    if (op->kind == OP_CONV2D && cpu_conv2d.supports(op)) /* depthwise: our own loops are faster */
        return false;
    return weights <= INT_MAX && op->n <= INT_MAX && g.H * g.W * g.C <= INT_MAX / op->n &&
           g.P * g.Q * g.K <= INT_MAX / op->n &&
           (g.groups > 1 ? work >= LEAST_GROUPED_WORK : work >= LEAST_WORK && g.C * g.K >= LEAST_CHANNELS);
}

const OnednnFamily onednn_conv = {supports, prepare, forward, backward, release};
