/* SPDX-License-Identifier: Apache-2.0
 *
 * An example's way through the list: draws the random numbers of each operation and applies it. */
#include "data/augment.h"
#include "base/memory.h"
#include "data/augment_internal.h"
#include <math.h>
#include <string.h>

/* ---- pixels ---- */

float *augment__floats(AugmentImage *image) {
    float *to = augment__spare(image);
    if (image->bytes)
        for (size_t i = 0; i < image->count; i++)
            to[i] = (float)((const uint8_t *)image->pixels)[i];
    else if (image->pixels != image->buffer[0] && image->pixels != image->buffer[1])
        memcpy(to, image->pixels, image->count * sizeof *to);
    else
        to = image->pixels == image->buffer[0] ? image->buffer[0] : image->buffer[1];
    image->pixels = to;
    image->bytes = false;
    return to;
}

void *augment__own(AugmentImage *image) {
    if (image->pixels != image->buffer[0] && image->pixels != image->buffer[1])
        image->pixels = memcpy(image->buffer[0], image->pixels, image->count * (image->bytes ? 1 : sizeof(float)));
    return image->pixels == image->buffer[0] ? image->buffer[0] : image->buffer[1];
}

/* ---- random numbers: of operation `stream` of the list, counters 0 (chance), 1, 2 (parameters), then what it needs
 * ---- */

typedef struct Draws {
    RngKey key;
    uint64_t stream, next;
} Draws;

static double draw(Draws *d, double low, double high) {
    return low + (high - low) * rng_uniform(d->key, d->stream, d->next++);
}

/* 0 .. n - 1 */
static size_t draw_whole(Draws *d, size_t n) {
    size_t value = (size_t)draw(d, 0, (double)n);
    return value < n ? value : n - 1;
}

/* A rectangle of random area and aspect ratio (width / height) that fits; up to 10 tries.  box: top, left, height,
 * width. */
static bool draw_box(Draws *d, const AugmentImage *image, const AugmentOperation *op, bool whole, size_t box[4]) {
    double area = (double)image->height * (double)image->width;
    for (int i = 0; i < 10; i++) {
        double part = area * draw(d, op->range[0][0], op->range[0][1]);
        double ratio = exp(draw(d, log(op->range[1][0]), log(op->range[1][1])));
        double w = nearbyint(sqrt(part * ratio)), h = nearbyint(sqrt(part / ratio));
        double top = draw(d, 0, 1), left = draw(d, 0, 1);
        if (w < 1 || h < 1 || w > (double)image->width - !whole || h > (double)image->height - !whole)
            continue;
        box[2] = (size_t)h, box[3] = (size_t)w;
        box[0] = (size_t)(top * (double)(image->height - box[2] + 1));
        box[1] = (size_t)(left * (double)(image->width - box[3] + 1));
        return true;
    }
    return false;
}

/* ---- operations with more than one random number ---- */

static void crop(AugmentImage *image, const AugmentOperation *op, Draws *d) {
    double most = op->range[0][0];
    double dx = most - (double)draw_whole(d, 2 * (size_t)most + 1),
           dy = most - (double)draw_whole(d, 2 * (size_t)most + 1);
    augment__shift(image, op, dx, dy);
}

static void resized_crop(AugmentImage *image, const AugmentOperation *op, Draws *d) {
    size_t box[4];
    double h = (double)image->height, w = (double)image->width, ratio = w / h;
    if (!draw_box(d, image, op, true, box)) { /* the central part, as near as possible to the ratio */
        if (ratio < op->range[1][0])
            h = fmax(1, nearbyint(w / op->range[1][0]));
        else if (ratio > op->range[1][1])
            w = fmax(1, nearbyint(h * op->range[1][1]));
        box[2] = (size_t)h, box[3] = (size_t)w;
        box[0] = (image->height - box[2]) / 2;
        box[1] = (image->width - box[3]) / 2;
    }
    augment__resized_crop(image, op, (double[4]){(double)box[0], (double)box[1], (double)box[2], (double)box[3]});
}

static void cutout(AugmentImage *image, const AugmentOperation *op, Draws *d) {
    size_t side = (size_t)op->range[0][0], box[4];
    const size_t size[2] = {image->height, image->width};
    for (int k = 0; k < 2; k++) {
        size_t center = draw_whole(d, size[k]), first = center > side / 2 ? center - side / 2 : 0;
        size_t last = center + (side - side / 2); /* the one behind it */
        box[k] = first;
        box[2 + k] = (last < size[k] ? last : size[k]) - first;
    }
    augment__erase(image, op->fill_value, box);
}

static void erase(AugmentImage *image, const AugmentOperation *op, Draws *d) {
    size_t box[4];
    if (draw_box(d, image, op, false, box))
        augment__erase(image, op->fill_value, box);
}

static void policy(AugmentImage *image, const AugmentOperation *op, Draws *d) {
    size_t times = op->kind == AUGMENT_RAND ? (size_t)op->range[0][0] : 1;
    for (size_t i = 0; i < times; i++) {
        int which = (int)draw_whole(d, POLICY_OPERATIONS), any = (int)draw_whole(d, POLICY_BINS);
        bool negative = draw(d, 0, 1) < 0.5;
        augment__policy(image, op, which, op->kind == AUGMENT_RAND ? (int)op->range[1][0] : any, negative);
    }
}

/* ---- the list ---- */

static bool is_move(AugmentKind kind) {
    return kind <= AUGMENT_ZOOM || kind == AUGMENT_LAYER_ZOOM || kind == AUGMENT_RAND || kind == AUGMENT_TRIVIAL;
}

static void apply(AugmentImage *image, const AugmentOperation *op, Draws *d) {
    const double degree = 3.14159265358979323846 / 180;
    double a = draw(d, op->range[0][0], op->range[0][1]), b = draw(d, op->range[1][0], op->range[1][1]);
    b = op->tied ? a : b;
    if (!is_move(op->kind))
        augment__settle(image);
    switch (op->kind) {
    case AUGMENT_FLIP:
    case AUGMENT_VFLIP:
        augment__flip(image, op->kind == AUGMENT_VFLIP);
        break;
    case AUGMENT_CROP:
        crop(image, op, d);
        break;
    case AUGMENT_RESIZED_CROP:
        resized_crop(image, op, d);
        break;
    case AUGMENT_ROTATE:
        augment__rotate(image, op, a);
        break;
    case AUGMENT_TRANSLATE:
        augment__shift(image, op, a * (double)image->width, b * (double)image->height);
        break;
    case AUGMENT_SHEAR:
        augment__shear(image, op, tan(a * degree), tan(b * degree), ((double)image->width - 1) / 2,
                       ((double)image->height - 1) / 2);
        break;
    case AUGMENT_ZOOM:
        augment__zoom(image, op, a, b);
        break;
    case AUGMENT_LAYER_ZOOM:
        augment__zoom(image, op, 1 / a, 1 / b);
        break;
    case AUGMENT_BRIGHTNESS:
        augment__brightness(image, a);
        break;
    case AUGMENT_CONTRAST:
        augment__contrast(image, a);
        break;
    case AUGMENT_SATURATION:
        augment__saturation(image, a);
        break;
    case AUGMENT_HUE:
        augment__hue(image, a);
        break;
    case AUGMENT_SHARPNESS:
        augment__sharpness(image, a);
        break;
    case AUGMENT_GRAYSCALE:
        augment__grayscale(image);
        break;
    case AUGMENT_POSTERIZE:
        augment__posterize(image, (int)a);
        break;
    case AUGMENT_SOLARIZE:
        augment__solarize(image, a);
        break;
    case AUGMENT_EQUALIZE:
        augment__equalize(image);
        break;
    case AUGMENT_INVERT:
        augment__invert(image);
        break;
    case AUGMENT_AUTOCONTRAST:
        augment__autocontrast(image);
        break;
    case AUGMENT_BLUR:
        augment__blur(image, a);
        break;
    case AUGMENT_NOISE:
        augment__noise(image, a, d->key, d->stream);
        break;
    case AUGMENT_CUTOUT:
        cutout(image, op, d);
        break;
    case AUGMENT_ERASE:
        erase(image, op, d);
        break;
    case AUGMENT_RAND:
    case AUGMENT_TRIVIAL:
        policy(image, op, d);
        break;
    case AUGMENT_LAYER_BRIGHTNESS:
        augment__layer_brightness(image, op, a);
        break;
    case AUGMENT_LAYER_CONTRAST:
        augment__layer_contrast(image, op, a);
        break;
    }
}

/* Numbers of an example, rounded up so that the second buffer is as aligned as the first. */
static size_t padded_count(const DatasetInfo *info) {
    enum { LINE = MEMORY_ALIGN / sizeof(float) };
    return (shape_count(&info->shape) + LINE - 1) / LINE * LINE;
}

size_t augment_scratch_bytes(const DatasetInfo *info) {
    size_t bytes;
    return memory_multiply(padded_count(info), 2 * sizeof(float), &bytes) ? bytes : SIZE_MAX;
}

const void *augment_apply(const AugmentPass *pass, const DatasetInfo *info, uint64_t row, const void *pixels,
                          bool *bytes) {
    const Augment *augment = pass->augment;
    const Shape *shape = &info->shape;
    bool picture = shape->rank == 3;
    AugmentImage image = {.height = picture ? shape->dim[0] : 1,
                          .width = picture ? shape->dim[1] : shape_count(shape),
                          .channels = picture ? shape->dim[2] : 1,
                          .count = shape_count(shape),
                          .max = (float)info->value_max,
                          .pixels = pixels,
                          .bytes = info->is_uint8,
                          .from_bytes = info->is_uint8,
                          .buffer = {pass->scratch, (float *)pass->scratch + padded_count(info)}};
    Draws d = {.key = rng_key(augment->seed, RNG_AUGMENT, pass->epoch, row)};
    for (size_t i = 0; i < augment->count; i++) {
        const AugmentOperation *op = &augment->operations[i];
        d.stream = i;
        d.next = 0;
        if (draw(&d, 0, 1) < op->chance)
            apply(&image, op, &d);
    }
    augment__settle(&image);
    *bytes = image.bytes;
    return image.pixels;
}
