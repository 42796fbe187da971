/* SPDX-License-Identifier: Apache-2.0
 *
 * Values of configurations that say something of each axis. */
#include "model/layers.h"

static bool is_whole(const json_t *value, json_int_t least) {
    return json_is_integer(value) && json_integer_value(value) >= least &&
           json_integer_value(value) <= LAYER_MAX_EXTENT;
}

json_t *layer_extents(const json_t *given, size_t count, json_int_t least) {
    bool list = json_is_array(given);
    if (list && json_array_size(given) != count)
        return NULL;
    json_t *extents = json_array();
    for (size_t i = 0; i < count; i++) {
        const json_t *value = list ? json_array_get(given, i) : given;
        if (!is_whole(value, least)) {
            json_decref(extents);
            return NULL;
        }
        json_array_append_new(extents, json_integer(json_integer_value(value)));
    }
    if (count > 1)
        return extents;
    json_t *single = json_incref(json_array_get(extents, 0));
    json_decref(extents);
    return single;
}

json_t *layer_margins(const json_t *given, size_t axes) {
    if (axes == 1)
        return layer_extents(given, 2, 0);
    if (json_is_array(given) && json_array_size(given) != axes)
        return NULL;
    json_t *margins = json_array();
    for (size_t i = 0; i < axes; i++) {
        json_t *sides = layer_extents(json_is_array(given) ? json_array_get(given, i) : given, 2, 0);
        if (sides == NULL) {
            json_decref(margins);
            return NULL;
        }
        json_array_append_new(margins, sides);
    }
    return margins;
}
