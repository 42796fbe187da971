/* SPDX-License-Identifier: Apache-2.0
 *
 * Every operation pixel by pixel beside torchvision, SciPy and Pillow (golden/make_augment.py), from bytes and from floats;
 * what is drawn at random, and that it depends on seed, epoch and row alone; lists that are wrong. */
#include "base/memory.h"
#include "data/augment_internal.h"
#include "support/assert_status.h"
#include <math.h>

enum { MOST = 20 * 20 * 3 };

typedef struct Picture {
    size_t height, width, channels;
    uint8_t x[MOST];
} Picture;

static const Picture pictures[] = {
#include "../golden/augment_images.inc"
};

typedef struct Case {
    const char *text; /* list, or the name of a policy's operation */
    int picture;
    double box[4]; /* of a resized crop: top, left, height, width */
    struct {
        bool used, rand;
        int which, bin;
        bool negative;
    } policy;
    double y[MOST];
} Case;

static const Case cases[] = {
#include "../golden/augment.inc"
};

static float scratch[2 * (MOST + 16)] __attribute__((aligned(MEMORY_ALIGN)));

static DatasetInfo info_of(const Picture *picture, bool bytes) {
    return (DatasetInfo){.path = (char *)"test.h5",
                         .shape = SHAPE(picture->height, picture->width, picture->channels),
                         .is_uint8 = bytes,
                         .value_max = bytes ? 255 : 2}; /* floats from 0 to 2: nothing may rely on 255 or 1 */
}

/* The picture as the dataset has it: bytes, or floats of 0 .. 2. */
static const void *pixels_of(const Picture *picture, bool bytes) {
    static float floats[MOST];
    for (size_t i = 0; i < MOST; i++)
        floats[i] = (float)picture->x[i] * (2.0f / 255);
    return bytes ? (const void *)picture->x : floats;
}

/* out[i] = result in 0 .. 255. */
static void collect(const void *pixels, bool bytes, double max, size_t count, float *out) {
    for (size_t i = 0; i < count; i++)
        out[i] = bytes ? (float)((const uint8_t *)pixels)[i] : (float)((double)((const float *)pixels)[i] * 255 / max);
}

static void apply(const char *text, const Picture *picture, bool bytes, uint64_t epoch, uint64_t row, float *out) {
    Augment augment;
    bool still_bytes;
    DatasetInfo info = info_of(picture, bytes);
    assert_ok(augment_parse(text, &augment));
    augment.seed = 7;
    assert_true(augment_scratch_bytes(&info) <= sizeof scratch);
    const void *y =
        augment_apply(&(AugmentPass){&augment, epoch, scratch}, &info, row, pixels_of(picture, bytes), &still_bytes);
    collect(y, still_bytes, info.value_max, shape_count(&info.shape), out);
}

/* What cannot be asked for by a list, because it is drawn. */
static void apply_drawn(const Case *c, const Picture *picture, bool bytes, float *out) {
    AugmentOperation op = {.kind = c->policy.rand ? AUGMENT_RAND : AUGMENT_TRIVIAL, .chance = 1};
    AugmentImage image = {.height = picture->height, .width = picture->width, .channels = picture->channels};
    image.count = picture->height * picture->width * picture->channels;
    image.max = bytes ? 255 : 2;
    image.bytes = image.from_bytes = bytes;
    image.pixels = pixels_of(picture, bytes);
    image.buffer[0] = scratch, image.buffer[1] = scratch + MOST + 16;
    if (c->policy.used) {
        augment__policy(&image, &op, c->policy.which, c->policy.bin, c->policy.negative);
    } else {
        if (strncmp(c->text, "flip", 4) == 0)
            augment__flip(&image, false);
        augment__resized_crop(&image, &op, c->box);
    }
    augment__settle(&image);
    collect(image.pixels, image.bytes, (double)image.max, image.count, out);
}

/* Stated tolerance: 0.01 of 255 levels. */
static void beside_others(void **state) {
    (void)state;
    float y[MOST];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int bytes = 0; bytes < 2; bytes++) {
            const Case *c = &cases[i];
            const Picture *picture = &pictures[c->picture];
            if (c->policy.used || c->box[2] > 0)
                apply_drawn(c, picture, bytes, y);
            else
                apply(c->text, picture, bytes, 0, i, y);
            for (size_t k = 0; k < picture->height * picture->width * picture->channels; k++)
                if (!(fabs((double)y[k] - c->y[k]) <= 0.01))
                    fail_msg("%s, case %zu, picture %d, bytes %d: number %zu is %g, not %g", c->text, i, c->picture,
                             bytes, k, (double)y[k], c->y[k]);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
