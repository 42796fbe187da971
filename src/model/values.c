/* SPDX-License-Identifier: Apache-2.0 */
#include "model/values.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *value_text(const json_t *value, char *text, size_t size) {
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    snprintf(text, size, "%s", dump ? dump : "?");
    free(dump);
    return text;
}

/* ---- activations ---- */

typedef struct ActivationWord {
    const char *word;
    OpKind op;
    ActivationAttr attr;
} ActivationWord;

static const ActivationWord activations[] = {
    {"linear", OP_INPUT, {.kind = ACTIVATION_LINEAR}}, /* no operation */
    {"relu", OP_ACTIVATION, {.kind = ACTIVATION_RELU, .max_value = INFINITY}},
    {"relu6", OP_ACTIVATION, {.kind = ACTIVATION_RELU, .max_value = 6}},
    {"leaky_relu", OP_ACTIVATION, {.kind = ACTIVATION_RELU, .max_value = INFINITY, .slope = 0.2}},
    {"elu", OP_ACTIVATION, {.kind = ACTIVATION_ELU, .alpha = 1}},
    {"celu", OP_ACTIVATION, {.kind = ACTIVATION_CELU, .alpha = 1}},
    {"selu", OP_ACTIVATION, {.kind = ACTIVATION_SELU}},
    {"sigmoid", OP_ACTIVATION, {.kind = ACTIVATION_SIGMOID}},
    {"hard_sigmoid", OP_ACTIVATION, {.kind = ACTIVATION_HARD_SIGMOID}}, /* alpha: see value_activation_op */
    {"tanh", OP_ACTIVATION, {.kind = ACTIVATION_TANH}},
    {"softplus", OP_ACTIVATION, {.kind = ACTIVATION_SOFTPLUS}},
    {"softsign", OP_ACTIVATION, {.kind = ACTIVATION_SOFTSIGN}},
    {"silu", OP_ACTIVATION, {.kind = ACTIVATION_SILU}},
    {"swish", OP_ACTIVATION, {.kind = ACTIVATION_SILU}},
    {"hard_silu", OP_ACTIVATION, {.kind = ACTIVATION_HARD_SILU, .alpha = 1.0 / 6}},
    {"hard_swish", OP_ACTIVATION, {.kind = ACTIVATION_HARD_SILU, .alpha = 1.0 / 6}},
    {"gelu", OP_ACTIVATION, {.kind = ACTIVATION_GELU}},
    {"mish", OP_ACTIVATION, {.kind = ACTIVATION_MISH}},
    {"exponential", OP_ACTIVATION, {.kind = ACTIVATION_EXPONENTIAL}},
    {"softmax", OP_SOFTMAX, {.kind = ACTIVATION_LINEAR}},
};
enum { ACTIVATION_WORDS = sizeof activations / sizeof *activations };

static const ActivationWord *find_activation(const char *word) {
    for (size_t i = 0; word && i < ACTIVATION_WORDS; i++)
        if (strcmp(activations[i].word, word) == 0)
            return &activations[i];
    return NULL;
}

Status value_activation(const json_t *given, json_t **out) {
    const char *class_name = json_string_value(json_object_get(given, "class_name"));
    const char *word = json_is_null(given) ? "linear" : json_string_value(given);
    if (class_name && strcmp(class_name, "function") == 0)
        word = json_string_value(json_object_get(given, "config"));
    if (find_activation(word) == NULL) {
        char text[80], known[256] = "";
        for (size_t i = 0; i < ACTIVATION_WORDS; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s", activations[i].word);
        return status_fail(STATUS_FAILED, "activation %s is not supported, only:%s",
                           value_text(given, text, sizeof text), known);
    }
    *out = json_string(word);
    return STATUS_OK;
}

bool value_activation_op(const char *word, int keras, OpDesc *op) {
    const ActivationWord *found = find_activation(word);
    if (found->op == OP_INPUT)
        return false;
    *op = (OpDesc){.kind = found->op};
    if (found->op == OP_ACTIVATION)
        op->attr.activation = found->attr;
    if (found->op == OP_ACTIVATION && found->attr.kind == ACTIVATION_HARD_SIGMOID)
        op->attr.activation.alpha = keras >= 3 ? 1.0 / 6 : 0.2;
    return true;
}

/* ---- initializers ---- */

typedef struct InitializerClass {
    const char *name;  /* class name; matched without case and underscores */
    const char *other; /* further spelling */
    const char *keys;  /* its numbers with their defaults, as a JSON object */
    Initializer init;  /* for the variance scaling family; else the kind */
} InitializerClass;

#define SCALING(s, m, p)                                                                                               \
    { .kind = INIT_VARIANCE_SCALING, .scale = (s), .mode = (m), .spread = (p) }
static const InitializerClass initializers[] = {
    {"Zeros", "zero", "{}", {.kind = INIT_CONSTANT, .a = 0}},
    {"Ones", "one", "{}", {.kind = INIT_CONSTANT, .a = 1}},
    {"Constant", NULL, "{\"value\": 0.0}", {.kind = INIT_CONSTANT}},
    {"RandomUniform", "uniform", "{\"minval\": -0.05, \"maxval\": 0.05}", {.kind = INIT_UNIFORM}},
    {"RandomNormal", "normal", "{\"mean\": 0.0, \"stddev\": 0.05}", {.kind = INIT_NORMAL}},
    {"TruncatedNormal", NULL, "{\"mean\": 0.0, \"stddev\": 0.05}", {.kind = INIT_TRUNCATED_NORMAL}},
    {"VarianceScaling",
     NULL,
     "{\"scale\": 1.0, \"mode\": \"fan_in\", \"distribution\": \"truncated_normal\"}",
     {.kind = INIT_VARIANCE_SCALING}},
    {"GlorotUniform", NULL, "{}", SCALING(1, FAN_AVERAGE, SPREAD_UNIFORM)},
    {"GlorotNormal", NULL, "{}", SCALING(1, FAN_AVERAGE, SPREAD_TRUNCATED)},
    {"HeUniform", NULL, "{}", SCALING(2, FAN_IN, SPREAD_UNIFORM)},
    {"HeNormal", NULL, "{}", SCALING(2, FAN_IN, SPREAD_TRUNCATED)},
    {"LecunUniform", NULL, "{}", SCALING(1, FAN_IN, SPREAD_UNIFORM)},
    {"LecunNormal", NULL, "{}", SCALING(1, FAN_IN, SPREAD_TRUNCATED)},
    {"Orthogonal", "OrthogonalInitializer", "{\"gain\": 1.0}", {.kind = INIT_ORTHOGONAL}},
};
enum { INITIALIZERS = sizeof initializers / sizeof *initializers };

/* "he_normal" and "HeNormal" are the same name. */
static bool same_name(const char *a, const char *b) {
    while (*a || *b) {
        if (*a == '_')
            a++;
        else if (*b == '_')
            b++;
        else if (tolower((unsigned char)*a++) != tolower((unsigned char)*b++))
            return false;
    }
    return true;
}

static const InitializerClass *find_initializer(const char *name) {
    for (size_t i = 0; name && i < INITIALIZERS; i++)
        if (same_name(initializers[i].name, name) || (initializers[i].other && same_name(initializers[i].other, name)))
            return &initializers[i];
    return NULL;
}

static bool find_word(const char *const *words, size_t count, const char *word, size_t *index) {
    for (*index = 0; word && *index < count; ++*index)
        if (strcmp(words[*index], word) == 0)
            return true;
    return false;
}

static const char *const fan_modes[] = {[FAN_IN] = "fan_in", [FAN_OUT] = "fan_out", [FAN_AVERAGE] = "fan_avg"};
static const char *const spreads[] = {
    [SPREAD_UNIFORM] = "uniform", [SPREAD_NORMAL] = "untruncated_normal", [SPREAD_TRUNCATED] = "truncated_normal"};

/* The normalized value of one key, or NULL where it is not supported.  `standard`: its default, NULL for an unknown
 * key. */
static json_t *initializer_value(const char *key, const json_t *standard, const json_t *value) {
    const char *word = json_string_value(value);
    size_t index;
    if (json_is_number(standard) && json_is_number(value) &&
        !(strcmp(key, "scale") == 0 && json_number_value(value) <= 0))
        return json_real(json_number_value(value));
    if (json_is_string(standard) && strcmp(key, "mode") == 0 && find_word(fan_modes, 3, word, &index))
        return json_string(word);
    if (json_is_string(standard) && strcmp(key, "distribution") == 0 && word && strcmp(word, "normal") == 0)
        return json_string("truncated_normal"); /* its name in Keras 2.0 */
    if (json_is_string(standard) && strcmp(key, "distribution") == 0 && find_word(spreads, 3, word, &index))
        return json_string(word);
    return NULL;
}

/* Replaces one default in `config` by the given value. */
static Status set_initializer_key(json_t *config, const char *class_name, const char *key, const json_t *value) {
    /* seed: the run's seed decides; dtype: float32 anyway; axes: Keras 3's for kernels of unusual layout, always
     * null */
    if (strcmp(key, "seed") == 0 || strcmp(key, "dtype") == 0)
        return STATUS_OK;
    if (json_is_null(value) && (strcmp(key, "input_axes") == 0 || strcmp(key, "output_axes") == 0))
        return STATUS_OK;
    char text[80];
    json_t *normal = initializer_value(key, json_object_get(config, key), value);
    if (normal == NULL)
        return status_fail(STATUS_FAILED, "initializer %s: %.40s = %s is not supported", class_name, key,
                           value_text(value, text, sizeof text));
    return json_object_set_new(config, key, normal) == 0 ? STATUS_OK : status_fail(STATUS_FAILED, "out of memory");
}

Status value_initializer(const json_t *given, json_t **out) {
    json_t *name = json_is_object(given) ? json_object_get(given, "class_name") : (json_t *)given;
    const InitializerClass *class = find_initializer(json_string_value(name));
    if (class == NULL) {
        char text[80], known[320] = "";
        for (size_t i = 0; i < INITIALIZERS; i++)
            snprintf(known + strlen(known), sizeof known - strlen(known), " %s", initializers[i].name);
        return status_fail(STATUS_FAILED, "initializer %s is not supported, only:%s",
                           value_text(given, text, sizeof text), known);
    }
    json_t *config = json_loads(class->keys, 0, NULL), *value;
    const char *key;
    Status status = STATUS_OK;
    json_object_foreach(json_object_get(given, "config"), key, value)
        TRY_GOTO(set_initializer_key(config, class->name, key, value), failed);
    *out = json_pack("{s:s,s:o}", "class_name", class->name, "config", config);
    return STATUS_OK;
failed:
    json_decref(config);
    return status;
}

static double number(const json_t *config, const char *key) {
    return json_number_value(json_object_get(config, key));
}

Initializer value_initializer_read(const json_t *normalized) {
    const InitializerClass *class = find_initializer(json_string_value(json_object_get(normalized, "class_name")));
    const json_t *config = json_object_get(normalized, "config");
    Initializer init = class->init;
    size_t index;
    if (init.kind == INIT_UNIFORM)
        init.a = number(config, "minval"), init.b = number(config, "maxval");
    else if (init.kind == INIT_NORMAL || init.kind == INIT_TRUNCATED_NORMAL)
        init.a = number(config, "mean"), init.b = number(config, "stddev");
    else if (init.kind == INIT_ORTHOGONAL)
        init.a = number(config, "gain");
    else if (json_object_get(config, "value"))
        init.a = number(config, "value");
    else if (json_object_get(config, "scale")) {
        init.scale = number(config, "scale");
        find_word(fan_modes, 3, json_string_value(json_object_get(config, "mode")), &index);
        init.mode = (FanMode)index;
        find_word(spreads, 3, json_string_value(json_object_get(config, "distribution")), &index);
        init.spread = (InitShape)index;
    }
    return init;
}

/* ---- regularizers ---- */

Status value_regularizer(const json_t *given, json_t **out) {
    const char *name = json_string_value(json_is_object(given) ? json_object_get(given, "class_name") : given);
    bool object = json_is_object(given), is_l1 = name && strcasecmp(name, "l1") == 0;
    bool is_l2 = name && strcasecmp(name, "l2") == 0, is_both = name && (same_name(name, "l1l2"));
    char text[80];
    if (json_is_null(given)) {
        *out = json_null();
        return STATUS_OK;
    }
    if (!is_l1 && !is_l2 && !is_both)
        return status_fail(STATUS_FAILED, "regularizer %s is not supported, only: L1 L2 L1L2",
                           value_text(given, text, sizeof text));
    /* Keras's defaults: 0.01, but the class L1L2 has 0 */
    double l1 = is_l1 || (is_both && !object) ? 0.01 : 0, l2 = is_l2 || (is_both && !object) ? 0.01 : 0;
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(given, "config"), key, value) {
        bool first = strcmp(key, "l1") == 0, second = strcmp(key, "l2") == 0;
        if ((!first && !second) || !json_is_number(value) || !(json_number_value(value) >= 0))
            return status_fail(STATUS_FAILED, "regularizer %s: %.40s = %s is not supported", name, key,
                               value_text(value, text, sizeof text));
        *(first ? &l1 : &l2) = json_number_value(value);
    }
    *out = l1 == 0 && l2 == 0 ? json_null()
                              : json_pack("{s:s,s:{s:f,s:f}}", "class_name", "L1L2", "config", "l1", l1, "l2", l2);
    return STATUS_OK;
}

void value_regularizer_read(const json_t *normalized, double *l1, double *l2) {
    const json_t *config = json_object_get(normalized, "config");
    *l1 = number(config, "l1");
    *l2 = number(config, "l2");
}
