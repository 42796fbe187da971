/* SPDX-License-Identifier: Apache-2.0
 *
 * The loops of a depthwise convolution (depthwise_kernel.h), one line of outputs at a time.  Every channel has its own
 * kernel, so channels are the vector; lengths are in elements, positions in pixels of a line. */
#ifndef BACKEND_CPU_DEPTHWISE_H
#define BACKEND_CPU_DEPTHWISE_H
#include <stdbool.h>
#include <stddef.h>

/* Output j takes from each of `rows` lines of the input the pixels first + j step + s reach, s < taps, those in
 * 0 .. width - 1: all others are padding. */
typedef struct Line {
    size_t channels;
    const float *from; /* the first of the lines */
    size_t from_row;   /* to the next one */
    size_t rows, taps;
    ptrdiff_t first;
    size_t step, reach, width;
    size_t count;  /* of outputs */
    size_t output; /* from one output to the next */
} Line;

/* to[j] = bias + sum over rows r, taps s of pixel (r, first + j step + s reach) times w[r w_row + s w_tap], then the
 * ReLU. */
typedef struct Sum {
    Line line;
    const float *w;
    ptrdiff_t w_row, w_tap;
    const float *bias; /* NULL: 0 */
    bool relu;
    float relu_max;
    bool add; /* to what is there */
    float *to;
} Sum;

void depthwise_sum(const Sum *sum);

/* dw[r taps + s] += sum over j of pixel (r, first + j step + s reach) times dy[j]; dw has `channels` adjacent elements
 * for each r and s. */
void depthwise_weights(const Line *line, const float *dy, float *dw);

#endif
