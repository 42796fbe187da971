/* SPDX-License-Identifier: Apache-2.0
 *
 * Sheets of captioned pictures, read back by libpng. */
#include "base/memory.h"
#include "io/file.h"
#include "io/picture.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#if HAVE_PNG
#include "support/picture.h"
#include <string.h>

enum { GAP = 12, LINE = 22, TITLE_LINE = 42, TITLE_WIDTH = 800 }; /* of picture.c */

static uint8_t small[4][3][3];

static void fill_small(void) {
    for (size_t i = 0; i < sizeof small; i++)
        ((uint8_t *)small)[i] = (uint8_t)(7 * i + 3);
}

typedef struct Area {
    size_t x, y, width, height;
} Area;

/* Pixels of an area whose channel `strong` exceeds both others by 60: text of that colour. */
static size_t count_coloured(const uint8_t *rgb, size_t width, Area area, size_t strong) {
    size_t count = 0;
    for (size_t j = area.y; j < area.y + area.height; j++)
        for (size_t i = area.x; i < area.x + area.width; i++) {
            const uint8_t *p = rgb + (j * width + i) * 3;
            count += p[strong] > p[(strong + 1) % 3] + 60 && p[strong] > p[(strong + 2) % 3] + 60;
        }
    return count;
}

static size_t count_dark(const uint8_t *rgb, size_t width, Area area) {
    size_t count = 0;
    for (size_t j = area.y; j < area.y + area.height; j++)
        for (size_t i = area.x; i < area.x + area.width; i++)
            count += rgb[(j * width + i) * 3 + 2] < 160;
    return count;
}

/* Three cells of 64 pixels in two columns: magnified 16 times, in the middle, captions of three colours. */
static void cells_are_magnified(void **state) {
    (void)state;
    enum { SIDE = 64, WIDTH = 2 * (SIDE + GAP) + GAP, CELL = SIDE + 2 * LINE + GAP, HEIGHT = 2 * CELL + GAP };
    fill_small();
    PictureCell cells[] = {
        {4, 3, &small[0][0][0], {"black", "two lines"}, PICTURE_BLACK},
        {4, 3, &small[0][0][0], {"green", NULL}, PICTURE_GREEN},
        {3, 4, &small[0][0][0], {"red", NULL}, PICTURE_RED},
    };
    assert_ok(
        picture_write(&(PictureSheet){.cells = cells, .count = 3, .columns = 2, .side = SIDE}, tmpdir_path("a.png")));
    uint8_t *rgb = picture_read(tmpdir_path("a.png"), HEIGHT, WIDTH);
    for (size_t j = 0; j < 64; j++)
        for (size_t i = 0; i < 48; i++) {
            assert_memory_equal(rgb + ((GAP + j) * WIDTH + GAP + 8 + i) * 3, small[j / 16][i / 16], 3);
            assert_memory_equal(rgb + ((GAP + CELL + 8 + i) * WIDTH + GAP + j) * 3,
                                &small[0][0][0] + (i / 16 * 4 + j / 16) * 3, 3);
        }
    Area black = {GAP, GAP + SIDE + 3, SIDE, 2 * LINE - 3}, green = {2 * GAP + SIDE, GAP + SIDE + 3, SIDE, LINE};
    Area red = {GAP, GAP + CELL + SIDE + 3, SIDE, LINE};
    assert_true(count_dark(rgb, WIDTH, black) > 100);
    assert_int_equal(count_coloured(rgb, WIDTH, black, 0) + count_coloured(rgb, WIDTH, black, 1), 0);
    assert_true(count_coloured(rgb, WIDTH, green, 1) > 40);
    assert_true(count_coloured(rgb, WIDTH, red, 0) > 20);
    assert_int_equal(count_coloured(rgb, WIDTH, red, 1) + count_coloured(rgb, WIDTH, green, 0), 0);
    free(rgb);
}

/* Stripes of one pixel that become smaller are an even grey; long texts stay in their cells, whatever bytes they
 * have. */
static void large_cells_and_long_texts(void **state) {
    (void)state;
    enum {
        H = 400,
        W = 800,
        SIDE = 100,
        WIDTH = 2 * (SIDE + GAP) + GAP,
        HEIGHT = TITLE_LINE + SIDE / 2 + LINE + 2 * GAP
    };
    uint8_t(*stripes)[W][3];
    char text[3000], *bytes_not_utf8 = "\xff\xc3(\xe2\x82 \xed\xa0\x80 caf\xc3\xa9 \xe2\x80\xa6\x01\xf5";
    assert_ok(memory_alloc(H, sizeof *stripes, "stripes", (void **)&stripes));
    for (size_t j = 0; j < H; j++)
        memset(stripes[j], j % 2 ? 255 : 0, sizeof stripes[j]);
    memset(text, 'm', sizeof text);
    text[sizeof text - 1] = '\0';
    PictureCell cells[] = {{H, W, &stripes[0][0][0], {text, NULL}, PICTURE_BLACK},
                           {H, W, NULL, {bytes_not_utf8, NULL}, PICTURE_BLACK}};
    PictureSheet sheet = {.title = text, .cells = cells, .count = 2, .side = SIDE};
    unsigned char *bytes, *written;
    size_t size, written_size;
    assert_ok(picture_png(&sheet, "sheet", &bytes, &size));
    assert_ok(picture_write(&sheet, tmpdir_path("a.png")));
    assert_ok(file_read(tmpdir_path("a.png"), &written, &written_size));
    assert_int_equal(size, written_size);
    assert_memory_equal(bytes, written, size);
    memory_free(bytes);
    memory_free(written);
    size_t width = TITLE_WIDTH, left = (width - WIDTH) / 2; /* as wide as a title may make it */
    uint8_t *rgb = picture_read(tmpdir_path("a.png"), HEIGHT, width);
    for (size_t j = 0; j < 40; j++)
        for (size_t i = 0; i < 90; i++)
            assert_in_range(rgb[((TITLE_LINE + GAP + 5 + j) * width + left + GAP + 5 + i) * 3], 120, 136);
    size_t top = TITLE_LINE + GAP + SIDE / 2 + 2;
    assert_true(count_dark(rgb, width, (Area){left + GAP, top, SIDE, LINE}) > 100);
    assert_int_equal(count_dark(rgb, width, (Area){left + GAP + SIDE + GAP / 2 - 1, top, 2, LINE}), 0);
    assert_int_equal(count_dark(rgb, width, (Area){0, 0, GAP, HEIGHT}), 0);
    assert_true(count_dark(rgb, width, (Area){left + 2 * GAP + SIDE, top, SIDE, LINE}) > 50);
    free(rgb);
    memory_free(stripes);
}

/* On no paper: nothing lies between cells and letters, which are neither black nor white. */
static void clear_sheets(void **state) {
    (void)state;
    enum { SIDE = 63, WIDTH = SIDE + 2 * GAP, HEIGHT = SIDE + LINE + 2 * GAP };
    fill_small();
    PictureCell cell = {3, 3, &small[0][0][0], {"unknown", NULL}, PICTURE_BLACK};
    unsigned char *bytes;
    size_t size, letters = 0;
    assert_ok(picture_render(&(PictureSheet){.cells = &cell, .count = 1, .side = SIDE}, DRAWING_CLEAR_PNG, "sheet",
                             &bytes, &size));
    assert_ok(file_write(tmpdir_path("a.png"), 1, &(FilePart){bytes, size}));
    memory_free(bytes);
    uint8_t *rgba = picture_read_as(tmpdir_path("a.png"), HEIGHT, WIDTH, 4);
    for (size_t j = 0; j < HEIGHT; j++)
        for (size_t i = 0; i < WIDTH; i++) {
            const uint8_t *p = rgba + (j * WIDTH + i) * 4;
            bool pixels = j >= GAP && j < GAP + SIDE && i >= GAP && i<GAP + SIDE, text = j> GAP + SIDE;
            assert_true(text || p[3] == (pixels ? 255 : 0));
            letters += text && p[3] == 255 && p[0] > 80 && p[0] < 160;
        }
    assert_true(letters > 30);
    free(rgba);
}

static void failures(void **state) {
    (void)state;
    fill_small();
    PictureCell cell = {4, 3, &small[0][0][0], {"a", "b"}, PICTURE_GREEN};
    PictureSheet sheet = {.cells = &cell, .count = 0};
    assert_fails_with(STATUS_FAILED, picture_write(&sheet, tmpdir_path("a.png")), "nothing to draw");
    sheet.count = 1;
    assert_fails_with(STATUS_FAILED, picture_write(&sheet, "/nonexistent/a.png"), "/nonexistent/a.png");
    sheet.columns = 300;
    assert_fails_with(STATUS_FAILED, picture_write(&sheet, tmpdir_path("a.png")), "too large");
    sheet.columns = 0;
    for (size_t n = 1, failed = 1; failed; n++) {
        memory_fail_at(n);
        failed = picture_write(&sheet, tmpdir_path("a.png")) != STATUS_OK;
        memory_fail_at(0);
        assert_true(n < 10);
    }
}

int main(void) {
    if (!drawing_available()) {
        unsigned char *bytes;
        size_t size;
        print_message("built without cairo\n");
        return picture_png(&(PictureSheet){0}, "a.png", &bytes, &size) == STATUS_FAILED ? 77 : 1;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cells_are_magnified, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(large_cells_and_long_texts, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(clear_sheets, tmpdir_setup, tmpdir_teardown),
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
