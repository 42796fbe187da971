/* SPDX-License-Identifier: Apache-2.0 */
#include "backend/ref/loss.h"
#include <math.h>
#include <string.h>

/* Losses on distances between the examples of a micro-batch.  e_i = x_i / max(|x_i|, 1e-7), D_ij = |e_i - e_j|,
 * m = margin; the loss of example i of n is
 *
 *   contrastive    mean over j != i of  D_ij^2 / 2 where j is of i's class, else max(m - D_ij, 0)^2 / 2
 *                  (Hadsell, Chopra, LeCun, "Dimensionality reduction by learning an invariant mapping", CVPR 2006)
 *   triplet        mean over all j of i's class of  max(D_ij^2 - D_ik^2 + m, 0), k the semi-hard negative: the nearest
 *                  of another class that is farther away than j; the farthest of another class where there is none
 *                  (Schroff, Kalenichenko, Philbin, "FaceNet", CVPR 2015)
 *   triplet hard   max(D_ij - D_ik + m, 0), j the farthest of i's class, k the nearest of another one (Hermans, Beyer,
 *                  Leibe, "In defense of the triplet loss for person re-identification", 2017; with squares, whose
 *                  gradient is nothing at small distances, all examples end in one point)
 *
 * and 0 for an example without partner in the micro-batch.  The choice of j and k has no gradient. */

typedef struct Pairs {
    size_t n, width;
    const Real *label;
    double margin;
    double *e;        /* [n][width] */
    double *distance; /* [n] squared, from the example at work */
    double *slope;    /* [n] derivative of its loss by them */
} Pairs;

size_t ref__loss_pairs_work(size_t n, size_t width) {
    return n * (width + 2);
}

/* Writes e; returns |x|. */
static double normalize(const Real *x, size_t width, double *e) {
    double sum = 0;
    for (size_t c = 0; c < width; c++)
        sum += (double)x[c] * (double)x[c];
    double length = sum < LOSS_EPSILON * LOSS_EPSILON ? LOSS_EPSILON : sqrt(sum);
    for (size_t c = 0; c < width; c++)
        e[c] = x[c] / length;
    return length;
}

static bool same(const Pairs *p, size_t i, size_t j) {
    return p->label[i] == p->label[j];
}

static void measure(const Pairs *p, size_t i) {
    for (size_t j = 0; j < p->n; j++) {
        p->distance[j] = 0;
        for (size_t c = 0; c < p->width; c++) {
            double d = p->e[i * p->width + c] - p->e[j * p->width + c];
            p->distance[j] += d * d;
        }
    }
}

static double contrastive(const Pairs *p, size_t i) {
    double loss = 0, share = 1 / (double)(p->n - 1);
    for (size_t j = 0; j < p->n; j++) {
        double d = sqrt(p->distance[j]), left = p->margin - d;
        if (j == i)
            continue;
        if (same(p, i, j)) {
            loss += 0.5 * share * p->distance[j];
            p->slope[j] = 0.5 * share;
        } else if (!(left <= 0)) {
            loss += 0.5 * share * left * left;
            p->slope[j] = d > 0 ? -0.5 * share * left / d : 0;
        }
    }
    return loss;
}

/* The example of another class that is nearest beyond `above`; n where there is none. */
static size_t nearest_negative(const Pairs *p, size_t i, double above) {
    size_t best = p->n;
    for (size_t k = 0; k < p->n; k++)
        if (!same(p, i, k) && p->distance[k] > above && (best == p->n || p->distance[k] < p->distance[best]))
            best = k;
    return best;
}

/* The farthest other example of i's class, or of all other classes; n where there is none. */
static size_t farthest(const Pairs *p, size_t i, bool of_class) {
    size_t best = p->n;
    for (size_t j = 0; j < p->n; j++)
        if (j != i && same(p, i, j) == of_class && (best == p->n || p->distance[j] > p->distance[best]))
            best = j;
    return best;
}

static double triplet(const Pairs *p, size_t j, size_t k, double share) {
    double loss = p->distance[j] - p->distance[k] + p->margin;
    if (loss <= 0)
        return 0;
    p->slope[j] += share;
    p->slope[k] -= share;
    return share * loss;
}

static double semi_hard(const Pairs *p, size_t i) {
    size_t positives = 0, last = farthest(p, i, false);
    double loss = 0;
    for (size_t j = 0; j < p->n; j++)
        positives += j != i && same(p, i, j);
    for (size_t j = 0; j < p->n; j++) {
        if (j == i || !same(p, i, j))
            continue;
        size_t k = nearest_negative(p, i, p->distance[j]);
        if (last < p->n)
            loss += triplet(p, j, k == p->n ? last : k, 1 / (double)positives);
    }
    return loss;
}

static double hard(const Pairs *p, size_t i) {
    size_t j = farthest(p, i, true), k = nearest_negative(p, i, -1);
    if (j == p->n || k == p->n)
        return 0;
    double positive = sqrt(p->distance[j]), negative = sqrt(p->distance[k]), loss = positive - negative + p->margin;
    if (loss <= 0)
        return 0;
    p->slope[j] = positive > 0 ? 0.5 / positive : 0;
    p->slope[k] = negative > 0 ? -0.5 / negative : 0;
    return loss;
}

static bool neighbour_is_same(const Pairs *p, size_t i) {
    size_t best = p->n;
    for (size_t j = 0; j < p->n; j++)
        if (j != i && (best == p->n || p->distance[j] < p->distance[best]))
            best = j;
    return best < p->n && !isnan(p->distance[best]) && same(p, i, best);
}

/* Adds what the loss of example i gives to the gradient by e, [n][width]. */
static void add_gradient(const Pairs *p, size_t i, double weight, double *de) {
    for (size_t j = 0; j < p->n; j++)
        for (size_t c = 0; p->slope[j] != 0 && c < p->width; c++) {
            double d = 2 * weight * p->slope[j] * (p->e[i * p->width + c] - p->e[j * p->width + c]);
            de[i * p->width + c] += d;
            de[j * p->width + c] -= d;
        }
}

/* Through the normalization: dx = (de - (de . e) e) / |x|, in place. */
static void finish_gradient(const Pairs *p, const double *lengths, double *dx) {
    for (size_t i = 0; i < p->n; i++) {
        const double *e = p->e + i * p->width;
        double *row = dx + i * p->width, along = 0;
        for (size_t c = 0; c < p->width; c++)
            along += row[c] * e[c];
        for (size_t c = 0; c < p->width; c++)
            row[c] = (row[c] - along * e[c]) / lengths[i];
    }
}

double ref__loss_pairs(const LossAttr *attr, size_t n, size_t width, const Real *x, const Real *label,
                       const Real *weights, double *work, double *dx, double *correct) {
    Pairs p = {n, width, label, attr->margin, work, work + n * width, work + n * width + n};
    double loss = 0;
    *correct = 0;
    for (size_t i = 0; i < n; i++)
        normalize(x + i * width, width, p.e + i * width);
    if (dx)
        memset(dx, 0, n * width * sizeof *dx);
    for (size_t i = 0; i < n && n > 1; i++) {
        double weight = weights ? (double)weights[i] : 1;
        measure(&p, i);
        memset(p.slope, 0, n * sizeof *p.slope);
        if (attr->kind == LOSS_CONTRASTIVE)
            loss += weight * contrastive(&p, i);
        else if (attr->kind == LOSS_TRIPLET)
            loss += weight * semi_hard(&p, i);
        else
            loss += weight * hard(&p, i);
        *correct += neighbour_is_same(&p, i);
        if (dx)
            add_gradient(&p, i, weight, dx);
    }
    for (size_t i = 0; dx && i < n; i++) /* the distances are done with */
        p.distance[i] = normalize(x + i * width, width, p.e + i * width);
    if (dx)
        finish_gradient(&p, p.distance, dx);
    return loss;
}
