/* SPDX-License-Identifier: Apache-2.0
 *
 * Datasets of pictures: folders, and files that hold pictures as they are.  They are read by rows and from memory, with
 * and without helpers, to the same numbers. */
#include "base/memory.h"
#include "data/dataset.h"
#include "data/loader.h"
#include "data/pictures.h"
#include "io/h5io.h"
#include "support/assert_status.h"
#include "support/tmpdir.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Golden {
    const char *name;
    size_t height, width, channels;
    int tolerance;
    size_t size;
    const uint8_t *file, *rgb, *grey;
} Golden;
static const Golden goldens[] = {
#include "golden/images.inc"
};
enum { NUMBERS = 7 * 9 * 3 };

/* The first goldens are PNGs of 7 x 9 pixels but for those that are turned. */
static const Golden *png(size_t i) {
    assert_non_null(strstr(goldens[i].name, ".png"));
    return &goldens[i];
}

static void put(const char *path, const void *bytes, size_t size) {
    char folder[TMPDIR_PATH];
    for (size_t i = 0; path[i]; i++)
        if (path[i] == '/') {
            snprintf(folder, sizeof folder, "%.*s", (int)i, path);
            mkdir(tmpdir_path(folder), 0777);
        }
    tmpdir_write(path, bytes, size);
}

static int setup(void **state) {
    if (!image_reads_png())
        return 0;
    int code = tmpdir_setup(state);
    put("f/train/b/1.png", png(0)->file, png(0)->size);
    put("f/train/b/2.png", png(1)->file, png(1)->size);
    put("f/train/a/x.png", png(2)->file, png(2)->size);
    put("f/val/a/y.png", png(3)->file, png(3)->size);
    put("f/val/a/z.gif", "GIF89a", 6);
    return code;
}

static int teardown(void **state) {
    return image_reads_png() ? tmpdir_teardown(state) : 0;
}

static void open_folder(const DatasetOptions *options, Dataset **dataset) {
    stderr_capture();
    Status status = dataset_open_with(tmpdir_path("f"), options, dataset);
    const char *told = stderr_captured();
    assert_ok(status);
    assert_contains(told, "left out: ");
    assert_contains(told, "z.gif is a GIF");
}

/* x[NUMBERS] = the golden's pixels, within its tolerance. */
static void assert_picture(const Real *x, const Golden *golden) {
    for (size_t i = 0; i < NUMBERS; i++)
        if (fabs((double)x[i] - golden->rgb[i]) > golden->tolerance)
            fail_msg("%s: sample %zu is %g", golden->name, i, (double)x[i]);
}

static void read_all(Dataset *dataset) {
    Real x[3 * NUMBERS], y[3];
    for (int again = 0; again < 2; again++) {
        assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){2, 0, 2}, 3, NULL, x, (Real *[]){y}));
        assert_picture(x, png(1));
        assert_picture(x + NUMBERS, png(2));
        assert_picture(x + 2 * NUMBERS, png(1));
        assert_true(y[0] == 1 && y[1] == 0 && y[2] == 1);
    }
    assert_ok(dataset_read(dataset, DATASET_VAL, (uint64_t[]){0}, 1, NULL, x, NULL));
    assert_picture(x, png(3));
}

static void read_every_way(Dataset *dataset) {
    read_all(dataset);
    assert_ok(dataset_set_decoders(dataset, 3));
    read_all(dataset);
    assert_true(dataset_fits(dataset, DATASET_TRAIN));
    assert_true(dataset_load_bytes(dataset, DATASET_TRAIN) >= 3 * NUMBERS);
    assert_ok(dataset_load(dataset, DATASET_TRAIN));
    assert_int_equal(dataset_load_bytes(dataset, DATASET_TRAIN), 0);
    read_all(dataset);
    dataset_unload(dataset);
    dataset_set_memory_limit(dataset, 3 * NUMBERS);
    assert_false(dataset_fits(dataset, DATASET_TRAIN));
    assert_ok(dataset_load(dataset, DATASET_TRAIN)); /* labels alone */
    read_all(dataset);
}

static void folders(void **state) {
    (void)state;
    Dataset *dataset;
    Real *labels;
    if (!image_reads_png())
        skip();
    open_folder(NULL, &dataset);
    const DatasetInfo *info = dataset_info(dataset);
    assert_string_equal(info->name, "f");
    assert_true(shape_equal(&info->shape, &SHAPE(7, 9, 3))); /* their own size */
    assert_true(info->is_uint8 && info->is_encoded && info->is_pictures && info->fit == IMAGE_CROP);
    assert_int_equal(info->count[DATASET_TRAIN], 3);
    assert_int_equal(info->count[DATASET_VAL], 1);
    assert_int_equal(info->label_count, 1);
    assert_int_equal(info->labels[0].kind, LABEL_CLASS);
    assert_int_equal(info->labels[0].classes, 2);
    assert_string_equal(info->class_names[1], "b");
    assert_ok(dataset_read_labels(dataset, DATASET_TRAIN, 0, &labels));
    assert_true(labels[0] == 0 && labels[1] == 1 && labels[2] == 1);
    memory_free(labels);
    read_every_way(dataset);
    dataset_close(dataset);
}

static void options(void **state) {
    (void)state;
    Dataset *dataset;
    PictureRule rule;
    Real x[4 * 4];
    if (!image_reads_png())
        skip();
    assert_ok(picture_rule_parse("4", "squash", 1, &rule));
    open_folder(&(DatasetOptions){.rule = rule}, &dataset);
    const DatasetInfo *info = dataset_info(dataset);
    assert_true(shape_equal(&info->shape, &SHAPE(4, 4, 1)) && info->fit == IMAGE_SQUASH);
    Image grey = {0}, small = {0};
    assert_ok(image_decode(png(2)->file, png(2)->size, "x", 1, &grey));
    assert_ok(image_resize(&grey, 4, 4, IMAGE_SQUASH, &small));
    assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0}, 1, NULL, x, NULL));
    for (size_t i = 0; i < 16; i++)
        assert_true(x[i] == small.pixels[i]);
    image_free(&grey);
    image_free(&small);
    dataset_close(dataset);
    assert_ok(picture_rule_parse("12x34", "", 0, &rule));
    assert_true(rule.height == 12 && rule.width == 34 && rule.channels == 0 && rule.fit == IMAGE_FITS);
    static const char *const sizes[] = {"0", "x", "12x", "12x34x5", "-1", "70000", "4 "};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        assert_fails_with(STATUS_USAGE, picture_rule_parse(sizes[i], "", 0, &rule), "--size");
    assert_fails_with(STATUS_USAGE, picture_rule_parse("", "bend", 0, &rule), "--resize bend");
    assert_fails_with(STATUS_USAGE, picture_rule_parse("", "", 2, &rule), "--channels 2");
}

/* Names, sizes and bytes of pictures, classes and the rule are the data; where the folder lies is not. */
static void fingerprint(void **state) {
    (void)state;
    Dataset *dataset;
    char first[65];
    if (!image_reads_png())
        skip();
    open_folder(NULL, &dataset);
    memcpy(first, dataset_info(dataset)->fingerprint, sizeof first);
    dataset_close(dataset);
    rename(tmpdir_path("f"), tmpdir_path("g"));
    stderr_capture();
    assert_ok(dataset_open(tmpdir_path("g/"), &dataset));
    stderr_captured();
    assert_string_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    rename(tmpdir_path("g"), tmpdir_path("f"));
    open_folder(&(DatasetOptions){.rule = {.fit = IMAGE_PAD}}, &dataset);
    assert_string_not_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    rename(tmpdir_path("f/train/b/1.png"), tmpdir_path("f/train/b/0.png"));
    open_folder(NULL, &dataset);
    assert_string_not_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
    rename(tmpdir_path("f/train/b/0.png"), tmpdir_path("f/train/b/1.png"));
    unsigned char copy[1000];
    memcpy(copy, png(0)->file, png(0)->size);
    copy[60] ^= 1;
    put("f/train/b/1.png", copy, png(0)->size);
    open_folder(NULL, &dataset);
    assert_string_not_equal(dataset_info(dataset)->fingerprint, first);
    dataset_close(dataset);
}

static void damaged(void **state) {
    (void)state;
    Dataset *dataset;
    Real x[3 * NUMBERS];
    if (!image_reads_png())
        skip();
    put("f/train/b/2.png", png(1)->file, png(1)->size / 2);
    open_folder(NULL, &dataset);
    for (size_t helpers = 0; helpers < 3; helpers += 2) {
        assert_ok(dataset_set_decoders(dataset, helpers));
        assert_fails(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0, 1, 2}, 3, NULL, x, NULL),
                     "f/train/b/2.png is damaged");
        assert_ok(dataset_load(dataset, DATASET_TRAIN));
        assert_fails(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){0, 1, 2}, 3, NULL, x, NULL),
                     "f/train/b/2.png is damaged");
        assert_ok(dataset_read(dataset, DATASET_TRAIN, (uint64_t[]){1, 0}, 2, NULL, x, NULL));
        assert_picture(x, png(0));
        dataset_unload(dataset);
    }
    dataset_close(dataset);
    put("f/train/b/2.png", "", 0);
    stderr_capture();
    Status status = dataset_open(tmpdir_path("f"), &dataset);
    stderr_captured();
    assert_int_equal(status, STATUS_FAILED);
    assert_contains(status_message(), "f/train/b/2.png is empty or not there");
}

/* A file that has grown or shrunk since it was listed is read to its end. */
static void changed_sizes(void **state) {
    (void)state;
    enum { SIZE = 5000 };
    PictureWorks works = {.lock = PTHREAD_MUTEX_INITIALIZER};
    PictureWork *work;
    unsigned char bytes[SIZE];
    size_t size;
    for (size_t i = 0; i < SIZE; i++)
        bytes[i] = (unsigned char)(i * 7);
    assert_int_equal(tmpdir_setup(state), 0);
    tmpdir_write("a.jpg", bytes, SIZE);
    for (size_t expected = 0; expected < 3 * SIZE; expected += SIZE / 4) {
        assert_ok(picture_work_take(&works, &work));
        assert_ok(picture_read(tmpdir_path("a.jpg"), expected, work, &size));
        assert_int_equal(size, SIZE);
        assert_memory_equal(work->bytes, bytes, SIZE);
        picture_works_free(&(PictureWorks){.free = work});
    }
    assert_ok(picture_work_take(&works, &work));
    assert_fails(picture_read("/dev/zero", 10, work, &size), "it is no plain file");
    assert_fails(picture_read(tmpdir_path(""), 10, work, &size), "cannot read");
    assert_int_equal(mkfifo(tmpdir_path("b.jpg"), 0600), 0);
    alarm(20); /* nobody writes into it */
    assert_ok(picture_read(tmpdir_path("b.jpg"), 0, work, &size));
    alarm(0);
    assert_int_equal(size, 0);
    picture_works_free(&(PictureWorks){.free = work});
    assert_int_equal(tmpdir_teardown(state), 0);
}

/* ---- pictures in a dataset file ---- */

typedef struct Kept {
    const char *resize;
    int64_t shape[3], end[3];
    size_t bytes; /* of x; 0: all */
} Kept;

static const char *keep(const Kept *how) {
    const char *path = tmpdir_path("kept.h5");
    size_t order[3] = {2, 0, 1}, size = 0, three = 3;
    unsigned char x[4096];
    int64_t end[3], y[3] = {0, 1, 1};
    H5ioFile *file;
    for (size_t i = 0; i < 3; i++) {
        memcpy(x + size, png(order[i])->file, png(order[i])->size);
        size += png(order[i])->size;
        end[i] = how->end[i] ? how->end[i] : (int64_t)size;
    }
    if (how->bytes)
        size = how->bytes;
    assert_ok(h5io_create(path, &file));
    assert_ok(h5io_write(file, "/train/x", H5IO_UINT8, 1, &size, x));
    assert_ok(h5io_write(file, "/train/x_end", H5IO_INT64, 1, &three, end));
    assert_ok(h5io_write(file, "/train/y", H5IO_INT64, 1, &three, y));
    size = png(3)->size;
    end[0] = (int64_t)size;
    three = 1;
    assert_ok(h5io_write(file, "/val/x", H5IO_UINT8, 1, &size, png(3)->file));
    assert_ok(h5io_write(file, "/val/x_end", H5IO_INT64, 1, &three, end));
    assert_ok(h5io_write(file, "/val/y", H5IO_INT64, 1, &three, y));
    if (how->resize)
        assert_ok(h5io_attr_write_string(file, "/", "resize", how->resize));
    if (how->shape[0])
        assert_ok(h5io_attr_write(file, "/", "x_shape", H5IO_INT64, 3, how->shape));
    assert_ok(h5io_close(file));
    return path;
}

static void kept_pictures(void **state) {
    (void)state;
    Dataset *dataset;
    if (!image_reads_png())
        skip();
    Kept good = {.resize = "pad", .shape = {7, 9, 3}};
    assert_ok(dataset_open(keep(&good), &dataset));
    assert_true(dataset_info(dataset)->is_encoded && dataset_info(dataset)->fit == IMAGE_PAD);
    read_every_way(dataset);
    dataset_close(dataset);
    PictureRule rule = {.height = 3, .width = 5, .fit = IMAGE_FITS};
    assert_ok(dataset_open_with(keep(&good), &(DatasetOptions){.rule = rule}, &dataset));
    assert_true(shape_equal(&dataset_info(dataset)->shape, &SHAPE(3, 5, 3)));
    assert_true(dataset_info(dataset)->fit == IMAGE_PAD);
    dataset_close(dataset);
}

static void kept_lies(void **state) {
    (void)state;
    Dataset *dataset;
    if (!image_reads_png())
        skip();
    const struct {
        Kept how;
        const char *text;
    } lies[] = {{{.resize = "bend", .shape = {7, 9, 3}}, "crop, pad or squash"},
                {{.shape = {7, 9, 3}}, "beside resize"},
                {{.resize = "crop", .shape = {7, 9, 2}}, "1 or 3"},
                {{.resize = "crop", .shape = {7, 70000, 3}}, "x_shape"},
                {{.resize = "crop", .shape = {-7, 9, 3}}, "x_shape"},
                {{.resize = "crop"}, "x_shape"},
                {{.resize = "crop", .shape = {7, 9, 3}, .end = {0, 1}}, "x_end of picture 1 is 1"},
                {{.resize = "crop", .shape = {7, 9, 3}, .end = {-5}}, "x_end of picture 0 is -5"},
                {{.resize = "crop", .shape = {7, 9, 3}, .end = {0, 0, 1 << 20}}, "x_end of picture 2"},
                {{.resize = "crop", .shape = {7, 9, 3}, .bytes = 100}, "x_end of picture"}};
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        assert_fails(dataset_open(keep(&lies[i].how), &dataset), lies[i].text);
}

/* ---- in a loader ---- */

static void loaders(void **state) {
    (void)state;
    Dataset *dataset;
    Loader *loader;
    LoaderBatch batch;
    if (!image_reads_png())
        skip();
    for (size_t limit = 0; limit < 1 << 20; limit += 1 << 19) {
        open_folder(NULL, &dataset);
        dataset_set_memory_limit(dataset, limit);
        assert_ok(dataset_set_decoders(dataset, 2));
        LoaderOptions how = {.dataset = dataset, .split = DATASET_TRAIN, .view = sampler_whole(3), .units = 2};
        how.batch_size = 3;
        how.micro_batches = 2;
        assert_ok(loader_create(&how, &loader));
        for (size_t i = 0; i < 40; i++) {
            assert_ok(loader_next(loader, &batch));
            assert_int_equal(batch.n, i % 2 ? 1 : 2);
            for (size_t k = 0; k < batch.n; k++) /* in the order of the folder */
                assert_picture(batch.x + k * NUMBERS, png(i % 2 ? 1 : k == 0 ? 2 : 0));
        }
        loader_destroy(loader);
        dataset_close(dataset);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folders, setup, teardown),
        cmocka_unit_test_setup_teardown(options, setup, teardown),
        cmocka_unit_test_setup_teardown(fingerprint, setup, teardown),
        cmocka_unit_test_setup_teardown(damaged, setup, teardown),
        cmocka_unit_test(changed_sizes),
        cmocka_unit_test_setup_teardown(kept_pictures, setup, teardown),
        cmocka_unit_test_setup_teardown(kept_lies, setup, teardown),
        cmocka_unit_test_setup_teardown(loaders, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
