/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the augment*.c files: an image on its way through a list of operations, and the operations themselves with
 * their random numbers already drawn.  Formulas: augment.h. */
#ifndef DATA_AUGMENT_INTERNAL_H
#define DATA_AUGMENT_INTERNAL_H
#include "base/rng.h"
#include "data/augment.h"

/* Where an output pixel comes from: x' = m[0] x + m[1] y + m[2], y' = m[3] x + m[4] y + m[5]; pixel centres are
 * whole. */
typedef struct AugmentMap {
    double m[6];
} AugmentMap;

typedef struct AugmentImage {
    size_t height, width, channels, count; /* count: of numbers */
    float max;                             /* M */
    const void *pixels;                    /* [height][width][channels], the input or one of the buffers */
    bool bytes;                            /* uint8_t, else float */
    bool from_bytes;                       /* the input was uint8_t: no value can be outside of 0 .. M */
    float *buffer[2];                      /* [count]; borrowed */

    /* Moves that wait for the next operation that they cannot be joined with. */
    bool moved;
    AugmentMap map;
    const AugmentOperation *edge; /* says fill and interpolation; NULL: none of the moves looks outside */
    bool boxed;       /* nothing outside of this box of the source is looked at: the nearest pixel in it counts */
    double box[2][2]; /* x, y: first and last */
} AugmentImage;

/* The buffer that does not hold the pixels. */
static inline void *augment__spare(const AugmentImage *image) {
    return image->pixels == image->buffer[0] ? image->buffer[1] : image->buffer[0];
}

/* The pixels as floats that may be changed. */
float *augment__floats(AugmentImage *image);

/* The pixels, of whichever type, where they may be changed. */
void *augment__own(AugmentImage *image);

/* Index of position i of a row of n, or -1: the fill value. */
long augment__border(long i, long n, AugmentFill fill);

/* ---- moves (augment_geometry.c): they wait until augment__settle ---- */

void augment__flip(AugmentImage *image, bool vertical);
void augment__shift(AugmentImage *image, const AugmentOperation *edge, double dx, double dy); /* right, down */
void augment__rotate(AugmentImage *image, const AugmentOperation *edge, double degrees);
void augment__shear(AugmentImage *image, const AugmentOperation *edge, double a, double b, double cx,
                    double cy); /* tangents */
void augment__zoom(AugmentImage *image, const AugmentOperation *edge, double fx, double fy);
void augment__resized_crop(AugmentImage *image, const AugmentOperation *edge,
                           const double box[4]); /* top, left, h, w */
void augment__settle(AugmentImage *image);

/* ---- colours and filters, of settled images ---- */

void augment__brightness(AugmentImage *image, double factor);
void augment__contrast(AugmentImage *image, double factor);
void augment__saturation(AugmentImage *image, double factor);
void augment__hue(AugmentImage *image, double turn);
void augment__grayscale(AugmentImage *image);
void augment__invert(AugmentImage *image);
void augment__layer_brightness(AugmentImage *image, const AugmentOperation *layer, double factor);
void augment__layer_contrast(AugmentImage *image, const AugmentOperation *layer, double factor);

void augment__posterize(AugmentImage *image, int bits);
void augment__solarize(AugmentImage *image, double level);
void augment__equalize(AugmentImage *image);
void augment__autocontrast(AugmentImage *image);

void augment__sharpness(AugmentImage *image, double factor);
void augment__blur(AugmentImage *image, double deviation);
void augment__noise(AugmentImage *image, double deviation, RngKey key, uint64_t stream);
void augment__erase(AugmentImage *image, double value, const size_t box[4]); /* top, left, height, width */

/* ---- RandAugment and TrivialAugment (augment_policy.c) ---- */

enum { POLICY_OPERATIONS = 14, POLICY_BINS = 31 };

/* Operation number `which` of magnitude `bin`, of the other sign where it has one and `negative` is set. */
void augment__policy(AugmentImage *image, const AugmentOperation *policy, int which, int bin, bool negative);

#endif
