/* SPDX-License-Identifier: Apache-2.0
 *
 * Random changes of training images: `--augment flip,crop=4,rotate=15,cutout=8`.
 *
 *     TRY(augment_parse("flip,crop=4", &augment));
 *     TRY(augment_check(&augment, dataset));
 *     augment.seed = seed;                       then LoaderOptions.augment = &augment
 *
 * The operations of the list are applied to each example in their order, to the file's pixel values, before
 * preprocessing.  All random numbers of an example are Philox of (seed, RNG_AUGMENT, epoch, its row in the split): they
 * depend on no rank, micro-batch, resume or way of reading.  Nothing is stored.
 *
 * Names, parameters, ranges and defaults: the table in augment_parse.c, printed by augment_help.  Formulas, for pixel
 * values x from 0 to M = DatasetInfo.value_max, clip(v) = min(max(v, 0), M), grey = 0.2989 R + 0.587 G + 0.114 B:
 *
 *     flip, vflip      the image mirrored left to right, upside down
 *     crop N           N pixels added on every side, then a window of the image's size at a random place
 *     resized-crop     a part of random area and aspect ratio, enlarged to the image's size by bilinear interpolation
 *                      within it (torchvision.transforms.RandomResizedCrop: 10 tries, else the largest central part)
 *     rotate D         by D degrees around the centre, counter-clockwise
 *     translate F      by F times the width to the right, F times the height down
 *     shear D          source = [[1 + tan(a) tan(b), tan(a)], [tan(b), 1]] from the centre, a of x, b of y
 *                      (torchvision.transforms.functional.affine)
 *     zoom F           F times as large around the centre
 *     brightness F     clip(F x)
 *     contrast F       clip(F x + (1 - F) m), m the mean of grey, without 3 channels of all numbers
 *     saturation F     clip(F x + (1 - F) grey)
 *     hue F            the hue of HSV turned by F of the circle
 *     sharpness F      clip(F x + (1 - F) s), s = x smoothed with [1 1 1; 1 5 1; 1 1 1] / 13, and x itself at borders
 *     grayscale        all channels become grey
 *     posterize B      only the B highest bits stay            | of the levels round(255 x / M),
 *     solarize T       levels from T on become 255 - level     | which times M / 255
 *     equalize         each channel's histogram made even      | are the new values
 *     invert           M - x
 *     autocontrast     each channel's values stretched to 0 .. M
 *     blur S           convolution with exp(-d^2 / (2 S^2)), cut at 4 S, borders mirrored
 *                      (scipy.ndimage.gaussian_filter)
 *     noise S          x + S M normal numbers; clipped only for bytes
 *     cutout N         a square of N pixels around a random pixel filled (DeVries and Taylor, 2017)
 *     erase            a rectangle of random area and aspect ratio filled (Zhong et al., 2017, as torchvision's
 *                      RandomErasing)
 *     rand N:M         N random operations of magnitude M of 0 .. 30 (RandAugment, Cubuk et al., 2019)
 *     trivial          one random operation of random magnitude (TrivialAugment, wide; Mueller and Hutter, 2021); both
 *                      with the operations and magnitudes of torchvision.transforms, but interpolating bilinearly
 *
 * Brightness, contrast, saturation, hue, sharpness are torchvision's for floating-point images; nothing is rounded to
 * bytes in between.  A random parameter is uniform in its range (ratios: their logarithm).
 *
 * Operations that move pixels and stand next to each other are joined: their maps from the output back to the source
 * are multiplied and the image is resampled once, if their border and interpolation are the same; flips join anything.
 * Inside the image that is what one after the other does, only sharper; at the border it keeps what one would push out
 * and the next bring back.  What only moves whole pixels (flip, crop, translation by whole pixels) copies bytes and is
 * exact.
 *
 * What lies outside of the image (`fill=`), for a row a b c d:
 *     constant   k k k k | a b c d | k k k k      a number: constant with k, 0 .. 1 for 0 .. M; the usual, with 0
 *     nearest    a a a a | a b c d | d d d d
 *     reflect    d c b a | a b c d | d c b a      Keras's and SciPy's reflect
 *     mirror       d c b | a b c d | c b a        torchvision's reflect
 *     wrap       a b c d | a b c d | a b c d
 * Interpolation between a pixel inside and one outside uses that value for the latter. */
#ifndef DATA_AUGMENT_H
#define DATA_AUGMENT_H
#include "data/dataset.h"
#include "data/preprocess.h"
#include <stdio.h>

enum { AUGMENT_MAX_OPERATIONS = 32 };

typedef enum AugmentKind {
    AUGMENT_FLIP,
    AUGMENT_VFLIP,
    AUGMENT_CROP,         /* range[0]: pixels */
    AUGMENT_RESIZED_CROP, /* scale (part of the area), ratio (width / height) */
    AUGMENT_ROTATE,       /* degrees */
    AUGMENT_TRANSLATE,    /* x, y: parts of width, height */
    AUGMENT_SHEAR,        /* x, y: degrees */
    AUGMENT_ZOOM,         /* x, y: factors */
    AUGMENT_BRIGHTNESS,   /* factor */
    AUGMENT_CONTRAST,
    AUGMENT_SATURATION,
    AUGMENT_HUE, /* part of the circle */
    AUGMENT_SHARPNESS,
    AUGMENT_GRAYSCALE,
    AUGMENT_POSTERIZE, /* bits */
    AUGMENT_SOLARIZE,  /* level */
    AUGMENT_EQUALIZE,
    AUGMENT_INVERT,
    AUGMENT_AUTOCONTRAST,
    AUGMENT_BLUR,   /* standard deviation in pixels */
    AUGMENT_NOISE,  /* standard deviation, part of M */
    AUGMENT_CUTOUT, /* pixels */
    AUGMENT_ERASE,  /* scale, ratio */
    AUGMENT_RAND,   /* operations, magnitude */
    AUGMENT_TRIVIAL,
    /* of layers of the network; their second range is the layer's value range */
    AUGMENT_LAYER_BRIGHTNESS, /* Keras's RandomBrightness: adds factor * (high - low) */
    AUGMENT_LAYER_CONTRAST,   /* Keras's RandomContrast: factor (x - mean) + mean, by channel */
    AUGMENT_LAYER_ZOOM        /* Keras's RandomZoom: x, y: what is seen is so many times as large */
} AugmentKind;

typedef enum AugmentFill {
    FILL_CONSTANT,
    FILL_NEAREST,
    FILL_REFLECT,
    FILL_MIRROR,
    FILL_WRAP,
    AUGMENT_FILLS
} AugmentFill;

/* What pixel values mean where an operation comes from a layer of the network: value = pixel * scale + offset. */
typedef struct AugmentUnits {
    size_t channels; /* 0: value = pixel / M;  1: the same for all;  else entries of both */
    double scale[PREPROCESS_CHANNELS], offset[PREPROCESS_CHANNELS];
} AugmentUnits;

typedef struct AugmentOperation {
    AugmentKind kind;
    double chance;      /* of being applied to an example */
    double range[2][2]; /* lowest and highest value of each parameter */
    bool tied;          /* the second parameter is equal to the first one */
    bool nearest;       /* interpolation: the nearest pixel, floor(s + 1/2), else bilinear */
    AugmentFill fill;
    double fill_value; /* in `units` */
    AugmentUnits units;
} AugmentOperation;

/* Plain data: may be copied. */
typedef struct Augment {
    size_t count;
    AugmentOperation operations[AUGMENT_MAX_OPERATIONS];
    uint64_t seed;
} Augment;

/* Reads a list: NAME[=VALUE[:VALUE...]], separated by commas; a VALUE is a number, p=CHANCE, fill=MODE, bilinear or
 * nearest.  "" and "none": no operation.  STATUS_USAGE: unknown name, wrong number. */
Status augment_parse(const char *text, Augment *out);

/* Appends an operation.  STATUS_USAGE: the list is full. */
Status augment_add(Augment *augment, const AugmentOperation *operation);

/* Prints what can stand in a list. */
void augment_help(FILE *stream);

/* Do the operations fit the data: images, their channels and size; for those that clip, pixel values between 0 and M,
 * for which 64 evenly spaced examples of float data are read.  STATUS_USAGE. */
Status augment_check(const Augment *augment, Dataset *dataset);

/* The same for examples of bytes that are no dataset's: pictures to be predicted. */
Status augment_check_bytes(const Augment *augment, const DatasetInfo *info);

/* One reader's augmentation.  A scratch serves one reader at a time. */
typedef struct AugmentPass {
    const Augment *augment; /* borrowed */
    uint64_t epoch;
    void *scratch; /* augment_scratch_bytes(), aligned as memory_alloc does */
} AugmentPass;

size_t augment_scratch_bytes(const DatasetInfo *info); /* SIZE_MAX when that does not fit a size_t */

/* The changed example `row`: `pixels` (shape of info, uint8_t or float) itself or in the scratch, valid until the next
 * call; *bytes: it is uint8_t, else float.  The list has been checked.  Cannot fail. */
const void *augment_apply(const AugmentPass *pass, const DatasetInfo *info, uint64_t row, const void *pixels,
                          bool *bytes);

#endif
