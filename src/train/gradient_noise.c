/* SPDX-License-Identifier: Apache-2.0 */
#include "train/gradient_noise.h"
#include "base/rng.h"
#include <math.h>

void gradient_noise_add(const Graph *graph, double eta, uint64_t seed, uint64_t step, double weight, Real *gradient) {
    double deviation = weight * sqrt(eta / pow(1 + (double)step, 0.55));
    for (size_t p = 0; p < graph->param_count && eta > 0; p++) {
        const Param *param = &graph->params[p];
        if (param->spec.role != PARAM_TRAINED)
            continue;
        RngKey key = rng_key(seed, RNG_NOISE, rng_hash(param->spec.layer) ^ 31 * rng_hash(param->spec.name), step);
        for (size_t i = 0; i < param->count; i++)
            gradient[param->offset + i] += (Real)(deviation * rng_normal(key, i, 0));
    }
}
