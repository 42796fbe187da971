/* SPDX-License-Identifier: Apache-2.0 */
#include "support/sample_checkpoint.h"
#include "base/memory.h"
#include "io/file.h"
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char model_config[] =
    "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"net\",\"layers\":["
    "{\"class_name\":\"InputLayer\",\"config\":{\"batch_input_shape\":[null,8,8,1],\"dtype\":\"float32\",\"name\":"
    "\"in\"}},"
    "{\"class_name\":\"Conv2D\",\"config\":{\"name\":\"conv\",\"filters\":2,\"kernel_size\":[3,3]}},"
    "{\"class_name\":\"Flatten\",\"config\":{\"name\":\"flat\"}},"
    "{\"class_name\":\"Dense\",\"config\":{\"name\":\"block/fc\",\"units\":3}}]}}";

/* Numbers whose bits a careless copy or conversion changes. */
static void awkward(Real *data, size_t count) {
    for (size_t i = 0; i < count; i++)
        data[i] = (Real)i / 7 - 1;
    data[0] = (Real)-0.0;
    data[1] = (Real)INFINITY;
    data[2] = REAL_IS_DOUBLE ? (Real)5e-324 : (Real)1e-45F; /* the smallest denormal */
    uint64_t nan64 = 0x7ff4000000012345u;                   /* signalling, with a payload */
    uint32_t nan32 = 0x7fa12345u;
    memcpy(&data[3], REAL_IS_DOUBLE ? (const void *)&nan64 : (const void *)&nan32, sizeof data[3]);
}

const Checkpoint *sample_checkpoint(void) {
    static Real kernel[18], bias[4], dense[72 * 3], momentum[18];
    static char state[100 * 1000]; /* longer than an attribute could be */
    static CheckpointTensor conv[] = {{"kernel", NULL, {4, {3, 3, 1, 2}}, kernel}, {"bias", NULL, {1, {2}}, bias}};
    static CheckpointTensor fc[] = {{"kernel", NULL, {2, {72, 3}}, dense}};
    static CheckpointTensor slot[] = {{"kernel", NULL, {4, {3, 3, 1, 2}}, momentum}};
    static CheckpointLayer layers[] = {{"conv", conv, 2}, {"flat", NULL, 0}, {"block/fc", fc, 1}};
    static CheckpointLayer trained[] = {{"conv", slot, 1}};
    static CheckpointSlot slots[] = {{"momentum", trained, 1}, {"average", layers, 3}};
    static Checkpoint checkpoint = {.model_config = model_config,
                                    .training_config = "{\"loss\":\"mse\"}",
                                    .state = state,
                                    .preprocess = "{\"classes\":[\"caf\\u00e9\",\"tea\"]}",
                                    .layers = layers,
                                    .layer_count = 3,
                                    .slots = slots,
                                    .slot_count = 2};
    awkward(kernel, 18);
    awkward(bias, 4);
    awkward(dense, 72 * 3);
    awkward(momentum, 18);
    strcpy(state, "{\"step\":123,\"note\":\"");
    memset(state + strlen(state), 'x', sizeof state - strlen(state) - 3);
    strcpy(state + sizeof state - 3, "\"}");
    return &checkpoint;
}

static void must(Status status) {
    if (status == STATUS_OK)
        return;
    fprintf(stderr, "%s\n", status_message());
    exit(1);
}

unsigned char *sample_image(size_t *size) {
    unsigned char *image;
    must(checkpoint_image(sample_checkpoint(), &image, size));
    return image;
}

void sample_write(const char *path) {
    size_t size;
    unsigned char trailer[CHECKPOINT_TRAILER], *image = sample_image(&size);
    must(checkpoint_seal(image, size, trailer));
    must(file_write(path, 2, (FilePart[]){{image, size}, {trailer, sizeof trailer}}));
    memory_free(image);
}
