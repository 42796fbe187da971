/* SPDX-License-Identifier: Apache-2.0
 *
 * Mixed examples, soft labels and weights: by their formulas, from a loader on any number of ranks. */
#include "base/memory.h"
#include "data/dataset_writer.h"
#include "data/loader.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/assert_status.h"

enum { COUNT = 41, BATCH = 10, H = 6, W = 5, C = 2, NUMBERS = H * W * C, CLASSES = 4 };

static char path[] = "/tmp/test_mix_XXXXXX";
static Dataset *data;
static const double class_weights[3] = {0.5, 2, 0}; /* labels 0, 1, 2; the network tells CLASSES apart */

static double pixel(size_t row, size_t k) {
    return sin(1 + 0.37 * (double)(row * NUMBERS + k));
}

static double weight_of(size_t row) {
    return row % 3 == 0 ? 0 : 0.25 * (double)row;
}

static Status write_dataset(void) {
    DatasetLabel labels[] = {{.name = "y", .kind = LABEL_CLASS}, {.name = "sample_weight", .kind = LABEL_WEIGHT}};
    DatasetInfo info = {.shape = SHAPE(H, W, C), .value_max = 1, .labels = labels, .label_count = 2};
    static float x[COUNT * NUMBERS], weights[COUNT];
    static int64_t y[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        y[i] = (int64_t)(i % 3);
        weights[i] = (float)weight_of(i);
        for (size_t k = 0; k < NUMBERS; k++)
            x[i * NUMBERS + k] = (float)pixel(i, k);
    }
    DatasetWriter *writer;
    TRY(dataset_writer_create(path, true, &info, &writer));
    Status status = dataset_writer_append(writer, DATASET_TRAIN, COUNT, x, (const void *[]){y, weights});
    if (status == STATUS_OK)
        status = dataset_writer_finish(writer);
    dataset_writer_destroy(writer);
    return status;
}

static int start(void **state) {
    (void)state;
    return mkstemp(path) >= 0 && write_dataset() == STATUS_OK && dataset_open(path, &data) == STATUS_OK ? 0 : -1;
}

static int finish(void **state) {
    (void)state;
    dataset_close(data);
    unlink(path);
    return memory_stats().live_count == 0 ? 0 : -1;
}

/* ---- what is drawn ----------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double uniform_law(double x) {
    return x;
}

static double arcsine_law(double x) {
    return 2 / acos(-1) * asin(sqrt(x));
}

static double parabola_law(double x) {
    return x * x * (3 - 2 * x);
}

/* Kolmogorov's test: the largest distance between both distribution functions; above 1.95 / sqrt(n) once in 1000
 * times. */
static void shares_are_of_the_beta_distribution(void **state) {
    (void)state;
    enum { DRAWS = 4000 };
    static const struct {
        double alpha, (*law)(double);
    } cases[] = {{1, uniform_law}, {0.5, arcsine_law}, {2, parabola_law}};
    static double share[DRAWS];
    Shape shape = SHAPE(H, W, C);
    for (size_t i = 0; i < 3; i++) {
        MixOptions options = {.mixup = cases[i].alpha, .probability = 1, .seed = 5};
        double farthest = 0;
        for (size_t k = 0; k < DRAWS; k++)
            share[k] = mix_draw(&options, &shape, k / 100, k % 100).share;
        qsort(share, DRAWS, sizeof *share, ascending);
        for (size_t k = 0; k < DRAWS; k++)
            farthest = fmax(farthest, fabs(cases[i].law(share[k]) - ((double)k + 0.5) / DRAWS));
        assert_true(farthest < 1.95 / sqrt(DRAWS));
    }
    MixOptions small = {.mixup = 1e-4, .probability = 1}; /* all or nothing, but always a number */
    for (uint64_t k = 0; k < 100; k++)
        assert_true(mix_draw(&small, &shape, 0, k).share >= 0 && mix_draw(&small, &shape, 0, k).share <= 1);
}

static void kinds_are_drawn_evenly(void **state) {
    (void)state;
    Shape shape = SHAPE(H, W, C);
    MixOptions options = {.mixup = 0.2, .cutmix = 1, .probability = 0.5};
    size_t count[3] = {0}, other = 0;
    for (uint64_t k = 0; k < 4000; k++) {
        Mix mix = mix_draw(&options, &shape, 2, k);
        count[mix.kind]++;
        other += mix.kind != mix_draw(&options, &shape, 3, k).kind;
    }
    assert_in_range(count[MIX_NONE], 1850, 2150);
    assert_in_range(count[MIX_MIXUP], 850, 1150);
    assert_true(other > 1000);
    options.probability = 0;
    assert_int_equal(mix_draw(&options, &shape, 0, 0).kind, MIX_NONE);
    assert_int_equal(mix_draw(&(MixOptions){.probability = 1}, &shape, 0, 0).kind, MIX_NONE);
}

static void rectangles_have_the_share_that_they_say(void **state) {
    (void)state;
    Shape shape = SHAPE(48, 32, 3);
    MixOptions options = {.cutmix = 1, .probability = 1};
    double sum = 0;
    for (uint64_t k = 0; k < 2000; k++) {
        Mix mix = mix_draw(&options, &shape, 0, k);
        double area = (double)((mix.bottom - mix.top) * (mix.right - mix.left));
        assert_true(mix.top <= mix.bottom && mix.bottom <= 48 && mix.left <= mix.right && mix.right <= 32);
        assert_true(fabs(1 - mix.share - area / (48 * 32)) < 1e-12);
        sum += mix.share / 2000;
    }
    /* Of a rectangle of the share s around a random pixel, sqrt(s) - s / 4 of each side lies in the image on the
     * average: of the area the mean over s is that of (r - r^2 / 4)^2, s = r^2 uniform: 1/2 - 1/5 + 1/48. */
    assert_true(fabs(1 - sum - 0.320833) < 0.03);
}

/* ---- what a loader gives ----------------------------------------------------------------------------------------- */

static LoaderOptions options_of(const Targets *targets, size_t micro_batches, SamplerPart mine) {
    return (LoaderOptions){.dataset = data,
                           .split = DATASET_TRAIN,
                           .view = sampler_whole(COUNT),
                           .targets = targets,
                           .first_unit = mine.first,
                           .units = mine.count,
                           .order = {true, 9},
                           .batch_size = BATCH,
                           .micro_batches = micro_batches};
}

static size_t row_of(const LoaderOptions *options, const LoaderBatch *batch, uint64_t position) {
    uint64_t start = batch->step * BATCH, size = sampler_batch(COUNT, BATCH, batch->step);
    return (size_t)sampler_index(&options->view, options->order, batch->epoch, start + position % size);
}

static void near(double a, double b) {
    if (!(fabs(a - b) < 1e-5))
        fail_msg("%.9g is not %.9g", a, b);
}

static void check_batch(const LoaderOptions *options, const LoaderBatch *batch) {
    const Targets *targets = options->targets;
    Shape shape = SHAPE(H, W, C);
    Mix mix = mix_draw(&targets->mix, &shape, batch->epoch, batch->step);
    for (size_t i = 0; i < batch->n; i++) {
        size_t a = row_of(options, batch, batch->first + i), b = row_of(options, batch, batch->first + i + 1);
        double own = mix.share * weight_of(a) * class_weights[a % 3];
        double other = (1 - mix.share) * weight_of(b) * class_weights[b % 3];
        double share = own + other > 0 ? own / (own + other) : mix.share;
        near((double)batch->weights[i], own + other);
        for (size_t c = 0; c < CLASSES; c++)
            near((double)batch->labels[0][i * CLASSES + c], share * (a % 3 == c) + (1 - share) * (b % 3 == c));
        for (size_t k = 0; k < NUMBERS; k++) {
            size_t y = k / (W * C), x = k / C % W;
            bool inside = y >= mix.top && y < mix.bottom && x >= mix.left && x < mix.right;
            double expected = mix.kind == MIX_CUTMIX ? pixel(inside ? b : a, k)
                                                     : mix.share * pixel(a, k) + (1 - mix.share) * pixel(b, k);
            near((double)batch->x[i * NUMBERS + k], expected);
        }
    }
}

/* The last batch of an epoch has one example: it is its own partner. */
static void check_epochs(const Targets *targets) {
    for (size_t micro_batches = 1; micro_batches <= 7; micro_batches += 3)
        for (size_t ranks = 1; ranks <= micro_batches; ranks += 2) {
            size_t total = 0;
            for (size_t rank = 0; rank < ranks; rank++) {
                LoaderOptions options = options_of(targets, micro_batches, sampler_share(micro_batches, ranks, rank));
                Loader *loader;
                LoaderBatch batch;
                assert_ok(loader_create(&options, &loader));
                for (size_t k = 0; k < 2 * sampler_steps(COUNT, BATCH) * options.units; k++) {
                    assert_ok(loader_next(loader, &batch));
                    check_batch(&options, &batch);
                    total += batch.n;
                }
                loader_destroy(loader);
            }
            assert_int_equal(total, 2 * COUNT);
        }
}

static void batches_are_mixed_by_the_formulas(void **state) {
    (void)state;
    Targets targets = {.one_hot = {CLASSES}, .weighted = true, .class_weights = class_weights};
    static const MixOptions mixes[] = {{.probability = 1},
                                       {.mixup = 1, .probability = 1},
                                       {.cutmix = 1, .probability = 1},
                                       {.mixup = 0.4, .cutmix = 1, .probability = 0.7, .seed = 3}};
    for (size_t limit = 0; limit < 2; limit++) { /* from the file by the thread, and from memory */
        dataset_set_memory_limit(data, limit * 1000000);
        for (size_t i = 0; i < sizeof mixes / sizeof *mixes; i++) {
            targets.mix = mixes[i];
            check_epochs(&targets);
        }
    }
}

/* Class weights and mixing are of training; the dataset's own weights hold always. */
static void evaluation_is_not_mixed(void **state) {
    (void)state;
    Targets targets = {.one_hot = {CLASSES},
                       .weighted = true,
                       .class_weights = class_weights,
                       .mix = {.mixup = 1, .cutmix = 1, .probability = 1}};
    LoaderOptions options = options_of(&targets, 1, (SamplerPart){0, 6});
    options.block = 7;
    Loader *loader;
    LoaderBatch batch;
    assert_ok(loader_create(&options, &loader));
    for (size_t row = 0; row < COUNT;) {
        assert_ok(loader_next(loader, &batch));
        assert_true(batch.n > 0);
        for (size_t i = 0; i < batch.n; i++, row++) {
            near((double)batch.weights[i], weight_of(row));
            near((double)batch.x[i * NUMBERS + 3], pixel(row, 3));
            for (size_t c = 0; c < CLASSES; c++)
                near((double)batch.labels[0][i * CLASSES + c], row % 3 == c);
        }
    }
    loader_destroy(loader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_of_the_beta_distribution),
        cmocka_unit_test(kinds_are_drawn_evenly),
        cmocka_unit_test(rectangles_have_the_share_that_they_say),
        cmocka_unit_test(batches_are_mixed_by_the_formulas),
        cmocka_unit_test(evaluation_is_not_mixed),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
