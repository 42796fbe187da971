/* SPDX-License-Identifier: Apache-2.0
 *
 * The triangle filter, first down the columns, then along the rows, in float.  Each output sample is one sum in one order and
 * nothing is fused (-ffp-contract=off), so that the bits are the same on every CPU. */
#include "base/memory.h"
#include "io/image_internal.h"
#include <math.h>
#include <string.h>

/* Compiled for wider vectors, too; the best that the CPU has is chosen when the program starts.  Not for ThreadSanitizer, which
 * is not set up then. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_THREAD__)
#define CLONES __attribute__((target_clones("avx2", "default")))
#else
#define CLONES
#endif

const char *const image_fits[IMAGE_FITS + 1] = {"crop", "pad", "squash", NULL};

/* Four samples at a time; also where fewer belong to the pixel, the rest being its neighbour's. */
typedef float Four __attribute__((vector_size(16), aligned(4)));

/* Which input samples make the output samples of one axis. */
typedef struct Axis {
    size_t count, taps; /* output samples; input samples for each */
    size_t *first;      /* [count] number of the first of them, rising */
    Four *weight;       /* [count][taps], the same number four times */
} Axis;

static void axis_free(Axis *axis) {
    memory_free(axis->first);
    memory_free(axis->weight);
}

static double triangle(double distance) {
    return fmax(0, 1 - fabs(distance));
}

/* Of `input` samples, those from..from+length become `count`.  Taps stay within the input. */
static Status axis_make(size_t input, double from, double length, size_t count, Axis *axis) {
    double scale = length / (double)count, reach = fmax(scale, 1);
    size_t taps = (size_t)ceil(2 * reach);
    *axis = (Axis){.count = count, .taps = taps < input ? taps : input};
    TRY(memory_new(&axis->first, count, "resizing a picture"));
    TRY(memory_new(&axis->weight, count * axis->taps, "resizing a picture"));
    for (size_t i = 0; i < count; i++) {
        double centre = from + ((double)i + 0.5) * scale, sum = 0;
        double first = fmin(fmax(floor(centre - reach - 0.5) + 1, 0), (double)(input - axis->taps));
        axis->first[i] = (size_t)first;
        for (size_t k = 0; k < axis->taps; k++)
            sum += triangle((first + (double)k + 0.5 - centre) / reach);
        for (size_t k = 0; k < axis->taps; k++) {
            float weight = (float)(triangle((first + (double)k + 0.5 - centre) / reach) / sum);
            axis->weight[i * axis->taps + k] = (Four){weight, weight, weight, weight};
        }
    }
    return STATUS_OK;
}

/* sum[n] = the weighted sum of `taps` rows of n samples, `step` apart; two at a time. */
CLONES static void add_rows(const uint8_t *rows, size_t step, const Four *weight, size_t taps, size_t n, float *sum) {
    for (size_t k = 0; k < taps; k += 2) {
        bool two = k + 1 < taps;
        const uint8_t *a = rows + k * step, *b = two ? a + step : a;
        float v = weight[k][0], w = two ? weight[k + 1][0] : 0;
        if (k == 0)
            for (size_t i = 0; i < n; i++)
                sum[i] = v * a[i] + w * b[i];
        else
            for (size_t i = 0; i < n; i++)
                sum[i] += v * a[i] + w * b[i];
    }
}

/* `row` has one sample more than its pixels. */
static inline __attribute__((always_inline)) void add_taps(const Axis *axis, size_t taps, const float *row,
                                                           uint8_t *to) {
    const Four *weight = axis->weight;
    for (size_t i = 0; i < axis->count; i++, weight += taps) {
        const float *from = row + axis->first[i] * 3;
        Four sum = {0.5f, 0.5f, 0.5f, 0.5f};
        for (size_t k = 0; k < taps; k++)
            sum += weight[k] * *(const Four *)(from + k * 3);
        for (size_t c = 0; c < 3; c++)
            to[i * 3 + c] = (uint8_t)sum[c];
    }
}

/* The usual numbers of taps are compiled without a loop. */
CLONES static void add_columns(const Axis *axis, const float *row, uint8_t *to) {
    switch (axis->taps) {
    case 2:
        add_taps(axis, 2, row, to);
        break;
    case 3:
        add_taps(axis, 3, row, to);
        break;
    case 4:
        add_taps(axis, 4, row, to);
        break;
    default:
        add_taps(axis, axis->taps, row, to);
    }
}

static void add_grey_columns(const Axis *axis, const float *row, uint8_t *to) {
    for (size_t i = 0; i < axis->count; i++) {
        float sum = 0.5f;
        for (size_t k = 0; k < axis->taps; k++)
            sum += axis->weight[i * axis->taps + k][0] * row[axis->first[i] + k];
        to[i] = (uint8_t)sum;
    }
}

static Status filter(const Image *image, const Axis *down, const Axis *along, uint8_t *to, size_t to_step) {
    size_t channels = image->channels, step = image->width * channels;
    size_t low = along->first[0], high = along->first[along->count - 1] + along->taps; /* columns that are read */
    float *row;
    TRY(memory_new(&row, image->width * channels + 1, "resizing a picture"));
    for (size_t i = 0; i < down->count; i++, to += to_step) {
        add_rows(image->pixels + down->first[i] * step + low * channels, step, down->weight + i * down->taps,
                 down->taps, (high - low) * channels, row + low * channels);
        (channels == 3 ? add_columns : add_grey_columns)(along, row, to);
    }
    memory_free(row);
    return STATUS_OK;
}

/* A part of an image, in pixels and fractions of pixels. */
typedef struct Box {
    double top, left, height, width;
} Box;

/* `box` of the image becomes height x width pixels at `to`, whose rows lie to_step bytes apart. */
static Status resample(const Image *image, Box box, size_t height, size_t width, uint8_t *to, size_t to_step) {
    Axis down, along = {0};
    Status status = axis_make(image->height, box.top, box.height, height, &down);
    if (status == STATUS_OK)
        status = axis_make(image->width, box.left, box.width, width, &along);
    if (status == STATUS_OK)
        status = filter(image, &down, &along, to, to_step);
    axis_free(&along);
    axis_free(&down);
    return status;
}

/* The largest part of height x width pixels, in the middle, with the proportions of out_height x out_width. */
static Box middle(size_t height, size_t width, size_t out_height, size_t out_width) {
    Box box = {.height = (double)height, .width = (double)width};
    double ratio = (double)out_width / (double)out_height;
    if (box.width > ratio * box.height)
        box.width = ratio * box.height;
    else
        box.height = box.width / ratio;
    box.top = ((double)height - box.height) / 2;
    box.left = ((double)width - box.width) / 2;
    return box;
}

void image__columns(const ImageTarget *target, size_t height, size_t width, size_t *low, size_t *high) {
    *low = 0;
    *high = width;
    if (target->fit != IMAGE_CROP || (target->height == height && target->width == width))
        return;
    Box box = middle(height, width, target->height, target->width);
    double reach = fmax(box.width / (double)target->width, 1) + 1;
    *low = (size_t)fmax(0, floor(box.left - reach));
    *high = (size_t)fmin((double)width, ceil(box.left + box.width + reach));
}

static Status crop(const Image *image, Image *out) {
    Box box = middle(image->height, image->width, out->height, out->width);
    return resample(image, box, out->height, out->width, out->pixels, out->width * out->channels);
}

static Status pad(const Image *image, Image *out) {
    double h = (double)image->height, w = (double)image->width;
    size_t height = out->height, width = out->width, step = width * out->channels;
    if (w * (double)height > h * (double)width) /* the wider of the two: black above and below */
        height = (size_t)fmax(1, rint(h / w * (double)width));
    else
        width = (size_t)fmax(1, rint(w / h * (double)height));
    size_t top = (size_t)rint((double)(out->height - height) / 2),
           left = (size_t)rint((double)(out->width - width) / 2);
    memset(out->pixels, 0, out->height * step);
    return resample(image, (Box){0, 0, h, w}, height, width, out->pixels + top * step + left * out->channels, step);
}

Status image_resize(const Image *image, size_t height, size_t width, ImageFit fit, Image *out) {
    CHECK(image->channels == 1 || image->channels == 3, "%zu channels", image->channels);
    TRY(image__make_room("a resized picture", height, width, image->channels, out));
    if (height == image->height && width == image->width) {
        memcpy(out->pixels, image->pixels, height * width * image->channels);
        return STATUS_OK;
    }
    if (fit == IMAGE_CROP)
        return crop(image, out);
    if (fit == IMAGE_PAD)
        return pad(image, out);
    Box all = {.height = (double)image->height, .width = (double)image->width};
    return resample(image, all, height, width, out->pixels, width * out->channels);
}
