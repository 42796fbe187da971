/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes that look at a pixel's neighbourhood, noise, and rectangles that are filled. */
#include "data/augment_internal.h"
#include <math.h>
#include <string.h>

/* ---- smoothing ---- */

void augment__sharpness(AugmentImage *image, double factor) {
    const float *x = augment__floats(image);
    float *y = augment__spare(image), f = (float)factor, max = image->max;
    long c = (long)image->channels, row = (long)image->width * c;
    memcpy(y, x, image->count * sizeof *y);
    for (long j = 1; j + 1 < (long)image->height; j++)
        for (long i = j * row + c; i < (j + 1) * row - c; i++) {
            const float *p = x + i;
            float around = p[-row - c] + p[-row] + p[-row + c] + p[-c] + p[c] + p[row - c] + p[row] + p[row + c];
            y[i] = (around + 5 * p[0]) / 13;
        }
    for (size_t i = 0; i < image->count; i++) {
        float v = f * x[i] + (1 - f) * y[i];
        y[i] = v < 0 ? 0 : v > max ? max : v;
    }
    image->pixels = y;
}

enum { BLUR_MOST_TAPS = 4 * 32 + 1 };

/* y[row] += weight * x[row shifted by `by` pixels], mirrored at the ends. */
static void add_shifted(const float *x, float *y, long w, size_t c, long by, float weight) {
    long first = by < 0 ? -by : 0, last = by > 0 ? w - by : w;
    first = first > w ? w : first;
    last = last < first ? first : last;
    for (size_t i = (size_t)first * c; i < (size_t)last * c; i++)
        y[i] += weight * x[(long)i + by * (long)c];
    for (long p = 0; p < w; p++) {
        if (p == first)
            p = last;
        if (p >= w)
            break;
        const float *from = x + (size_t)augment__border(p + by, w, FILL_MIRROR) * c;
        for (size_t k = 0; k < c; k++)
            y[(size_t)p * c + k] += weight * from[k];
    }
}

void augment__blur(AugmentImage *image, double deviation) {
    float taps[BLUR_MOST_TAPS];
    long reach = (long)(4 * deviation + 0.5), w = (long)image->width, h = (long)image->height;
    double sum = 0;
    for (long k = -reach; k <= reach; k++)
        sum += exp(-0.5 * (double)(k * k) / (deviation * deviation));
    for (long k = -reach; k <= reach; k++)
        taps[k + reach] = (float)(exp(-0.5 * (double)(k * k) / (deviation * deviation)) / sum);
    if (reach == 0)
        return;
    float *x = augment__floats(image), *y = augment__spare(image);
    size_t c = image->channels, row = image->width * c;
    memset(y, 0, image->count * sizeof *y);
    for (long j = 0; j < h; j++)
        for (long k = -reach; k <= reach; k++)
            add_shifted(x + (size_t)j * row, y + (size_t)j * row, w, c, k, taps[k + reach]);
    memset(x, 0, image->count * sizeof *x);
    for (long j = 0; j < h; j++)
        for (long k = -reach; k <= reach; k++) {
            const float *from = y + (size_t)augment__border(j + k, h, FILL_MIRROR) * row;
            for (size_t i = 0; i < row; i++)
                x[(size_t)j * row + i] += taps[k + reach] * from[i];
        }
}

/* ---- noise ---- */

/* Four normal numbers of one block (Box-Muller), counted from the block's first. */
static void normals(RngKey key, uint64_t stream, uint64_t block, float out[4]) {
    uint32_t r[4];
    rng_block(key, stream, block, r);
    for (int k = 0; k < 4; k += 2) {
        float length = sqrtf(-2 * logf(((float)(r[k] >> 8) + 0.5f) * 0x1p-24f));
        float angle = (float)(r[k + 1] >> 8) * (6.2831853f * 0x1p-24f);
        out[k] = length * cosf(angle);
        out[k + 1] = length * sinf(angle);
    }
}

void augment__noise(AugmentImage *image, double deviation, RngKey key, uint64_t stream) {
    enum { FIRST_BLOCK = 1 << 16 }; /* behind the counters of the operations' parameters */
    bool clipped = image->from_bytes;
    float *x = augment__floats(image), s = (float)deviation * image->max, max = image->max;
    for (size_t i = 0; i < image->count; i += 4) {
        float z[4];
        normals(key, stream, FIRST_BLOCK + i / 4, z);
        for (size_t k = 0; k < 4 && i + k < image->count; k++) {
            float v = x[i + k] + s * z[k];
            x[i + k] = !clipped ? v : v < 0 ? 0 : v > max ? max : v;
        }
    }
}

/* ---- rectangles ---- */

void augment__erase(AugmentImage *image, double value, const size_t box[4]) {
    char *x = augment__own(image);
    float v = (float)value * image->max;
    size_t c = image->channels;
    for (size_t j = box[0]; j < box[0] + box[2]; j++) {
        size_t first = (j * image->width + box[1]) * c, count = box[3] * c;
        if (image->bytes)
            memset(x + first, (int)lrintf(v < 255 ? v : 255), count);
        for (size_t i = first; !image->bytes && i < first + count; i++)
            ((float *)x)[i] = v;
    }
}
