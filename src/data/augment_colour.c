/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of colours, pixel by pixel. */
#include "data/augment_internal.h"
#include <math.h>

static float clip(float v, float low, float high) {
    return v < low ? low : v > high ? high : v;
}

static float grey_of(const float *pixel) {
    return 0.2989f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
}

void augment__brightness(AugmentImage *image, double factor) {
    float *x = augment__floats(image), f = (float)factor, max = image->max;
    for (size_t i = 0; i < image->count; i++)
        x[i] = clip(f * x[i], 0, max);
}

void augment__contrast(AugmentImage *image, double factor) {
    float *x = augment__floats(image), f = (float)factor, max = image->max;
    double sum = 0;
    bool colours = image->channels == 3;
    for (size_t i = 0; i < image->count; i += colours ? 3 : 1)
        sum += (double)(colours ? grey_of(x + i) : x[i]);
    float mean = (float)(sum / (double)(image->count / (colours ? 3 : 1)));
    for (size_t i = 0; i < image->count; i++)
        x[i] = clip(f * x[i] + (1 - f) * mean, 0, max);
}

void augment__saturation(AugmentImage *image, double factor) {
    float *x = augment__floats(image), f = (float)factor, max = image->max;
    for (size_t i = 0; i < image->count; i += 3) {
        float grey = grey_of(x + i);
        for (size_t c = 0; c < 3; c++)
            x[i + c] = clip(f * x[i + c] + (1 - f) * grey, 0, max);
    }
}

void augment__grayscale(AugmentImage *image) {
    float *x = augment__floats(image);
    for (size_t i = 0; i < image->count; i += 3)
        x[i] = x[i + 1] = x[i + 2] = grey_of(x + i);
}

void augment__invert(AugmentImage *image) {
    float *x = augment__floats(image), max = image->max;
    for (size_t i = 0; i < image->count; i++)
        x[i] = max - x[i];
}

/* RGB to HSV and back (A. R. Smith, "Color gamut transform pairs", 1978), with the hue turned.  Hue counts in sixths of
 * the circle from red over green to blue. */
static void turn_hue(float *pixel, float sixths) {
    float r = pixel[0], g = pixel[1], b = pixel[2];
    float high = fmaxf(r, fmaxf(g, b)), low = fminf(r, fminf(g, b)), chroma = high - low, h;
    if (!(chroma > 0))
        return; /* grey has no hue */
    if (high == r)
        h = (g - b) / chroma;
    else if (high == g)
        h = (b - r) / chroma + 2;
    else
        h = (r - g) / chroma + 4;
    h += sixths;
    for (size_t c = 0; c < 3; c++) {
        float k = h + (float)(5 - 2 * (int)c); /* distance of the channel's hue: 5, 3, 1 sixths */
        k -= 6 * floorf(k / 6);
        pixel[c] = high - chroma * clip(fminf(k, 4 - k), 0, 1);
    }
}

void augment__hue(AugmentImage *image, double turn) {
    float *x = augment__floats(image);
    for (size_t i = 0; i < image->count; i += 3)
        turn_hue(x + i, (float)(6 * turn));
}

/* ---- layers of Keras: their values are pixel * scale + offset, so they change pixels by 1 / scale as much ---- */

typedef struct LayerRange {
    float step, low, high; /* of one unit of the layer; its value range; in pixels */
} LayerRange;

static LayerRange layer_range(const AugmentImage *image, const AugmentOperation *layer, size_t channel) {
    const AugmentUnits *units = &layer->units;
    size_t k = units->channels > 1 ? channel : 0;
    double scale = units->channels ? units->scale[k] : 1 / (double)image->max;
    double offset = units->channels ? units->offset[k] : 0;
    double a = (layer->range[1][0] - offset) / scale, b = (layer->range[1][1] - offset) / scale;
    return (LayerRange){(float)(1 / scale), (float)fmin(a, b), (float)fmax(a, b)};
}

void augment__layer_brightness(AugmentImage *image, const AugmentOperation *layer, double factor) {
    float *x = augment__floats(image), added = (float)(factor * (layer->range[1][1] - layer->range[1][0]));
    for (size_t c = 0; c < image->channels; c++) {
        LayerRange range = layer_range(image, layer, c);
        for (size_t i = c; i < image->count; i += image->channels)
            x[i] = clip(x[i] + added * range.step, range.low, range.high);
    }
}

void augment__layer_contrast(AugmentImage *image, const AugmentOperation *layer, double factor) {
    float *x = augment__floats(image), f = (float)factor;
    for (size_t c = 0; c < image->channels; c++) {
        LayerRange range = layer_range(image, layer, c);
        double sum = 0;
        for (size_t i = c; i < image->count; i += image->channels)
            sum += (double)x[i];
        float mean = (float)(sum / (double)(image->count / image->channels));
        for (size_t i = c; i < image->count; i += image->channels)
            x[i] = clip((x[i] - mean) * f + mean, range.low, range.high);
    }
}

/* ---- levels: 0 .. 255 for 0 .. M ---- */

static int level_of(const AugmentImage *image, float v) {
    return v > 0 ? v < image->max ? (int)lrintf(v / image->max * 255) : 255 : 0;
}

/* Replaces every number of channels first, first + step, ... by table[level]. */
static void replace(AugmentImage *image, size_t first, size_t step, const int table[256]) {
    float *x = augment__floats(image);
    for (size_t i = first; i < image->count; i += step)
        x[i] = (float)table[level_of(image, x[i])] / 255 * image->max;
}

void augment__posterize(AugmentImage *image, int bits) {
    int table[256];
    for (int i = 0; i < 256; i++)
        table[i] = i & ~(0xff >> bits);
    replace(image, 0, 1, table);
}

void augment__solarize(AugmentImage *image, double level) {
    int table[256];
    for (int i = 0; i < 256; i++)
        table[i] = i >= level ? 255 - i : i;
    replace(image, 0, 1, table);
}

/* As Pillow's ImageOps.equalize: level i becomes the number of values below it, rounded, in units of `step`. */
void augment__equalize(AugmentImage *image) {
    for (size_t c = 0; c < image->channels; c++) {
        const float *x = augment__floats(image);
        size_t histogram[256] = {0}, total = image->count / image->channels, last = 0;
        for (size_t i = c; i < image->count; i += image->channels)
            histogram[level_of(image, x[i])]++;
        for (size_t i = 0; i < 256; i++)
            last = histogram[i] ? histogram[i] : last;
        size_t step = (total - last) / 255, below = step / 2;
        if (step == 0)
            continue; /* too few pixels or levels for Pillow */
        int table[256];
        for (size_t i = 0; i < 256; below += histogram[i++])
            table[i] = below / step < 255 ? (int)(below / step) : 255;
        replace(image, c, image->channels, table);
    }
}

void augment__autocontrast(AugmentImage *image) {
    float *x = augment__floats(image), max = image->max;
    for (size_t c = 0; c < image->channels; c++) {
        float low = x[c], high = x[c];
        for (size_t i = c; i < image->count; i += image->channels) {
            low = fminf(low, x[i]);
            high = fmaxf(high, x[i]);
        }
        if (!(high > low))
            continue;
        for (size_t i = c; i < image->count; i += image->channels)
            x[i] = clip((x[i] - low) * (max / (high - low)), 0, max);
    }
}
