/* SPDX-License-Identifier: Apache-2.0 */
#include "model/zoo/net.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A string that the net owns. */
static const char *keep(ZooNet *net, const char *text) {
    json_t *string = json_string(text);
    net->failed |= json_array_append_new(net->names, string) != 0;
    return net->failed ? NULL : json_string_value(string);
}

const char *zoo_name(ZooNet *net, const char *format, ...) {
    char text[128];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return keep(net, text);
}

/* "max_pooling2d" for MaxPooling2D, "max_pooling2d_1" for the second of the class that has no name of its own. */
static const char *automatic_name(ZooNet *net, const char *class_name) {
    char snake[64];
    size_t used = 0, earlier = 0, i;
    json_t *layer;
    for (const char *c = class_name; *c && used + 2 < sizeof snake; c++) {
        if (c > class_name && isupper((unsigned char)*c) &&
            (islower((unsigned char)c[-1]) || islower((unsigned char)c[1])))
            snake[used++] = '_';
        snake[used++] = (char)tolower((unsigned char)*c);
    }
    snake[used] = '\0';
    json_array_foreach(net->layers, i, layer) {
        const char *name = json_string_value(json_object_get(layer, "name"));
        bool same_class = strcmp(json_string_value(json_object_get(layer, "class_name")), class_name) == 0;
        earlier += same_class && strncmp(name, snake, used) == 0 && (name[used] == '\0' || name[used] == '_');
    }
    return earlier ? zoo_name(net, "%s_%zu", snake, earlier) : keep(net, snake);
}

/* Appends a layer with this config and these inbound_nodes (both are taken over).  Returns its name. */
static const char *append(ZooNet *net, const char *class_name, const char *name, json_t *config, json_t *nodes) {
    name = name || net->failed ? name : automatic_name(net, class_name);
    json_object_set_new(config, "name", json_string(name));
    json_t *layer = json_pack("{s:s,s:s,s:o,s:o}", "class_name", class_name, "name", name, "config", config,
                              "inbound_nodes", nodes);
    net->failed |= layer == NULL || json_array_append_new(net->layers, layer) != 0;
    return net->failed ? NULL : json_string_value(json_object_get(layer, "name"));
}

/* The same for a layer that reads x. */
static const char *append1(ZooNet *net, const char *class_name, const char *x, const char *name, json_t *config) {
    return append(net, class_name, name, config, json_pack("[[[s,i,i]]]", x, 0, 0));
}

const char *zoo_input(ZooNet *net) {
    json_t *extents = json_pack("[n]");
    for (size_t i = 0; i < net->input.rank; i++)
        json_array_append_new(extents, json_integer((json_int_t)net->input.dim[i]));
    return append(net, "InputLayer", "input", json_pack("{s:o}", "batch_input_shape", extents), json_array());
}

void zoo_output(ZooNet *net, const char *x) {
    net->failed |= json_array_append_new(net->outputs, json_pack("[s,i,i]", x, 0, 0)) != 0;
}

const char *zoo_layer(ZooNet *net, const char *x, const char *class_name, const char *name, const char *format, ...) {
    va_list args;
    va_start(args, format);
    json_t *config = json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    return append1(net, class_name, x, name, config);
}

const char *zoo_merge(ZooNet *net, const char *class_name, const char *name, size_t count, ...) {
    json_t *inputs = json_array();
    va_list args;
    va_start(args, count);
    for (size_t i = 0; i < count; i++)
        net->failed |= json_array_append_new(inputs, json_pack("[s,i,i]", va_arg(args, const char *), 0, 0)) != 0;
    va_end(args);
    return append(net, class_name, name, json_object(), json_pack("[o]", inputs));
}

size_t zoo_round8(double channels) {
    size_t eights = (size_t)(channels + 4) / 8;
    if (eights == 0 || 8 * (double)eights < 0.9 * channels)
        eights++;
    return 8 * eights;
}

/* ---- layers with weights ---- */

static void set_initializer(const ZooNet *net, json_t *config, const char *key) {
    const char *text = net->initializer;
    if (text)
        json_object_set_new(config, key, text[0] == '{' ? json_loads(text, 0, NULL) : json_string(text));
}

/* Initializer and penalty of the weight `prefix`_... */
static void set_weight(const ZooNet *net, json_t *config, const char *prefix) {
    char key[64];
    snprintf(key, sizeof key, "%s_initializer", prefix);
    set_initializer(net, config, key);
    if (net->l2 > 0) {
        snprintf(key, sizeof key, "%s_regularizer", prefix);
        json_object_set_new(config, key, json_pack("{s:s,s:{s:f}}", "class_name", "L2", "config", "l2", net->l2));
    }
}

static json_t *window_config(ZooWindow w, const char *extent_key) {
    return json_pack("{s:[I,I],s:I,s:s}", extent_key, (json_int_t)w.height, (json_int_t)w.width, "strides",
                     (json_int_t)w.stride, "padding", w.padding);
}

static json_t *conv_config(const ZooNet *net, ZooWindow window, const char *activation) {
    json_t *config = window_config(window, "kernel_size");
    json_object_set_new(config, "use_bias", json_boolean(!net->no_bias));
    if (activation)
        json_object_set_new(config, "activation", json_string(activation));
    return config;
}

const char *zoo_conv(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window,
                     const char *activation) {
    json_t *config = conv_config(net, window, activation);
    json_object_set_new(config, "filters", json_integer((json_int_t)filters));
    set_weight(net, config, "kernel");
    return append1(net, "Conv2D", x, name, config);
}

const char *zoo_depthwise(ZooNet *net, const char *x, const char *name, ZooWindow window) {
    json_t *config = conv_config(net, window, NULL);
    set_initializer(net, config, "depthwise_initializer");
    return append1(net, "DepthwiseConv2D", x, name, config);
}

const char *zoo_separable(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window) {
    json_t *config = conv_config(net, window, NULL);
    json_object_set_new(config, "filters", json_integer((json_int_t)filters));
    set_weight(net, config, "pointwise");
    return append1(net, "SeparableConv2D", x, name, config);
}

const char *zoo_dense(ZooNet *net, const char *x, const char *name, size_t units, const char *activation) {
    json_t *config = json_pack("{s:I,s:s*}", "units", (json_int_t)units, "activation", activation);
    set_weight(net, config, "kernel");
    return append1(net, "Dense", x, name, config);
}

const char *zoo_predictions(ZooNet *net, const char *x) {
    return zoo_dense(net, x, "predictions", net->classes, "softmax");
}

const char *zoo_batch_norm(ZooNet *net, const char *x, const char *name) {
    return zoo_layer(net, x, "BatchNormalization", name, "{s:f,s:f,s:b}", "momentum",
                     net->momentum > 0 ? net->momentum : 0.99, "epsilon", net->epsilon > 0 ? net->epsilon : 0.001,
                     "scale", !net->no_scale);
}

/* name + suffix, or NULL where there is no name. */
static const char *with_suffix(ZooNet *net, const char *name, const char *suffix, const char *standard) {
    return name ? zoo_name(net, "%s%s", name, suffix ? suffix : standard) : NULL;
}

const char *zoo_conv_bn(ZooNet *net, const char *x, const char *name, size_t filters, ZooWindow window,
                        const char *activation) {
    x = zoo_conv(net, x, with_suffix(net, name, net->conv_suffix, ""), filters, window, NULL);
    x = zoo_batch_norm(net, x, with_suffix(net, name, net->bn_suffix, "_bn"));
    return activation ? zoo_activation(net, x, with_suffix(net, name, net->act_suffix, "_relu"), activation) : x;
}

/* ---- layers without ---- */

const char *zoo_activation(ZooNet *net, const char *x, const char *name, const char *activation) {
    return zoo_layer(net, x, "Activation", name, "{s:s}", "activation", activation);
}

/* Strides of the pool's own extent are what Keras takes by itself. */
static const char *pool(ZooNet *net, const char *class_name, const char *x, const char *name, ZooWindow window) {
    json_t *config = window_config(window, "pool_size");
    if (window.height == window.stride && window.width == window.stride)
        json_object_del(config, "strides");
    return append1(net, class_name, x, name, config);
}

const char *zoo_max_pool(ZooNet *net, const char *x, const char *name, ZooWindow window) {
    return pool(net, "MaxPooling2D", x, name, window);
}

const char *zoo_average_pool(ZooNet *net, const char *x, const char *name, ZooWindow window) {
    return pool(net, "AveragePooling2D", x, name, window);
}

const char *zoo_global_average(ZooNet *net, const char *x, const char *name) {
    return zoo_layer(net, x, "GlobalAveragePooling2D", name, "{}");
}

const char *zoo_pad(ZooNet *net, const char *x, const char *name, size_t margin) {
    return zoo_layer(net, x, "ZeroPadding2D", name, "{s:I}", "padding", (json_int_t)margin);
}

const char *zoo_flatten(ZooNet *net, const char *x, const char *name) {
    return zoo_layer(net, x, "Flatten", name, "{}");
}

const char *zoo_drop_body(ZooNet *net, const char *x, const char *name, double rate) {
    bool own = net->stochastic_depth < 0;
    if (own ? rate == 0 : net->stochastic_depth == 0)
        return x;
    x = zoo_layer(net, x, "Dropout", name, "{s:f, s:[n, i, i, i]}", "rate", rate, "noise_shape", 1, 1, 1);
    if (!own)
        json_array_append(net->drops, json_array_get(net->layers, json_array_size(net->layers) - 1));
    return x;
}

const char *zoo_dropout(ZooNet *net, const char *x, const char *name, double rate) {
    return zoo_layer(net, x, "Dropout", name, "{s:f}", "rate", rate);
}
