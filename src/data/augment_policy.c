/* SPDX-License-Identifier: Apache-2.0
 *
 * RandAugment and TrivialAugment: the operations, and what a magnitude of 0 .. 30 means for each, are those of
 * torchvision.transforms.RandAugment and TrivialAugmentWide. */
#include "data/augment_internal.h"
#include <math.h>

typedef enum PolicyOperation {
    POLICY_IDENTITY,
    POLICY_SHEAR_X,
    POLICY_SHEAR_Y,
    POLICY_TRANSLATE_X,
    POLICY_TRANSLATE_Y,
    POLICY_ROTATE,
    POLICY_BRIGHTNESS,
    POLICY_COLOUR,
    POLICY_CONTRAST,
    POLICY_SHARPNESS,
    POLICY_POSTERIZE,
    POLICY_SOLARIZE,
    POLICY_AUTOCONTRAST,
    POLICY_EQUALIZE
} PolicyOperation;

/* The largest magnitude of an operation; translations are in pixels. */
static double strongest(const AugmentImage *image, bool rand, int which) {
    switch (which) {
    case POLICY_SHEAR_X:
    case POLICY_SHEAR_Y:
        return rand ? 0.3 : 0.99;
    case POLICY_TRANSLATE_X:
        return rand ? 150.0 / 331 * (double)image->width : 32;
    case POLICY_TRANSLATE_Y:
        return rand ? 150.0 / 331 * (double)image->height : 32;
    case POLICY_ROTATE:
        return rand ? 30 : 135;
    case POLICY_POSTERIZE:
        return rand ? 4 : 6;
    case POLICY_SOLARIZE:
        return 255;
    default:
        return rand ? 0.9 : 0.99;
    }
}

void augment__policy(AugmentImage *image, const AugmentOperation *policy, int which, int bin, bool negative) {
    double part = (double)bin / (POLICY_BINS - 1), most = strongest(image, policy->kind == AUGMENT_RAND, which);
    double magnitude = (negative ? -1 : 1) * part * most;
    if (which > POLICY_ROTATE)
        augment__settle(image);
    switch (which) {
    case POLICY_SHEAR_X: /* from the top left corner */
        augment__shear(image, policy, magnitude, 0, -0.5, -0.5);
        break;
    case POLICY_SHEAR_Y:
        augment__shear(image, policy, 0, magnitude, -0.5, -0.5);
        break;
    case POLICY_TRANSLATE_X:
        augment__shift(image, policy, trunc(magnitude), 0);
        break;
    case POLICY_TRANSLATE_Y:
        augment__shift(image, policy, 0, trunc(magnitude));
        break;
    case POLICY_ROTATE:
        augment__rotate(image, policy, magnitude);
        break;
    case POLICY_BRIGHTNESS:
        augment__brightness(image, 1 + magnitude);
        break;
    case POLICY_COLOUR:
        if (image->channels == 3) /* else there are no colours */
            augment__saturation(image, 1 + magnitude);
        break;
    case POLICY_CONTRAST:
        augment__contrast(image, 1 + magnitude);
        break;
    case POLICY_SHARPNESS:
        augment__sharpness(image, 1 + magnitude);
        break;
    case POLICY_POSTERIZE:
        augment__posterize(image, 8 - (int)nearbyint(part * most));
        break;
    case POLICY_SOLARIZE:
        augment__solarize(image, 255 - part * most);
        break;
    case POLICY_AUTOCONTRAST:
        augment__autocontrast(image);
        break;
    case POLICY_EQUALIZE:
        augment__equalize(image);
        break;
    default:
        break;
    }
}
