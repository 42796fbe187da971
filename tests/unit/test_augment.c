/* SPDX-License-Identifier: Apache-2.0
 *
 * Every operation pixel by pixel beside torchvision, SciPy and Pillow (golden/make_augment.py), from bytes and from
 * floats; what is drawn at random, and that it depends on seed, epoch and row alone; lists that are wrong. */
#include "base/memory.h"
#include "data/augment_internal.h"
#include "data/dataset_writer.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
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

/* ---- lists ---- */

static void lists(void **state) {
    (void)state;
    Augment a;
    assert_ok(augment_parse("none", &a));
    assert_int_equal(a.count, 0);
    assert_ok(augment_parse("flip, crop=4:fill=mirror,rotate=15:p=0.3:nearest:fill=0.5,erase=0.1:0.2,rand=3:12", &a));
    assert_int_equal(a.count, 5);
    assert_true(a.operations[0].chance == 0.5 && a.operations[1].fill == FILL_MIRROR &&
                a.operations[1].range[0][0] == 4);
    assert_true(a.operations[2].range[0][0] == -15 && a.operations[2].range[0][1] == 15 &&
                a.operations[2].chance == 0.3);
    assert_true(a.operations[2].nearest && a.operations[2].fill == FILL_CONSTANT && a.operations[2].fill_value == 0.5);
    assert_true(a.operations[3].range[0][1] == 0.2 && a.operations[3].range[1][0] == 0.3 &&
                a.operations[3].chance == 0.5);
    assert_true(a.operations[4].range[0][0] == 3 && a.operations[4].range[1][0] == 12);
    assert_ok(augment_parse("translate-y=0.1:0.2,zoom=0.5,brightness=2", &a));
    assert_true(a.operations[0].range[0][1] == 0 && a.operations[0].range[1][0] == 0.1);
    assert_true(a.operations[1].tied && a.operations[1].range[0][0] == 0.5 && a.operations[1].range[0][1] == 1.5);
    assert_true(a.operations[2].range[0][0] == 0 && a.operations[2].range[0][1] == 3);
}

static void wrong_lists(void **state) {
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"flop", "--augment flop: unknown operation"},
        {"flip,,crop=4", "an operation is missing"},
        {"flip,", "an operation is missing"},
        {"crop", "needs a number: crop=N"},
        {"crop=x", "\"x\" is no number"},
        {"crop=4:5", "more than 1 number"},
        {"crop=2.5", "2.5 is not a whole number"},
        {"crop=-1", "-1 is not between 0 and 4096"},
        {"rotate=20:10", "20 is above 10"},
        {"rotate=nan", "is no number"},
        {"rotate=15:fill=blue", "fill must be a number from 0 to 1, nearest"},
        {"rotate=15:fill=2", "fill must be"},
        {"cutout=8:fill=reflect", "fill must be a number from 0 to 1"},
        {"flip:fill=0", "flip fills nothing"},
        {"flip:p=2", "p must be a number from 0 to 1"},
        {"flip=", "is no number"},
        {"hue=0.7", "0.7 is not between -0.5 and 0.5"},
        {"resized-crop=0.5", "needs a lowest and a highest number"},
        {"resized-crop=0.5:2", "a share of the area is at most 1"},
        {"brightness=0.2:nearest", "is no number"},
        {"rand=2:31", "31 is not between 0 and 30"},
        {"none,flip", "unknown operation"},
    };
    (void)state;
    Augment a;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails_with(STATUS_USAGE, augment_parse(wrong[i].text, &a), wrong[i].message);
    char many[200] = "invert";
    for (int i = 0; i < AUGMENT_MAX_OPERATIONS; i++)
        strcat(many, ",flip");
    assert_fails_with(STATUS_USAGE, augment_parse(many, &a), "more than 32 operations");
}

/* ---- against data ---- */

/* Makes a dataset of float vectors or images with one example, x[i] = value. */
static Dataset *dataset_of(Shape shape, float value, double value_max) {
    DatasetInfo info = {.shape = shape, .value_max = value_max};
    DatasetWriter *writer;
    Dataset *dataset;
    float x[64];
    for (size_t i = 0; i < 64; i++)
        x[i] = value;
    assert_ok(dataset_writer_create(tmpdir_path("a.h5"), true, &info, &writer));
    assert_ok(dataset_writer_append(writer, DATASET_TRAIN, 1, x, NULL));
    assert_ok(dataset_writer_finish(writer));
    dataset_writer_destroy(writer);
    assert_ok(dataset_open(tmpdir_path("a.h5"), &dataset));
    return dataset;
}

static void lists_that_do_not_fit_the_data(void **state) {
    static const struct {
        const char *text, *message;
        Shape shape;
        float value;
    } cases_[] = {
        {"noise=0.1", NULL, {1, {10}}, 5},
        {"noise=0.1,flip", "flip is for images", {1, {10}}, 0},
        {"hue=0.1", "hue is for colour images of 3 channels", {3, {4, 4, 2}}, 0},
        {"grayscale", "grayscale is for colour images", {3, {4, 4, 4}}, 0},
        {"rotate=10,crop=1,flip", NULL, {3, {4, 4, 4}}, -3},
        {"flip,brightness=0.1", "brightness takes pixel values from 0 to 1", {3, {4, 4, 2}}, -0.5f},
        {"trivial", "trivial takes pixel values from 0 to 1", {3, {4, 4, 2}}, 1.5f},
        {"trivial", NULL, {3, {4, 4, 2}}, 0.5f},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases_ / sizeof *cases_; i++) {
        Augment a;
        Dataset *dataset = dataset_of(cases_[i].shape, cases_[i].value, 1);
        assert_ok(augment_parse(cases_[i].text, &a));
        if (cases_[i].message)
            assert_fails_with(STATUS_USAGE, augment_check(&a, dataset), cases_[i].message);
        else
            assert_ok(augment_check(&a, dataset));
        dataset_close(dataset);
    }
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
        cmocka_unit_test(lists),
        cmocka_unit_test(wrong_lists),
        cmocka_unit_test_setup_teardown(lists_that_do_not_fit_the_data, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
