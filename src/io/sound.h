/* SPDX-License-Identifier: Apache-2.0
 *
 * Sound files: WAV, FLAC, AIFF, Ogg and what else libsndfile knows.  The only user of sndfile.h; a build without
 * libsndfile has the functions, which fail. */
#ifndef IO_SOUND_H
#define IO_SOUND_H
#include "base/status.h"
#include <stddef.h>

typedef struct Sound {
    float *samples; /* owned: mono (the mean of the channels), -1 to 1 */
    size_t count;
    double rate; /* samples/s */
} Sound;

/* Reads the first `seconds` of a file, or all of a shorter one; the header is not believed but for rate and channels.
 * STATUS_FAILED: missing, no sound file, damaged, no samples; the message names the file. */
Status sound_read(const char *path, double seconds, Sound *out);
void sound_free(Sound *sound); /* accepts a zeroed one */

/* *rate of a file, from its header. */
Status sound_rate(const char *path, double *rate);

/* Samples of rate `from` to samples at rate `to`, band-limited: x low-pass filtered at 0.95 of the lower Nyquist
 * frequency by a sinc under a Hann window of 16 zero crossings to each side (J. O. Smith, "Digital Audio
 * Resampling", 2002),
 *     y[m] = sum_k x[k] h(m from/to - k),   h(t) = f sinc(f t) (1 + cos(pi t f / 16)) / 2,   f = 0.95 min(1, to/from)
 * x is 0 outside.  Writes y[0 .. n-1]. */
void sound_resample(const float *x, size_t count, double from, double to, float *y, size_t n);

#endif
