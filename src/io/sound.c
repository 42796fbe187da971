/* SPDX-License-Identifier: Apache-2.0 */
#include "io/sound.h"
#include "base/memory.h"
#include <math.h>

void sound_free(Sound *sound) {
    memory_free(sound->samples);
    *sound = (Sound){0};
}

void sound_resample(const float *x, size_t count, double from, double to, float *y, size_t n) {
    enum { CROSSINGS = 16 };
    const double f = 0.95 * (to < from ? to / from : 1), half = CROSSINGS / f;
    for (size_t m = 0; m < n; m++) {
        double t = (double)m * from / to, sum = 0;
        double first = ceil(t - half) > 0 ? ceil(t - half) : 0, last = floor(t + half);
        last = last < (double)count - 1 ? last : (double)count - 1;
        for (double k = first; k <= last; k++) {
            double d = M_PI * f * (t - k), sinc = fabs(d) > 1e-9 ? sin(d) / d : 1;
            sum += x[(size_t)k] * f * sinc * (1 + cos(d / CROSSINGS)) / 2;
        }
        y[m] = (float)sum;
    }
}

#if HAVE_SNDFILE
#include <sndfile.h>

enum { CHANNELS_MOST = 64, RATE_MOST = 1000000, BLOCK = 4096 };

static Status open_sound(const char *path, SNDFILE **file, SF_INFO *info) {
    *info = (SF_INFO){0};
    *file = sf_open(path, SFM_READ, info);
    if (*file == NULL)
        return status_fail(STATUS_FAILED, "cannot read %s: %s", path, sf_strerror(NULL));
    if (info->channels >= 1 && info->channels <= CHANNELS_MOST && info->samplerate >= 1 &&
        info->samplerate <= RATE_MOST)
        return STATUS_OK;
    sf_close(*file);
    return status_fail(STATUS_FAILED, "%s is damaged: it says that it has %d channels at %d samples a second", path,
                       info->channels, info->samplerate);
}

Status sound_rate(const char *path, double *rate) {
    SNDFILE *file;
    SF_INFO info;
    TRY(open_sound(path, &file, &info));
    *rate = info.samplerate;
    sf_close(file);
    return STATUS_OK;
}

/* Until there are `most`, or the file ends. */
static Status read_mono(SNDFILE *file, size_t channels, size_t most, Sound *out) {
    float *block;
    TRY(memory_new(&block, BLOCK * channels, "sound"));
    for (sf_count_t got = 1; got > 0 && out->count < most; out->count += (size_t)got) {
        size_t want = most - out->count < BLOCK ? most - out->count : BLOCK;
        got = sf_readf_float(file, block, (sf_count_t)want);
        got = got > 0 ? got : 0;
        for (size_t i = 0; i < (size_t)got; i++) {
            double sum = 0;
            for (size_t c = 0; c < channels; c++)
                sum += block[i * channels + c];
            out->samples[out->count + i] = (float)(sum / (double)channels);
        }
    }
    memory_free(block);
    return STATUS_OK;
}

static Status check_samples(const char *path, const Sound *sound) {
    for (size_t i = 0; i < sound->count; i++)
        if (!(fabsf(sound->samples[i]) <= 1e6f)) /* files of floats may hold anything */
            return status_fail(STATUS_FAILED, "%s is damaged: sample %zu is %g", path, i, (double)sound->samples[i]);
    return sound->count > 0 ? STATUS_OK : status_fail(STATUS_FAILED, "%s holds no samples", path);
}

Status sound_read(const char *path, double seconds, Sound *out) {
    SNDFILE *file;
    SF_INFO info;
    *out = (Sound){0};
    TRY(open_sound(path, &file, &info));
    size_t most = (size_t)ceil(seconds * info.samplerate);
    out->rate = info.samplerate;
    Status status = memory_new(&out->samples, most, "sound");
    if (status == STATUS_OK)
        status = read_mono(file, (size_t)info.channels, most, out);
    if (status == STATUS_OK && sf_error(file) != SF_ERR_NO_ERROR)
        status = status_fail(STATUS_FAILED, "%s is damaged: %s", path, sf_strerror(file));
    if (status == STATUS_OK)
        status = check_samples(path, out);
    sf_close(file);
    if (status != STATUS_OK)
        sound_free(out);
    return status;
}
#else
static Status not_built(const char *path) {
    return status_fail(
        STATUS_FAILED,
        "cannot read %s: this program was built without libsndfile (Debian: libsndfile1-dev); install it and "
        "build again",
        path);
}

Status sound_rate(const char *path, double *rate) {
    *rate = 0;
    return not_built(path);
}

Status sound_read(const char *path, double seconds, Sound *out) {
    (void)seconds;
    *out = (Sound){0};
    return not_built(path);
}
#endif
