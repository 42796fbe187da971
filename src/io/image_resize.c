/* SPDX-License-Identifier: Apache-2.0
 *
 * The triangle filter, first down the columns, then along the rows, in integers of 16 bits, eight at a time: the bits
 * are the same on every CPU. */
#include "base/memory.h"
#include "io/image_internal.h"
#include <math.h>
#include <string.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

const char *const image_fits[IMAGE_FITS + 1] = {"crop", "pad", "squash", NULL};

/* ---- eight numbers ---- */

/* Samples between the passes are 256 times those of pixels, weights 65536 times.  A vector's product is cut off, half a
 * unit too small on average: that is added beforehand for each tap.  Of FEW_TAPS this is an error of at most 1/16 of a
 * pixel's unit, for black; sums of more are made one by one, exactly. */
enum { LANES = 8, SAMPLE_ONE = 256, WEIGHT_ONE = 65536, FEW_TAPS = 32 };
typedef uint16_t Lanes __attribute__((vector_size(2 * LANES), may_alias));

#define INLINE static inline __attribute__((always_inline))

#ifdef __SSE2__ /* every x86-64; few compilers find these instructions in what stands behind #else */
/* a * weight / WEIGHT_ONE */
INLINE Lanes times(Lanes a, Lanes weight) {
    return (Lanes)_mm_mulhi_epu16((__m128i)a, (__m128i)weight);
}

/* a + b, at most UINT16_MAX. */
INLINE Lanes plus(Lanes a, Lanes b) {
    return (Lanes)_mm_adds_epu16((__m128i)a, (__m128i)b);
}

/* 16 samples of pixels, times SAMPLE_ONE. */
INLINE void widen(const uint8_t *from, Lanes *low, Lanes *high) {
    __m128i samples = _mm_loadu_si128((const __m128i *)from), zero = _mm_setzero_si128();
    *low = (Lanes)_mm_unpacklo_epi8(zero, samples);
    *high = (Lanes)_mm_unpackhi_epi8(zero, samples);
}

/* to[4] = (lanes 0 to 3 plus lanes 3 to 6) / SAMPLE_ONE */
INLINE void fold(Lanes sum, uint8_t to[4]) {
    Lanes both = plus(sum, (Lanes)_mm_srli_si128((__m128i)sum, 6)) / SAMPLE_ONE;
    int pixel = _mm_cvtsi128_si32(_mm_packus_epi16((__m128i)both, (__m128i)both));
    memcpy(to, &pixel, sizeof pixel);
}
#else
INLINE Lanes times(Lanes a, Lanes weight) {
    typedef uint32_t Four __attribute__((vector_size(2 * LANES)));
    Four x = (Four)a, w = (Four)weight, odd = (x >> 16) * (w >> 16), even = (x & UINT16_MAX) * (w & UINT16_MAX);
    return (Lanes)((odd & ~(Four){0} << 16) | even >> 16);
}

INLINE Lanes plus(Lanes a, Lanes b) {
    return (a + b) | (Lanes)(a + b < a);
}

INLINE void widen(const uint8_t *from, Lanes *low, Lanes *high) {
    typedef uint8_t Bytes __attribute__((vector_size(LANES)));
    Bytes bytes[2];
    memcpy(bytes, from, sizeof bytes);
    *low = __builtin_convertvector(bytes[0], Lanes) * SAMPLE_ONE;
    *high = __builtin_convertvector(bytes[1], Lanes) * SAMPLE_ONE;
}

INLINE void fold(Lanes sum, uint8_t to[4]) {
    for (size_t c = 0; c < 4; c++) {
        unsigned both = (unsigned)sum[c] + sum[c + 3];
        to[c] = (uint8_t)((both < UINT16_MAX ? both : UINT16_MAX) / SAMPLE_ONE);
    }
}
#endif

/* ---- weights ---- */

/* Which input samples make the output samples of one axis. */
typedef struct Axis {
    size_t count, taps; /* output samples; input samples for each */
    size_t *first;      /* [count] number of the first of them, rising */
    uint16_t *weight;   /* [count][taps] */
} Axis;

static void axis_free(Axis *axis) {
    memory_free(axis->first);
    memory_free(axis->weight);
}

static double triangle(double distance) {
    distance = distance < 0 ? -distance : distance;
    return distance < 1 ? 1 - distance : 0;
}

/* The weights of an output sample, whose sum is WEIGHT_ONE: each is the difference of rounded partial sums. */
static void weigh(double first, double centre, double reach, size_t taps, uint16_t *weight) {
    double sum = 0, part = 0;
    unsigned before = 0;
    for (size_t k = 0; k < taps; k++)
        sum += triangle((first + (double)k + 0.5 - centre) / reach);
    for (size_t k = 0; k < taps; k++) {
        part += triangle((first + (double)k + 0.5 - centre) / reach);
        unsigned now = (unsigned)(part / sum * WEIGHT_ONE + 0.5);
        weight[k] = (uint16_t)(now - before < WEIGHT_ONE ? now - before : WEIGHT_ONE - 1);
        before = now;
    }
}

/* Of `input` samples, those from..from+length become `count`.  Taps stay within the input. */
static Status axis_make(size_t input, double from, double length, size_t count, Axis *axis) {
    double scale = length / (double)count, reach = fmax(scale, 1);
    size_t taps = (size_t)ceil(2 * reach);
    *axis = (Axis){.count = count, .taps = taps < input ? taps : input};
    TRY(memory_new(&axis->first, count, "resizing a picture"));
    TRY(memory_new(&axis->weight, count * axis->taps, "resizing a picture"));
    for (size_t i = 0; i < count; i++) {
        double centre = from + ((double)i + 0.5) * scale;
        double first = fmin(fmax(floor(centre - reach - 0.5) + 1, 0), (double)(input - axis->taps));
        axis->first[i] = (size_t)first;
        weigh(first, centre, reach, axis->taps, axis->weight + i * axis->taps);
    }
    return STATUS_OK;
}

/* ---- down the columns ---- */

enum { BLOCK = 4 * LANES };

/* sum[BLOCK] = the weighted sum of `taps` rows, `step` apart. */
INLINE void add_block(const uint8_t *from, size_t step, const Lanes *weight, size_t taps, uint16_t *sum) {
    Lanes part[4] = {0}, low, high;
    part[0] = part[1] = part[2] = part[3] = (uint16_t)(taps / 2) - part[0];
    for (size_t k = 0; k < taps; k++, from += step) {
        widen(from, &low, &high);
        part[0] = plus(part[0], times(low, weight[k]));
        part[1] = plus(part[1], times(high, weight[k]));
        widen(from + 2 * LANES, &low, &high);
        part[2] = plus(part[2], times(low, weight[k]));
        part[3] = plus(part[3], times(high, weight[k]));
    }
    for (size_t i = 0; i < 4; i++)
        memcpy(sum + i * LANES, &part[i], sizeof *part);
}

/* sum[n] = the weighted sum of `taps` rows of n samples, `step` apart. */
static void add_rows(const uint8_t *rows, size_t step, const Lanes *weight, size_t taps, size_t n, uint16_t *sum) {
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t at = i + BLOCK <= n ? i : n - BLOCK; /* some of the last ones once more */
        add_block(rows + at, step, weight, taps, sum + at);
    }
}

#ifdef __SSE2__
/* The same, the same bits, with vectors of 32 bytes.  Halves of a vector are unpacked each by itself, and put in order
 * at the end. */
__attribute__((target("avx2"))) static void add_rows_avx2(const uint8_t *rows, size_t step, const Lanes *weight,
                                                          size_t taps, size_t n, uint16_t *sum) {
    const __m256i zero = _mm256_setzero_si256(), start = _mm256_set1_epi16((short)(taps / 2));
    for (size_t i = 0; i < n; i += BLOCK) {
        size_t at = i + BLOCK <= n ? i : n - BLOCK;
        __m256i low = start, high = start;
        for (size_t k = 0; k < taps; k++) {
            __m256i samples = _mm256_loadu_si256((const __m256i *)(rows + k * step + at));
            __m256i all = _mm256_broadcastsi128_si256((__m128i)weight[k]);
            low = _mm256_adds_epu16(low, _mm256_mulhi_epu16(_mm256_unpacklo_epi8(zero, samples), all));
            high = _mm256_adds_epu16(high, _mm256_mulhi_epu16(_mm256_unpackhi_epi8(zero, samples), all));
        }
        _mm256_storeu_si256((__m256i *)(sum + at), _mm256_permute2x128_si256(low, high, 0x20));
        _mm256_storeu_si256((__m256i *)(sum + at + BLOCK / 2), _mm256_permute2x128_si256(low, high, 0x31));
    }
}
#endif

/* For many taps, and for less than a block. */
static void add_rows_exactly(const uint8_t *rows, size_t step, const Lanes *weight, size_t taps, size_t n,
                             uint16_t *sum) {
    enum { PART = 256 };
    for (size_t i = 0; i < n; i += PART) {
        size_t some = n - i < PART ? n - i : PART;
        uint32_t exact[PART] = {0};
        for (size_t k = 0; k < taps; k++)
            for (size_t j = 0; j < some; j++)
                exact[j] += (uint32_t)rows[k * step + i + j] * weight[k][0];
        for (size_t j = 0; j < some; j++)
            sum[i + j] = (uint16_t)((exact[j] + SAMPLE_ONE / 2) / SAMPLE_ONE);
    }
}

typedef void AddRows(const uint8_t *rows, size_t step, const Lanes *weight, size_t taps, size_t n, uint16_t *sum);

static AddRows *choose_add_rows(size_t taps, size_t n) {
    if (n < BLOCK || taps > FEW_TAPS)
        return add_rows_exactly;
#ifdef __SSE2__
    if (__builtin_cpu_supports("avx2"))
        return add_rows_avx2;
#endif
    return add_rows;
}

/* ---- along the rows ---- */

/* Two neighbouring pixels at a time: weight[count][pairs] has a number of each three times, then two that do not
 * count. */
INLINE void add_pairs(const Axis *axis, size_t pairs, const Lanes *weight, const uint16_t *row, uint8_t *to) {
    const uint16_t half = (uint16_t)(axis->taps / 2 + SAMPLE_ONE / 2);
    const Lanes start = {half, half, half};
    for (size_t i = 0; i < axis->count; i++) {
        const uint16_t *from = row + (axis->first[i] - axis->first[0]) * 3;
        Lanes sum = start, two;
        uint8_t pixel[4];
        for (size_t p = 0; p < pairs; p++, from += 6, weight++) {
            memcpy(&two, from, sizeof two);
            sum = plus(sum, times(two, *weight));
        }
        fold(sum, pixel);
        if (i + 1 < axis->count)
            memcpy(to + i * 3, pixel, 4); /* the next one overwrites the fourth */
        else
            memcpy(to + i * 3, pixel, 3);
    }
}

/* The usual numbers of taps are compiled without a loop. */
static void add_columns(const Axis *axis, const Lanes *weight, const uint16_t *row, uint8_t *to) {
    size_t pairs = (axis->taps + 1) / 2;
    switch (pairs) {
    case 1:
        add_pairs(axis, 1, weight, row, to);
        break;
    case 2:
        add_pairs(axis, 2, weight, row, to);
        break;
    case 3:
        add_pairs(axis, 3, weight, row, to);
        break;
    default:
        add_pairs(axis, pairs, weight, row, to);
    }
}

/* For many taps, and for grey. */
static void add_columns_exactly(const Axis *axis, size_t channels, const uint16_t *row, uint8_t *to) {
    const uint16_t *weight = axis->weight;
    for (size_t i = 0; i < axis->count; i++, weight += axis->taps)
        for (size_t c = 0; c < channels; c++) {
            const uint16_t *from = row + (axis->first[i] - axis->first[0]) * channels + c;
            uint32_t sum = SAMPLE_ONE / 2 * WEIGHT_ONE;
            for (size_t k = 0; k < axis->taps; k++)
                sum += (uint32_t)from[k * channels] * weight[k];
            to[i * channels + c] = (uint8_t)(sum / WEIGHT_ONE / SAMPLE_ONE);
        }
}

/* ---- both ---- */

/* Owned. */
typedef struct Buffers {
    uint16_t *row;       /* what the first pass made, and some more that are read and do not count */
    Lanes *down, *along; /* weights: of one row; as add_pairs wants them */
} Buffers;

static Status make_buffers(size_t samples, const Axis *down, const Axis *along, Buffers *buffers) {
    size_t pairs = (along->taps + 1) / 2;
    TRY(memory_new(&buffers->row, samples + BLOCK, "resizing a picture"));
    TRY(memory_new(&buffers->down, down->taps, "resizing a picture"));
    TRY(memory_new(&buffers->along, along->count * pairs, "resizing a picture"));
    for (size_t i = 0; i < along->count; i++)
        for (size_t p = 0; p < pairs; p++) {
            const uint16_t *weight = along->weight + i * along->taps + 2 * p;
            uint16_t a = weight[0], b = 2 * p + 1 < along->taps ? weight[1] : 0;
            buffers->along[i * pairs + p] = (Lanes){a, a, a, b, b, b};
        }
    return STATUS_OK;
}

static void filter(const Image *image, const Axis *down, const Axis *along, const Buffers *buffers, uint8_t *to,
                   size_t to_step) {
    size_t channels = image->channels, step = image->width * channels;
    size_t low = along->first[0], high = along->first[along->count - 1] + along->taps; /* columns that are read */
    size_t samples = (high - low) * channels;
    AddRows *add = choose_add_rows(down->taps, samples);
    for (size_t i = 0; i < down->count; i++, to += to_step) {
        const uint8_t *rows = image->pixels + down->first[i] * step + low * channels;
        for (size_t k = 0; k < down->taps; k++)
            buffers->down[k] = down->weight[i * down->taps + k] - (Lanes){0};
        add(rows, step, buffers->down, down->taps, samples, buffers->row);
        if (channels == 1 || along->taps > FEW_TAPS)
            add_columns_exactly(along, channels, buffers->row, to);
        else
            add_columns(along, buffers->along, buffers->row, to);
    }
}

/* A part of an image, in pixels and fractions of pixels. */
typedef struct Box {
    double top, left, height, width;
} Box;

/* `box` of the image becomes height x width pixels at `to`, whose rows lie to_step bytes apart. */
static Status resample(const Image *image, Box box, size_t height, size_t width, uint8_t *to, size_t to_step) {
    Axis down, along = {0};
    Buffers buffers = {0};
    Status status = axis_make(image->height, box.top, box.height, height, &down);
    if (status == STATUS_OK)
        status = axis_make(image->width, box.left, box.width, width, &along);
    if (status == STATUS_OK)
        status = make_buffers(image->width * image->channels, &down, &along, &buffers);
    if (status == STATUS_OK)
        filter(image, &down, &along, &buffers, to, to_step);
    memory_free(buffers.row);
    memory_free(buffers.down);
    memory_free(buffers.along);
    axis_free(&along);
    axis_free(&down);
    return status;
}

/* The largest part of height x width pixels, in the middle, with the proportions of out_height x out_width. */
static Box middle(size_t height, size_t width, size_t out_height, size_t out_width) {
    Box box = {.height = (double)height, .width = (double)width};
    double ratio = (double)out_width / (double)out_height;
    if (box.width > ratio * box.height)
        box.width = ratio * box.height;
    else
        box.height = box.width / ratio;
    box.top = ((double)height - box.height) / 2;
    box.left = ((double)width - box.width) / 2;
    return box;
}

void image__columns(const ImageTarget *target, size_t height, size_t width, size_t *low, size_t *high) {
    *low = 0;
    *high = width;
    if (target->fit != IMAGE_CROP || (target->height == height && target->width == width))
        return;
    Box box = middle(height, width, target->height, target->width);
    double reach = fmax(box.width / (double)target->width, 1) + 1;
    *low = (size_t)fmax(0, floor(box.left - reach));
    *high = (size_t)fmin((double)width, ceil(box.left + box.width + reach));
}

static Status crop(const Image *image, Image *out) {
    Box box = middle(image->height, image->width, out->height, out->width);
    return resample(image, box, out->height, out->width, out->pixels, out->width * out->channels);
}

static Status pad(const Image *image, Image *out) {
    double h = (double)image->height, w = (double)image->width;
    size_t height = out->height, width = out->width, step = width * out->channels;
    if (w * (double)height > h * (double)width) /* the wider of the two: black above and below */
        height = (size_t)fmax(1, rint(h / w * (double)width));
    else
        width = (size_t)fmax(1, rint(w / h * (double)height));
    size_t top = (size_t)rint((double)(out->height - height) / 2),
           left = (size_t)rint((double)(out->width - width) / 2);
    memset(out->pixels, 0, out->height * step);
    return resample(image, (Box){0, 0, h, w}, height, width, out->pixels + top * step + left * out->channels, step);
}

Status image_resize(const Image *image, size_t height, size_t width, ImageFit fit, Image *out) {
    CHECK(image->channels == 1 || image->channels == 3, "%zu channels", image->channels);
    TRY(image__make_room("a resized picture", height, width, image->channels, out));
    if (height == image->height && width == image->width) {
        memcpy(out->pixels, image->pixels, height * width * image->channels);
        return STATUS_OK;
    }
    if (fit == IMAGE_CROP)
        return crop(image, out);
    if (fit == IMAGE_PAD)
        return pad(image, out);
    Box all = {.height = (double)image->height, .width = (double)image->width};
    return resample(image, all, height, width, out->pixels, width * out->channels);
}
