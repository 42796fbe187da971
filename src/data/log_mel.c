/* SPDX-License-Identifier: Apache-2.0 */
#include "data/log_mel.h"
#include "base/memory.h"
#include <math.h>

enum { SAMPLES_MOST = 1 << 28, WINDOW_MOST = 1 << 20, BANDS_MOST = 4096 };
static const double FLOOR = 1e-6;

/* ---- tables ---- */

static double to_mel(double f) {
    return 2595 * log10(1 + f / 700);
}

static double from_mel(double mel) {
    return 700 * (pow(10, mel / 2595) - 1);
}

static Status fill_bands(LogMel *mel) {
    size_t bins = mel->fft / 2 + 1;
    double step = to_mel(mel->rate / 2) / (double)(mel->bands + 1);
    for (size_t b = 0; b < mel->bands; b++) {
        double low = from_mel((double)b * step), middle = from_mel((double)(b + 1) * step);
        double high = from_mel((double)(b + 2) * step), sum = 0;
        for (size_t k = 0; k < bins; k++) {
            double f = (double)k * mel->rate / (double)mel->fft;
            double up = (f - low) / (middle - low), down = (high - f) / (high - middle), value = up < down ? up : down;
            mel->mel[b * bins + k] = value > 0 ? value : 0;
            sum += mel->mel[b * bins + k];
        }
        if (sum == 0)
            return status_fail(STATUS_USAGE,
                               "--bands %zu are too many for a window of %zu samples: band %zu lies between two "
                               "frequencies. Ask for fewer bands or a longer --window.",
                               mel->bands, mel->window, b + 1);
    }
    return STATUS_OK;
}

static Status fill_tables(LogMel *mel) {
    TRY(memory_new(&mel->hann, mel->window, "window"));
    TRY(memory_new(&mel->turn, mel->fft, "spectrum"));
    TRY(memory_new(&mel->mel, mel->bands * (mel->fft / 2 + 1), "mel bands"));
    for (size_t n = 0; n < mel->window; n++)
        mel->hann[n] = (1 - cos(2 * M_PI * (double)n / (double)mel->window)) / 2;
    for (size_t k = 0; k < mel->fft / 2; k++) {
        mel->turn[2 * k] = cos(2 * M_PI * (double)k / (double)mel->fft);
        mel->turn[2 * k + 1] = sin(2 * M_PI * (double)k / (double)mel->fft);
    }
    return fill_bands(mel);
}

Status log_mel_create(double rate, double seconds, double window_ms, double hop_ms, size_t bands, LogMel *out) {
    double samples = round(rate * seconds), window = round(rate * window_ms / 1000), hop = round(rate * hop_ms / 1000);
    *out = (LogMel){0};
    if (!(samples <= SAMPLES_MOST) || !(window <= WINDOW_MOST) || !(hop <= WINDOW_MOST) || bands > BANDS_MOST)
        return status_fail(STATUS_USAGE,
                           "--seconds %g, --window %g, --hop %g or --bands %zu is too large at %g samples "
                           "a second",
                           seconds, window_ms, hop_ms, bands, rate);
    if (window < 2 || hop < 1 || bands < 1 || samples < window)
        return status_fail(STATUS_USAGE,
                           "--seconds %g, --window %g and --hop %g are %.0f, %.0f and %.0f samples: a "
                           "sound must not be shorter than a window, nor a hop than a sample",
                           seconds, window_ms, hop_ms, samples, window, hop);
    *out = (LogMel){.rate = rate,
                    .samples = (size_t)samples,
                    .window = (size_t)window,
                    .hop = (size_t)hop,
                    .fft = 2,
                    .bands = bands};
    while (out->fft < out->window)
        out->fft *= 2;
    out->frames = (out->samples - out->window) / out->hop + 1;
    Status status = fill_tables(out);
    if (status != STATUS_OK)
        log_mel_free(out);
    return status;
}

void log_mel_free(LogMel *mel) {
    memory_free(mel->hann);
    memory_free(mel->mel);
    memory_free(mel->turn);
    *mel = (LogMel){0};
}

/* ---- spectrum ---- */

/* z[n] (re, im) to its discrete Fourier transform, in place: Cooley and Tukey, radix 2, after a permutation of the
 * places by their reversed bits.  turn: as in LogMel. */
static void transform(double *z, size_t n, const double *turn) {
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        for (size_t part = 0; i < j && part < 2; part++) {
            double other = z[2 * i + part];
            z[2 * i + part] = z[2 * j + part];
            z[2 * j + part] = other;
        }
    }
    for (size_t half = 1; half < n; half *= 2)
        for (size_t begin = 0; begin < n; begin += 2 * half)
            for (size_t k = 0; k < half; k++) {
                const double *t = turn + 2 * (k * (n / (2 * half)));
                double *a = z + 2 * (begin + k), *b = a + 2 * half;
                double re = b[0] * t[0] + b[1] * t[1], im = b[1] * t[0] - b[0] * t[1]; /* times exp(-i angle) */
                b[0] = a[0] - re, b[1] = a[1] - im;
                a[0] += re, a[1] += im;
            }
}

Status log_mel_compute(const LogMel *mel, const float *x, float *y) {
    size_t bins = mel->fft / 2 + 1;
    double *z;
    TRY(memory_new(&z, 2 * mel->fft, "spectrum"));
    for (size_t t = 0; t < mel->frames; t++) {
        for (size_t n = 0; n < mel->fft; n++) {
            z[2 * n] = n < mel->window ? x[t * mel->hop + n] * mel->hann[n] : 0;
            z[2 * n + 1] = 0;
        }
        transform(z, mel->fft, mel->turn);
        for (size_t k = 0; k < bins; k++) /* power k at z[k], which is read no more */
            z[k] = z[2 * k] * z[2 * k] + z[2 * k + 1] * z[2 * k + 1];
        for (size_t b = 0; b < mel->bands; b++) {
            double sum = FLOOR;
            for (size_t k = 0; k < bins; k++)
                sum += mel->mel[b * bins + k] * z[k];
            y[t * mel->bands + b] = (float)log(sum);
        }
    }
    memory_free(z);
    return STATUS_OK;
}
