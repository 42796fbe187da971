/* SPDX-License-Identifier: Apache-2.0 */
#include "train/config.h"
#include "base/memory.h"
#include "data/augment.h"
#include "model/zoo/zoo.h"
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_MAX_FILE = 1 << 20 };

static size_t row_of(const Option *option) {
    return (size_t)(option - config_program()->options);
}

/* Also used for options that the table surely has. */
static const Option *find(const char *name) {
    const Option *option = cli_find(config_program(), name);
    CHECK(option, "no option %s", name);
    return option;
}

static OptionSource source_of(const Config *config, const char *name) {
    return config->source[row_of(find(name))];
}

bool config_given(const Config *config, const char *name) {
    return source_of(config, name) >= SOURCE_FILE;
}

static Status set(Config *config, const Option *option, const char *text, OptionSource source) {
    if (config->source[row_of(option)] > source)
        return STATUS_OK;
    TRY(cli_set(option, text, config));
    config->source[row_of(option)] = source;
    return STATUS_OK;
}

Status config_set(Config *config, const char *name, const char *text, OptionSource source) {
    return set(config, find(name), text, source);
}

/* ---- command line ---- */

static Status read_file(Config *config, const char *path) {
    Status status = STATUS_OK;
    char *text = NULL;
    FILE *file = fopen(path, "r");
    if (!file)
        return status_fail(STATUS_FAILED, "cannot open %s: %s. Check --config.", path, strerror(errno));
    TRY_GOTO(memory_new(&text, CONFIG_MAX_FILE + 1, "configuration file"), done);
    size_t size = fread(text, 1, CONFIG_MAX_FILE, file);
    if (ferror(file) || size == CONFIG_MAX_FILE)
        TRY_GOTO(status_fail(STATUS_FAILED, "cannot read %s: %s", path,
                             ferror(file) ? strerror(errno) : "too large for a configuration"),
                 done);
    status = config_from_json(config, text, path, SOURCE_FILE);
done:
    fclose(file);
    memory_free(text);
    return status;
}

/* A run's config.json has all options, with values of no effect too. */
static bool on_line(const Config *config, const char *name) {
    return source_of(config, name) == SOURCE_GIVEN;
}

static Status check_exclusive(const Config *config) {
    static const char *const pairs[][2] = {{"resume", "init-from"}, {"resume", "overwrite"}, {"verbose", "quiet"},
                                           {"lr-find", "resume"},   {"lr-find", "profile"},  {"prove", "resume"},
                                           {"prove", "init-from"},  {"prove", "out"},        {"prove", "overwrite"},
                                           {"prove", "lr-find"},    {"prove", "profile"},    {"prove", "dry-run"}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (on_line(config, pairs[i][0]) && on_line(config, pairs[i][1]) &&
            !(i == 0 && strcmp(config->resume, "auto") == 0)) /* the start of a chain of jobs */
            return status_fail(STATUS_USAGE, "--%s and --%s exclude each other", pairs[i][0], pairs[i][1]);
    static const char *const of_init_from[] = {"with-optimizer", "allow-mismatch", "new-head", "head-dropout"};
    for (size_t i = 0; i < sizeof of_init_from / sizeof *of_init_from; i++)
        if (on_line(config, of_init_from[i]) && config->init_from[0] == '\0')
            return status_fail(STATUS_USAGE, "--%s needs --init-from", of_init_from[i]);
    return STATUS_OK;
}

/* --augment help prints; else the list must be one. */
static Status check_augment(const Config *config, bool *exit_now) {
    Augment list;
    *exit_now = strcmp(config->augment, "help") == 0;
    if (!*exit_now)
        return augment_parse(config->augment, &list);
    augment_help(stdout);
    return STATUS_OK;
}

Status config_parse(int argc, char **argv, Config *config, bool *exit_now) {
    memset(config, 0, sizeof *config);
    TRY(cli_parse(config_program(), argc, argv, config, config->source, exit_now));
    if (*exit_now)
        return STATUS_OK;
    if (config->config[0])
        TRY(read_file(config, config->config));
    TRY(check_augment(config, exit_now));
    return check_exclusive(config);
}

/* ---- recipe and defaults ---- */

static void set_number(Config *config, const char *name, double value, OptionSource source) {
    char text[CLI_NUMBER];
    CHECK(config_set(config, name, cli_number(value, text), source) == STATUS_OK, "%s", status_message());
}

static Status apply_recipe(Config *config, const ZooRecipe *recipe) {
    const Option *optimizer = find("optimizer");
    set_number(config, "epochs", (double)recipe->epochs, SOURCE_RECIPE);
    set_number(config, "batch-size", (double)recipe->batch_size, SOURCE_RECIPE);
    set_number(config, "label-smoothing", recipe->label_smoothing, SOURCE_RECIPE);
    if (recipe->loss_weights)
        TRY(config_set(config, "loss-weights", recipe->loss_weights, SOURCE_RECIPE));
    if (config_given(config, "optimizer") && strcmp(optimizer->choices[config->optimizer.kind], recipe->optimizer) != 0)
        return STATUS_OK; /* its learning rate would be far off for another optimizer */
    TRY(set(config, optimizer, recipe->optimizer, SOURCE_RECIPE));
    TRY(config_set(config, "schedule", recipe->schedule, SOURCE_RECIPE));
    if (recipe->decay_epochs > 0)
        set_number(config, "decay-epochs", recipe->decay_epochs, SOURCE_RECIPE);
    if (recipe->decay_rate > 0)
        set_number(config, "decay-rate", recipe->decay_rate, SOURCE_RECIPE);
    set_number(config, "warmup", recipe->warmup, SOURCE_RECIPE);
    set_number(config, "lr", recipe->lr, SOURCE_RECIPE);
    set_number(config, "momentum", recipe->momentum, SOURCE_RECIPE);
    set_number(config, "weight-decay", recipe->weight_decay, SOURCE_RECIPE);
    return STATUS_OK;
}

/* Options on the command line that the chosen optimizer or schedule does not know are mistakes. */
static Status check_belonging(const Config *config) {
    enum {
        SGD = 1 << OPTIMIZER_SGD,
        RMS = 1 << OPTIMIZER_RMSPROP,
        LARS = 1 << OPTIMIZER_LARS,
        ADAM = 1 << OPTIMIZER_ADAM | 1 << OPTIMIZER_ADAMW | 1 << OPTIMIZER_LAMB
    };
    enum {
        DECAY = 1 << SCHEDULE_STEP | 1 << SCHEDULE_EXPONENTIAL,
        RESTARTS = 1 << SCHEDULE_RESTARTS,
        POLYNOMIAL = 1 << SCHEDULE_POLYNOMIAL,
        TO_MIN_LR = 1 << SCHEDULE_COSINE | POLYNOMIAL | RESTARTS,
        PLATEAU = 1 << SCHEDULE_PLATEAU
    };
    static const struct {
        const char *name, *of;
        int kinds;
    } rules[] = {
        {"momentum", "optimizer", SGD | RMS | LARS},
        {"nesterov", "optimizer", SGD},
        {"beta-1", "optimizer", ADAM},
        {"beta-2", "optimizer", ADAM},
        {"rho", "optimizer", RMS},
        {"epsilon", "optimizer", ADAM | RMS},
        {"trust-coefficient", "optimizer", LARS},
        {"decay-epochs", "schedule", DECAY | RESTARTS},
        {"decay-rate", "schedule", DECAY | PLATEAU},
        {"min-lr", "schedule", DECAY | TO_MIN_LR | PLATEAU},
        {"power", "schedule", POLYNOMIAL},
        {"cycle-mult", "schedule", RESTARTS},
        {"cycle-decay", "schedule", RESTARTS},
        {"plateau-patience", "schedule", PLATEAU},
        {"plateau-cooldown", "schedule", PLATEAU},
    };
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        char chosen[CLI_TEXT];
        bool optimizer = strcmp(rules[i].of, "optimizer") == 0;
        int kind = optimizer ? (int)config->optimizer.kind : (int)config->schedule.kind;
        if (source_of(config, rules[i].name) == SOURCE_GIVEN && !(rules[i].kinds >> kind & 1))
            return status_fail(STATUS_USAGE, "--%s has no meaning with --%s %s", rules[i].name, rules[i].of,
                               cli_get(find(rules[i].of), config, chosen));
    }
    return STATUS_OK;
}

/* Options of losses, mixing and networks that would have no effect are mistakes. */
static Status check_effect(const Config *config) {
    static const struct {
        const char *name, *loss;
    } rules[] = {{"focal-gamma", "focal"}, {"focal-alpha", "focal"}, {"margin", "triplet"}};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (source_of(config, rules[i].name) == SOURCE_GIVEN && !strstr(config->loss, rules[i].loss) &&
            !(strcmp(rules[i].name, "margin") == 0 && strstr(config->loss, "contrastive")))
            return status_fail(STATUS_USAGE, "--%s has no meaning with --loss %s", rules[i].name, config->loss);
    if (source_of(config, "mixup-prob") == SOURCE_GIVEN && config->mixup == 0 && config->cutmix == 0)
        return status_fail(STATUS_USAGE, "--mixup-prob needs --mixup or --cutmix");
    if (source_of(config, "stochastic-depth") == SOURCE_GIVEN && zoo_find(config->model) == NULL)
        return status_fail(STATUS_USAGE, "--stochastic-depth is for the networks of --list-models");
    return STATUS_OK;
}

static Status check_together(const Config *config) {
    ScheduleOptions whole = config_schedule(config);
    const ScheduleOptions *schedule = &whole;
    TRY(check_belonging(config));
    TRY(check_effect(config));
    if (config->profile[0] && config->unfreeze[0]) /* also where a file or the run that is resumed says so */
        return status_fail(STATUS_USAGE, "--profile and --unfreeze exclude each other");
    if (config->optimizer.nesterov && config->optimizer.momentum == 0)
        return status_fail(STATUS_USAGE, "--nesterov needs --momentum");
    if ((schedule->kind == SCHEDULE_STEP || schedule->kind == SCHEDULE_EXPONENTIAL ||
         schedule->kind == SCHEDULE_RESTARTS) &&
        schedule->decay_epochs == 0)
        return status_fail(STATUS_USAGE, "--schedule step, exponential and cosine-restarts need --decay-epochs");
    if (source_of(config, "no-restore-best") == SOURCE_GIVEN && config->early_stop == 0)
        return status_fail(STATUS_USAGE, "--no-restore-best needs --early-stop");
    if (source_of(config, "min-delta") == SOURCE_GIVEN && config->early_stop == 0 && schedule->kind != SCHEDULE_PLATEAU)
        return status_fail(STATUS_USAGE, "--min-delta needs --early-stop or --schedule plateau");
    if (schedule->min_lr > schedule->lr)
        return status_fail(STATUS_USAGE, "--min-lr %g is above --lr %g", schedule->min_lr, schedule->lr);
    if (schedule->warmup > (double)config->epochs)
        return status_fail(STATUS_USAGE, "--warmup %g is longer than --epochs %zu", schedule->warmup, config->epochs);
    return STATUS_OK;
}

Status config_fill(Config *config, const ZooRecipe *recipe) {
    /* sgd, adam, adamw, rmsprop as in Keras, lars as in timm, lamb as in Keras */
    static const double usual_lr[OPTIMIZER_KINDS] = {0.01, 0.001, 0.001, 0.001, 1, 0.001};
    if (recipe)
        TRY(apply_recipe(config, recipe));
    cli_defaults(config_program(), config, config->source);
    set_number(config, "lr", usual_lr[config->optimizer.kind], SOURCE_DEFAULT);
    if (config->optimizer.kind == OPTIMIZER_LARS)
        set_number(config, "momentum", 0.9, SOURCE_DEFAULT);
    if (config->schedule.kind == SCHEDULE_PLATEAU) { /* Keras's */
        set_number(config, "plateau-patience", 10, SOURCE_DEFAULT);
        set_number(config, "min-delta", 1e-4, SOURCE_DEFAULT);
    }
    set_number(config, "weight-decay", config->optimizer.kind == OPTIMIZER_ADAMW ? 0.004 : 0, SOURCE_DEFAULT);
    return check_together(config);
}

ScheduleOptions config_schedule(const Config *config) {
    ScheduleOptions schedule = config->schedule;
    if (config->scale_lr > 0)
        schedule.lr *= (double)config->batch_size / (double)config->scale_lr;
    return schedule;
}

/* ---- JSON ---- */

/* Also true of what the trainer itself wrote into the struct, like the number of micro-batches. */
static bool has_value(const Config *config, const Option *option) {
    char text[CLI_TEXT];
    return config->source[row_of(option)] != SOURCE_NONE ||
           (strcmp(cli_get(option, config, text), "0") != 0 && text[0] != '\0');
}

/* As JSON; NULL: not UTF-8. */
static char *quote(const char *text) {
    json_t *string = json_string(text);
    char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
    json_decref(string);
    return quoted;
}

Status config_to_json(const Config *config, char **out) {
    const CliProgram *program = config_program();
    Status status = STATUS_OK;
    char text[CLI_TEXT], *json = NULL;
    /* The widest value: a text of which JSON escapes every byte as \u00xx. */
    size_t size = 64 + 6 * CLI_TEXT + program->option_count * 64, used = 0;
    for (size_t i = 0; i < program->option_count; i++)
        size += program->options[i].type == OPTION_TEXT ? 6 * CLI_TEXT : 0;
    TRY(memory_new(&json, size, "configuration"));
    used += (size_t)snprintf(json, size, "{");
    for (size_t i = 0; i < program->option_count; i++) {
        const Option *option = &program->options[i];
        if (option->record == RECORD_NONE || !has_value(config, option))
            continue;
        cli_get(option, config, text);
        char *quoted = NULL;
        if (option->type == OPTION_TEXT || option->type == OPTION_CHOICE) {
            quoted = quote(text);
            if (!quoted)
                TRY_GOTO(status_fail(STATUS_USAGE, "--%s %s: not UTF-8", option->name, text), done);
        }
        used += (size_t)snprintf(json + used, size - used, "%s\n  \"%s\": %s", used > 1 ? "," : "", option->name,
                                 quoted ? quoted : text);
        free(quoted);
    }
    if (config->directory[0]) {
        char *quoted = quote(config->directory);
        used += (size_t)snprintf(json + used, size - used, ",\n  \"directory\": %s", quoted ? quoted : "\"\"");
        free(quoted);
    }
    snprintf(json + used, size - used, "\n}\n");
done:
    if (status != STATUS_OK) {
        memory_free(json);
        json = NULL;
    }
    *out = json;
    return status;
}

static Status set_from_json(Config *config, const Option *option, const json_t *value, OptionSource source) {
    char text[CLI_NUMBER];
    bool wants_text = option->type == OPTION_TEXT || option->type == OPTION_CHOICE;
    if (json_is_string(value) && (wants_text || option->type == OPTION_DURATION))
        return set(config, option, json_string_value(value), source);
    if (json_is_boolean(value) && option->type == OPTION_FLAG)
        return set(config, option, json_is_true(value) ? "true" : "false", source);
    if (json_is_number(value) && !wants_text && option->type != OPTION_FLAG) {
        if (json_is_integer(value))
            snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        else
            cli_number(json_real_value(value), text);
        return set(config, option, text, source);
    }
    return status_fail(STATUS_USAGE, "\"%s\": must be %s", option->name,
                       wants_text                    ? "a text"
                       : option->type == OPTION_FLAG ? "true or false"
                                                     : "a number");
}

static Status take_directory(Config *config, const json_t *value, const char *origin) {
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) >= sizeof config->directory)
        return status_fail(STATUS_USAGE, "%s: \"directory\": must be a text of at most %zu bytes", origin,
                           sizeof config->directory - 1);
    memcpy(config->directory, text, strlen(text) + 1);
    return STATUS_OK;
}

Status config_from_json(Config *config, const char *text, const char *origin, OptionSource source) {
    Status status = STATUS_OK;
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(root)) {
        json_decref(root);
        return status_fail(STATUS_USAGE, "%s, line %d: %s", origin, root ? 1 : error.line,
                           root ? "not a JSON object" : error.text);
    }
    const char *key;
    json_t *value;
    json_object_foreach(root, key, value) {
        if (strcmp(key, "comment") == 0) /* a word for the reader: JSON has no comments */
            continue;
        if (strcmp(key, "directory") == 0) {
            TRY_GOTO(take_directory(config, value, origin), done);
            continue;
        }
        const Option *option = cli_find(config_program(), key);
        if (!option) {
            const Option *nearest = cli_nearest(config_program(), key);
            TRY_GOTO(status_fail(STATUS_USAGE, "%s: unknown option \"%.64s\"%s%s", origin, key,
                                 nearest ? "; did you mean " : "", nearest ? nearest->name : ""),
                     done);
        }
        if (set_from_json(config, option, value, source) != STATUS_OK)
            TRY_GOTO(status_context(STATUS_USAGE, "%s", origin), done);
    }
done:
    json_decref(root);
    return status;
}
