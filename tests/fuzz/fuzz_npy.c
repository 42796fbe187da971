/* SPDX-License-Identifier: Apache-2.0
 *
 * Arrays of NumPy. */
#include "fuzz/fuzz.h"
#include "io/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { NUMBERS = 4096 };
    double row[NUMBERS];
    size_t width = 1;
    Npy npy;
    if (npy_open("fuzz", data, size, &npy) != STATUS_OK || npy.rank == 0)
        return 0;
    for (size_t d = 1; d < npy.rank; d++)
        if (npy.dim[d] == 0 || (width *= npy.dim[d]) > NUMBERS)
            return 0;
    for (size_t i = 0; i < npy.dim[0]; i++)
        npy_row(&npy, i, row);
    return 0;
}
