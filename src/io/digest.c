/* SPDX-License-Identifier: Apache-2.0 */
#include "io/digest.h"
#include "base/crash.h"
#include "base/memory.h"
#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "numbers are digested as they lie in memory");

struct Digest {
    EVP_MD_CTX *context;
};

static Status crypto_failed(void) {
    return status_fail(STATUS_FAILED, "libcrypto cannot compute SHA-256");
}

/* libcrypto 3 crashes when memory is short while it starts. */
static void start_library(void) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    crash_guard("libcrypto", "the library cannot start: memory is short");
    if (EVP_Digest("", 0, hash, NULL, EVP_sha256(), NULL) != 1)
        status_abort("libcrypto cannot start: memory is short");
    crash_unguard();
}

void digest_start(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_library);
}

Status digest_create(Digest **out) {
    digest_start();
    TRY(memory_new(out, 1, "digest"));
    (*out)->context = EVP_MD_CTX_new();
    if ((*out)->context != NULL && EVP_DigestInit_ex((*out)->context, EVP_sha256(), NULL) == 1)
        return STATUS_OK;
    digest_destroy(*out);
    *out = NULL;
    return crypto_failed();
}

void digest_destroy(Digest *digest) {
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    memory_free(digest);
}

Status digest_bytes(Digest *digest, const void *bytes, size_t size) {
    return EVP_DigestUpdate(digest->context, bytes, size) == 1 ? STATUS_OK : crypto_failed();
}

static Status digest_count(Digest *digest, size_t count) {
    uint64_t wide = count;
    return digest_bytes(digest, &wide, sizeof wide);
}

Status digest_text(Digest *digest, const char *text) {
    size_t length = strlen(text);
    TRY(digest_count(digest, length));
    return digest_bytes(digest, text, length);
}

static Status digest_layers(Digest *digest, const CheckpointLayer *layers, size_t count) {
    size_t with_weights = 0;
    for (size_t i = 0; i < count; i++)
        with_weights += layers[i].count > 0;
    TRY(digest_count(digest, with_weights));
    for (size_t i = 0; i < count; i++) {
        if (layers[i].count == 0)
            continue;
        TRY(digest_text(digest, layers[i].name));
        TRY(digest_count(digest, layers[i].count));
        for (size_t j = 0; j < layers[i].count; j++) {
            const CheckpointTensor *weight = &layers[i].weights[j];
            TRY(digest_text(digest, weight->name));
            TRY(digest_count(digest, weight->shape.rank));
            for (size_t d = 0; d < weight->shape.rank; d++)
                TRY(digest_count(digest, weight->shape.dim[d]));
            TRY(digest_bytes(digest, weight->data, shape_count(&weight->shape) * sizeof(Real)));
        }
    }
    return STATUS_OK;
}

/* Removes the members of those names from a JSON value and all values in it. */
static void leave_out(json_t *value, size_t count, const char *const *names) {
    const char *key;
    json_t *member;
    size_t i;
    for (i = 0; i < count && json_is_object(value); i++)
        json_object_del(value, names[i]);
    json_object_foreach(value, key, member) leave_out(member, count, names);
    json_array_foreach(value, i, member) leave_out(member, count, names);
}

static Status digest_json(Digest *digest, const char *json, size_t count, const char *const *left_out) {
    json_error_t error;
    json_t *value = json_loads(json, JSON_DECODE_ANY, &error);
    if (value == NULL)
        return status_fail(STATUS_FAILED, "not JSON, line %d: %s", error.line, error.text);
    leave_out(value, count, left_out);
    char *text = json_dumps(value, JSON_SORT_KEYS | JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));
    json_decref(value);
    if (text == NULL)
        return status_fail(STATUS_FAILED, "out of memory: canonical JSON");
    Status status = digest_text(digest, text);
    free(text); /* jansson's own allocation */
    return status;
}

Status digest_finish(Digest *digest, char hex[DIGEST_HEX]) {
    unsigned char raw[EVP_MAX_MD_SIZE];
    unsigned length;
    if (EVP_DigestFinal_ex(digest->context, raw, &length) != 1)
        return crypto_failed();
    for (unsigned i = 0; i < length; i++)
        snprintf(hex + 2 * i, 3, "%02x", raw[i]);
    return STATUS_OK;
}

Status digest_weights(const Checkpoint *checkpoint, char hex[DIGEST_HEX]) {
    Digest *digest;
    TRY(digest_create(&digest));
    Status status = digest_layers(digest, checkpoint->layers, checkpoint->layer_count);
    if (status == STATUS_OK)
        status = digest_finish(digest, hex);
    digest_destroy(digest);
    return status;
}

Status digest_state(const Checkpoint *checkpoint, size_t count, const char *const *left_out, char hex[DIGEST_HEX]) {
    Digest *digest;
    Status status;
    TRY(digest_create(&digest));
    TRY_GOTO(digest_layers(digest, checkpoint->layers, checkpoint->layer_count), done);
    TRY_GOTO(digest_count(digest, checkpoint->slot_count), done);
    for (size_t i = 0; i < checkpoint->slot_count; i++) {
        TRY_GOTO(digest_text(digest, checkpoint->slots[i].name), done);
        TRY_GOTO(digest_layers(digest, checkpoint->slots[i].layers, checkpoint->slots[i].count), done);
    }
    if (checkpoint->model_config != NULL)
        TRY_GOTO(digest_json(digest, checkpoint->model_config, 0, NULL), done);
    if (checkpoint->state != NULL)
        TRY_GOTO(digest_json(digest, checkpoint->state, count, left_out), done);
    status = digest_finish(digest, hex);
done:
    digest_destroy(digest);
    return status;
}
