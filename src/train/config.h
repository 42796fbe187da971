/* SPDX-License-Identifier: Apache-2.0
 *
 * What cnn_train was asked to do.  The table of options (config_options.c) is the one place that knows them: the
 * parser, --help, config.json, the checkpoint's record and the comparison on resume derive from it.
 *
 * Order in the trainer:
 *     config_parse       rank 0: the command line, and --config FILE beneath it
 *     (broadcast)        a Config is plain data: its bytes
 *     config_resume      with --resume: what was not given is taken from the checkpoint's record, what differs is
 *                        judged
 *     config_fill        the rest from the network's recipe, then from the defaults
 *     config_to_json     for config.json and the checkpoint */
#ifndef TRAIN_CONFIG_H
#define TRAIN_CONFIG_H
#include "train/cli.h"
#include "train/optimizer.h"
#include "train/schedule.h"

typedef enum ReduceKind { REDUCE_TREE, REDUCE_MPI } ReduceKind;

typedef enum OnFailure { ON_FAILURE_CONTINUE, ON_FAILURE_STOP } OnFailure;

typedef struct Config {
    /* data and network */
    char data[CLI_TEXT];                   /* dataset file or folder; "": the digits that ship with the project */
    char model[CLI_TEXT];                  /* name of the zoo, or file */
    char preprocess[CLI_TEXT];             /* "": by the data's type */
    char size[CLI_TEXT], resize[CLI_TEXT]; /* of pictures: picture_rule_parse */
    size_t channels;                       /* of pictures; 0: as they have */
    char classes_file[CLI_TEXT];           /* of pictures in folders; "": the folders' names */
    char augment[CLI_TEXT];                /* list of operations, data/augment.h */
    double validation_split;               /* fraction of train, where the data has no val */
    bool no_shuffle;
    /* training */
    size_t epochs, batch_size; /* batch_size: examples of one step over all ranks */
    size_t micro_batches;      /* 0: as many as ranks */
    size_t seed;
    OptimizerOptions optimizer;
    double gradient_noise;  /* 0: none */
    double average_weights; /* decay of the average; 0: none */
    ScheduleOptions schedule;
    char lr_multiplier[CLI_TEXT]; /* rules of train/rates.h */
    double layer_decay;           /* 0: none */
    size_t scale_lr;     /* batch size that schedule.lr is meant for; 0: this run's.  Read with config_schedule */
    char loss[CLI_TEXT]; /* read with config_losses */
    char loss_weights[CLI_TEXT];

    char metrics[CLI_TEXT]; /* read with metrics_create */
    char monitor[CLI_TEXT]; /* read with monitor_find */
    size_t early_stop;      /* 0: never */
    double min_delta;
    bool no_restore_best;
    size_t plateau_patience, plateau_cooldown;
    double label_smoothing, huber_delta, focal_gamma, focal_alpha, margin; /* see ModelLoss */
    char class_weights[CLI_TEXT];                          /* read with class_weights_create; "": none */
    double mixup, cutmix, mixup_prob;                      /* MixOptions */
    double dropout, stochastic_depth, batch_norm_momentum; /* only where given */
    /* run folder and checkpoints */
    char out[CLI_TEXT];
    bool overwrite;
    char resume[CLI_TEXT]; /* run folder, checkpoint or "auto" */
    char init_from[CLI_TEXT];
    bool allow_mismatch, with_optimizer; /* of init_from */
    size_t classes;                      /* 0: as many as the data have */
    bool new_head;
    double head_dropout;
    char freeze[CLI_TEXT], freeze_until[CLI_TEXT], unfreeze[CLI_TEXT]; /* train/freeze.h */
    size_t checkpoint_steps, checkpoint_epochs;                        /* 0: not by this */
    double checkpoint_minutes;                                         /* 0: not by this */
    size_t keep;
    int on_checkpoint_failure;     /* OnFailure */
    double max_time;               /* seconds; 0: no limit */
    double stall_timeout;          /* seconds; 0: never */
    char check_replicas[CLI_TEXT]; /* read with replicas_parse */
    /* machine and display */
    char backend[CLI_TEXT];
    int winograd;                  /* Winograd */
    int reduce;                    /* ReduceKind */
    char cache_features[CLI_TEXT]; /* auto, off, memory, or a folder */
    char profile[CLI_TEXT];        /* "": none */
    bool tensorboard, no_report;
    size_t tensorboard_steps, tensorboard_histograms; /* 0: never */
    char config[CLI_TEXT];
    char prove[CLI_TEXT]; /* run folder; "": none */
    bool lr_find, dry_run, list_models, verbose, quiet;

    char directory[CLI_TEXT]; /* that relative names of a record or --config count from, too; "": unknown.  No option */
    OptionSource source[CLI_MAX_OPTIONS]; /* of each option, in table order */
} Config;

/* The table, for --help and tests. */
const CliProgram *config_program(void);

/* Command line to *config.  *exit_now: --help or --version was printed, end with 0.  Reads --config FILE.
 * STATUS_USAGE, STATUS_FAILED (the file cannot be read).  Call on rank 0 only. */
Status config_parse(int argc, char **argv, Config *config, bool *exit_now);

/* Gives option `name` ("micro-batches") the value that `text` says, unless it has one from a stronger source.
 * STATUS_USAGE. */
Status config_set(Config *config, const char *name, const char *text, OptionSource source);

/* Has the option a value that a person gave (command line or --config)?  name: "lr". */
bool config_given(const Config *config, const char *name);

/* Gives each option without a value the recipe's (NULL: none), then the default.  When another optimizer was asked for
 * than the recipe's, the recipe's optimizer, learning rate, momentum, weight decay and schedule do not apply.  A
 * learning rate or weight decay that nobody set is Keras's for the optimizer.  STATUS_USAGE: options that contradict
 * each other. */
struct ZooRecipe; /* model/zoo/zoo.h */
Status config_fill(Config *config, const struct ZooRecipe *recipe);

/* JSON text, one option a line in table order: every option with a value, but those that belong to one call; last
 * "directory".  The caller frees with memory_free. */
Status config_to_json(const Config *config, char **out);

/* Reads such text over *config: an option with a value from a stronger source than `source` keeps it.  `origin` (a file
 * name) is for messages.  Unknown names, wrong types and values out of range are errors that name the option. */
Status config_from_json(Config *config, const char *text, const char *origin, OptionSource source);

/* Where the file is that the option `name` of a record names ("data", "model", "init-from", "classes-file",
 * "class-weights"): under that name or, where there is nothing and the option is not of this command line, in
 * config->directory.  A result that is not as recorded is written to `path`. */
enum { CONFIG_PATH = 2 * CLI_TEXT };
const char *config_path(const Config *config, const char *name, char path[CONFIG_PATH]);

/* Before a run's options are recorded: config->directory = the current folder, unless it has one of a record whose data
 * are not found here; then --data of this command line becomes absolute. */
void config_settle(Config *config);

/* Resume: options not given take their value from the record `saved` of `origin`.  Given ones that differ: STATUS_USAGE
 * with both values when a resume may not change them; else they are allowed, and *changes (freed by the caller with
 * memory_free) lists them: "lr 0.1 -> 0.01, epochs 5 -> 10", "" when there is none. */
Status config_resume(Config *config, const Config *saved, const char *origin, char **changes);

/* Has `config`, after config_fill, the values that decide the results of the run of the record `saved`? */
bool config_same(const Config *config, const Config *saved);

/* config->schedule with the learning rate of this batch size (--scale-lr). */
ScheduleOptions config_schedule(const Config *config);

/* The losses asked for the network's outputs: kinds[count] of LossKind or MODEL_LOSS_AUTO, and weights[count].  One
 * kind or weight without OUTPUT= counts for every output.  STATUS_USAGE: --loss or --loss-weights does not fit the
 * outputs. */
Status config_losses(const Config *config, const char *const *outputs, size_t count, int *kinds, double *weights);

#endif
