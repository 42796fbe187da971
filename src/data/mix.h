/* SPDX-License-Identifier: Apache-2.0
 *
 * Mixed examples: each one of a batch becomes a mixture with its partner, and so does its label.
 *
 *     mixup    x = lam x + (1 - lam) x'                     Zhang, Cisse, Dauphin, Lopez-Paz, "mixup", ICLR 2018
 *     cutmix   x', where a rectangle of about the share 1 - lam lies, else x; lam becomes what is left of x
 *                                                           Yun et al., "CutMix", ICCV 2019
 *     lam ~ Beta(alpha, alpha), one for the whole batch, as in timm and torchvision and in the authors' own programs
 *
 * The partner of position p in a global batch of b is p + 1, the last one's the first (torchvision's roll): as the
 * order is shuffled in every epoch, this is a random partner, a micro-batch has to read one example more only, and
 * mixing works in place.  Everything drawn is a function of (seed, epoch, step): never of ranks or micro-batches. */
#ifndef DATA_MIX_H
#define DATA_MIX_H
#include "base/real.h"
#include "base/shape.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct MixOptions {
    double mixup, cutmix; /* alpha; 0: not this one.  Both: one of them is drawn for each batch, evenly */
    double probability;   /* that a batch is mixed at all */
    uint64_t seed;
} MixOptions;

static inline bool mix_is_on(const MixOptions *options) {
    return options->mixup > 0 || options->cutmix > 0;
}

typedef enum MixKind { MIX_NONE, MIX_MIXUP, MIX_CUTMIX } MixKind;

/* How one batch is mixed. */
typedef struct Mix {
    MixKind kind;
    double share;                    /* lam: of an example in its mixture; the partner has the rest */
    size_t top, left, bottom, right; /* cutmix: rows top .. bottom-1, columns left .. right-1 are the partner's */
} Mix;

/* Of batch `step` of `epoch`; shape [H,W,C] of an example where cutmix is on. */
Mix mix_draw(const MixOptions *options, const Shape *shape, uint64_t epoch, uint64_t step);

/* Mixes x[n + 1 examples] in place; the last one is only read. */
void mix_examples(const Mix *mix, const Shape *shape, size_t n, Real *x);

/* Mixes labels[n + 1][width] in place.  weights[n + 1], not mixed yet, or NULL.  Of `probabilities` each part counts
 * with its example's weight:
 *     t = (lam w t + (1 - lam) w' t') / (lam w + (1 - lam) w')
 * so that a cross-entropy, which is linear in t, times the mixed weight is lam w l(t) + (1 - lam) w' l(t'). */
void mix_labels(const Mix *mix, size_t n, size_t width, bool probabilities, const Real *weights, Real *labels);

/* w = lam w + (1 - lam) w', weights[n + 1]. */
void mix_weights(const Mix *mix, size_t n, Real *weights);

#endif
