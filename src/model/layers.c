/* SPDX-License-Identifier: Apache-2.0 */
#include "model/layers.h"
#include "base/memory.h"
#include "model/values.h"
#include <ctype.h>
#include <string.h>

static const LayerClass *const classes[] = {
#define LAYER_ROW(symbol, name) &layer_class_##symbol,
    LAYER_LIST(LAYER_ROW)
#undef LAYER_ROW
};

Status layer_class_find(const char *name, const LayerClass **out) {
    static const char registered[] = "Custom>"; /* Keras 2 of a class that register_keras_serializable knows */
    if (strncmp(name, registered, sizeof registered - 1) == 0)
        name += sizeof registered - 1;
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        if (strcmp(classes[i]->name, name) == 0) {
            *out = classes[i];
            return STATUS_OK;
        }
    if (layer_instead(name))
        return status_fail(
            STATUS_FAILED,
            "layer class %s is not known. Take the layer out of the network and give cnn_train %s, or the "
            "like, in its place.",
            name, layer_instead(name));
#define LAYER_NAME(symbol, name) " " #name
    return status_fail(STATUS_FAILED, "unknown layer class \"%.60s\". Known:" LAYER_LIST(LAYER_NAME), name);
#undef LAYER_NAME
}

bool model_is_automatic_name(const char *name) {
    static const char *const words[] = {"model", "functional", "sequential",
#define LAYER_WORD(symbol, name) #symbol,
                                        LAYER_LIST(LAYER_WORD)
#undef LAYER_WORD
    };
    size_t length = strlen(name), digits = 0;
    while (digits < length && isdigit((unsigned char)name[length - 1 - digits]))
        digits++;
    if (digits > 0 && digits < length && name[length - 1 - digits] == '_')
        length -= digits + 1;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == length && memcmp(words[i], name, length) == 0)
            return true;
    return false;
}

/* Keys that Keras writes for every layer. */
static const LayerKey common_keys[] = {
    {"name", KEY_ANY, KEY_IGNORED, NULL, NULL, NULL},              /* read by model_parse */
    {"trainable", KEY_BOOL, KEY_IGNORED, NULL, NULL, NULL},        /* read by model_parse */
    {"batch_input_shape", KEY_ANY, KEY_IGNORED, NULL, NULL, NULL}, /* of the first layer read by model_parse; further */
    {"batch_shape", KEY_ANY, KEY_IGNORED, NULL, NULL, NULL}, /* in, Keras keeps what a layer was once built with */
    {"input_shape", KEY_ANY, KEY_IGNORED, NULL, NULL, NULL},
    {"input_dtype", KEY_ANY, KEY_IGNORED, NULL, NULL, NULL}, /* Keras 1: of the input layer only */
    {"dtype", KEY_DTYPE, KEY_FIXED, "null", NULL, NULL},
    {"quantization_config", KEY_ANY, KEY_FIXED, "null", NULL, NULL},
    {NULL, KEY_ANY, KEY_IGNORED, NULL, NULL, NULL},
};

static const LayerKey *find_key(const LayerKey *keys, const char *name) {
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, name) == 0 || (keys->alias && strcmp(keys->alias, name) == 0))
            return keys;
    return NULL;
}

static bool is_whole(const json_t *value, json_int_t low, json_int_t high) {
    return json_is_integer(value) && json_integer_value(value) >= low && json_integer_value(value) <= high;
}

static bool is_whole_list(const json_t *list, size_t least, size_t most, json_int_t low, json_int_t high) {
    if (!json_is_array(list) || json_array_size(list) < least || json_array_size(list) > most)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!is_whole(json_array_get(list, i), low, high))
            return false;
    return true;
}

/* Extents of a tensor, batch first; null where one is not known. */
static bool is_extents(const json_t *list) {
    if (!json_is_array(list) || json_array_size(list) < 1 || json_array_size(list) > LAYER_MAX_AXES)
        return false;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!json_is_null(json_array_get(list, i)) && !is_whole(json_array_get(list, i), 1, LAYER_MAX_EXTENT))
            return false;
    return true;
}

/* Appends the numbers in (nested) lists to `flat`; false when something else is there. */
static bool flatten(const json_t *given, int depth, json_t *flat) {
    if (json_is_number(given))
        return json_array_append_new(flat, json_real(json_number_value(given))) == 0;
    if (!json_is_array(given) || depth > LAYER_MAX_AXES)
        return false;
    for (size_t i = 0; i < json_array_size(given); i++)
        if (!flatten(json_array_get(given, i), depth + 1, flat))
            return false;
    return json_array_size(flat) > 0;
}

static json_t *flat_list(const json_t *given) {
    json_t *flat = json_array();
    if (flatten(given, 0, flat))
        return flat;
    json_decref(flat);
    return NULL;
}

static bool has_word(const char *words, const char *word) {
    size_t length = strlen(word);
    for (const char *at = words; length > 0 && (at = strstr(at, word)) != NULL; at += length)
        if ((at == words || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

/* "float32", or the policy object of that name -> null, as if it were not given. */
static json_t *float32(const json_t *given) {
    const json_t *config = json_object_get(given, "config");
    const char *name = json_string_value(json_is_object(given) ? json_object_get(config, "name") : given);
    return json_is_null(given) || (name && strcmp(name, "float32") == 0) ? json_null() : NULL;
}

/* What a value of each type must be, for messages. */
static const char *const type_texts[] = {
    [KEY_BOOL] = "true or false",
    [KEY_NUMBER] = "a number",
    [KEY_NUMBER_OR_NULL] = "a number or null",
    [KEY_COUNT] = "a whole number from 1 to 16777216",
    [KEY_SINGLE] = "a whole number from 1 to 16777216",
    [KEY_SINGLE_OR_NULL] = "a whole number from 1 to 16777216, or null",
    [KEY_SINGLE0_OR_NULL] = "a whole number from 0 to 16777216, or null",
    [KEY_PAIR] = "a whole number from 1 to 16777216, or two",
    [KEY_PAIR_OR_NULL] = "a whole number from 1 to 16777216, or two, or null",
    [KEY_PAIR0_OR_NULL] = "a whole number from 0 to 16777216, or two, or null",
    [KEY_TRIPLE] = "a whole number from 1 to 16777216, or three",
    [KEY_TRIPLE_OR_NULL] = "a whole number from 1 to 16777216, or three, or null",
    [KEY_MARGIN1] = "a whole number, or [left, right]",
    [KEY_MARGIN3] = "a whole number, or three, or three [before, after]",
    [KEY_MARGIN] = "a whole number, [n, m], or [[top, bottom], [left, right]]",
    [KEY_AXIS] = "one axis",
    [KEY_INTEGERS] = "a list of at most 6 whole numbers",
    [KEY_INTEGERS_OR_NULL] = "a list of at most 6 whole numbers, or null",
    [KEY_EXTENTS_OR_NULL] = "a list of at most 6 extents, or null",
    [KEY_NUMBERS] = "numbers",
    [KEY_NUMBERS_OR_NULL] = "numbers or null",
    [KEY_BATCH_SHAPE] = "a list [null, ...] of at most 6 extents, the first one for the batch",
    [KEY_DTYPE] = "float32",
};

static bool may_be_null(KeyType type) {
    switch (type) {
    case KEY_NUMBER_OR_NULL:
    case KEY_SINGLE_OR_NULL:
    case KEY_SINGLE0_OR_NULL:
    case KEY_PAIR_OR_NULL:
    case KEY_PAIR0_OR_NULL:
    case KEY_TRIPLE_OR_NULL:
    case KEY_INTEGERS_OR_NULL:
    case KEY_EXTENTS_OR_NULL:
    case KEY_NUMBERS_OR_NULL:
        return true;
    default:
        return false;
    }
}

/* A new value in the form that layers.h describes, or NULL when `given` is not of that type. */
static json_t *normalize_plain(KeyType type, const json_t *given) {
    enum { MAX = LAYER_MAX_EXTENT };
    if (json_is_null(given) && may_be_null(type))
        return json_null();
    switch (type) {
    case KEY_BOOL:
        return json_is_boolean(given) ? json_boolean(json_is_true(given)) : NULL;
    case KEY_NUMBER_OR_NULL:
    case KEY_NUMBER:
        return json_is_number(given) ? json_real(json_number_value(given)) : NULL;
    case KEY_COUNT:
        return is_whole(given, 1, MAX) ? json_integer(json_integer_value(given)) : NULL;
    case KEY_SINGLE_OR_NULL:
    case KEY_SINGLE:
        return layer_extents(given, 1, 1);
    case KEY_SINGLE0_OR_NULL:
        return layer_extents(given, 1, 0);
    case KEY_PAIR_OR_NULL:
    case KEY_PAIR:
        return layer_extents(given, 2, 1);
    case KEY_PAIR0_OR_NULL:
        return layer_extents(given, 2, 0);
    case KEY_TRIPLE_OR_NULL:
    case KEY_TRIPLE:
        return layer_extents(given, 3, 1);
    case KEY_MARGIN1:
        return layer_margins(given, 1);
    case KEY_MARGIN:
        return layer_margins(given, 2);
    case KEY_MARGIN3:
        return layer_margins(given, 3);
    case KEY_AXIS:
        if (is_whole_list(given, 1, 1, -LAYER_MAX_AXES, LAYER_MAX_AXES))
            given = json_array_get(given, 0);
        return is_whole(given, -LAYER_MAX_AXES, LAYER_MAX_AXES) ? json_integer(json_integer_value(given)) : NULL;
    case KEY_INTEGERS_OR_NULL:
    case KEY_INTEGERS:
        if (is_whole(given, -1, MAX))
            return json_pack("[I]", json_integer_value(given));
        return is_whole_list(given, 1, LAYER_MAX_AXES, -LAYER_MAX_AXES, MAX) ? json_deep_copy(given) : NULL;
    case KEY_NUMBERS:
        if (json_is_number(given))
            return json_real(json_number_value(given));
        /* fall through */
    case KEY_NUMBERS_OR_NULL:
        return flat_list(given);
    case KEY_EXTENTS_OR_NULL:
    case KEY_BATCH_SHAPE:
        return is_extents(given) ? json_deep_copy(given) : NULL;
    case KEY_DTYPE:
        return float32(given);
    default:
        return json_deep_copy(given);
    }
}

static Status normalize(const LayerKey *key, const json_t *given, json_t **out) {
    char text[80];
    Status status = STATUS_OK;
    if (key->type == KEY_ACTIVATION)
        status = value_activation(given, out);
    else if (key->type == KEY_INITIALIZER)
        status = value_initializer(given, out);
    else if (key->type == KEY_REGULARIZER)
        status = value_regularizer(given, out);
    else if (key->type == KEY_CHOICE && !(json_is_string(given) && has_word(key->choices, json_string_value(given))))
        return status_fail(STATUS_FAILED, "key %s: %s is not supported, only: %s", key->name,
                           value_text(given, text, sizeof text), key->choices);
    else if ((*out = normalize_plain(key->type, given)) == NULL)
        return status_fail(STATUS_FAILED, "key %s: %s is not supported, it must be %s", key->name,
                           value_text(given, text, sizeof text), type_texts[key->type]);
    return status == STATUS_OK ? STATUS_OK : status_context(status, "key %s", key->name);
}

/* The normalized default value of a key. */
static Status standard_value(const LayerKey *key, json_t **out) {
    json_t *value = json_loads(key->standard, JSON_DECODE_ANY, NULL);
    Status status = value ? normalize(key, value, out) : status_fail(STATUS_FAILED, "out of memory");
    json_decref(value);
    return status;
}

/* A key of which only the default value is supported. */
static Status check_fixed(const LayerKey *key, const json_t *given) {
    char text[80];
    json_t *standard = NULL, *value = NULL;
    Status status = standard_value(key, &standard);
    if (status == STATUS_OK)
        status = normalize(key, given, &value);
    if (status == STATUS_OK && !json_equal(standard, value))
        status = status_fail(STATUS_FAILED, "key %s: %s is not supported, only %s", key->name,
                             value_text(given, text, sizeof text), key->standard);
    json_decref(standard);
    json_decref(value);
    return status;
}

static Status check_given(const LayerClass *class, const json_t *given) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)given, name, value) {
        const LayerKey *key = find_key(class->keys, name);
        if (key == NULL)
            key = find_key(common_keys, name);
        if (key == NULL)
            return status_fail(STATUS_FAILED, "unknown key \"%.60s\"", name);
        if (key->use == KEY_FIXED)
            TRY(check_fixed(key, value));
        if (key->alias && json_object_get(given, key->name) && json_object_get(given, key->alias))
            return status_fail(STATUS_FAILED, "keys %s and %s mean the same: give one", key->name, key->alias);
    }
    return STATUS_OK;
}

static bool decides(const LayerKey *key) {
    return key->use == KEY_USED || key->use == KEY_WRITTEN;
}

Status layer_config(const LayerClass *class, const json_t *given, json_t **out) {
    *out = NULL;
    TRY(check_given(class, given));
    json_t *config = json_object();
    Status status = STATUS_OK;
    for (const LayerKey *key = class->keys; key->name != NULL; key++) {
        const json_t *value = json_object_get(given, key->name);
        json_t *normal = NULL;
        if (!decides(key))
            continue;
        if (value == NULL && key->alias)
            value = json_object_get(given, key->alias);
        if (value)
            TRY_GOTO(normalize(key, value, &normal), failed);
        else if (key->standard)
            TRY_GOTO(standard_value(key, &normal), failed);
        else
            TRY_GOTO(status_fail(STATUS_FAILED, "key %s is missing", key->name), failed);
        if (json_object_set_new(config, key->name, normal) != 0)
            TRY_GOTO(status_fail(STATUS_FAILED, "out of memory"), failed);
    }
    *out = config;
    return STATUS_OK;
failed:
    json_decref(config);
    return status;
}

Status layer_config_short(const LayerClass *class, const json_t *config, json_t **out) {
    *out = json_object();
    for (const LayerKey *key = class->keys; key->name != NULL; key++) {
        json_t *value = json_object_get(config, key->name), *standard = NULL;
        if (!decides(key))
            continue;
        if (key->standard && key->use != KEY_WRITTEN)
            TRY(standard_value(key, &standard));
        bool same = json_equal(value, standard);
        json_decref(standard);
        if (!same && json_object_set(*out, key->name, value) != 0)
            return status_fail(STATUS_FAILED, "out of memory");
    }
    return STATUS_OK;
}
