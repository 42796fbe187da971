/* SPDX-License-Identifier: Apache-2.0
 *
 * Log-mel spectrograms of sound (S. Davis, P. Mermelstein, "Comparison of parametric representations for monosyllabic
 * word recognition", 1980; the mel scale as in D. O'Shaughnessy, "Speech communication", 1987).
 *
 *     frame t       x[t H .. t H + W - 1] times a Hann window, w[n] = (1 - cos(2 pi n / W)) / 2,  t = 0 .. (N - W) / H
 *     power         P[t,k] = |sum_n frame[n] exp(-2 pi i n k / F)|^2,  k = 0 .. F/2,  F = the power of two from W on
 *     mel scale     mel(f) = 2595 log10(1 + f / 700)
 *     band b        a triangle over frequency: 0 at f_b, 1 at f_b+1, 0 at f_b+2, f_0 .. f_B+1 evenly spaced in mel from
 *                   0 to half the rate; m[b,k] its value at bin k, frequency k rate / F
 *     result        y[t,b] = ln(sum_k m[b,k] P[t,k] + 1e-6) */
#ifndef DATA_LOG_MEL_H
#define DATA_LOG_MEL_H
#include "base/status.h"
#include <stddef.h>

typedef struct LogMel {
    double rate;             /* samples/s */
    size_t samples;          /* N: of a sound */
    size_t window, hop, fft; /* W, H, F: samples */
    size_t frames, bands;    /* of the result */
    double *hann;            /* owned, [window] */
    double *mel;             /* owned, [bands][fft/2+1] */
    double *turn;            /* owned, [fft]: cos, sin of 2 pi k / fft, k < fft/2 */
} LogMel;

/* Of rate, seconds, window_ms, hop_ms, bands.  STATUS_USAGE: the sound is shorter than a window, no sample a hop, a
 * band between two bins, too large. */
Status log_mel_create(double rate, double seconds, double window_ms, double hop_ms, size_t bands, LogMel *out);
void log_mel_free(LogMel *mel); /* accepts a zeroed one */

/* y[frames][bands] of x[samples].  STATUS_FAILED: out of memory. */
Status log_mel_compute(const LogMel *mel, const float *x, float *y);

#endif
