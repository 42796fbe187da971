/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures: read back by libpng they are what was written; failures leave nothing behind. */
#include "base/memory.h"
#include "io/png.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#if HAVE_PNG
#include "support/picture.h"

enum { HEIGHT = 3, WIDTH = 5, BYTES = HEIGHT * WIDTH * 3 };

static void fill(uint8_t rgb[BYTES]) {
    for (int i = 0; i < BYTES; i++)
        rgb[i] = (uint8_t)(i * 17 + 3);
}

static void round_trip(void **state) {
    (void)state;
    uint8_t rgb[BYTES];
    const char *path = tmpdir_path("a.png");
    fill(rgb);
    tmpdir_write("a.png", "old", 3);
    assert_ok(png_write_rgb(path, rgb, HEIGHT, WIDTH));
    uint8_t *back = picture_read(path, HEIGHT, WIDTH);
    assert_memory_equal(back, rgb, BYTES);
    free(back);
    assert_int_equal(tmpdir_entries(""), 1);
}

static void failures(void **state) {
    (void)state;
    uint8_t rgb[BYTES];
    fill(rgb);
    assert_fails(png_write_rgb(tmpdir_path("no-folder/a.png"), rgb, HEIGHT, WIDTH), "no-folder/a.png");
    assert_fails(png_write_rgb(tmpdir_path("b.png"), rgb, 0, WIDTH), "0 x 5 pixels");
    assert_fails(png_write_rgb(tmpdir_path("b.png"), rgb, (size_t)1 << 40, WIDTH), "pixels");
    memory_fail_at(1);
    assert_fails(png_write_rgb(tmpdir_path("b.png"), rgb, HEIGHT, WIDTH), "memory");
    memory_fail_at(0);
    assert_int_equal(tmpdir_size("b.png"), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(round_trip, tmpdir_setup, tmpdir_teardown),
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
