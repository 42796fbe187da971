/* SPDX-License-Identifier: Apache-2.0
 *
 * The options of cnn_train: the only place that knows them.  Names and defaults are those of Keras and timm where they
 * have the option.  Groups stand in the order of --help. */
#include "data/preprocess.h"
#include "model/zoo/zoo.h"
#include "train/config.h"

static const char *const optimizers[] = {"sgd", "adam", "adamw", "rmsprop", "lars", "lamb", NULL}; /* OptimizerKind */
static const char *const schedules[] = {"constant",    "step",
                                        "exponential", "cosine", /* ScheduleKind */
                                        "polynomial",  "cosine-restarts",
                                        "one-cycle",   "plateau",
                                        NULL};
static const char *const winograds[] = {"auto", "off", NULL};        /* Winograd */
static const char *const on_failures[] = {"continue", "stop", NULL}; /* OnFailure */
static const char *const reductions[] = {"tree", "mpi", NULL};       /* ReduceKind */

/* For --help=bash. */
static const char *network(size_t i) {
    return i < zoo_count ? zoo_entries[i].name : NULL;
}

/* .type, .offset */
#define FLAG(field)         OPTION_FLAG, .offset = offsetof(Config, field)
#define COUNT(field)        OPTION_SIZE, .offset = offsetof(Config, field), .argument = "N"
#define NUMBER(field)       OPTION_NUMBER, .offset = offsetof(Config, field), .argument = "X"
#define TEXT(field, shown)  OPTION_TEXT, .offset = offsetof(Config, field), .argument = shown
#define CHOICE(field, list) OPTION_CHOICE, .offset = offsetof(Config, field), .argument = "KIND", .choices = list

static const Option options[] = {
    {"data", 'd', TEXT(data, "FILE"), .values = "*.h5 *.hdf5 *.csv", .record = RECORD_FREE, .group = "Data and network",
     .help =
         "dataset (HDF5), a folder of pictures (a folder for each class, also below train, val, test), or a .csv file "
         "that lists them; without it the digits that come with the project"},
    {"model", 'm', TEXT(model, "NAME"), .words = network, .values = "*.json *.h5 *.keras", .record = RECORD_FIXED,
     .help = "network: a name of --list-models, or a Keras file (.json, .h5, .keras); digits-net when not given"},
    {"list-models", 0, FLAG(list_models), .record = RECORD_NONE,
     .help = "list the networks and their recipes, and end"},
    {"preprocess", 0, TEXT(preprocess, "KIND"), .choices = preprocess_names, .record = RECORD_FIXED,
     .help = "how pixels become inputs; when not given, unit for bytes, none for floats and for networks that scale"},
    {"size", 0, TEXT(size, "N|HxW"), .record = RECORD_FIXED,
     .help = "pixels of pictures' sides; when not given, those of --init-from's network, else their own where all have "
             "the same, else the usual ones of --model, else 224"},
    {"resize", 0, TEXT(resize, "KIND"), .choices = image_fits, .record = RECORD_FIXED,
     .help = "how pictures come to that size: crop the middle (when not given), pad with black, or squash"},
    {"channels", 0, COUNT(channels), .max = 3, .record = RECORD_FIXED,
     .help = "of pictures: 1 grey, 3 colour; when not given what they have"},
    {"classes-file", 0, TEXT(classes_file, "FILE"), .record = RECORD_FIXED,
     .help = "of pictures in folders: the classes in the order of their numbers, one a line; the folders' names in "
             "alphabetical order when not given"},
    {"augment", 0, TEXT(augment, "LIST"), .repeated = true, .record = RECORD_CHANGES,
     .help = "random changes of training images: flip,crop=4 or the like; help lists what there is"},
    {"validation-split", 0, NUMBER(validation_split), .fallback = "0", .max = 0.9, .record = RECORD_FIXED,
     .help = "validate on this part of the training data, drawn by the seed, where the dataset has no val"},
    {"no-shuffle", 0, FLAG(no_shuffle), .record = RECORD_FIXED, .help = "examples in the order of the dataset"},

    {"epochs", 'e', COUNT(epochs), .fallback = "10", .min = 1, .max = 1e9, .record = RECORD_CHANGES,
     .group = "Training", .help = "passes over the training data, in all; a resumed run goes on up to it"},
    {"batch-size", 'b', COUNT(batch_size), .fallback = "32", .min = 1, .max = 1e9, .record = RECORD_FIXED,
     .help = "examples of one step, over all ranks"},
    {"micro-batches", 0, COUNT(micro_batches), .min = 1, .max = 65536, .record = RECORD_CHANGES,
     .help = "parts that a step is cut into: the same number gives the same bits on any number of ranks up to it; the "
             "number of ranks when not given"},
    {"seed", 0, COUNT(seed), .fallback = "0", .record = RECORD_FIXED,
     .help = "of everything random: initial weights, order, dropout, split"},

    {"optimizer", 0, CHOICE(optimizer.kind, optimizers), .fallback = "adam", .record = RECORD_FIXED,
     .group = "Optimizer", .help = "formulas as in Keras; lars and lamb are for large batches"},
    {"momentum", 0, NUMBER(optimizer.momentum), .fallback = "0", .max = 1, .record = RECORD_FIXED,
     .help = "of sgd, rmsprop, lars; 0.9 for lars when not given"},
    {"nesterov", 0, FLAG(optimizer.nesterov), .record = RECORD_CHANGES, .help = "Nesterov's form of momentum; sgd"},
    {"beta-1", 0, NUMBER(optimizer.beta_1), .fallback = "0.9", .max = 0.999999999, .record = RECORD_CHANGES,
     .help = "decay of the mean gradient; adam, adamw, lamb"},
    {"beta-2", 0, NUMBER(optimizer.beta_2), .fallback = "0.999", .max = 0.999999999, .record = RECORD_CHANGES,
     .help = "decay of the mean squared gradient; adam, adamw, lamb"},
    {"rho", 0, NUMBER(optimizer.rho), .fallback = "0.9", .max = 0.999999999, .record = RECORD_CHANGES,
     .help = "decay of the mean squared gradient; rmsprop"},
    {"epsilon", 0, NUMBER(optimizer.epsilon), .fallback = "1e-07", .above_min = true, .max = 1,
     .record = RECORD_CHANGES, .help = "adam, adamw, rmsprop, lamb"},
    {"trust-coefficient", 0, NUMBER(optimizer.trust), .fallback = "0.001", .above_min = true, .record = RECORD_CHANGES,
     .help = "lars: length of a layer's step, as a part of its weights' length, at rate 1"},
    {"weight-decay", 0, NUMBER(optimizer.weight_decay), .record = RECORD_CHANGES,
     .help = "each step takes lr * X of every kernel away; 0 when not given, adamw 0.004"},
    {"weight-decay-all", 0, FLAG(optimizer.decay_all), .record = RECORD_CHANGES,
     .help = "--weight-decay also for biases and batch norm's parameters, as in Keras and PyTorch"},
    {"clip-norm", 0, NUMBER(optimizer.clip_norm), .fallback = "0", .record = RECORD_CHANGES,
     .help = "longest gradient of all parameters together; 0 is no limit"},

    {"gradient-noise", 0, NUMBER(gradient_noise), .above_min = true, .record = RECORD_CHANGES,
     .help = "adds noise of variance X / (1 + step)^0.55 to every gradient"},
    {"average-weights", 0, NUMBER(average_weights), .above_min = true, .max = 0.999999999, .record = RECORD_FIXED,
     .help = "keeps an exponential moving average of the weights, of this decay (0.999), which is evaluated and what "
             "checkpoints hold for all but a resume"},

    {"lr", 'l', NUMBER(schedule.lr), .above_min = true, .record = RECORD_CHANGES, .also = "learning-rate",
     .group = "Learning rate",
     .help =
         "learning rate, before --schedule; Keras's for the optimizer when neither given nor in the network's recipe"},
    {"lr-multiplier", 0, TEXT(lr_multiplier, "PATTERN=X"), .repeated = true, .record = RECORD_CHANGES,
     .help =
         "layers of these names (with * and ?) learn at X times the rate; repeated or with commas, the last counts"},
    {"layer-decay", 0, NUMBER(layer_decay), .above_min = true, .max = 1, .record = RECORD_CHANGES,
     .help = "a layer learns at X^n times the rate, n: layers with kernels between it and the network's end"},
    {"schedule", 0, CHOICE(schedule.kind, schedules), .fallback = "constant", .record = RECORD_CHANGES,
     .also = "lr-scheduler", .help = "how the learning rate falls"},
    {"decay-epochs", 0, NUMBER(schedule.decay_epochs), .above_min = true, .record = RECORD_CHANGES,
     .help = "step, exponential: after so many epochs the rate is multiplied by --decay-rate; cosine-restarts: the "
             "first period"},
    {"decay-rate", 0, NUMBER(schedule.decay_rate), .fallback = "0.1", .above_min = true, .max = 1,
     .record = RECORD_CHANGES, .help = "step, exponential: see --decay-epochs; plateau: the factor of each fall"},
    {"power", 0, NUMBER(schedule.power), .fallback = "1", .above_min = true, .record = RECORD_CHANGES,
     .help = "polynomial: 1 is a straight line"},
    {"cycle-mult", 0, NUMBER(schedule.cycle_mult), .fallback = "2", .min = 1, .record = RECORD_CHANGES,
     .help = "cosine-restarts: each period is so many times as long as the one before"},
    {"cycle-decay", 0, NUMBER(schedule.cycle_decay), .fallback = "1", .above_min = true, .max = 1,
     .record = RECORD_CHANGES,
     .help = "cosine-restarts: each period begins at so many times the rate of the one before"},
    {"min-lr", 0, NUMBER(schedule.min_lr), .fallback = "0", .record = RECORD_CHANGES,
     .help = "where cosine, polynomial and each period of cosine-restarts end; step, exponential and plateau stay "
             "above it"},
    {"warmup", 0, NUMBER(schedule.warmup), .fallback = "0", .record = RECORD_CHANGES,
     .help = "epochs (also a fraction) in which the rate rises from 0; one-cycle: to its peak, three tenths of the run "
             "when 0"},
    {"plateau-patience", 0, COUNT(plateau_patience), .min = 1, .max = 1e9, .record = RECORD_CHANGES,
     .help = "plateau: the rate falls when --monitor has not been better for N epochs; 10 when not given"},
    {"plateau-cooldown", 0, COUNT(plateau_cooldown), .max = 1e9, .record = RECORD_CHANGES,
     .help = "plateau: so many epochs after a fall do not count; 0 when not given"},
    {"scale-lr", 0, COUNT(scale_lr), .min = 1, .max = 1e9, .record = RECORD_CHANGES,
     .help = "--lr is meant for batches of N examples: it is multiplied by --batch-size / N"},

    {"init-from", 0, TEXT(init_from, "FILE"), .values = "*.h5 *.keras", .record = RECORD_FIXED,
     .also = "weights pretrained", .group = "Fine-tuning",
     .help = "begin with the network and the weights of this run, checkpoint or Keras file (.h5, .keras, .weights.h5, "
             "weights only with --model); a head for another number of classes starts anew"},
    {"classes", 0, COUNT(classes), .max = 1e6, .record = RECORD_FIXED,
     .help = "outputs of the network; as many as the data have classes when not given"},
    {"new-head", 0, FLAG(new_head), .record = RECORD_FIXED,
     .help = "start the head anew, although --init-from has one for these classes"},
    {"head-dropout", 0, NUMBER(head_dropout), .fallback = "0", .max = 0.99, .record = RECORD_FIXED,
     .help = "dropout in the head that a network without top gets"},
    {"allow-mismatch", 0, FLAG(allow_mismatch), .record = RECORD_FIXED, .also = "skip-mismatch ignore-mismatched-sizes",
     .help = "start layers anew for which --init-from has no weights that fit (Keras's skip_mismatch)"},
    {"freeze", 0, TEXT(freeze, "PATTERN"), .repeated = true, .record = RECORD_FIXED,
     .help =
         "do not train these layers: names, patterns like conv[1-4]_*, or networks inside; repeated or with commas"},
    {"freeze-until", 0, TEXT(freeze_until, "LAYER"), .record = RECORD_FIXED,
     .help = "do not train any layer that comes before this one"},
    {"unfreeze", 0, TEXT(unfreeze, "NAME@EPOCH"), .repeated = true, .record = RECORD_CHANGES,
     .help =
         "train this layer and all behind it, or the layers of a pattern, from that epoch on; repeated or with commas"},

    {"loss", 0, TEXT(loss, "KIND"), .fallback = "auto", .repeated = true, .record = RECORD_FIXED, .group = "Loss",
     .help =
         "auto (by the network's end and the labels), sparse_categorical_crossentropy, categorical_crossentropy, "
         "binary_crossentropy, mean_squared_error (mse), mean_absolute_error (mae), huber, log_cosh, "
         "mean_squared_logarithmic_error (msle), mean_absolute_percentage_error (mape), poisson, kl_divergence, "
         "cosine_similarity, hinge, squared_hinge, categorical_hinge, binary_focal_crossentropy, "
         "categorical_focal_crossentropy; contrastive, triplet, triplet_hard.  Several outputs: OUTPUT=KIND, repeated "
         "or with commas"},
    {"loss-weights", 0, TEXT(loss_weights, "LIST"), .repeated = true, .record = RECORD_FIXED,
     .help = "of the outputs' losses in the total: numbers with commas, or OUTPUT=X"},
    {"label-smoothing", 0, NUMBER(label_smoothing), .fallback = "0", .max = 1, .record = RECORD_FIXED,
     .help = "cross-entropies: part of the label that is spread over all classes"},
    {"huber-delta", 0, NUMBER(huber_delta), .fallback = "1", .above_min = true, .record = RECORD_FIXED,
     .help = "huber: where the loss becomes linear"},
    {"focal-gamma", 0, NUMBER(focal_gamma), .fallback = "2", .max = 100, .record = RECORD_FIXED,
     .help = "focal losses: how much less an example counts that is predicted well"},
    {"focal-alpha", 0, NUMBER(focal_alpha), .above_min = true, .max = 1, .record = RECORD_FIXED,
     .help =
         "focal losses: factor, 0.25 when not given; binary: of label 1, label 0 has the rest, none when not given"},
    {"margin", 0, NUMBER(margin), .above_min = true, .max = 4, .record = RECORD_FIXED,
     .help = "contrastive (1 when not given), triplet (0.2): how far apart classes shall be on the unit sphere"},
    {"class-weights", 0, TEXT(class_weights, "LIST"), .values = "balanced *.json", .record = RECORD_FIXED,
     .help = "weights of the classes in the training loss: balanced (examples / (classes * examples of the class)), "
             "CLASS=X,... by number or name, others 1, or a JSON file {\"CLASS\": X, ...}"},

    {"mixup", 0, NUMBER(mixup), .fallback = "0", .max = 1e6, .record = RECORD_FIXED, .group = "Mixed examples",
     .help =
         "mix each example with another of the batch, in shares that are drawn from Beta(X, X) for each batch; 0.2 is "
         "usual for images"},
    {"cutmix", 0, NUMBER(cutmix), .fallback = "0", .max = 1e6, .record = RECORD_FIXED,
     .help = "put a rectangle of another example over each, whose share is drawn from Beta(X, X); 1 is usual.  With "
             "--mixup: one of both for each batch"},
    {"mixup-prob", 0, NUMBER(mixup_prob), .fallback = "1", .max = 1, .record = RECORD_FIXED,
     .help = "part of the batches that --mixup and --cutmix change"},

    {"dropout", 0, NUMBER(dropout), .max = 0.99, .record = RECORD_FIXED, .group = "Dropout and batch normalization",
     .help = "rate of all Dropout layers of the network; its own when not given"},
    {"stochastic-depth", 0, NUMBER(stochastic_depth), .max = 0.99, .record = RECORD_FIXED,
     .help = "named residual networks: leave the last block's body out with this probability, the ones before in "
             "proportion to their place; efficientnet has 0.2 by itself"},
    {"batch-norm-momentum", 0, NUMBER(batch_norm_momentum), .max = 0.9999, .record = RECORD_FIXED,
     .help =
         "how much of batch normalization's moving statistics stays in each step; the network's own when not given, "
         "mostly 0.99, in MobileNet V2 and V3 0.999: too slow for short runs"},

    {"metrics", 0, TEXT(metrics, "LIST"), .repeated = true, .record = RECORD_FREE, .group = "Metrics and early stop",
     .help =
         "what to count beside loss and accuracy, of training, validation and test: top_K (top_5), precision, recall, "
         "f1, auc (means over classes); binary_accuracy; mae, mse, rmse, r2.  Several outputs: OUTPUT=NAME for one of "
         "them"},
    {"monitor", 0, TEXT(monitor, "NAME"), .record = RECORD_FIXED,
     .help = "which column of metrics.csv says what epoch is the best (best.h5), and decides --early-stop and "
             "--schedule plateau; val_loss when not given, loss where there is no validation"},
    {"early-stop", 0, COUNT(early_stop), .max = 1e9, .record = RECORD_CHANGES, .also = "patience",
     .help = "end when --monitor has not been better for N epochs; final.h5 is then the best epoch's.  0 is never"},
    {"min-delta", 0, NUMBER(min_delta), .record = RECORD_CHANGES,
     .help = "early stop and plateau: only what is better by more than X is better; when not given 0, with --schedule "
             "plateau 1e-4"},
    {"no-restore-best", 0, FLAG(no_restore_best), .record = RECORD_FREE,
     .help = "with --early-stop, too, final.h5 is the last epoch's"},

    {"out", 'o', TEXT(out, "FOLDER"), .record = RECORD_NONE, .group = "Run folder and checkpoints",
     .help = "run folder; checkpoints/MODEL-DATASET-N when not given"},
    {"overwrite", 0, FLAG(overwrite), .record = RECORD_NONE, .help = "replace the run in --out"},
    {"resume", 'r', TEXT(resume, "RUN"), .values = "auto *.h5", .record = RECORD_NONE,
     .help = "go on exactly where this run folder or checkpoint stands; auto: the newest unfinished run with these "
             "options, "
             "or a new one"},
    {"with-optimizer", 0, FLAG(with_optimizer), .record = RECORD_FIXED,
     .help = "take the optimizer, its state and its learning rate from the Keras file of --init-from, too"},
    {"checkpoint-epochs", 0, COUNT(checkpoint_epochs), .fallback = "1", .max = 1e9, .record = RECORD_FREE,
     .help = "write a checkpoint every N epochs; 0 is never"},
    {"checkpoint-steps", 0, COUNT(checkpoint_steps), .fallback = "0", .max = 1e15, .record = RECORD_FREE,
     .help = "also every N steps; 0 is never"},
    {"checkpoint-minutes", 0, NUMBER(checkpoint_minutes), .fallback = "0", .record = RECORD_FREE,
     .help = "also when the last one is so old; 0 is never"},
    {"keep", 0, COUNT(keep), .fallback = "3", .min = 1, .max = 1e9, .record = RECORD_FREE,
     .help = "so many of the newest step checkpoints; best and final always"},
    {"on-checkpoint-failure", 0, CHOICE(on_checkpoint_failure, on_failures), .fallback = "continue",
     .record = RECORD_FREE,
     .help = "when a checkpoint on the way or metrics.csv cannot be written: warn and train on to the next one, or end "
             "with exit code 1.  The last checkpoint must be written, after some more tries"},
    {"tensorboard", 0, FLAG(tensorboard), .record = RECORD_FREE,
     .help = "write curves, histograms, images and the graph for TensorBoard; tensorboard --logdir RUN shows them; "
             "--tensorboard=false: no longer, from a resume on"},
    {"tensorboard-steps", 0, COUNT(tensorboard_steps), .fallback = "10", .max = 1e9, .record = RECORD_FREE,
     .help = "--tensorboard: the loss of every N-th batch; 0 is never"},
    {"tensorboard-histograms", 0, COUNT(tensorboard_histograms), .fallback = "1", .max = 1e9, .record = RECORD_FREE,
     .help = "--tensorboard: histograms of weights and gradients, and images, every N epochs; 0 is never"},
    {"no-report", 0, FLAG(no_report), .record = RECORD_FREE, .help = "write no report.html into the run folder"},
    {"max-time", 0, OPTION_DURATION, .offset = offsetof(Config, max_time), .argument = "TIME", .above_min = true,
     .record = RECORD_NONE,
     .help = "after this (seconds, 1h30m or 1:30:00) write a checkpoint and end with exit code 75"},

    {"stall-timeout", 0, OPTION_DURATION, .offset = offsetof(Config, stall_timeout), .argument = "TIME",
     .fallback = "600", .record = RECORD_FREE,
     .help =
         "end with exit code 76 when no rank of a node gets on for so long; longer than the longest checkpoint, and "
         "than a rank's part of the validation, may take.  0 is never"},
    {"check-replicas", 0, TEXT(check_replicas, "WHEN"), .values = "off checkpoints", .fallback = "checkpoints",
     .record = RECORD_FREE,
     .help =
         "compare the bits of all ranks' weights and optimizer state before each checkpoint, and every N steps: off, "
         "checkpoints, or N.  Where they differ the ranks are named, and the run ends with exit code 76"},

    {"backend", 0, TEXT(backend, "NAME"), .fallback = "auto", .record = RECORD_CHANGES, .group = "Machine and display",
     .help = "which library computes; --verbose lists what runs where"},
    {"winograd", 0, CHOICE(winograd, winograds), .fallback = "auto", .record = RECORD_CHANGES,
     .help =
         "3x3 convolutions by Winograd's method where it is the faster; off: never.  Its rounding is another, about "
         "1e-5 of a result"},
    {"reduce", 0, CHOICE(reduce, reductions), .fallback = "tree", .record = RECORD_CHANGES,
     .help = "how gradients are summed; mpi leaves it to MPI_Allreduce, and bits then depend on the number of ranks"},
    {"cache-features", 0, TEXT(cache_features, "WHERE"), .values = "auto off memory /", .fallback = "auto",
     .record = RECORD_CHANGES,
     .help =
         "compute what the frozen front of the network gives once, not in every epoch, and keep it in the memory that "
         "the ranks of a node share, or in a file in a folder: off, memory, FOLDER, or auto, which is memory up to "
         "1 GB.  Another rounding than off"},
    {"profile", 0, TEXT(profile, "FILE"), .record = RECORD_NONE,
     .help = "time of each layer over 20 steps: a table, and a trace of all ranks for chrome://tracing in FILE"},
    {"config", 0, TEXT(config, "FILE"), .values = "*.json", .record = RECORD_NONE,
     .help = "options from a config.json; the command line wins"},
    {"lr-find", 0, FLAG(lr_find), .record = RECORD_NONE,
     .help = "in place of training: tries learning rates over 100 steps, suggests one, and writes lr-find.csv and "
             "lr-find.png into --out or the current folder"},
    {"prove", 0, TEXT(prove, "RUN"), .record = RECORD_NONE,
     .help = "in place of training: repeats the steps between the last two step checkpoints of this run, compares the "
             "bits, "
             "and writes nothing; on any number of ranks up to its micro-batches"},
    {"dry-run", 'n', FLAG(dry_run), .record = RECORD_NONE,
     .help = "check everything, print plan and memory, do not train"},
    {"verbose", 'v', FLAG(verbose), .record = RECORD_NONE, .help = "say more"},
    {"quiet", 'q', FLAG(quiet), .record = RECORD_NONE, .help = "say nothing but errors and warnings"},
};

const CliProgram *config_program(void) {
    static const CliProgram program = {
        .name = "cnn_train",
        .summary = "Trains a convolutional network on the ranks that mpirun or srun starts.\n"
                   "What is not given comes from the network's recipe (see --list-models), else\n"
                   "from the defaults that --help=all tells.",
        .common = "data model epochs batch-size optimizer lr schedule augment validation-split "
                  "init-from out resume tensorboard dry-run",
        .trains = true,
        .examples = "Examples:\n"
                    "  mpirun -np 8 cnn_train --data mnist.h5 --model lenet5 --epochs 5 --out run1\n"
                    "  mpirun -np 3 cnn_train --resume run1\n"
                    "  cnn_train --model lenet5 --optimizer sgd --lr 0.1 --momentum 0.9 \\\n"
                    "      --schedule cosine --warmup 1 --dry-run",
        .options = options,
        .option_count = sizeof options / sizeof *options,
    };
    return &program;
}
