/* SPDX-License-Identifier: Apache-2.0 */
#include "train/state.h"
#include <math.h>

double totals_output_loss(const Totals *totals, size_t loss) {
    return totals->sum[loss][LOSS_SUM_LOSS] / totals->sum[loss][LOSS_SUM_WEIGHT];
}

double totals_loss(const Totals *totals, const double *weights, size_t losses) {
    double loss = totals->penalty / totals->examples;
    for (size_t i = 0; i < losses; i++)
        loss += weights[i] * totals_output_loss(totals, i);
    return loss;
}

double totals_accuracy(const Totals *totals, size_t loss) {
    double counted = totals->sum[loss][LOSS_SUM_COUNTED];
    return counted > 0 ? totals->sum[loss][LOSS_SUM_CORRECT] / counted : NAN;
}

void totals_add(Totals *totals, const Real *sums, size_t losses, double examples, double penalty) {
    for (size_t i = 0; i < losses; i++)
        for (size_t k = 0; k < LOSS_SUMS; k++)
            totals->sum[i][k] += (double)sums[i * LOSS_SUMS + k];
    totals->examples += examples;
    totals->penalty += penalty * examples;
}
