/* SPDX-License-Identifier: Apache-2.0 */
#include "data/mix.h"
#include "base/rng.h"
#include <math.h>

/* Counters of the draws of one batch. */
enum { DRAW_PROBABILITY, DRAW_KIND, DRAW_ROW, DRAW_COLUMN };

/* The logarithm of a number of the gamma distribution of shape `a`, scale 1 (Marsaglia, Tsang, "A simple method for
 * generating gamma variables", 2000), of shape a + 1 and corrected by u^(1/a): by its logarithm, as for a small `a` the
 * number itself is 0. */
static double log_gamma_variable(RngKey key, uint64_t stream, double a) {
    double d = a + 1 - 1.0 / 3, c = 1 / sqrt(9 * d), correction = log(1 - rng_uniform(key, stream, 0)) / a;
    for (uint64_t draw = 1;; draw += 2) {
        double x = rng_normal(key, stream, draw), v = 1 + c * x, u = 1 - rng_uniform(key, stream, draw + 1);
        if (v <= 0)
            continue;
        v = v * v * v;
        if (log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return log(d * v) + correction;
    }
}

/* a / (a + b) of two gamma variables. */
static double beta_variable(RngKey key, double alpha) {
    return 1 / (1 + exp(log_gamma_variable(key, 2, alpha) - log_gamma_variable(key, 1, alpha)));
}

/* The rectangle lies around a random pixel and is cut off at the image's edges. */
static void draw_rectangle(RngKey key, const Shape *shape, Mix *mix) {
    double height = (double)shape->dim[0], width = (double)shape->dim[1], half = 0.5 * sqrt(1 - mix->share);
    double y = floor(height * rng_uniform(key, 0, DRAW_ROW)), x = floor(width * rng_uniform(key, 0, DRAW_COLUMN));
    mix->top = (size_t)fmax(y - floor(half * height), 0);
    mix->left = (size_t)fmax(x - floor(half * width), 0);
    mix->bottom = (size_t)fmin(y + floor(half * height), height);
    mix->right = (size_t)fmin(x + floor(half * width), width);
    mix->share = 1 - (double)((mix->bottom - mix->top) * (mix->right - mix->left)) / (height * width);
}

Mix mix_draw(const MixOptions *options, const Shape *shape, uint64_t epoch, uint64_t step) {
    RngKey key = rng_key(options->seed, RNG_MIX, epoch, step);
    Mix mix = {.kind = MIX_NONE, .share = 1};
    if (!mix_is_on(options) || rng_uniform(key, 0, DRAW_PROBABILITY) >= options->probability)
        return mix;
    bool cut = options->cutmix > 0 && (options->mixup == 0 || rng_uniform(key, 0, DRAW_KIND) < 0.5);
    mix.kind = cut ? MIX_CUTMIX : MIX_MIXUP;
    mix.share = beta_variable(key, cut ? options->cutmix : options->mixup);
    if (cut)
        draw_rectangle(key, shape, &mix);
    return mix;
}

static void blend(double share, const Real *partner, size_t count, Real *x) {
    Real a = (Real)share, b = (Real)(1 - share);
    for (size_t k = 0; k < count; k++)
        x[k] = a * x[k] + b * partner[k];
}

void mix_examples(const Mix *mix, const Shape *shape, size_t n, Real *x) {
    size_t count = shape_count(shape);
    for (size_t i = 0; i < n && mix->kind == MIX_MIXUP; i++, x += count)
        blend(mix->share, x + count, count, x);
    if (mix->kind != MIX_CUTMIX)
        return;
    size_t row = count / shape->dim[0], pixel = row / shape->dim[1];
    for (size_t i = 0; i < n; i++, x += count)
        for (size_t y = mix->top; y < mix->bottom; y++)
            for (size_t k = y * row + mix->left * pixel; k < y * row + mix->right * pixel; k++)
                x[k] = x[count + k];
}

void mix_labels(const Mix *mix, size_t n, size_t width, bool probabilities, const Real *weights, Real *labels) {
    for (size_t i = 0; i < n && mix->kind != MIX_NONE; i++, labels += width) {
        double share = mix->share;
        if (probabilities && weights) {
            double own = share * (double)weights[i], other = (1 - share) * (double)weights[i + 1];
            share = own + other > 0 ? own / (own + other) : share;
        }
        blend(share, labels + width, width, labels);
    }
}

void mix_weights(const Mix *mix, size_t n, Real *weights) {
    for (size_t i = 0; i < n && mix->kind != MIX_NONE; i++)
        blend(mix->share, weights + i + 1, 1, weights + i);
}
