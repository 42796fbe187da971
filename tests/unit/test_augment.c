/* SPDX-License-Identifier: Apache-2.0
 *
 * Every operation pixel by pixel beside torchvision, SciPy and Pillow (golden/make_augment.py), from bytes and from
 * floats; what is drawn at random, and that it depends on seed, epoch and row alone. */
#include "base/memory.h"
#include "data/augment_internal.h"
#include "support/assert_status.h"
#include <math.h>

enum { MOST = 1200 };

typedef struct Picture {
    size_t height, width, channels;
    uint8_t x[MOST];
} Picture;

static const Picture pictures[] = {
#include "golden/augment_images.inc"
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
#include "golden/augment.inc"
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

/* ---- what is drawn ---- */

enum { SIDE = 12, MANY = 4000 };

/* A picture in which every pixel is told from every other by its one channel. */
static Picture numbered(void) {
    Picture picture = {.height = SIDE, .width = SIDE, .channels = 1};
    for (size_t i = 0; i < SIDE * SIDE; i++)
        picture.x[i] = (uint8_t)(i + 1);
    return picture;
}

/* The chance p of an operation, and that each row and epoch has its own number. */
static void chances(void **state) {
    static const struct {
        const char *text;
        double chance;
    } operations[] = {{"flip", 0.5},      {"flip=0.2", 0.2}, {"rotate=90:90:p=0.75", 0.75},
                      {"grayscale", 0.1}, {"vflip=0", 0},    {"invert=1", 1}};
    (void)state;
    float original[MOST], y[MOST];
    for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) {
        size_t changed = 0;
        apply("none", &pictures[0], true, 0, 0, original);
        for (uint64_t i = 0; i < MANY; i++) {
            apply(operations[k].text, &pictures[0], true, i / 50, i % 50, y);
            changed += memcmp(y, original, sizeof(float) * 6 * 8 * 3) != 0;
        }
        double deviation = sqrt(operations[k].chance * (1 - operations[k].chance) / MANY);
        assert_true(fabs((double)changed / MANY - operations[k].chance) <= 4 * deviation);
    }
}

/* All (2 N + 1)^2 places of a crop, each as often; what is outside is 0. */
static void crops_are_uniform(void **state) {
    (void)state;
    enum { N = 2, PLACES = (2 * N + 1) * (2 * N + 1) };
    const Picture picture = numbered();
    float y[MOST];
    size_t found[PLACES] = {0};
    for (uint64_t row = 0; row < MANY; row++) {
        apply("crop=2", &picture, true, 3, row, y);
        long at = (long)y[5 * SIDE + 5] - 1, dy = at / SIDE - 5, dx = at % SIDE - 5;
        assert_true(dy >= -N && dy <= N && dx >= -N && dx <= N);
        found[(dy + N) * (2 * N + 1) + dx + N]++;
        for (long j = 0; j < SIDE; j++)
            for (long i = 0; i < SIDE; i++) {
                bool inside = j + dy >= 0 && j + dy < SIDE && i + dx >= 0 && i + dx < SIDE;
                assert_true(y[j * SIDE + i] == (inside ? (float)picture.x[(j + dy) * SIDE + i + dx] : 0));
            }
    }
    for (size_t k = 0; k < PLACES; k++)
        assert_in_range(found[k], MANY / PLACES * 2 / 3, MANY / PLACES * 4 / 3);
}

/* A range is filled evenly from end to end: the brightness of one pixel tells the factor. */
static void ranges_are_uniform(void **state) {
    static const struct {
        const char *text;
        double low, high; /* of 100 times a factor that the first pixel shows */
    } ranges[] = {{"brightness=0.3", 70, 130}, {"brightness=1.2:1.5", 120, 150}, {"brightness=3", 0, 400}};
    (void)state;
    Picture picture = {1, 1, 1, {50}};
    float y[MOST];
    for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
        double low = 1e9, high = -1e9, sum = 0, span = ranges[k].high - ranges[k].low;
        for (uint64_t row = 0; row < MANY; row++) {
            apply(ranges[k].text, &picture, true, 0, row, y);
            double factor = 2 * (double)y[0];
            low = fmin(low, factor), high = fmax(high, factor), sum += factor;
        }
        assert_true(low >= ranges[k].low - 1e-3 && low < ranges[k].low + span / 100);
        assert_true(high <= ranges[k].high + 1e-3 && high > ranges[k].high - span / 100);
        assert_true(fabs(sum / MANY - (ranges[k].low + span / 2)) < 4 * span / sqrt(12.0 * MANY));
    }
}

/* Where the picture is filled: a rectangle of the given area and ratio; a square around a pixel, cut at the border. */
static void rectangles(void **state) {
    (void)state;
    const Picture picture = numbered();
    float y[MOST];
    size_t whole = 0, erased = 0;
    for (uint64_t row = 0; row < MANY; row++)
        for (int k = 0; k < 2; k++) {
            long first[2] = {SIDE, SIDE}, last[2] = {-1, -1};
            size_t count = 0;
            apply(k ? "erase=0.1:0.4:0.5:2:fill=1" : "cutout=4:fill=1", &picture, true, 0, row, y);
            for (long i = 0; i < SIDE * SIDE; i++) {
                long at[2] = {i / SIDE, i % SIDE};
                bool filled = y[i] == 255;
                assert_true(filled || y[i] == (float)picture.x[i]);
                count += filled;
                for (int d = 0; d < 2 && filled; d++) {
                    first[d] = at[d] < first[d] ? at[d] : first[d];
                    last[d] = at[d] > last[d] ? at[d] : last[d];
                }
            }
            if (k == 1 && count == 0)
                continue;
            size_t h = (size_t)(last[0] - first[0] + 1), w = (size_t)(last[1] - first[1] + 1);
            assert_int_equal(count, h * w);
            if (k == 0) {
                assert_true((h == 4 || first[0] == 0 || last[0] == SIDE - 1) && h <= 4 && h >= 2);
                assert_true((w == 4 || first[1] == 0 || last[1] == SIDE - 1) && w <= 4 && w >= 2);
                whole += count == 16;
            } else {
                erased++;
                assert_true((double)count >= 0.1 * SIDE * SIDE - 4 && (double)count <= 0.4 * SIDE * SIDE + 9);
                assert_true((double)w / (double)h >= 0.5 - 0.15 && (double)w / (double)h <= 2 + 0.5);
            }
        }
    /* 9 of 12 centres each way leave the square whole; erase has p = 0.5 */
    assert_true(fabs((double)whole / MANY - 81.0 / 144) < 0.04 && fabs((double)erased / MANY - 0.5) < 0.04);
}

/* A resized crop of one pixel is one colour; of all of the picture, the picture. */
static void parts_of_a_picture(void **state) {
    (void)state;
    const Picture picture = numbered();
    float y[MOST];
    size_t found[SIDE * SIDE] = {0};
    for (uint64_t row = 0; row < 20 * SIDE * SIDE; row++) {
        apply("resized-crop=0.0069:0.0070:1:1", &picture, true, 0, row, y);
        for (size_t i = 0; i < SIDE * SIDE; i++)
            assert_true(y[i] == y[0]);
        found[(size_t)y[0] - 1]++;
    }
    for (size_t i = 0; i < SIDE * SIDE; i++)
        assert_in_range(found[i], 2, 50);
    apply("resized-crop=1:1:1:1", &picture, true, 0, 0, y);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        assert_true(y[i] == (float)picture.x[i]);
}

/* Normal numbers: mean, variance, fourth moment; independent between rows, epochs and pixels; clipped for bytes
 * only. */
static void noise(void **state) {
    (void)state;
    Picture picture = {20, 20, 3, {0}};
    double sum[5] = {0};
    float y[MOST], next[MOST];
    memset(picture.x, 128, sizeof picture.x);
    for (uint64_t row = 0; row < 50; row++) {
        apply("noise=0.1", &picture, true, 1, row, y);
        apply("noise=0.1", &picture, true, row % 2 ? 1 : 2, row % 2 ? row + 1 : row, next);
        for (size_t i = 0; i < MOST; i++) {
            double z = ((double)y[i] - 128) / 25.5, other = ((double)next[i] - 128) / 25.5;
            sum[0] += z, sum[1] += z * z, sum[2] += z * z * z * z, sum[3] += z * other;
            sum[4] += i > 0 ? z * ((double)y[i - 1] - 128) / 25.5 : 0;
        }
    }
    const double count = 50.0 * MOST, expected[5] = {0, 1, 3, 0, 0}, spread[5] = {1, 1.5, 9.8, 1, 1};
    for (int k = 0; k < 5; k++)
        assert_true(fabs(sum[k] / count - expected[k]) < 4 * spread[k] / sqrt(count));
    for (int bytes = 0; bytes < 2; bytes++) {
        size_t below = 0;
        memset(picture.x, 0, sizeof picture.x);
        apply("flip,noise=0.1", &picture, bytes, 0, 0, y);
        for (size_t i = 0; i < MOST; i++)
            below += y[i] < 0;
        assert_true(bytes ? below == 0 : below > MOST / 3);
    }
}

/* The number of operations and which ones; that all 14 come. */
static void policies_draw_all_operations(void **state) {
    (void)state;
    float original[MOST], y[MOST];
    size_t changed = 0, twice = 0;
    apply("none", &pictures[0], false, 0, 0, original);
    for (uint64_t row = 0; row < MANY; row++) {
        apply("rand=1:15", &pictures[0], false, 0, row, y);
        changed += memcmp(y, original, sizeof(float) * 6 * 8 * 3) != 0;
        apply("rand=0:15", &pictures[0], false, 0, row, y);
        twice += memcmp(y, original, sizeof(float) * 6 * 8 * 3) != 0;
    }
    /* identity and, of so small a picture, equalize change nothing */
    assert_true(fabs((double)changed / MANY - 12.0 / 14) < 0.03 && twice == 0);
}

/* The same numbers for the same (seed, epoch, row), whatever was done before; others for others. */
static void numbers_belong_to_the_example(void **state) {
    static const char list[] = "rotate=30,noise=0.1,trivial,crop=1,erase=0.1:0.3:1:1:p=1";
    (void)state;
    float y[MOST], again[MOST];
    apply(list, &pictures[0], true, 3, 17, y);
    for (uint64_t row = 0; row < 20; row++)
        apply(list, &pictures[1], false, row, 3 * row, again);
    apply(list, &pictures[0], true, 3, 17, again);
    assert_memory_equal(y, again, sizeof(float) * 6 * 8 * 3);
    apply(list, &pictures[0], true, 4, 17, again);
    assert_memory_not_equal(y, again, sizeof(float) * 6 * 8 * 3);
    apply(list, &pictures[0], true, 3, 18, again);
    assert_memory_not_equal(y, again, sizeof(float) * 6 * 8 * 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(beside_others),
        cmocka_unit_test(chances),
        cmocka_unit_test(crops_are_uniform),
        cmocka_unit_test(ranges_are_uniform),
        cmocka_unit_test(rectangles),
        cmocka_unit_test(parts_of_a_picture),
        cmocka_unit_test(noise),
        cmocka_unit_test(policies_draw_all_operations),
        cmocka_unit_test(numbers_belong_to_the_example),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
