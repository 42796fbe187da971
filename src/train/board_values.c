/* SPDX-License-Identifier: Apache-2.0
 *
 * Histograms and images: HistogramProto and Summary.Image of tensorflow/core/framework/summary.proto. */
#include "base/memory.h"
#include "io/picture.h"
#include "train/board_internal.h"
#include <math.h>
#include <stdio.h>

enum {
    BUCKETS = 30, /* as TensorBoard draws */
    HISTOGRAM_MIN = 1,
    HISTOGRAM_MAX = 2,
    HISTOGRAM_NUMBER = 3,
    HISTOGRAM_SUM = 4,
    HISTOGRAM_SQUARES = 5,
    HISTOGRAM_LIMITS = 6, /* upper ends */
    HISTOGRAM_COUNTS = 7,
    IMAGE_HEIGHT = 1,
    IMAGE_WIDTH = 2,
    IMAGE_COLOURS = 3,
    IMAGE_PNG = 4
};
enum { INPUT_COUNT = 8, INPUT_PIXELS = 1 << 18, FILTER_COUNT = 64, INPUT_SIDE = 96, FILTER_SIDE = 48 };

/* ---- histograms -------------------------------------------------------------------------------------------------- */

typedef struct Histogram {
    double min, max, number, sum, squares, counts[BUCKETS];
} Histogram;

/* Of the values that are numbers; buckets of one width from the least to the largest. */
static Histogram count(const Real *values, size_t n, double scale) {
    Histogram h = {.min = INFINITY, .max = -INFINITY};
    for (size_t i = 0; i < n; i++) {
        double v = scale * (double)values[i];
        if (!isfinite(v))
            continue;
        h.min = v < h.min ? v : h.min;
        h.max = v > h.max ? v : h.max;
        h.sum += v;
        h.squares += v * v;
        h.number++;
    }
    double per_bucket = h.max > h.min ? BUCKETS / (h.max - h.min) : 0;
    for (size_t i = 0; i < n; i++) {
        double v = scale * (double)values[i];
        int bucket = isfinite(v) ? (int)((v - h.min) * per_bucket) : -1;
        if (bucket >= 0)
            h.counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
    }
    return h;
}

void board__histogram(Message *records, uint64_t epoch, const char *group, const ParamSpec *of, const Real *values,
                      size_t n, double scale) {
    char tag[BOARD_TAG];
    double limits[BUCKETS];
    size_t summary;
    Histogram h = count(values, n, scale);
    if (h.number == 0)
        return;
    for (int i = 0; i < BUCKETS; i++)
        limits[i] = i + 1 < BUCKETS ? h.min + (h.max - h.min) * (i + 1) / BUCKETS : h.max;
    snprintf(tag, sizeof tag, "%s/%s/%s", group, of->layer, of->name);
    size_t event = event_begin(records, (int64_t)epoch), value = board__value(records, tag, &summary);
    size_t histogram = message_begin(records, VALUE_HISTOGRAM);
    message_double(records, HISTOGRAM_MIN, h.min);
    message_double(records, HISTOGRAM_MAX, h.max);
    message_double(records, HISTOGRAM_NUMBER, h.number);
    message_double(records, HISTOGRAM_SUM, h.sum);
    message_double(records, HISTOGRAM_SQUARES, h.squares);
    message_doubles(records, HISTOGRAM_LIMITS, limits, BUCKETS);
    message_doubles(records, HISTOGRAM_COUNTS, h.counts, BUCKETS);
    message_end(records, histogram);
    message_end(records, value);
    message_end(records, summary);
    event_end(records, event);
}

void board_gradients(Board *board, uint64_t epoch, const Graph *graph, const Real *sums, double weight) {
    if (!board_wants_epoch(board, epoch) || weight == 0)
        return;
    for (size_t p = 0; p < graph->param_count; p++)
        if (graph->params[p].spec.role == PARAM_TRAINED)
            board__histogram(&board->files[BOARD_TRAIN].pending, epoch, "gradients", &graph->params[p].spec,
                             sums + graph->params[p].offset, graph->params[p].count, 1 / weight);
}

/* ---- images ------------------------------------------------------------------------------------------------------ */

/* A number of the eight bytes that begin the header of a PNG file (PNG specification, 11.2.2). */
static int64_t png_number(const unsigned char *at) {
    return (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* A record of the cells, side by side.  A build without cairo has no images; nor has an epoch without memory. */
static void put_images(Message *records, uint64_t epoch, const char *tag, const PictureCell *cells, size_t n,
                       size_t side) {
    unsigned char *png;
    size_t size, summary;
    if (picture_png(&(PictureSheet){.cells = cells, .count = n, .side = side}, tag, &png, &size) != STATUS_OK)
        return;
    size_t event = event_begin(records, (int64_t)epoch), value = board__value(records, tag, &summary);
    size_t image = message_begin(records, VALUE_IMAGE);
    message_integer(records, IMAGE_WIDTH, png_number(png + 16));
    message_integer(records, IMAGE_HEIGHT, png_number(png + 20));
    message_integer(records, IMAGE_COLOURS, 3);
    message_bytes(records, IMAGE_PNG, png, size);
    message_end(records, image);
    message_end(records, value);
    message_end(records, summary);
    event_end(records, event);
    memory_free(png);
}

/* n tensors [height][width][channels] as pixels: `low` is black, `high` white; element i of tensor k is
 * x[k * tensor + i * step]. */
typedef struct Tensors {
    size_t n, height, width, channels, tensor, step;
    const Real *x;
    double low, high;
} Tensors;

static void paint(const Tensors *t, size_t k, uint8_t *rgb) {
    double scale = t->high > t->low ? 255 / (t->high - t->low) : 0;
    for (size_t i = 0; i < t->height * t->width; i++)
        for (size_t c = 0; c < 3; c++) {
            size_t element = i * t->channels + (t->channels == 3 ? c : 0);
            double v = ((double)t->x[k * t->tensor + element * t->step] - t->low) * scale;
            rgb[3 * i + c] = (uint8_t)(v > 0 ? v < 255 ? v + 0.5 : 255 : 0); /* no number: black */
        }
}

static void put_tensors(Message *records, uint64_t epoch, const char *tag, const Tensors *t, size_t side) {
    size_t pixels = t->height * t->width;
    PictureCell cells[FILTER_COUNT];
    uint8_t *rgb;
    if (!drawing_available() || t->n == 0 || memory_alloc(t->n * pixels, 3, "images", (void **)&rgb) != STATUS_OK)
        return;
    for (size_t k = 0; k < t->n; k++) {
        cells[k] = (PictureCell){.height = t->height, .width = t->width, .rgb = rgb + 3 * pixels * k};
        paint(t, k, rgb + 3 * pixels * k);
    }
    put_images(records, epoch, tag, cells, t->n, side);
    memory_free(rgb);
}

/* Black and white are the extremes of what is shown. */
static void find_range(Tensors *t) {
    t->low = INFINITY, t->high = -INFINITY;
    for (size_t i = 0; i < t->n * t->tensor; i++) {
        double v = (double)t->x[i];
        t->low = v < t->low ? v : t->low;
        t->high = v > t->high ? v : t->high;
    }
}

void board_inputs(Board *board, uint64_t epoch, const Shape *shape, const Real *x, size_t n) {
    size_t elements = shape_count(shape), most = INPUT_PIXELS / (elements > 0 ? elements : 1);
    if (!board_wants_epoch(board, epoch) || shape->rank != 3 || (shape->dim[2] != 1 && shape->dim[2] != 3))
        return;
    most = most < 1 ? 1 : most < INPUT_COUNT ? most : INPUT_COUNT;
    Tensors t = {.n = n < most ? n : most, .height = shape->dim[0], .width = shape->dim[1], .channels = shape->dim[2]};
    t.tensor = elements, t.step = 1, t.x = x;
    find_range(&t);
    put_tensors(&board->files[BOARD_TRAIN].pending, epoch, "inputs", &t, INPUT_SIDE);
}

/* The kernel [R, S, C, K] of the first convolution, if it reads grey or coloured images; its filters lie one number
 * apart. */
void board__filters(Message *records, uint64_t epoch, const Graph *graph, const Real *weights) {
    const Param *kernel = NULL;
    for (size_t i = 0; i < graph->node_count && !kernel; i++)
        if (graph->nodes[i].op.kind == OP_CONV2D && graph->nodes[i].op.params > 0)
            kernel = &graph->params[graph->nodes[i].params[0]];
    const Shape *shape = kernel ? &kernel->spec.shape : NULL;
    if (!shape || shape->rank != 4 || (shape->dim[2] != 1 && shape->dim[2] != 3))
        return;
    double largest = 0;
    for (size_t i = 0; i < kernel->count; i++) { /* without fmax, which GCC 12 cannot compile here for ARM */
        double value = fabs((double)weights[kernel->offset + i]);
        largest = value > largest ? value : largest;
    }
    size_t filters = shape->dim[3];
    Tensors t = {.n = filters < FILTER_COUNT ? filters : FILTER_COUNT,
                 .height = shape->dim[0],
                 .width = shape->dim[1],
                 .channels = shape->dim[2],
                 .tensor = 1,
                 .step = filters,
                 .x = weights + kernel->offset,
                 .low = -largest,
                 .high = largest};
    put_tensors(records, epoch, "filters", &t, FILTER_SIDE);
}
