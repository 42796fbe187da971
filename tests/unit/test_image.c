/* SPDX-License-Identifier: Apache-2.0
 *
 * Decoding against Pillow's pixels of small files of every kind; resizing against Pillow's; files that are damaged, lie
 * or are something else. */
#include "base/memory.h"
#include "io/image.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A file and what it looks like. */
typedef struct Golden {
    const char *name;
    size_t height, width, channels;
    int tolerance; /* of a sample */
    size_t size;
    const uint8_t *file, *rgb, *grey;
} Golden;
static const Golden goldens[] = {
#include "golden/images.inc"
};
enum { GOLDENS = sizeof goldens / sizeof *goldens };

/* The noise at another size. */
typedef struct Resized {
    size_t height, width;
    ImageFit fit;
    size_t channels;
    const uint8_t *pixels;
} Resized;
#include "golden/images_resized.inc"

static bool is_readable(const Golden *golden) {
    const char *ending = strrchr(golden->name, '.');
    return strcmp(ending, ".jpg") == 0   ? image_reads_jpeg()
           : strcmp(ending, ".png") == 0 ? image_reads_png()
                                         : image_reads_webp();
}

static const Golden *find(const char *name) {
    for (size_t i = 0; i < GOLDENS; i++)
        if (strcmp(goldens[i].name, name) == 0)
            return &goldens[i];
    fail_msg("no %s", name);
    return NULL;
}

static void assert_near(const char *name, const uint8_t *have, const uint8_t *want, size_t count, int tolerance) {
    for (size_t i = 0; i < count; i++)
        if (abs(have[i] - want[i]) > tolerance)
            fail_msg("%s: sample %zu is %d, should be %d", name, i, have[i], want[i]);
}

static void every_kind(void **state) {
    (void)state;
    Image image = {0};
    size_t seen = 0;
    for (size_t i = 0; i < GOLDENS; i++) {
        const Golden *golden = &goldens[i];
        ImageInfo info;
        size_t pixels = golden->height * golden->width;
        if (!is_readable(golden))
            continue;
        assert_ok(image_info(golden->file, golden->size, golden->name, &info));
        assert_int_equal(info.height, golden->height);
        assert_int_equal(info.width, golden->width);
        assert_int_equal(info.channels, golden->channels);
        assert_ok(image_decode(golden->file, golden->size, golden->name, 3, &image));
        assert_int_equal(image.height, golden->height);
        assert_int_equal(image.width, golden->width);
        assert_int_equal(image.channels, 3);
        assert_near(golden->name, image.pixels, golden->rgb, pixels * 3, golden->tolerance);
        assert_ok(image_decode(golden->file, golden->size, golden->name, 1, &image));
        assert_int_equal(image.channels, 1);
        assert_near(golden->name, image.pixels, golden->grey, pixels, golden->tolerance);
        assert_ok(image_decode(golden->file, golden->size, golden->name, 0, &image));
        assert_int_equal(image.channels, golden->channels);
        seen++;
    }
    image_free(&image);
    if (seen == 0)
        skip();
}

static void from_files(void **state) {
    (void)state;
    Image image = {0};
    ImageInfo info;
    const Golden *golden = find("rgb.png");
    if (!image_reads_png())
        skip();
    tmpdir_write("a.jpg", golden->file, golden->size); /* told by its bytes */
    assert_ok(image_decode_file(tmpdir_path("a.jpg"), 0, &image));
    assert_near("file", image.pixels, golden->rgb, 7 * 9 * 3, 0);
    assert_ok(image_info_file(tmpdir_path("a.jpg"), &info));
    assert_string_equal(info.format, "PNG");
    assert_fails(image_decode_file(tmpdir_path("missing.png"), 0, &image), "missing.png");
    assert_fails(image_info_file(tmpdir_path("missing.png"), &info), "missing.png");
    image_free(&image);
}

/* Any file cut anywhere is a failure that names it: never a picture with a part made up. */
static void cut_off(void **state) {
    (void)state;
    Image image = {0};
    for (size_t i = 0; i < GOLDENS; i++) {
        const Golden *golden = &goldens[i];
        bool png = strstr(golden->name, ".png") != NULL;
        size_t end = golden->size - (png ? 16 : strstr(golden->name, ".jpg") ? 2 : 1); /* PNG: checksum and IEND */
        for (size_t size = 0; is_readable(golden) && size < end; size++) {
            unsigned char *part = malloc(size + 1); /* its end is guarded by the sanitizers */
            memcpy(part, golden->file, size);
            assert_fails(image_decode(part, size, golden->name, 0, &image), golden->name);
            free(part);
        }
    }
    image_free(&image);
}

/* Any byte may be any other: failures or other pixels, but no crash. */
static void wrong_bytes(void **state) {
    (void)state;
    Image image = {0};
    size_t failures = 0;
    for (size_t i = 0; i < GOLDENS; i++) {
        const Golden *golden = &goldens[i];
        unsigned char *copy = malloc(golden->size);
        for (size_t at = 0; is_readable(golden) && at < golden->size; at++) {
            memcpy(copy, golden->file, golden->size);
            copy[at] ^= (unsigned char)(at % 7 == 0 ? 255 : 1 << at % 8);
            failures += image_decode(copy, golden->size, golden->name, at % 2 ? 3 : 1, &image) != STATUS_OK;
        }
        free(copy);
    }
    image_free(&image);
    assert_true(!image_reads_png() || failures > 1000);
}

/* 60000 x 60000 pixels in 100 bytes. */
static void bombs(void **state) {
    (void)state;
    Image image = {0};
    unsigned char copy[4096];
    const Golden *golden = find("progressive.jpg");
    memcpy(copy, golden->file, golden->size);
    size_t at = 0;
    while (at + 9 < golden->size && !(copy[at] == 0xff && copy[at + 1] == 0xc2))
        at++;
    assert_true(at + 9 < golden->size);
    memcpy(copy + at + 5, "\xea\x60\xea\x60", 4);
    if (image_reads_jpeg())
        assert_fails(image_decode(copy, golden->size, "bomb.jpg", 0, &image),
                     "bomb.jpg has 60000 x 60000 pixels: more than 100 million");
    golden = find("rgb.png");
    memcpy(copy, golden->file, golden->size);
    memcpy(copy + 16, "\x00\x01\x00\x00\x00\x00\x00\x01", 8);
    if (image_reads_png())
        assert_fails(image_decode(copy, golden->size, "bomb.png", 0, &image), "bomb.png");
    assert_null(image.pixels);
}

static void others(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } files[] = {{"GIF89a123456", 12, "x.jpg is a GIF; convert it to JPEG or PNG"},
                 {"BM12345678", 10, "a BMP"},
                 {"II*\0abcdefgh", 12, "a TIFF"},
                 {"MM\0*abcdefgh", 12, "a TIFF"},
                 {"\0\0\0\x18"
                  "ftypheic",
                  12, "HEIC"},
                 {"\0\0\0\x18"
                  "ftypavif",
                  12, "an AVIF"},
                 {"<html>", 6, "HTML"},
                 {"%PDF-1.5", 8, "a PDF"},
                 {"hello", 5, "no JPEG, PNG or WebP"},
                 {"\xff", 1, "no JPEG, PNG or WebP"},
                 {"", 0, "is empty"}};
    Image image = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_fails(image_decode(files[i].bytes, files[i].size, "x.jpg", 0, &image), files[i].text);
}

static void resizing(void **state) {
    (void)state;
    uint8_t grey[sizeof noise / 3];
    for (size_t i = 0; i < sizeof grey; i++)
        grey[i] = noise[i * 3];
    Image out = {0};
    for (size_t i = 0; i < sizeof resized / sizeof *resized; i++) {
        const Resized *want = &resized[i];
        Image image = {.height = 11, .width = 13, .channels = want->channels};
        image.pixels = (uint8_t *)(uintptr_t)(want->channels == 1 ? grey : noise); /* only read */
        assert_ok(image_resize(&image, want->height, want->width, want->fit, &out));
        assert_int_equal(out.height, want->height);
        assert_int_equal(out.width, want->width);
        char name[64];
        snprintf(name, sizeof name, "%s to %zu x %zu x %zu", image_fits[want->fit], want->height, want->width,
                 want->channels);
        assert_near(name, out.pixels, want->pixels, want->height * want->width * want->channels, 1);
    }
    Image image = {.height = 11, .width = 13, .channels = 3, .pixels = (uint8_t *)(uintptr_t)noise};
    assert_ok(image_resize(&image, 11, 13, IMAGE_CROP, &out));
    assert_memory_equal(out.pixels, noise, sizeof noise);
    assert_fails(image_resize(&image, 100000, 100000, IMAGE_CROP, &out), "100000 x 100000");
    image_free(&out);
}

/* Sample (i, j) of a picture squashed to height x width, by the formula. */
static double resampled(const Image *image, size_t height, size_t width, size_t i, size_t j, size_t c) {
    double down = (double)image->height / (double)height, along = (double)image->width / (double)width;
    double y = ((double)i + 0.5) * down, x = ((double)j + 0.5) * along, sum = 0, weights = 0;
    for (size_t k = 0; k < image->height; k++)
        for (size_t l = 0; l < image->width; l++) {
            double weight = fmax(0, 1 - fabs((double)k + 0.5 - y) / fmax(down, 1)) *
                            fmax(0, 1 - fabs((double)l + 0.5 - x) / fmax(along, 1));
            sum += weight * image->pixels[(k * image->width + l) * image->channels + c];
            weights += weight;
        }
    return sum / weights;
}

/* Rounded once: nearly the nearest number.  Taps and widths below, at and above those that go through vectors; at one
 * with hundreds of taps, dots in black or white must not be lost, and white must not run over. */
static void resizing_exactly(void **state) {
    (void)state;
    static const size_t sizes[][4] = {{40, 60, 21, 31}, {40, 60, 17, 23}, {9, 7, 20, 15},   {33, 11, 5, 9},
                                      {31, 10, 8, 4},   {3, 2, 1, 1},     {600, 500, 2, 1}, {500, 33, 1, 30}};
    enum { NOISE, DOTS_ON_BLACK, DOTS_ON_WHITE, WHITE, KINDS };
    Image image = {0}, out = {0};
    assert_int_equal(memory_alloc(600 * 500 * 3, 1, "picture", (void **)&image.pixels), STATUS_OK);
    for (size_t n = 0; n < 2 * KINDS * sizeof sizes / sizeof *sizes; n++) {
        const size_t *size = sizes[n / (2 * KINDS)], kind = n / 2 % KINDS;
        uint32_t random = 1;
        image.height = size[0], image.width = size[1], image.channels = n % 2 ? 1 : 3;
        for (size_t i = 0; i < image.height * image.width * image.channels; i++) {
            random = random * 1664525 + 1013904223;
            bool dot = random >> 24 < 16;
            image.pixels[i] = kind == NOISE           ? (uint8_t)(random >> 24)
                              : kind == DOTS_ON_BLACK ? dot * 255
                              : kind == WHITE || !dot ? 255
                                                      : 0;
        }
        assert_ok(image_resize(&image, size[2], size[3], IMAGE_SQUASH, &out));
        for (size_t i = 0; i < out.height * out.width * out.channels; i++) {
            size_t pixel = i / out.channels;
            double want =
                resampled(&image, out.height, out.width, pixel / out.width, pixel % out.width, i % out.channels);
            if (fabs(out.pixels[i] - want) > 0.6)
                fail_msg("%zu x %zu to %zu x %zu, kind %zu: sample %zu is %d, should be %g", size[0], size[1], size[2],
                         size[3], kind, i, out.pixels[i], want);
        }
    }
    image_free(&image);
    image_free(&out);
}

static void no_memory(void **state) {
    (void)state;
    const Golden *golden = find("exif6.jpg");
    Image image = {0}, out = {0};
    size_t n = 1;
    if (!image_reads_jpeg())
        skip();
    for (Status status = STATUS_FAILED; status != STATUS_OK; n++) {
        memory_fail_at(n);
        status = image_decode(golden->file, golden->size, golden->name, 0, &image);
        if (status == STATUS_OK)
            status = image_resize(&image, 4, 4, IMAGE_PAD, &out);
        memory_fail_at(0);
        image_free(&image);
        image_free(&out);
    }
    assert_true(n > 4);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(from_files, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(cut_off, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(wrong_bytes, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(bombs, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(others, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(resizing, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(resizing_exactly, tmpdir_setup, tmpdir_teardown),
        cmocka_unit_test_setup_teardown(no_memory, tmpdir_setup, tmpdir_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
