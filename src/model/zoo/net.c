/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/net.h"
#include <stdarg.h>

/* Appends a layer with this config and these inbound_nodes (both are taken over).  Returns its name. */
static const char *append(ZooNet *net, const char *class_name, const char *name, json_t *config, json_t *nodes) {
    json_object_set_new(config, "name", json_string(name));
    json_t *layer = json_pack("{s:s,s:s,s:o,s:o}", "class_name", class_name, "name", name, "config", config,
                              "inbound_nodes", nodes);
    net->failed |= layer == NULL || json_array_append_new(net->layers, layer) != 0;
    return net->failed ? NULL : json_string_value(json_object_get(layer, "name"));
}

const char *zoo_input(ZooNet *net, Shape shape) {
    json_t *extents = json_pack("[n]");
    for (size_t i = 0; i < shape.rank; i++)
        json_array_append_new(extents, json_integer((json_int_t)shape.dim[i]));
    return append(net, "InputLayer", "input", json_pack("{s:o}", "batch_input_shape", extents), json_array());
}

const char *zoo_layer(ZooNet *net, const char *input, const char *class_name, const char *name, const char *format,
                      ...) {
    va_list args;
    va_start(args, format);
    json_t *config = json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    return append(net, class_name, name, config, json_pack("[[[s,i,i]]]", input, 0, 0));
}

const char *zoo_add(ZooNet *net, const char *first, const char *second, const char *name) {
    return append(net, "Add", name, json_object(), json_pack("[[[s,i,i],[s,i,i]]]", first, 0, 0, second, 0, 0));
}
