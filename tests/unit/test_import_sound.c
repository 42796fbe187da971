/* SPDX-License-Identifier: Apache-2.0
 *
 * Sounds: spectrograms against the formula, resampling against sines, names of files, the kind wav. */
#include "base/memory.h"
#include "data/file_names.h"
#include "data/log_mel.h"
#include "io/sound.h"
#include <complex.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "support/assert_status.h"
#include "support/import_all.h"
#include "support/tmpdir.h"

/* ---- spectrograms ---- */

/* The formula of data/log_mel.h, term by term. */
static double log_mel_at(const LogMel *mel, const float *x, size_t t, size_t b) {
    double top = 2595 * log10(1 + mel->rate / 2 / 700), edge[3], energy = 0;
    for (size_t i = 0; i < 3; i++)
        edge[i] = 700 * (pow(10, top * (double)(b + i) / (double)(mel->bands + 1) / 2595) - 1);
    for (size_t k = 0; k <= mel->fft / 2; k++) {
        double f = (double)k * mel->rate / (double)mel->fft;
        double weight = f < edge[1] ? (f - edge[0]) / (edge[1] - edge[0]) : (edge[2] - f) / (edge[2] - edge[1]);
        double complex sum = 0;
        for (size_t n = 0; n < mel->window && weight > 0; n++)
            sum += x[t * mel->hop + n] * 0.5 * (1 - cos(2 * M_PI * (double)n / (double)mel->window)) *
                   cexp(-2 * M_PI * I * (double)n * (double)k / (double)mel->fft);
        energy += weight > 0 ? weight * (creal(sum) * creal(sum) + cimag(sum) * cimag(sum)) : 0;
    }
    return log(energy + 1e-6);
}

static void spectrogram_is_the_formula(void **state) {
    (void)state;
    const struct {
        double rate, seconds, window, hop;
        size_t bands, frames, fft;
    } cases[] = {
        {8000, 0.1, 25, 10, 20, 8, 256},
        {1000, 0.05, 7, 3, 2, 15, 8},
        {16000, 0.032, 32, 10, 40, 1, 512},
        {100, 0.06, 40, 20, 1, 2, 4},
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        LogMel mel;
        static float x[1000], y[1000];
        assert_ok(log_mel_create(cases[c].rate, cases[c].seconds, cases[c].window, cases[c].hop, cases[c].bands, &mel));
        assert_int_equal(mel.frames, cases[c].frames);
        assert_int_equal(mel.fft, cases[c].fft);
        for (size_t i = 0; i < mel.samples; i++)
            x[i] = (float)sin((double)(i * i)) * (i % 5 ? 1 : 0.1f);
        assert_ok(log_mel_compute(&mel, x, y));
        for (size_t t = 0; t < mel.frames; t++)
            for (size_t b = 0; b < mel.bands; b++)
                assert_true(fabs((double)y[t * mel.bands + b] - log_mel_at(&mel, x, t, b)) < 1e-5);
        log_mel_free(&mel);
    }
    LogMel mel;
    assert_fails_with(STATUS_USAGE, log_mel_create(8000, 1, 25, 10, 200, &mel), "--bands 200 are too many");
    assert_fails_with(STATUS_USAGE, log_mel_create(8000, 0.01, 25, 10, 40, &mel), "must not be shorter than a window");
    assert_fails_with(STATUS_USAGE, log_mel_create(8000, 1, 25, 0.01, 40, &mel), "a hop than a sample");
    assert_fails_with(STATUS_USAGE, log_mel_create(1e6, 1e9, 25, 10, 40, &mel), "too large");
    assert_fails_with(STATUS_USAGE, log_mel_create(8000, NAN, 25, 10, 40, &mel), "too large");
}

static void resampled_sines(void **state) {
    (void)state;
    static float x[44100], y[44100];
    const double rates[][2] = {{44100, 8000}, {8000, 16000}, {16000, 8000}, {8000, 8000}, {22050, 16000}};
    for (size_t c = 0; c < sizeof rates / sizeof *rates; c++) {
        double from = rates[c][0], to = rates[c][1];
        size_t count = (size_t)(from / 10), n = (size_t)(to / 10);
        for (size_t i = 0; i < count; i++)
            x[i] = (float)(sin(2 * M_PI * 440 * (double)i / from) + 0.25);
        sound_resample(x, count, from, to, y, n);
        for (size_t m = n / 8; m < n - n / 8; m++) /* away from the ends, outside of which there is nothing */
            assert_true(fabs((double)y[m] - sin(2 * M_PI * 440 * (double)m / to) - 0.25) < 3e-3);
    }
    for (size_t i = 0; i < 4410; i++) /* above the new Nyquist frequency nothing is left */
        x[i] = (float)sin(2 * M_PI * 5000 * (double)i / 44100);
    sound_resample(x, 4410, 44100, 8000, y, 800);
    for (size_t m = 100; m < 700; m++)
        assert_true(fabs((double)y[m]) < 3e-3);
}

/* ---- names ---- */

static void labels_in_names(void **state) {
    (void)state;
    const struct {
        const char *pattern, *path, *label; /* NULL: does not fit */
    } cases[] = {
        {"{label}_*_*", "a/7_jackson_12.wav", "7"},
        {"{label}_*", "x_y_z.wav", "x"},
        {"*_{label}", "x_y_z.wav", "y_z"},
        {"*_*_{label}", "x_y_z.wav", "z"},
        {"[0-9]-{label}-*", "dir-1-2/5-dog-x.flac", "dog"},
        {"{label}[0-9]*", "cat12.wav", "cat"},
        {"{label}_*", "nothing.wav", NULL},
        {"{label}", "all.of.it.wav", "all.of.it"},
        {"{label}", ".wav", ".wav"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *label;
        size_t length;
        bool found = file_names_label(cases[i].pattern, cases[i].path, &label, &length);
        assert_int_equal(found, cases[i].label != NULL);
        if (found)
            assert_true(length == strlen(cases[i].label) && memcmp(label, cases[i].label, length) == 0);
    }
    assert_ok(file_names_check_pattern("a{label}b"));
    assert_fails_with(STATUS_USAGE, file_names_check_pattern("label"), "must hold {label} once");
    assert_fails_with(STATUS_USAGE, file_names_check_pattern("{label}{label}"), "must hold {label} once");
}

/* ---- the kind ---- */

static void put(uint8_t *at, size_t bytes, unsigned value) {
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A WAV file of 16 bits; sample i of channel c is sin(0.1 i) (c + 1) / 4. */
static size_t write_wav(const char *name, unsigned rate, unsigned channels, unsigned count) {
    static uint8_t file[1 << 16];
    unsigned bytes = count * channels * 2;
    memcpy(file, "RIFF....WAVEfmt ", 16);
    put(file + 4, 4, 36 + bytes);
    put(file + 16, 4, 16), put(file + 20, 2, 1), put(file + 22, 2, channels), put(file + 24, 4, rate);
    put(file + 28, 4, rate * channels * 2), put(file + 32, 2, channels * 2), put(file + 34, 2, 16);
    memcpy(file + 36, "data", 4);
    put(file + 40, 4, bytes);
    for (unsigned i = 0; i < count; i++)
        for (unsigned c = 0; c < channels; c++)
            put(file + 44 + 2 * (i * channels + c), 2, (unsigned)(int)lrint(sin(0.1 * i) * (c + 1) / 4 * 32768));
    tmpdir_write(name, file, 44 + bytes);
    return 44 + bytes;
}

static void need_libsndfile(void) {
    if (!HAVE_SNDFILE)
        skip();
}

static void wav_files(void **state) {
    (void)state;
    Sound sound;
    double rate;
    need_libsndfile();
    size_t size = write_wav("a.wav", 8000, 2, 500);
    assert_ok(sound_read(tmpdir_path("a.wav"), 1, &sound));
    assert_int_equal(sound.count, 500);
    assert_true(sound.rate == 8000);
    for (size_t i = 0; i < 500; i++) /* the mean of both channels */
        assert_true(fabs((double)sound.samples[i] - sin(0.1 * (double)i) * 3 / 8) < 1e-4);
    sound_free(&sound);
    assert_ok(sound_read(tmpdir_path("a.wav"), 0.01, &sound));
    assert_int_equal(sound.count, 80);
    sound_free(&sound);
    assert_ok(sound_rate(tmpdir_path("a.wav"), &rate));
    assert_true(rate == 8000);
    tmpdir_write("b.wav", "RIFF", 4);
    assert_fails(sound_read(tmpdir_path("b.wav"), 1, &sound), "b.wav");
    write_wav("b.wav", 8000, 1, 0);
    assert_fails(sound_read(tmpdir_path("b.wav"), 1, &sound), "b.wav");
    assert_fails(sound_read(tmpdir_path("none.wav"), 1, &sound), "none.wav");
    assert_true(size > 0);
}

static void folder_of_sounds(void **state) {
    (void)state;
    char folder[TMPDIR_PATH];
    Dataset *dataset;
    static Real x[8 * 12], again[8 * 12];
    Real y[1];
    need_libsndfile();
    strcpy(folder, tmpdir_path("s"));
    assert_int_equal(mkdir(folder, 0700), 0);
    write_wav("s/cat_1.wav", 8000, 1, 800);
    write_wav("s/cat_2.wav", 16000, 1, 1600);
    write_wav("s/dog_1.wav", 8000, 1, 400);
    write_wav("s/dog_2.wav", 8000, 1, 2000);
    ImportOptions options = import_options(tmpdir_path("s.h5"), 1, (const char *[]){folder});
    options.seconds = 0.1;
    options.bands = 12;
    assert_fails_with(STATUS_USAGE, import_all("wav", &options, 1, NULL), "lies in no folder of a class");
    strcpy(options.label_from, "none"); /* to be predicted */
    assert_ok(import_all("wav", &options, 1, NULL));
    assert_ok(dataset_open(options.output, &dataset));
    assert_int_equal(dataset_info(dataset)->label_count, 0);
    assert_int_equal(dataset_info(dataset)->count[DATASET_TRAIN], 4);
    dataset_close(dataset);
    options.force = true;
    strcpy(options.label_from, "{label}_*");
    strcpy(options.match[DATASET_TEST], "dog_2*");
    tmpdir_write("val", "cat_2.wav\n", 10);
    snprintf(options.list[DATASET_VAL], IMPORT_TEXT, "%s", tmpdir_path("val"));
    assert_ok(import_all("wav", &options, 1, NULL));
    assert_ok(dataset_open(options.output, &dataset));
    const DatasetInfo *info = dataset_info(dataset);
    assert_true(shape_equal(&info->shape, &SHAPE(8, 12, 1)));
    assert_int_equal(info->count[DATASET_TRAIN], 2);
    assert_int_equal(info->count[DATASET_VAL], 1);
    assert_int_equal(info->count[DATASET_TEST], 1);
    assert_string_equal(info->class_names[0], "cat");
    /* The longer sound is cut: its begin is that of the shorter one, whose end is silence. */
    assert_ok(dataset_read(dataset, DATASET_TRAIN, &(uint64_t){1}, 1, NULL, x, (Real *[]){y}));
    assert_ok(dataset_read(dataset, DATASET_TEST, &(uint64_t){0}, 1, NULL, again, (Real *[]){y}));
    assert_true(y[0] == 1);
    assert_memory_equal(x, again, 2 * 12 * sizeof *x);
    assert_true(fabs((double)x[7 * 12] - log(1e-6)) < 1e-6 && again[7 * 12] > x[7 * 12]);
    dataset_close(dataset);
    options.force = true;
    strcpy(options.match[DATASET_TEST], "bird*");
    assert_fails_with(STATUS_USAGE, import_all("wav", &options, 1, NULL), "no file in");
    options.match[DATASET_TEST][0] = '\0';
    strcpy(options.label_from, "*-{label}");
    assert_fails(import_all("wav", &options, 1, NULL), "its name is not like *-{label}");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, tmpdir_setup, tmpdir_teardown)
    const struct CMUnitTest tests[] = {
        TEST(spectrogram_is_the_formula), TEST(resampled_sines), TEST(labels_in_names), TEST(wav_files),
        TEST(folder_of_sounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
