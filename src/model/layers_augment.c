/* SPDX-License-Identifier: Apache-2.0
 *
 * Layers that change images at random while training.  In a network they are the identity: who trains applies those at
 * its beginning to the images before they reach it, and refuses others.  Which of Keras's are --augment's alone is said
 * here too. */
#include "model/layers.h"
#include <math.h>
#include <string.h>

#define KEY_EDGE                                                                                                       \
    KEY_WORD("fill_mode", "reflect", "reflect wrap constant nearest"), KEY_USE("fill_value", KEY_NUMBER, "0"),         \
        KEY_WORD("interpolation", "bilinear", "bilinear nearest")
#define KEY_SEED KEY_SKIP("seed"), KEY_SKIP("rng_type") /* the run's seed decides */

static const LayerKey random_flip_keys[] = {
    KEY_WORD("mode", "horizontal_and_vertical", "horizontal vertical horizontal_and_vertical"),
    KEY_SEED,
    KEY_CHANNELS_LAST,
    KEY_END,
};
static const LayerKey random_rotation_keys[] = {
    KEY_NEED("factor", KEY_NUMBERS), KEY_EDGE, KEY_SEED, KEY_CHANNELS_LAST, KEY_END,
};
static const LayerKey random_translation_keys[] = {
    KEY_NEED("height_factor", KEY_NUMBERS),
    KEY_NEED("width_factor", KEY_NUMBERS),
    KEY_EDGE,
    KEY_SEED,
    KEY_CHANNELS_LAST,
    KEY_END,
};
static const LayerKey random_zoom_keys[] = {
    KEY_NEED("height_factor", KEY_NUMBERS),
    {"width_factor", KEY_ANY, KEY_USED, "null", NULL, NULL}, /* null: that of the height; or as that */
    KEY_EDGE,
    KEY_SEED,
    KEY_CHANNELS_LAST,
    KEY_END,
};
static const LayerKey random_level_keys[] = {
    /* of RandomContrast, RandomBrightness */
    KEY_NEED("factor", KEY_NUMBERS),
    KEY_USE("value_range", KEY_NUMBERS, "[0, 255]"),
    KEY_SEED,
    KEY_CHANNELS_LAST,
    KEY_END,
};

/* A factor is one number f, meaning -f .. f, or a lowest and a highest one; both within the bounds. */
static Status check_factor(const LayerBuild *b, const char *key, double low, double high) {
    const json_t *value = json_object_get(b->layer->config, key);
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    double first = json_number_value(json_is_array(value) ? json_array_get(value, 0) : value), last = first;
    if (value == NULL || json_is_null(value))
        return STATUS_OK;
    if (count == 2)
        last = json_number_value(json_array_get(value, 1));
    bool numbers = json_is_number(value) ||
                   (count == 2 && json_is_number(json_array_get(value, 0)) && json_is_number(json_array_get(value, 1)));
    if (!numbers || !(first <= last && first >= low && last <= high))
        return layer_fail(b, "%s must be a number, or two of which the first is not the larger, from %g to %g", key,
                          low, high);
    return STATUS_OK;
}

static Status augmentation_build(LayerBuild *b) {
    bool contrast = strcmp(b->layer->class->name, "RandomContrast") == 0;
    bool zoom = strcmp(b->layer->class->name, "RandomZoom") == 0;
    TRY(layer_needs_rank(b, 3));
    TRY(check_factor(b, "factor", -1, contrast ? 1e6 : 1));
    TRY(check_factor(b, "height_factor", zoom ? -0.99 : -1, 1));
    TRY(check_factor(b, "width_factor", zoom ? -0.99 : -1, 1));
    const json_t *range = json_object_get(b->layer->config, "value_range");
    if (range && (json_array_size(range) != 2 ||
                  !(json_number_value(json_array_get(range, 0)) < json_number_value(json_array_get(range, 1)))))
        return layer_fail(b, "value_range must be two numbers, the lower one first");
    b->output = b->inputs[0];
    return STATUS_OK;
}

/* Of an image that has the size already, the whole. */
static Status random_crop_build(LayerBuild *b) {
    Shape x = layer_shape(b, 0);
    size_t height = (size_t)layer_number(b, "height"), width = (size_t)layer_number(b, "width");
    TRY(layer_needs_rank(b, 3));
    if (x.dim[0] != height || x.dim[1] != width)
        return layer_fail(b,
                          "cuts a random %zu x %zu part out of %zu x %zu, which is not supported: take it out of the "
                          "network, and padding in front of it, and give --augment crop=N (N pixels are added on every "
                          "side) or resized-crop",
                          height, width, x.dim[0], x.dim[1]);
    b->output = b->inputs[0];
    return STATUS_OK;
}

static const LayerKey random_crop_keys[] = {
    KEY_NEED("height", KEY_COUNT), KEY_NEED("width", KEY_COUNT), KEY_SEED, KEY_CHANNELS_LAST, KEY_END,
};
const LayerClass layer_class_random_crop = {"RandomCrop", random_crop_keys, 1, 1, random_crop_build};

const char *layer_instead(const char *class) {
    static const struct {
        const char *class, *instead;
    } rows[] = {
        {"RandomHeight", "--augment zoom=0.2"},
        {"RandomWidth", "--augment zoom=0.2"},
        {"RandomShear", "--augment shear=10"},
        {"RandomHue", "--augment hue=0.1"},
        {"RandomSaturation", "--augment saturation=0.2"},
        {"RandomSharpness", "--augment sharpness=0.5"},
        {"RandomGrayscale", "--augment grayscale=0.1"},
        {"RandomPosterization", "--augment posterize=4"},
        {"RandomInvert", "--augment invert=0.1"},
        {"RandomGaussianBlur", "--augment blur=0.5:1.5"},
        {"RandomErasing", "--augment erase"},
        {"RandomColorDegeneration", "--augment saturation=0.2"},
        {"RandomColorJitter", "--augment brightness=0.2,contrast=0.2,saturation=0.2,hue=0.1"},
        {"RandAugment", "--augment rand=2:9"},
        {"AugMix", "--augment trivial"},
        {"Solarization", "--augment solarize=128"},
        {"Equalization", "--augment equalize"},
        {"AutoContrast", "--augment autocontrast"},
        {"MixUp", "--mixup 0.2"},
        {"CutMix", "--cutmix 1"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].class, class) == 0)
            return rows[i].instead;
    return NULL;
}

bool layer_is_augmentation(const LayerClass *class) {
    return class->build == augmentation_build;
}

const LayerClass layer_class_random_flip = {"RandomFlip", random_flip_keys, 1, 1, augmentation_build};
const LayerClass layer_class_random_rotation = {"RandomRotation", random_rotation_keys, 1, 1, augmentation_build};
const LayerClass layer_class_random_translation = {"RandomTranslation", random_translation_keys, 1, 1,
                                                   augmentation_build};
const LayerClass layer_class_random_zoom = {"RandomZoom", random_zoom_keys, 1, 1, augmentation_build};
const LayerClass layer_class_random_contrast = {"RandomContrast", random_level_keys, 1, 1, augmentation_build};
const LayerClass layer_class_random_brightness = {"RandomBrightness", random_level_keys, 1, 1, augmentation_build};
