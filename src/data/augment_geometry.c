/* SPDX-License-Identifier: Apache-2.0
 *
 * Moves of pixels: joined as maps from the output to the source, then done at once, by copies of rows where that is
 * enough. */
#include "data/augment_internal.h"
#include <math.h>
#include <string.h>

long augment__border(long i, long n, AugmentFill fill) {
    if (i >= 0 && i < n)
        return i;
    long period = fill == FILL_REFLECT ? 2 * n : fill == FILL_MIRROR ? 2 * n - 2 : n;
    long inside = period > 0 ? (i % period + period) % period : 0;
    switch (fill) {
    case FILL_NEAREST:
        return i < 0 ? 0 : n - 1;
    case FILL_REFLECT:
        return inside < n ? inside : period - 1 - inside;
    case FILL_MIRROR:
        return inside < n ? inside : period - inside;
    case FILL_WRAP:
        return inside;
    default:
        return -1;
    }
}

/* ---- joining ---- */

static bool same_edge(const AugmentOperation *a, const AugmentOperation *b) {
    return a == b || (a->fill == b->fill && a->fill_value == b->fill_value && a->nearest == b->nearest &&
                      memcmp(&a->units, &b->units, sizeof a->units) == 0);
}

/* Output pixel p of the new move is pixel map(p) of the image as the waiting moves leave it. */
static void join(AugmentImage *image, const double map[6], const AugmentOperation *edge) {
    if (edge && (image->boxed || (image->edge && !same_edge(image->edge, edge))))
        augment__settle(image);
    double m[6] = {1, 0, 0, 0, 1, 0};
    if (image->moved)
        memcpy(m, image->map.m, sizeof m);
    image->map = (AugmentMap){{m[0] * map[0] + m[1] * map[3], m[0] * map[1] + m[1] * map[4],
                               m[0] * map[2] + m[1] * map[5] + m[2], m[3] * map[0] + m[4] * map[3],
                               m[3] * map[1] + m[4] * map[4], m[3] * map[2] + m[4] * map[5] + m[5]}};
    image->edge = edge ? edge : image->edge;
    image->moved = true;
}

/* The map p -> a (p - c) + c. */
static void join_about(AugmentImage *image, const AugmentOperation *edge, const double a[4], double cx, double cy) {
    double map[6] = {a[0], a[1], cx - a[0] * cx - a[1] * cy, a[2], a[3], cy - a[2] * cx - a[3] * cy};
    join(image, map, edge);
}

static double center_x(const AugmentImage *image) {
    return ((double)image->width - 1) / 2;
}

static double center_y(const AugmentImage *image) {
    return ((double)image->height - 1) / 2;
}

void augment__flip(AugmentImage *image, bool vertical) {
    double a[4] = {vertical ? 1 : -1, 0, 0, vertical ? -1 : 1};
    join_about(image, NULL, a, center_x(image), center_y(image));
}

void augment__shift(AugmentImage *image, const AugmentOperation *edge, double dx, double dy) {
    double map[6] = {1, 0, -dx, 0, 1, -dy};
    join(image, map, edge);
}

void augment__rotate(AugmentImage *image, const AugmentOperation *edge, double degrees) {
    double angle = degrees * (3.14159265358979323846 / 180), c = cos(angle), s = sin(angle);
    double a[4] = {c, -s, s, c};
    join_about(image, edge, a, center_x(image), center_y(image));
}

void augment__shear(AugmentImage *image, const AugmentOperation *edge, double a, double b, double cx, double cy) {
    double map[4] = {1 + a * b, a, b, 1};
    join_about(image, edge, map, cx, cy);
}

void augment__zoom(AugmentImage *image, const AugmentOperation *edge, double fx, double fy) {
    double a[4] = {1 / fx, 0, 0, 1 / fy};
    join_about(image, edge, a, center_x(image), center_y(image));
}

/* Pixel centres of the output lie at (p + 1/2) h / H - 1/2 of the part (half-pixel centres). */
void augment__resized_crop(AugmentImage *image, const AugmentOperation *edge, const double box[4]) {
    double sy = box[2] / (double)image->height, sx = box[3] / (double)image->width;
    double map[6] = {sx, 0, box[1] + sx / 2 - 0.5, 0, sy, box[0] + sy / 2 - 0.5};
    double corner[2][2] = {{box[1], box[0]}, {box[1] + box[3] - 1, box[0] + box[2] - 1}}; /* of the part: x, y */
    if (image->moved && image->edge)
        augment__settle(image);
    if (!image->moved)
        image->map = (AugmentMap){{1, 0, 0, 0, 1, 0}};
    for (int k = 0; k < 2; k++) { /* what waits is flips: the part in the source */
        const double *m = image->map.m + 3 * k;
        double first = m[0] * corner[0][0] + m[1] * corner[0][1] + m[2];
        double last = m[0] * corner[1][0] + m[1] * corner[1][1] + m[2];
        image->box[k][0] = fmin(first, last);
        image->box[k][1] = fmax(first, last);
    }
    image->boxed = false;
    join(image, map, edge);
    image->boxed = true;
}

/* ---- whole pixels: copies ---- */

static bool is_whole(double v) {
    return fabs(v - nearbyint(v)) < 1e-9;
}

/* Rows stay rows, pixels stay pixels. */
static bool is_copy(const AugmentImage *image) {
    const double *m = image->map.m;
    return fabs(fabs(m[0]) - 1) < 1e-12 && fabs(fabs(m[4]) - 1) < 1e-12 && fabs(m[1]) < 1e-12 && fabs(m[3]) < 1e-12 &&
           is_whole(m[2]) && is_whole(m[5]) && !image->boxed;
}

static bool is_identity(const AugmentImage *image) {
    const double *m = image->map.m;
    return is_copy(image) && m[0] > 0 && m[4] > 0 && fabs(m[2]) < 0.5 && fabs(m[5]) < 0.5;
}

/* The fill value of each channel. */
static void fill_pixel(const AugmentImage *image, float *fill) {
    const AugmentOperation *edge = image->edge;
    for (size_t c = 0; c < image->channels; c++) {
        const AugmentUnits *units = edge ? &edge->units : NULL;
        size_t k = units && units->channels > 1 ? c : 0;
        fill[c] = units == NULL          ? 0
                  : units->channels == 0 ? (float)edge->fill_value * image->max
                                         : (float)((edge->fill_value - units->offset[k]) / units->scale[k]);
    }
}

/* to[i] = from[-i], n pixels of `size` bytes; inline, so that the usual sizes become moves of registers. */
static inline void reverse(char *to, const char *from, long n, size_t size) {
    for (long i = 0; i < n; i++)
        memcpy(to + (size_t)i * size, from - (size_t)i * size, size);
}

static void copy_run(char *to, const char *from, long n, size_t size, bool backwards) {
    if (!backwards)
        memcpy(to, from, (size_t)n * size);
    else if (size == 1)
        reverse(to, from, n, 1);
    else if (size == 3)
        reverse(to, from, n, 3);
    else if (size == 4)
        reverse(to, from, n, 4);
    else if (size == 12)
        reverse(to, from, n, 12);
    else
        reverse(to, from, n, size);
}

/* Row of w pixels: to[x] = from[step x + shift], outside as `fill` says; blank: the fill value's pixel. */
static void copy_row(char *to, const char *from, long w, size_t size, long step, long shift, AugmentFill fill,
                     const char *blank) {
    long first = step > 0 ? -shift : shift - w + 1,
         last = step > 0 ? w - shift : shift + 1; /* inside: first .. last-1 */
    first = first < 0 ? 0 : first > w ? w : first;
    last = last < first ? first : last > w ? w : last;
    if (last > first)
        copy_run(to + (size_t)first * size, from + (size_t)(step * first + shift) * size, last - first, size, step < 0);
    for (long x = 0; x < w; x++) {
        if (x == first && last > first)
            x = last;
        if (x >= w)
            break;
        long source = augment__border(step * x + shift, w, fill);
        memcpy(to + (size_t)x * size, source < 0 ? blank : from + (size_t)source * size, size);
    }
}

static void copy(AugmentImage *image) {
    enum { MOST = PREPROCESS_CHANNELS };
    const double *m = image->map.m;
    size_t size = image->channels * (image->bytes ? 1 : sizeof(float)), row = image->width * size;
    long w = (long)image->width, h = (long)image->height, shift[2] = {lrint(m[2]), lrint(m[5])};
    long step[2] = {m[0] > 0 ? 1 : -1, m[4] > 0 ? 1 : -1};
    AugmentFill fill = image->edge ? image->edge->fill : FILL_NEAREST;
    float value[MOST];
    uint8_t levels[MOST];
    fill_pixel(image, value);
    for (size_t c = 0; c < image->channels; c++)
        levels[c] = (uint8_t)lrintf(value[c] < 0 ? 0 : value[c] > 255 ? 255 : value[c]);
    const char *blank = image->bytes ? (const char *)levels : (const char *)value, *from = image->pixels;
    char *to = augment__spare(image);
    for (long y = 0; y < h; y++) {
        long source = augment__border(step[1] * y + shift[1], h, fill);
        if (source >= 0)
            copy_row(to + (size_t)y * row, from + (size_t)source * row, w, size, step[0], shift[0], fill, blank);
        for (long x = 0; source < 0 && x < w; x++)
            memcpy(to + (size_t)y * row + (size_t)x * size, blank, size);
    }
    image->pixels = to;
}

/* ---- resampling ---- */

typedef struct Source {
    const float *pixels, *blank;
    long height, width;
    size_t channels;
    AugmentFill fill;
} Source;

static const float *pixel_at(const Source *s, long x, long y) {
    x = augment__border(x, s->width, s->fill);
    y = augment__border(y, s->height, s->fill);
    return x < 0 || y < 0 ? s->blank : s->pixels + (size_t)(y * s->width + x) * s->channels;
}

/* Bilinear; `channels` is a constant where it is inlined. */
static inline void sample(const Source *s, double x, double y, size_t channels, float *out) {
    double left = floor(x), top = floor(y);
    long i = (long)left, j = (long)top;
    float tx = (float)(x - left), ty = (float)(y - top);
    const float *a, *b, *c, *d;
    if (i >= 0 && j >= 0 && i + 1 < s->width && j + 1 < s->height) {
        a = s->pixels + (size_t)(j * s->width + i) * channels;
        b = a + channels;
        c = a + (size_t)s->width * channels;
        d = c + channels;
    } else {
        a = pixel_at(s, i, j), b = pixel_at(s, i + 1, j);
        c = pixel_at(s, i, j + 1), d = pixel_at(s, i + 1, j + 1);
    }
    for (size_t k = 0; k < channels; k++) {
        float above = a[k] + tx * (b[k] - a[k]), below = c[k] + tx * (d[k] - c[k]);
        out[k] = above + ty * (below - above);
    }
}

/* Far outside it does not matter where: keeps coordinates in the range of a long. */
static double within(double v, double low, double high) {
    return v > low ? v < high ? v : high : low;
}

static void resample(AugmentImage *image) {
    enum { FAR = 1 << 30 };
    const double *m = image->map.m;
    float blank[PREPROCESS_CHANNELS];
    double low[2] = {-FAR, -FAR}, high[2] = {FAR, FAR};
    fill_pixel(image, blank);
    size_t channels = image->channels;
    Source s = {.blank = blank, .channels = channels, .fill = image->edge ? image->edge->fill : FILL_NEAREST};
    s.height = (long)image->height, s.width = (long)image->width;
    for (int k = 0; k < 2 && image->boxed; k++)
        low[k] = image->box[k][0], high[k] = image->box[k][1];
    s.fill = image->boxed ? FILL_NEAREST : s.fill;
    s.pixels = augment__floats(image);
    float *out = augment__spare(image), *to = out;
    bool nearest = image->edge && image->edge->nearest;
    for (size_t y = 0; y < image->height; y++)
        for (size_t x = 0; x < image->width; x++, to += channels) {
            double px = within(m[0] * (double)x + m[1] * (double)y + m[2], low[0], high[0]);
            double py = within(m[3] * (double)x + m[4] * (double)y + m[5], low[1], high[1]);
            if (nearest)
                memcpy(to, pixel_at(&s, (long)floor(px + 0.5), (long)floor(py + 0.5)), channels * sizeof *to);
            else if (channels == 1)
                sample(&s, px, py, 1, to);
            else if (channels == 3)
                sample(&s, px, py, 3, to);
            else
                sample(&s, px, py, channels, to);
        }
    image->pixels = out;
}

void augment__settle(AugmentImage *image) {
    if (image->moved && !is_identity(image)) {
        if (is_copy(image))
            copy(image);
        else
            resample(image);
    }
    image->moved = image->boxed = false;
    image->edge = NULL;
}
