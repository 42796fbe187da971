/* SPDX-License-Identifier: Apache-2.0 */
#include "model/model.h"
#include "train/config.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct Item {
    const char *name, *value; /* name NULL where there is no "NAME=" */
} Item;

/* Cuts "a=x,b=y" into items, in place.  Returns how many, at most `most` + 1. */
static size_t split(char *list, Item *items, size_t most) {
    size_t count = 0;
    char *rest = list;
    for (char *word; (word = strsep(&rest, ",")) && count <= most; count++) {
        char *equals = strchr(word, '=');
        if (equals)
            *equals = '\0';
        items[count] = (Item){equals ? word : NULL, equals ? equals + 1 : word};
    }
    return count;
}

/* values[i] = the text that `list` has for output i, or NULL.  `list` is cut up. */
static Status assign(const char *option, char *list, const char *const *outputs, size_t count, const char **values) {
    enum { MOST = CLI_TEXT / 2 };
    Item items[MOST + 1];
    size_t n = list[0] ? split(list, items, MOST) : 0, unnamed = 0;
    for (size_t i = 0; i < count; i++)
        values[i] = NULL;
    for (size_t j = 0; j < n; j++) {
        size_t i = 0;
        if (!items[j].name) {
            i = unnamed++;
        } else {
            while (i < count && strcmp(outputs[i], items[j].name) != 0)
                i++;
            if (i == count)
                return status_fail(STATUS_USAGE, "--%s: the network has no output %s; its first is %s", option,
                                   items[j].name, count ? outputs[0] : "missing");
            if (values[i])
                return status_fail(STATUS_USAGE, "--%s: two values for output %s", option, outputs[i]);
        }
        if (i < count)
            values[i] = items[j].value;
    }
    if (unnamed && unnamed != n)
        return status_fail(STATUS_USAGE, "--%s: write OUTPUT= before all values or before none", option);
    if (unnamed > 1 && unnamed != count)
        return status_fail(STATUS_USAGE, "--%s: %zu values for %zu outputs", option, unnamed, count);
    for (size_t i = 1; unnamed == 1 && i < count; i++)
        values[i] = values[0];
    return STATUS_OK;
}

/* Dashes stand for underscores. */
static Status find_loss(const char *text, int *kind) {
    char name[64];
    snprintf(name, sizeof name, "%s", text);
    for (char *c = name; *c; c++)
        *c = *c == '-' ? '_' : *c;
    if (model_loss_find(name, kind) != STATUS_OK)
        return status_context(STATUS_USAGE, "--loss");
    return STATUS_OK;
}

Status config_losses(const Config *config, const char *const *outputs, size_t count, int *kinds, double *weights) {
    char kind_list[CLI_TEXT], weight_list[CLI_TEXT];
    const char *kind_of[CLI_TEXT], *weight_of[CLI_TEXT];
    if (count > CLI_TEXT)
        return status_fail(STATUS_FAILED, "a network with %zu outputs: more than %d", count, CLI_TEXT);
    snprintf(kind_list, sizeof kind_list, "%s", config->loss);
    snprintf(weight_list, sizeof weight_list, "%s", config->loss_weights);
    TRY(assign("loss", kind_list, outputs, count, kind_of));
    TRY(assign("loss-weights", weight_list, outputs, count, weight_of));
    for (size_t i = 0; i < count; i++) {
        char *end = NULL;
        kinds[i] = MODEL_LOSS_AUTO;
        if (kind_of[i])
            TRY(find_loss(kind_of[i], &kinds[i]));
        weights[i] = weight_of[i] ? strtod(weight_of[i], &end) : 1;
        if (end && (end == weight_of[i] || *end || !isfinite(weights[i]) || weights[i] < 0))
            return status_fail(STATUS_USAGE, "--loss-weights %s: not a number of at least 0", weight_of[i]);
    }
    return STATUS_OK;
}
