/* SPDX-License-Identifier: Apache-2.0
 *
 * The loader delivers exactly what the sampler's arithmetic says, on any number of simulated ranks, from any point
 * on. */
#include "base/memory.h"
#include "data/augment.h"
#include "data/loader.h"
#include "support/assert_status.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { TRAIN = 103, TEST = 50 };

static char path[TMPDIR_PATH];
static Dataset *data;
static Preprocess preprocess;

static int make_folder(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/a.h5", tmpdir_make());
    return 0;
}

static int start(void **state) {
    (void)state;
    if (sample_dataset(path, (size_t[]){TRAIN, 0, TEST}) != STATUS_OK || dataset_open(path, &data) != STATUS_OK ||
        preprocess_create(data, "", &preprocess) != STATUS_OK)
        return -1;
    return 0;
}

/* The same from the file: batches are prepared ahead by a thread. */
static int start_from_file(void **state) {
    int failed = start(state);
    if (!failed)
        dataset_set_memory_limit(data, 0);
    return failed;
}

static int finish(void **state) {
    (void)state;
    dataset_close(data);
    unlink(path);
    return memory_stats().live_count == 0 ? 0 : -1;
}

static LoaderOptions training(size_t micro_batches, size_t ranks, size_t rank) {
    SamplerPart mine = sampler_share(micro_batches, ranks, rank);
    return (LoaderOptions){.dataset = data,
                           .split = DATASET_TRAIN,
                           .view = sampler_whole(TRAIN),
                           .preprocess = &preprocess,
                           .first_unit = mine.first,
                           .units = mine.count,
                           .order = {true, 9},
                           .batch_size = 20,
                           .micro_batches = micro_batches};
}

/* The batch holds the examples that the sampler names for its positions. */
static void check_content(const LoaderOptions *options, const LoaderBatch *batch) {
    for (size_t i = 0; i < batch->n; i++) {
        uint64_t index = batch->first + i;
        if (options->block == 0)
            index =
                sampler_index(&options->view, options->order, batch->epoch, batch->step * options->batch_size + index);
        uint64_t row = sampler_row(&options->view, index);
        if (!options->without_labels)
            assert_true(batch->labels[0][i] == (Real)(row % SAMPLE_CLASSES));
        for (size_t j = 0; j < SAMPLE_NUMBERS; j++) {
            double pixel = sample_pixel(options->split, row, j);
            assert_true(batch->x[i * SAMPLE_NUMBERS + j] == (Real)(pixel * preprocess.scale[0]));
        }
    }
}

static void training_on_any_number_of_ranks(void **state) {
    (void)state;
    const uint64_t steps = sampler_steps(TRAIN, 20);
    for (size_t micro_batches = 1; micro_batches <= 8; micro_batches += 3) /* 1, 4, 7: dividing 20 or not */
        for (size_t ranks = 1; ranks <= micro_batches; ranks++) {
            size_t total = 0;
            for (size_t rank = 0; rank < ranks; rank++) {
                LoaderOptions options = training(micro_batches, ranks, rank);
                Loader *loader;
                LoaderBatch batch;
                assert_ok(loader_create(&options, &loader));
                for (uint64_t epoch = 0; epoch < 2; epoch++)
                    for (uint64_t step = 0; step < steps; step++)
                        for (uint64_t i = 0; i < options.units; i++) {
                            SamplerPart part = sampler_micro_batch(sampler_batch(TRAIN, 20, step), micro_batches,
                                                                   options.first_unit + i);
                            assert_ok(loader_next(loader, &batch));
                            assert_false(batch.end);
                            assert_true(batch.epoch == epoch && batch.step == step);
                            assert_true(batch.unit == options.first_unit + i);
                            assert_true(batch.n == part.count && batch.first == part.first);
                            check_content(&options, &batch);
                            total += batch.n;
                        }
                loader_destroy(loader);
            }
            assert_int_equal(total, 2 * TRAIN);
        }
}

static void starts_and_restarts_anywhere(void **state) {
    (void)state;
    LoaderOptions options = training(3, 1, 0);
    Loader *loader;
    LoaderBatch batch;
    options.epoch = 4;
    options.step = 5;
    assert_ok(loader_create(&options, &loader));
    for (uint64_t i = 0; i < 9; i++) { /* the last step of epoch 4, two steps of epoch 5 */
        assert_ok(loader_next(loader, &batch));
        assert_true(batch.epoch == (i < 3 ? 4 : 5) && batch.step == (i < 3 ? 5 : i < 6 ? 0 : 1));
        check_content(&options, &batch);
    }
    size_t allocated = memory_stats().total_count;
    for (uint64_t round = 0; round < 200; round++) { /* in the middle of whatever the thread is doing */
        loader_restart(loader, round, round % 6);
        for (uint64_t i = 0; i < round % 5; i++) {
            assert_ok(loader_next(loader, &batch));
            assert_true(batch.unit == i % 3);
            if (i < 3)
                assert_true(batch.epoch == round && batch.step == round % 6);
            check_content(&options, &batch);
        }
    }
    assert_int_equal(memory_stats().total_count, allocated);
    loader_destroy(loader);
}

/* A batch stays what it is until the next call, however far ahead the thread gets. */
static void batch_stays_valid(void **state) {
    (void)state;
    LoaderOptions options = training(4, 1, 0);
    Loader *loader;
    LoaderBatch batch;
    assert_ok(loader_create(&options, &loader));
    for (int i = 0; i < 20; i++) {
        assert_ok(loader_next(loader, &batch));
        usleep(2000);
        check_content(&options, &batch);
    }
    loader_destroy(loader);
}

/* Seconds that a loader counts as waited for, in 0.25 s that its reader does not ask for anything. */
static double waited_while_away(void) {
    LoaderOptions options = training(1, 1, 0);
    Loader *loader;
    LoaderBatch batch;
    assert_ok(loader_create(&options, &loader));
    assert_true(loader_waited(loader) == 0);
    assert_ok(loader_next(loader, &batch));
    double first = loader_waited(loader);
    for (int i = 0; i < 5; i++) {
        usleep(50000);
        assert_ok(loader_next(loader, &batch));
    }
    double waited = loader_waited(loader) - first;
    if (dataset_fits(data, DATASET_TRAIN))
        assert_true(first > 0 && waited > 0);
    loader_destroy(loader);
    return waited;
}

/* A reader that has to wait, or to prepare a batch itself, counts that time; one that finds batches ready does not.  On
 * a busy machine the thread may not get to them in time: then once more. */
static void waiting_is_measured(void **state) {
    (void)state;
    int tries = 0;
    while (waited_while_away() >= 0.2)
        assert_true(++tries < 20);
}

static void evaluation_blocks_once_each(void **state) {
    (void)state;
    const size_t block = 16;
    uint64_t blocks = sampler_blocks(TEST, block);
    for (size_t ranks = 1; ranks <= 6; ranks++) { /* more ranks than the 4 blocks, too */
        uint64_t next = 0;
        for (size_t rank = 0; rank < ranks; rank++) {
            SamplerPart mine = sampler_share(blocks, ranks, rank);
            LoaderOptions options = {.dataset = data,
                                     .split = DATASET_TEST,
                                     .view = sampler_whole(TEST),
                                     .preprocess = &preprocess,
                                     .without_labels = rank == 1,
                                     .block = block,
                                     .first_unit = mine.first,
                                     .units = mine.count};
            Loader *loader;
            LoaderBatch batch;
            assert_ok(loader_create(&options, &loader));
            for (int round = 0; round < 2; round++) {
                uint64_t here = next;
                for (uint64_t i = 0; i < mine.count; i++) {
                    assert_ok(loader_next(loader, &batch));
                    assert_false(batch.end);
                    assert_true(batch.first == here && batch.unit == mine.first + i);
                    assert_true((batch.labels == NULL) == options.without_labels);
                    check_content(&options, &batch);
                    here += batch.n;
                }
                for (int again = 0; again < 3; again++) {
                    assert_ok(loader_next(loader, &batch));
                    assert_true(batch.end && batch.n == 0);
                }
                if (round == 0)
                    loader_restart(loader, 0, 0);
                else
                    next = here;
            }
            loader_destroy(loader);
        }
        assert_int_equal(next, TEST);
    }
}

static void validation_parts(void **state) {
    (void)state;
    int seen[TRAIN] = {0};
    LoaderOptions options = training(1, 1, 0);
    for (int part = 0; part < 2; part++) {
        options.view = part == 0 ? sampler_training_part(TRAIN, 0.2, 5) : sampler_validation_part(TRAIN, 0.2, 5);
        options.block = part == 0 ? 0 : 7;
        options.units = part == 0 ? 1 : sampler_blocks(options.view.count, 7);
        Loader *loader;
        LoaderBatch batch;
        assert_ok(loader_create(&options, &loader));
        for (uint64_t done = 0; done < options.view.count; done += batch.n) {
            assert_ok(loader_next(loader, &batch));
            check_content(&options, &batch);
            for (size_t i = 0; i < batch.n; i++) {
                uint64_t index = batch.first + i;
                if (part == 0)
                    index = sampler_index(&options.view, options.order, 0, batch.step * 20 + index);
                seen[sampler_row(&options.view, index)]++;
            }
        }
        loader_destroy(loader);
    }
    for (size_t i = 0; i < TRAIN; i++)
        assert_int_equal(seen[i], 1);
}

/* Augmented examples are functions of epoch and row: the same on all ranks, from memory and from the file; they take
 * one scratch, which is counted; evaluation sees none of it. */
static void augmented_by_epoch_and_row(void **state) {
    (void)state;
    Augment augment;
    char scratch[512] __attribute__((aligned(MEMORY_ALIGN)));
    size_t changed = 0;
    assert_ok(augment_parse("flip,crop=1,rotate=20,noise=0.1", &augment));
    augment.seed = 4;
    assert_true(augment_scratch_bytes(dataset_info(data)) <= sizeof scratch);
    for (size_t rank = 0; rank < 3; rank++) {
        LoaderOptions options = training(4, 3, rank);
        size_t plain = loader_bytes(&options);
        options.augment = &augment;
        assert_int_equal(loader_bytes(&options), plain + augment_scratch_bytes(dataset_info(data)));
        options.step = 3;
        Loader *loader;
        LoaderBatch batch;
        assert_ok(loader_create(&options, &loader));
        for (uint64_t i = 0; i < 9 * options.units; i++) { /* into the second epoch */
            assert_ok(loader_next(loader, &batch));
            for (size_t k = 0; k < batch.n; k++) {
                uint8_t raw[SAMPLE_NUMBERS];
                bool bytes;
                Real x[SAMPLE_NUMBERS], original[SAMPLE_NUMBERS];
                uint64_t index = sampler_index(&options.view, options.order, batch.epoch,
                                               batch.step * options.batch_size + batch.first + k);
                uint64_t row = sampler_row(&options.view, index);
                for (size_t j = 0; j < SAMPLE_NUMBERS; j++)
                    raw[j] = sample_pixel(DATASET_TRAIN, row, j);
                AugmentPass pass = {&augment, batch.epoch, scratch};
                const void *y = augment_apply(&pass, dataset_info(data), row, raw, &bytes);
                assert_false(bytes); /* noise made floats of them */
                preprocess_float(&preprocess, y, 1, x);
                preprocess_uint8(&preprocess, raw, 1, original);
                assert_memory_equal(batch.x + k * SAMPLE_NUMBERS, x, sizeof x);
                changed += memcmp(x, original, sizeof x) != 0;
            }
        }
        loader_destroy(loader);
    }
    assert_true(changed > 100);
}

/* The thread's failure reaches the caller, again and again, and the loader still stops. */
static void read_error_is_delivered(void **state) {
    (void)state;
    LoaderOptions options = training(1, 1, 0);
    Loader *loader;
    LoaderBatch batch;
    assert_ok(loader_create(&options, &loader));
    assert_ok(loader_next(loader, &batch));
    assert_int_equal(truncate(path, 2000), 0);
    Status status = STATUS_OK;
    for (int i = 0; i < 100 && status == STATUS_OK; i++)
        status = loader_next(loader, &batch);
    assert_int_equal(status, STATUS_FAILED);
    assert_non_null(strstr(status_message(), path));
    status_fail(STATUS_FAILED, "something else");
    assert_fails(loader_next(loader, &batch), path);
    loader_destroy(loader);
}

static void out_of_memory(void **state) {
    (void)state;
    Loader *loader;
    LoaderOptions options = training(2, 1, 0);
    assert_ok(dataset_load(data, DATASET_TRAIN)); /* belongs to the dataset */
    size_t before = memory_stats().live_count, n = 1;
    for (;; n++) {
        memory_fail_at(n);
        Status status = loader_create(&options, &loader);
        memory_fail_at(0);
        if (status == STATUS_OK)
            break;
        assert_null(loader);
        assert_int_equal(memory_stats().live_count, before);
    }
    assert_true(n > 4);
    loader_destroy(loader);
}

#define BOTH(test)                                                                                                     \
    {#test, test, start, finish, NULL}, {                                                                              \
#test "_from_file", test, start_from_file, finish, NULL                                                        \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        BOTH(training_on_any_number_of_ranks),
        BOTH(starts_and_restarts_anywhere),
        BOTH(batch_stays_valid),
        BOTH(waiting_is_measured),
        BOTH(evaluation_blocks_once_each),
        BOTH(validation_parts),
        BOTH(augmented_by_epoch_and_row),
        cmocka_unit_test_setup_teardown(read_error_is_delivered, start_from_file, finish),
        BOTH(out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_folder, tmpdir_teardown);
}
