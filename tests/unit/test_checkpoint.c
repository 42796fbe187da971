/* SPDX-License-Identifier: Apache-2.0
 *
 * Checkpoints: what is written is read back bit by bit, and whatever was done to a file is noticed. */
#include "base/memory.h"
#include "base/rng.h"
#include "io/checkpoint.h"
#include "io/file.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/sample_checkpoint.h"
#include "support/tmpdir.h"
#include <unistd.h>

/* ---- round trip ---- */

static void assert_same_layers(const CheckpointLayer *a, size_t a_count, const CheckpointLayer *b, size_t b_count) {
    assert_int_equal(a_count, b_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_string_equal(a[i].name, b[i].name);
        assert_int_equal(a[i].count, b[i].count);
        for (size_t j = 0; j < a[i].count; j++) {
            const CheckpointTensor *x = &a[i].weights[j], *y = &b[i].weights[j];
            assert_string_equal(x->name, y->name);
            assert_true(shape_equal(&x->shape, &y->shape));
            assert_memory_equal(x->data, y->data, shape_count(&x->shape) * sizeof(Real));
        }
    }
}

static void reads_back_what_was_written(void **state) {
    (void)state;
    const Checkpoint *sample = sample_checkpoint();
    Checkpoint *read;
    sample_write(tmpdir_path("a.h5"));
    assert_ok(checkpoint_verify(tmpdir_path("a.h5")));
    assert_ok(checkpoint_read(tmpdir_path("a.h5"), CHECKPOINT_OURS, &read));
    assert_true(read->ours);
    assert_contains(read->writer, "cnn ");
    assert_string_equal(read->model_config, sample->model_config);
    assert_string_equal(read->training_config, sample->training_config);
    assert_string_equal(read->state, sample->state);
    assert_string_equal(read->preprocess, sample->preprocess);
    assert_same_layers(sample->layers, sample->layer_count, read->layers, read->layer_count);
    assert_int_equal(read->slot_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(read->slots[i].name, sample->slots[i].name);
        assert_same_layers(sample->slots[i].layers, sample->slots[i].count, read->slots[i].layers,
                           read->slots[i].count);
    }
    assert_string_equal(checkpoint_find(read->layers, read->layer_count, "block/fc", "kernel")->stored,
                        "block/fc/kernel:0");
    assert_null(checkpoint_find(read->layers, read->layer_count, "conv", "gamma"));
    assert_null(checkpoint_find(read->layers, read->layer_count, "flat", "kernel"));
    assert_ptr_equal(checkpoint_slot(read, "average"), &read->slots[1]);
    assert_null(checkpoint_slot(read, "velocity"));
    checkpoint_destroy(read);
}

static void same_content_gives_same_bytes(void **state) {
    (void)state;
    size_t size, again;
    unsigned char *first = sample_image(&size);
    sleep(1); /* HDF5 keeps times in seconds */
    unsigned char *second = sample_image(&again);
    assert_int_equal(size, again);
    assert_memory_equal(first, second, size);
    memory_free(first);
    memory_free(second);
}

static void weights_alone_suffice(void **state) {
    (void)state;
    Checkpoint bare = {.layers = sample_checkpoint()->layers, .layer_count = 1}, *read;
    unsigned char *image, trailer[CHECKPOINT_TRAILER];
    size_t size;
    assert_ok(checkpoint_image(&bare, &image, &size));
    assert_ok(checkpoint_seal(image, size, trailer));
    assert_ok(file_write(tmpdir_path("bare.h5"), 2, (FilePart[]){{image, size}, {trailer, sizeof trailer}}));
    memory_free(image);
    assert_ok(checkpoint_read(tmpdir_path("bare.h5"), CHECKPOINT_OURS, &read));
    assert_null(read->model_config);
    assert_null(read->training_config);
    assert_null(read->state);
    assert_null(read->preprocess);
    assert_int_equal(read->slot_count, 0);
    assert_same_layers(bare.layers, 1, read->layers, read->layer_count);
    checkpoint_destroy(read);
}

/* ---- damage ---- */

/* No way of reading takes the file: not even where foreign files without a checksum are allowed. */
static void assert_refused(const char *what, size_t number) {
    Checkpoint *read;
    const char *path = tmpdir_path("bad.h5");
    if (checkpoint_verify(path) == STATUS_OK)
        fail_msg("%s %zu: verified", what, number);
    if (checkpoint_read(path, CHECKPOINT_OURS, &read) == STATUS_OK)
        fail_msg("%s %zu: read", what, number);
    assert_contains(status_message(), path);
    assert_null(read);
    if (checkpoint_read(path, CHECKPOINT_ANY, &read) == STATUS_OK)
        fail_msg("%s %zu: read as a foreign file", what, number);
}

static void cut_anywhere_is_noticed(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size;
    sample_write(tmpdir_path("a.h5"));
    assert_ok(file_read(tmpdir_path("a.h5"), &bytes, &size));
    for (size_t length = 0; length < size; length += length + 2 * CHECKPOINT_TRAILER < size ? size / 150 : 1) {
        tmpdir_write("bad.h5", bytes, length);
        assert_refused("cut at", length);
    }
    memory_free(bytes);
}

static void longer_is_noticed(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size;
    sample_write(tmpdir_path("a.h5"));
    assert_ok(file_read(tmpdir_path("a.h5"), &bytes, &size));
    tmpdir_write("bad.h5", bytes, size + 1); /* file_read adds a zero */
    assert_refused("longer by", 1);
    unsigned char *middle = bytes + size - CHECKPOINT_TRAILER;
    memmove(middle + 1, middle, CHECKPOINT_TRAILER); /* file_read's zero gives way */
    tmpdir_write("bad.h5", bytes, size + 1);
    assert_refused("longer in front of the trailer by", 1);
    assert_fails(checkpoint_verify(tmpdir_path("bad.h5")), "its length is not");
    memory_free(bytes);
}

static void any_flipped_bit_is_noticed(void **state) {
    (void)state;
    unsigned char *bytes;
    size_t size;
    RngKey key = rng_key(1, RNG_TEST, 0, 0);
    sample_write(tmpdir_path("a.h5"));
    assert_ok(file_read(tmpdir_path("a.h5"), &bytes, &size));
    for (size_t i = 0; i < 600 + 8 * CHECKPOINT_TRAILER; i++) {
        uint32_t word[4];
        rng_block(key, i, 0, word);
        /* anywhere, then every bit of the trailer */
        size_t bit =
            i < 600 ? (((uint64_t)word[0] << 32) + word[1]) % (8 * size) : 8 * (size - CHECKPOINT_TRAILER) + i - 600;
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        tmpdir_write("bad.h5", bytes, size);
        assert_refused("flipped bit", bit);
        bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    tmpdir_write("bad.h5", bytes, size);
    assert_ok(checkpoint_verify(tmpdir_path("bad.h5")));
    memory_free(bytes);
}

static void messages_say_what_is_wrong(void **state) {
    (void)state;
    Checkpoint *read;
    assert_fails(checkpoint_read(tmpdir_path("missing.h5"), CHECKPOINT_OURS, &read), "No such file");
    assert_fails(checkpoint_read(tmpdir_path(""), CHECKPOINT_OURS, &read), "not a plain file");
    tmpdir_write("empty.h5", "", 0);
    assert_fails(checkpoint_read(tmpdir_path("empty.h5"), CHECKPOINT_ANY, &read), "is empty");
    tmpdir_write("text.h5", "hello", 5);
    assert_fails(checkpoint_read(tmpdir_path("text.h5"), CHECKPOINT_OURS, &read), "has no checksum");
    assert_fails(checkpoint_read(tmpdir_path("text.h5"), CHECKPOINT_ANY, &read), "text.h5");
}

/* ---- failures inside ---- */

static void every_failed_allocation_is_survived(void **state) {
    (void)state;
    size_t live = memory_stats().live_count, n = 1;
    sample_write(tmpdir_path("a.h5"));
    for (bool done = false; !done; n++) {
        unsigned char *image;
        size_t size;
        memory_fail_at(n);
        done = checkpoint_image(sample_checkpoint(), &image, &size) == STATUS_OK;
        memory_fail_at(0);
        memory_free(image);
        assert_int_equal(memory_stats().live_count, live);
    }
    assert_true(n > 30);
    n = 1;
    for (bool done = false; !done; n++) {
        Checkpoint *read;
        memory_fail_at(n);
        done = checkpoint_read(tmpdir_path("a.h5"), CHECKPOINT_OURS, &read) == STATUS_OK;
        memory_fail_at(0);
        checkpoint_destroy(read);
        assert_int_equal(memory_stats().live_count, live);
    }
    assert_true(n > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written), cmocka_unit_test(same_content_gives_same_bytes),
        cmocka_unit_test(weights_alone_suffice),       cmocka_unit_test(cut_anywhere_is_noticed),
        cmocka_unit_test(longer_is_noticed),           cmocka_unit_test(any_flipped_bit_is_noticed),
        cmocka_unit_test(messages_say_what_is_wrong),  cmocka_unit_test(every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, tmpdir_setup, tmpdir_teardown);
}
