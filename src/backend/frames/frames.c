/* SPDX-License-Identifier: Apache-2.0
 *
 * conv3d as a 2-D convolution of frames, which the other backends compute at their speed, Winograd's method included:
 * the T frames that an output frame looks at lie side by side in its channels,
 *     x'[d', h, w, (t, c)] = x[d' u + t e - before, h, w, c],  0 outside        (stride u, dilation e along the depth)
 *     w'[r, s, (t, c), k] = w[t, r, s, c, k]
 * y[d'] = x'[d'] * w'.  With groups, (t, c) runs through each group's c by itself.  Done for as many frames at a time
 * as stay in the cache. */
#include "backend/backend.h"
#include "backend/select.h"
#include "base/memory.h"
#include <string.h>

typedef struct Frames {
    OpDesc op;
    const Backend *backend;               /* of the convolution of a block */
    void *inner;                          /* its state; owned */
    size_t frames, blocks;                /* output frames of a block; blocks of a call */
    size_t pixels, taps, channels, group; /* of an image; T; C; C / groups */
    size_t unfolded, output;              /* elements of a frame of x', of y */
    size_t saved_step;                    /* bytes that the inner one saves of a block */
    size_t packed_at;                     /* bytes of w' in OpBuffers.packed; behind it the inner one's */
    size_t x_at, dx_at, dw_at;            /* bytes in OpBuffers.work: x', dx', dw' of w' */
} Frames;

static size_t aligned(size_t bytes) {
    return (bytes + MEMORY_ALIGN - 1) / MEMORY_ALIGN * MEMORY_ALIGN;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static bool supports(const OpDesc *op) {
    return op->kind == OP_CONV3D;
}

/* The kernel is one frame deep: x' is x. */
static bool is_flat(const Frames *s) {
    return s->taps == 1 && s->op.attr.conv3d.stride[0] == 1;
}

/* As many as fill a second-level cache, or are worth reading the weights for; a divisor of all, so that blocks are
 * alike. */
static size_t choose_frames(const Frames *s) {
    static const size_t cache = 1024 * 1024 / sizeof(float);
    size_t all = s->op.n * s->op.y.dim[0], wanted = larger(cache, shape_count(&s->op.w[0]));
    size_t frames = (wanted - 1) / (s->unfolded + s->output) + 1;
    frames = frames < all ? frames : all;
    while (all % frames)
        frames--;
    return frames;
}

static OpDesc inner_op(const Frames *s) {
    const OpDesc *op = &s->op;
    const Conv3dAttr *a = &op->attr.conv3d;
    OpDesc inner = {.kind = OP_CONV2D,
                    .n = s->frames,
                    .batch = s->frames,
                    .inputs = 1,
                    .params = op->params,
                    .keeps_x = true,
                    .keeps_y = op->keeps_y,
                    .training = op->training,
                    .relu = op->relu,
                    .relu_max = op->relu_max,
                    .winograd = op->winograd};
    inner.x[0] = SHAPE(op->x[0].dim[1], op->x[0].dim[2], s->taps * s->channels);
    inner.y = SHAPE(op->y.dim[1], op->y.dim[2], a->filters);
    inner.w[0] = SHAPE(a->kernel[1], a->kernel[2], s->taps * s->group, a->filters);
    inner.w[1] = op->w[1];
    inner.want_dx[0] = op->want_dx[0];
    inner.attr.conv = (ConvAttr){.groups = a->groups, .filters = a->filters, .padding = PADDING_EXPLICIT};
    for (size_t i = 0; i < 2; i++) {
        inner.has_w[i] = op->has_w[i];
        inner.want_dw[i] = op->want_dw[i];
        inner.attr.conv.kernel[i] = a->kernel[i + 1];
        inner.attr.conv.stride[i] = a->stride[i + 1];
        inner.attr.conv.dilation[i] = a->dilation[i + 1];
        memcpy(inner.attr.conv.pad[i], a->pad[i + 1], sizeof a->pad[i + 1]);
    }
    return inner;
}

/* What the inner one asks for, and x', dx', w', dw' where they are not x, dx, w, dw themselves. */
static void ask_memory(Frames *s, const OpMemory *inner, OpMemory *memory) {
    size_t images = s->frames * s->unfolded * sizeof(float), weights = shape_count(&s->op.w[0]) * sizeof(float);
    bool copies = !is_flat(s);
    s->saved_step = aligned(inner->saved_bytes);
    s->packed_at = copies ? aligned(weights) : 0;
    s->x_at = aligned(inner->work_bytes);
    s->dx_at = s->x_at + (copies ? aligned(images) : 0);
    s->dw_at = s->dx_at + (copies && s->op.want_dx[0] ? aligned(images) : 0);
    memory->saved_bytes = s->saved_step * s->blocks;
    memory->packed_bytes = s->packed_at + inner->packed_bytes;
    memory->work_bytes = s->dw_at + (copies && s->op.want_dw[0] ? aligned(weights) : 0);
}

static void release(void *state) {
    Frames *s = state;
    if (s && s->backend)
        s->backend->release(s->inner);
    memory_free(s);
}

static Status prepare(const OpDesc *op, void **state, OpMemory *memory) {
    Frames *s;
    OpMemory asked = {0};
    *state = NULL;
    *memory = (OpMemory){0};
    TRY(memory_new(&s, 1, "operation"));
    s->op = *op;
    s->pixels = op->x[0].dim[1] * op->x[0].dim[2];
    s->taps = op->attr.conv3d.kernel[0];
    s->channels = op->x[0].dim[3];
    s->group = s->channels / op->attr.conv3d.groups;
    s->unfolded = s->pixels * s->taps * s->channels;
    s->output = shape_count(&op->y) / op->y.dim[0];
    s->frames = choose_frames(s);
    s->blocks = op->n * op->y.dim[0] / s->frames;
    OpDesc inner = inner_op(s);
    const Backend *backend = backend_select(&inner, op->backend);
    Status status = backend->prepare(&inner, &s->inner, &asked);
    if (status != STATUS_OK) {
        memory_free(s);
        return status;
    }
    CHECK(asked.totals_bytes == 0, "%zu bytes of totals in a convolution", asked.totals_bytes);
    s->backend = backend;
    ask_memory(s, &asked, memory);
    *state = s;
    return STATUS_OK;
}

/* w'[r, s, (t, c), k] and w[t, r, s, c, k]: runs of (c, k) change places. */
static void move_weights(const Frames *s, const float *from, bool fold, bool add, float *to) {
    size_t run = s->group * s->op.attr.conv3d.filters, places = shape_count(&s->op.w[0]) / run / s->taps;
    for (size_t t = 0; t < s->taps; t++)
        for (size_t p = 0; p < places; p++) {
            size_t deep = (t * places + p) * run, wide = (p * s->taps + t) * run;
            const float *a = from + (fold ? wide : deep);
            float *b = to + (fold ? deep : wide);
            for (size_t i = 0; i < run; i++)
                b[i] = (add ? b[i] : 0) + a[i];
        }
}

/* The image of x that output frame `frame` of the call meets under tap t; SIZE_MAX: in the padding. */
static size_t source(const Frames *s, size_t frame, size_t t) {
    const Conv3dAttr *a = &s->op.attr.conv3d;
    size_t depth = s->op.x[0].dim[0], outputs = s->op.y.dim[0];
    size_t padded = frame % outputs * a->stride[0] + t * a->dilation[0], before = a->pad[0][0];
    bool inside = padded >= before && padded - before < depth;
    return inside ? frame / outputs * depth + padded - before : SIZE_MAX;
}

/* One group of one tap of an image: from channels [pixel][group] of x to those of x', or adds those of dx' to dx. */
static void move_image(const Frames *s, float *image, float *wide, bool fold) {
    size_t step = s->taps * s->channels, run = s->group;
    for (size_t p = 0; p < s->pixels; p++, image += s->channels, wide += step) {
        if (fold)
            for (size_t c = 0; c < run; c++)
                image[c] += wide[c];
        else
            for (size_t c = 0; c < run; c++)
                wide[c] = image[c];
    }
}

static void clear_image(const Frames *s, float *wide) {
    for (size_t p = 0; p < s->pixels; p++, wide += s->taps * s->channels)
        memset(wide, 0, s->group * sizeof *wide);
}

/* x' of a block from x; fold: dx of dx', added. */
static void move_block(const Frames *s, size_t block, float *x, float *wide, bool fold) {
    for (size_t f = 0; f < s->frames; f++, wide += s->unfolded)
        for (size_t t = 0; t < s->taps; t++) {
            size_t image = source(s, block * s->frames + f, t);
            for (size_t g = 0; g < s->channels; g += s->group) {
                float *to = wide + g * s->taps + t * s->group;
                if (image != SIZE_MAX)
                    move_image(s, x + image * s->pixels * s->channels + g, to, fold);
                else if (!fold)
                    clear_image(s, to);
            }
        }
}

static void *at(const OpBuffers *b, size_t bytes) {
    return (char *)b->work + bytes;
}

/* What the inner operation is given in both passes; x' is made. */
static OpBuffers block_buffers(const Frames *s, const OpBuffers *b, size_t block) {
    OpBuffers inner = {.first = true, .last = true, .work = b->work, .context = b->context};
    bool flat = is_flat(s);
    inner.x[0] = flat ? b->x[0] + block * s->frames * s->unfolded : at(b, s->x_at);
    if (!flat)
        move_block(s, block, (float *)b->x[0], at(b, s->x_at), false);
    inner.y = b->y ? b->y + block * s->frames * s->output : NULL;
    inner.w[0] = flat ? b->w[0] : b->packed;
    inner.w[1] = b->w[1];
    inner.saved = (char *)b->saved + block * s->saved_step;
    inner.packed = (char *)b->packed + s->packed_at;
    inner.pack = b->pack && block == 0;
    if (inner.pack && !flat)
        move_weights(s, b->w[0], false, false, b->packed);
    return inner;
}

static void forward(void *state, const OpBuffers *b) {
    const Frames *s = state;
    for (size_t block = 0; block < s->blocks; block++) {
        OpBuffers inner = block_buffers(s, b, block);
        s->backend->forward(s->inner, &inner);
    }
}

static void backward(void *state, const OpBuffers *b) {
    const Frames *s = state;
    bool flat = is_flat(s), folds = b->dx[0] && !flat;
    if (folds && !b->dx_add[0])
        memset(b->dx[0], 0, s->op.n * shape_count(&s->op.x[0]) * sizeof(float));
    for (size_t block = 0; block < s->blocks; block++) {
        OpBuffers inner = block_buffers(s, b, block);
        inner.dy = b->dy + block * s->frames * s->output;
        if (b->dx[0])
            inner.dx[0] = flat ? b->dx[0] + block * s->frames * s->unfolded : at(b, s->dx_at);
        inner.dx_add[0] = flat && b->dx_add[0];
        if (b->dw[0])
            inner.dw[0] = flat ? b->dw[0] : at(b, s->dw_at);
        inner.dw_add[0] = block > 0 || (flat && b->dw_add[0]);
        inner.dw[1] = b->dw[1];
        inner.dw_add[1] = block > 0 || b->dw_add[1];
        s->backend->backward(s->inner, &inner);
        if (folds)
            move_block(s, block, b->dx[0], at(b, s->dx_at), true);
    }
    if (b->dw[0] && !flat)
        move_weights(s, at(b, s->dw_at), true, b->dw_add[0], b->dw[0]);
}

const Backend backend_frames = {.name = "frames",
                                .supports = supports,
                                .prepare = prepare,
                                .forward = forward,
                                .backward = backward,
                                .release = release};
