/* SPDX-License-Identifier: Apache-2.0
 *
 * Sheets of examples, read back by libpng: every pixel of every cell, originals first, then what training sees. */
#include "base/memory.h"
#include "data/sheet.h"
#include "support/assert_status.h"
#include "support/sample_dataset.h"
#include "support/tmpdir.h"
#if HAVE_PNG
#include "support/picture.h"

enum { EXAMPLES = 11, HEIGHT = 4, WIDTH = 3, CHANNELS = 2, SCALE = 96 / HEIGHT, GAP = 4, COLUMNS = 8 };

static size_t pixels_of(size_t cells, size_t side) {
    return cells * (side * SCALE + GAP) + GAP;
}

/* Cell (row, column) of a sheet that is `width` pixels wide shows `pixels`, of which the first channel is grey. */
static void check_cell(const uint8_t *rgb, size_t width, size_t row, size_t column, const uint8_t *pixels) {
    size_t top = pixels_of(row, HEIGHT), left = pixels_of(column, WIDTH);
    for (size_t j = 0; j < HEIGHT * SCALE; j++)
        for (size_t i = 0; i < WIDTH * SCALE; i++)
            for (size_t c = 0; c < 3; c++)
                assert_int_equal(rgb[((top + j) * width + left + i) * 3 + c],
                                 pixels[(j / SCALE * WIDTH + i / SCALE) * CHANNELS]);
}

static void example(size_t row, uint8_t pixels[SAMPLE_NUMBERS]) {
    for (size_t j = 0; j < SAMPLE_NUMBERS; j++)
        pixels[j] = sample_pixel(DATASET_TRAIN, row, j);
}

static Dataset *open_sample(void) {
    Dataset *dataset;
    assert_ok(sample_dataset(tmpdir_path("a.h5"), (size_t[]){EXAMPLES, 0, 0}));
    assert_ok(dataset_open(tmpdir_path("a.h5"), &dataset));
    return dataset;
}

static void originals(void **state) {
    (void)state;
    Dataset *dataset = open_sample();
    uint8_t pixels[SAMPLE_NUMBERS];
    assert_ok(sheet_of_dataset(dataset, NULL, 0, tmpdir_path("a.png"))); /* 11 examples: 3 rows of 4 */
    size_t width = pixels_of(4, WIDTH), height = pixels_of(3, HEIGHT);
    uint8_t *rgb = picture_read(tmpdir_path("a.png"), height, width);
    for (size_t i = 0; i < EXAMPLES; i++) {
        example(i, pixels);
        check_cell(rgb, width, i / 4, i % 4, pixels);
    }
    for (size_t i = 0; i < width * 3; i++)
        assert_int_equal(rgb[i], 255); /* the border */
    free(rgb);
    dataset_close(dataset);
}

static void augmented(void **state) {
    (void)state;
    Dataset *dataset = open_sample();
    Augment augment;
    char scratch[512] __attribute__((aligned(MEMORY_ALIGN)));
    assert_ok(augment_parse("flip,vflip,crop=1,cutout=1:fill=1", &augment));
    augment.seed = 3;
    assert_ok(sheet_of_dataset(dataset, &augment, 3, tmpdir_path("a.png")));
    size_t width = pixels_of(COLUMNS, WIDTH), height = pixels_of(3, HEIGHT), changed = 0;
    uint8_t *rgb = picture_read(tmpdir_path("a.png"), height, width);
    for (size_t i = 0; i < 3; i++)
        for (size_t column = 0; column < COLUMNS; column++) {
            uint8_t pixels[SAMPLE_NUMBERS], *shown = pixels;
            bool bytes;
            size_t row = i * EXAMPLES / 3;
            example(row, pixels);
            AugmentPass pass = {&augment, column - 1, scratch};
            if (column > 0)
                shown = (uint8_t *)augment_apply(&pass, dataset_info(dataset), row, pixels, &bytes);
            check_cell(rgb, width, i, column, shown);
            changed += memcmp(shown, pixels, SAMPLE_NUMBERS) != 0;
        }
    assert_true(changed > 12);
    free(rgb);
    dataset_close(dataset);
}

/* The same with words, as io/picture.c lays it out: the middle of each magnified pixel. */
static void augmented_with_words(void **state) {
    (void)state;
    enum { SIDE = 160, SPACE = 12, LINE = 22, TITLE_LINE = 42, PIXEL = SIDE / HEIGHT, ROW = SIDE + LINE + SPACE };
    Dataset *dataset = open_sample();
    Augment augment;
    char scratch[512] __attribute__((aligned(MEMORY_ALIGN)));
    if (!drawing_available()) {
        dataset_close(dataset);
        skip();
    }
    assert_ok(augment_parse("flip,vflip,crop=1", &augment));
    augment.seed = 3;
    assert_ok(sheet_of_labels(dataset, &augment, 3, tmpdir_path("a.png")));
    size_t width = COLUMNS * (SIDE + SPACE) + SPACE, changed = 0;
    uint8_t *rgb = picture_read(tmpdir_path("a.png"), TITLE_LINE + SPACE + 3 * ROW, width);
    for (size_t k = 0; k < 3 * COLUMNS; k++) {
        uint8_t pixels[SAMPLE_NUMBERS], *shown = pixels;
        bool bytes;
        size_t i = k / COLUMNS, column = k % COLUMNS, row = i * EXAMPLES / 3;
        size_t top = TITLE_LINE + SPACE + i * ROW, left = SPACE + column * (SIDE + SPACE) + (SIDE - WIDTH * PIXEL) / 2;
        example(row, pixels);
        AugmentPass pass = {&augment, column - 1, scratch};
        if (column > 0)
            shown = (uint8_t *)augment_apply(&pass, dataset_info(dataset), row, pixels, &bytes);
        for (size_t j = 0; j < HEIGHT * WIDTH; j++) {
            size_t y = top + j / WIDTH * PIXEL + PIXEL / 2, x = left + j % WIDTH * PIXEL + PIXEL / 2;
            assert_int_equal(rgb[(y * width + x) * 3], shown[j * CHANNELS]);
        }
        changed += memcmp(shown, pixels, SAMPLE_NUMBERS) != 0;
    }
    assert_true(changed > 12);
    free(rgb);
    for (size_t n = 1, failed = 1; failed; n++) {
        memory_fail_at(n);
        failed = sheet_of_labels(dataset, &augment, 2, tmpdir_path("a.png")) != STATUS_OK;
        memory_fail_at(0);
        assert_true(n < 60);
    }
    dataset_close(dataset);
}

static void failures(void **state) {
    (void)state;
    Sheet *sheet;
    assert_fails_with(STATUS_USAGE, sheet_create(&SHAPE(10), 1, 1, &sheet), "cannot be drawn");
    assert_fails_with(STATUS_USAGE, sheet_create(&SHAPE(1000, 1000, 3), 100, 100, &sheet), "too large");
    assert_null(sheet);
    Dataset *dataset = open_sample();
    for (size_t n = 1, failed = 1; failed; n++) {
        memory_fail_at(n);
        failed = sheet_of_dataset(dataset, NULL, 2, tmpdir_path("a.png")) != STATUS_OK;
        memory_fail_at(0);
        assert_true(n < 40);
    }
    dataset_close(dataset);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(originals, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(augmented, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(augmented_with_words, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(failures, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else
int main(void) {
    print_message("built without libpng\n");
    return 77;
}
#endif
