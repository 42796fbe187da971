/* SPDX-License-Identifier: Apache-2.0
 *
 * One training run, between the files of the trainer: trainer_open.c sets it up, with open_model.c for the network and
 * its first weights and trainer_resume.c for what it goes on from, trainer.c runs it, by steps (trainer_step.c),
 * trainer_save.c writes it down, trainer_memory.c says what it takes. */
#ifndef TRAIN_TRAINER_INTERNAL_H
#define TRAIN_TRAINER_INTERNAL_H
#include "dist/gradsync.h"
#include "io/checkpoint_writer.h"
#include "io/run.h"
#include "train/augmentation.h"
#include "train/average.h"
#include "train/board.h"
#include "train/evaluate.h"
#include "train/features.h"
#include "train/history.h"
#include "train/match.h"
#include "train/monitor.h"
#include "train/optimizer.h"
#include "train/profile.h"
#include "train/progress.h"
#include "train/record.h"
#include "train/record_files.h"
#include "train/replicas.h"
#include "train/report.h"
#include "train/step_times.h"
#include "train/trainer.h"

/* Numbers behind the graph's part of a gradient slab: what ranks have to agree on each step, summed like the rest. */
enum { FLAG_STOP, FLAG_SAVE, FLAG_FAILED, FLAG_COUNT = GRAPH_SPAN_ALIGN };

typedef struct Trainer {
    Dist *dist;     /* borrowed */
    Config *config; /* borrowed */
    Setup setup;
    ScheduleOptions schedule; /* config_schedule, with the learning rate that a plateau has left of it */
    Replica *replica;
    double *multipliers; /* of learning rates, per parameter; NULL: all 1 */
    Optimizer *optimizer;
    Average *average; /* NULL without --average-weights */
    GradSync *sync;
    Augment augment; /* of training images; count 0: none */
    Loader *loader;
    Features features;
    Evaluation *validation; /* NULL where there is no such data */
    History *history;
    Monitor monitor; /* of history */
    TrainState state;
    Progress progress;
    Board *board;     /* NULL without --tensorboard, and on ranks above 0 */
    Profile *profile; /* NULL without --profile */
    SamplerView train, val;
    DatasetSplit val_split;
    uint64_t steps_per_epoch;
    double forecast;                            /* of this rank's memory, bytes */
    uint64_t epoch_trained;                     /* examples of this epoch that this process has seen, for the speed */
    double started, epoch_began, epoch_seconds; /* dist_time; seconds of earlier processes */
    double epoch_waited;                        /* for data, before this epoch */
    double worked;                              /* seconds of this rank's own work in this epoch (slow_ranks.h), */
    uint64_t worked_on;                         /* on so many examples */
    ReplicaChecks checks;
    bool unlike; /* ranks compute on unlike CPUs: replicas are not the same, and not compared */

    /* fine-tuning, resuming */
    char *file_preprocess;     /* JSON of the file that weights come from, on all ranks; NULL: none */
    MatchPart *parts;          /* [layers of the network]; NULL when resuming */
    size_t new_heads;          /* bit per output: its head starts anew */
    char made_for[SHAPE_TEXT]; /* size of images that the network was made for, where the data's is another; else "" */

    /* resuming */
    bool resuming;
    RecordState saved;  /* on all ranks */
    char *model_text;   /* JSON of the network, on all ranks; NULL: the zoo's */
    char *checkpoint;   /* path of what is resumed; rank 0 */
    char *folder;       /* of the run that is resumed, or to be made (NULL: a numbered one); rank 0 */
    bool nothing_left;  /* --resume auto found that all epochs are done, as the last job of a chain may */
    char *proof;        /* --prove: path of the checkpoint that `checkpoint` has to lead to; rank 0 */
    uint64_t last_step; /* --prove: stop after this step, in the middle of an epoch; 0: do not */

    /* rank 0 */
    /* Held; when resuming, from before the checkpoint is chosen.  When not, and set early: it holds a run without a
     * checkpoint, which begins again. */
    Run *run;
    char *files; /* record_files of the run's beginning */
    CheckpointWriter *writer;
    double last_save;
    StepTimes step_times;            /* with --verbose */
    double reported, report_seconds; /* when report.html was last written, and how long that took; 0: not yet */
    uint64_t saved_step; /* step of the newest checkpoint on the disk, as far as is known; UINT64_MAX: none */
    char environment[256];
    char content[DATASET_CONTENT]; /* of the data in memory at the start */
} Trainer;

/* Everything up to the first step: resume, data, network, plans, memory, weights, run folder.  *finished: there is
 * nothing to train (--dry-run, a finished run).  Collective, agreed. */
Status trainer__open(Trainer *trainer, bool *finished);
void trainer__close(Trainer *trainer);

/* Parts of trainer__open, in this order; agreed.
 * setup.model: what --model, --init-from or the checkpoint says, but for networks of the zoo.
 * setup.data: what --data says; pictures in folders come to the size that the network takes, unless --size says
 * another.  setup.model of the zoo, which are made for an example's shape; and trainer__adapt_model. */
Status trainer__read_model(Trainer *trainer);
Status trainer__open_data(Trainer *trainer);
Status trainer__open_model(Trainer *trainer);

/* Makes the network fit the data: size of images, classes; and freezes layers.  trainer->parts.  Part of
 * trainer__open_model; the same on all ranks, not agreed. */
Status trainer__adapt_model(Trainer *trainer);

/* setup.preprocess: what --preprocess says, else the file that weights come from, else the default.  Not agreed. */
Status trainer__preprocess(Trainer *trainer);

/* --with-optimizer: options that nobody gave come from the file.  Part of trainer__open; agreed. */
Status trainer__take_optimizer(Trainer *trainer);

/* The same to `config`, on rank 0. */
Status trainer__read_optimizer(Config *config);

/* Weights of --init-from, on rank 0, and what became of each; with --dry-run the report alone.  Agreed. */
Status trainer__load_initial(Trainer *trainer);

/* The weights that the run begins with: initial ones, those of --init-from, or the checkpoint's.  Part of
 * trainer__open; agreed. */
Status trainer__start_weights(Trainer *trainer);

/* At the beginning of an epoch: where --unfreeze lets more layers train from now on, graph, plans, optimizer and
 * exchange are made anew for them (phase.c); what depends on them must not be kept over it.  Collective, agreed. */
Status trainer__begin_phase(Trainer *trainer);

/* trainer->features as they are chosen, and trainer->replica with a plan for each size of micro-batch and of
 * evaluation.  Part of trainer__open and trainer__begin_phase; not agreed. */
Status trainer__prepare_plans(Trainer *trainer);

/* Warns of what is allowed but seldom meant: of batches, ranks, the scale of x.  After the graph; not collective. */
Status trainer__warn(const Trainer *trainer);

/* Loaders of training and validation data, from the place of trainer->state on.  Likewise. */
Status trainer__open_loaders(Trainer *trainer);

/* The part of the network that is trained and validated: with features what lies behind them. */
static inline PlanPart trainer__part(const Trainer *trainer) {
    return (PlanPart){.from = trainer->features.node};
}

/* What the exchange and the loader of training data are made with.  Part of trainer__open. */
GradSyncOptions trainer__sync_options(const Trainer *trainer);
LoaderOptions trainer__loader_options(const Trainer *trainer);

/* trainer->forecast, and *text = lines that say how it comes about, and how much arithmetic an example is.  After the
 * plans, before anything large is allocated.  The caller frees with memory_free. */
Status trainer__forecast(Trainer *trainer, char **text);

/* Prints the largest peak of the ranks' memory so far, and its forecast.  Collective. */
void trainer__report_memory(Trainer *trainer);

/* Looks for what --resume names, on rank 0, and tells all.  Part of trainer__open. */
Status trainer__find_resume(Trainer *trainer);

/* What ranks asked for in a step. */
typedef struct StepFlags {
    bool stop, save, failed; /* failed: a checkpoint, and --on-checkpoint-failure says stop */
} StepFlags;

/* One step at rate `lr`.  STATUS_FAILED, with nothing changed: its loss is no number.  Collective, the same on all
 * ranks. */
Status trainer__step(Trainer *trainer, double lr, StepFlags *flags);

/* For trainer->board, in a step: a micro-batch's examples; the gradients, before the optimizer takes the slab; the loss
 * of the batch. */
void trainer__show_inputs(Trainer *trainer, const LoaderBatch *batch);
void trainer__show_gradients(Trainer *trainer, const Real *slab, double weight);
void trainer__show_loss(Trainer *trainer, const Real *losses, double examples, double penalty);

/* Opens trainer->board beside an open history.  Rank 0. */
void trainer__open_board(Trainer *trainer);

/* --lr-find, in place of training: a sweep of up to 100 steps with rates from 1e-7 to 10, equally far apart in powers,
 * until the smoothed loss is four times its smallest; a table, lr-find.csv and lr-find.png in --out or the current
 * folder, and a suggestion: a tenth of the rate with the smallest smoothed loss.  Nothing else is written.
 * Collective. */
Status trainer__find_lr(Trainer *trainer);

/* One epoch, or what is left of it: steps, validation, row of the history, checkpoint.  *stopped: it was left before
 * its end, on request or after last_step; a checkpoint of this moment has not been written.  Collective, agreed. */
Status trainer__epoch(Trainer *trainer, bool *stopped);

/* --prove, in place of training: repeats the steps from trainer->checkpoint to trainer->proof and compares everything
 * that decides how training goes on (record_digest), and the rows of the history.  Writes nothing.  STATUS_FAILED: it
 * differs; what does has been printed.  Collective, agreed. */
Status trainer__prove(Trainer *trainer);

/* On rank 0: trainer->checkpoint, proof = the last two whole step checkpoints of --prove's folder; the options become
 * those of the last.  Part of trainer__find_resume. */
Status trainer__find_proof(Trainer *trainer);

/* The run as it is at this moment, on rank 0 after metrics_collect. */
Record trainer__record(const Trainer *trainer);

/* Weights and slots of rank 0 to all. */
void trainer__broadcast(Trainer *trainer);

/* Weights, slots and numbers of the checkpoint that is resumed, on all ranks. */
Status trainer__restore(Trainer *trainer);

/* Is the data that of the run that is resumed?  Part of trainer__open; not agreed. */
Status trainer__check_data(const Trainer *trainer);

/* The same of all examples in memory, which must also be those of rank 0: once they are loaded.  Collective; not
 * agreed. */
Status trainer__check_content(Trainer *trainer);

/* Before the run that is resumed goes on, on rank 0: makes best.h5 the file of the best epoch that the state speaks of.
 * One of an abandoned branch is set aside; where the best epoch's file is lost, the best from here on counts, which a
 * warning says. */
Status trainer__restore_best(Trainer *trainer);

/* best.h5 cannot be that of the best epoch so far: it is set aside, and the best from here on counts.  On rank 0, with
 * nothing being written. */
Status trainer__forget_best(Trainer *trainer);

/* trainer->history with the rows of the checkpoint, and what is monitored in it.  A resumed run that has stopped early
 * has nothing left, or is a failure.  Part of trainer__open, after the graph; not collective. */
Status trainer__open_history(Trainer *trainer);

/* Has the monitored value not been better for --early-stop epochs? */
bool trainer__stops(const Trainer *trainer);

/* At the beginning of an epoch: trainer->schedule, where a plateau lowers the learning rate. */
void trainer__set_rate(Trainer *trainer);

/* A resume whose options, such as more epochs of a cosine, give the next step another rate than before: says both. */
void trainer__say_rate(const Trainer *trainer);

/* Whether the epoch of the history's last row is the best so far; the state remembers it. */
bool trainer__judge(Trainer *trainer);

/* Does final.h5 have the weights of the best epoch, as with --early-stop it does? */
bool trainer__takes_best(const Trainer *trainer);

/* trainer__save at the end of the last epoch, with final.h5.  Collective, agreed. */
Status trainer__save_last(Trainer *trainer, bool best);

/* After the last epoch, when all is written: says what became of it, and takes the weights of final.h5.  Collective,
 * agreed. */
Status trainer__finish(Trainer *trainer);

/* The weights alone of the checkpoint `name` of the run folder, on all ranks.  Collective, agreed. */
Status trainer__load(Trainer *trainer, const char *name);

/* What a checkpoint becomes beside its step's file. */
typedef struct SaveAs {
    bool best;          /* best.h5 */
    bool final;         /* final.h5, */
    bool final_is_best; /* with best.h5's content */
    bool last;          /* none follows in this process: it is tried for some seconds */
} SaveAs;

/* Writes a checkpoint of this moment in the background, after the one before; a failure of that one is a warning here,
 * or with --on-checkpoint-failure stop a failure.  Rank 0 works, all ranks agree. */
Status trainer__save(Trainer *trainer, SaveAs as);

/* Waits for the last checkpoint, which must be on the disk.  Collective, agreed. */
Status trainer__finish_saving(Trainer *trainer);

/* On rank 0, in every step: a checkpoint that failed in the background is a warning at once.  Returns whether the run
 * must end for it. */
bool trainer__must_end(Trainer *trainer);

/* Of all ranks, when rank 0 said so.  Collective, agreed. */
Status trainer__end_for_failure(Trainer *trainer);

/* metrics.csv on rank 0; last: it must be written, and is asked for when the last checkpoint has been.  Collective,
 * agreed. */
Status trainer__write_metrics(Trainer *trainer, bool last);

/* metrics.csv of a run that is done, where that alone could not be written: anew, from the checkpoint.  On rank 0, when
 * the run is held; not agreed. */
Status trainer__complete_metrics(const Trainer *trainer);

/* trainer->saved_step, on rank 0, once nothing is in flight; a failure of that stays to be told. */
uint64_t trainer__saved(Trainer *trainer);

/* Fails with STATUS_RETRY where the ranks' weights, slots, averages or sums are not the same, and names who is odd and
 * which checkpoint is good.  Collective, agreed. */
Status trainer__check_replicas(Trainer *trainer);

/* report.html (report.h) while the run trains, on rank 0: at most once a minute, and so that it takes at most a
 * hundredth of the time.  A failure is a warning. */
void trainer__refresh_report(Trainer *trainer);

/* What trainer__last_report needs of a run that is done, taken before the trainer is closed: the largest peak of the
 * ranks' memory, too.  Collective. */
typedef struct LastReport {
    bool wanted;
    TrainedArguments arguments;
    char machine[REPORT_MACHINE];
} LastReport;
LastReport trainer__begin_last_report(Trainer *trainer);

/* The report of the whole run, with results.  Collective.  A failure is a warning. */
void trainer__last_report(Dist *dist, const LastReport *report);

/* config_fill with the recipe of the options' network, which with --init-from is only that of the losses. */
Status trainer__fill(Config *config);

/* "checkpoints/lenet5-mnist": what numbered run folders of these options are called. */
Status trainer__base(const Config *config, char **out);

#endif
