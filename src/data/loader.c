/* SPDX-License-Identifier: Apache-2.0 */
#include "data/loader.h"
#include "base/memory.h"
#include "base/thread.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

/* What is in memory is prepared when it is asked for: 13 GB/s were measured, less than 1 % of the first layer's time,
 * while waking a thread costs its core some microseconds, or many where others want it, too.  What is read from a file
 * or decoded is prepared ahead: of small batches many at a time, for the same reason; of large ones there is one in use
 * and one ahead. */
enum { RING_MOST = 64, RING_USUAL = 4, RING_LEAST = 2, RING_BYTES = 1 << 20, LARGE_BATCH = 1 << 24 };

/* Where the thread is: the next batch to prepare. */
typedef struct Place {
    uint64_t epoch, step;
    uint64_t unit; /* of this rank's `units` */
} Place;

typedef struct Slot {
    LoaderBatch batch;
    Real *x, **labels, *weights; /* owned */
    Status status;
    char message[1024]; /* why status is not STATUS_OK; messages belong to the thread that failed */
} Slot;

struct Loader {
    LoaderOptions options;
    size_t label_count, most; /* label arrays; rows of the largest batch */
    size_t ring;              /* slots in use */
    Slot slot[RING_MOST];     /* batch number i is in slot i % ring */
    uint64_t *rows;           /* owned; of the batch that is being prepared */
    void *scratch;            /* owned; of the augmentation, NULL without */
    double waited;            /* the reader's */

    pthread_t thread;
    bool running;         /* a thread prepares ahead; else the reader prepares */
    pthread_mutex_t lock; /* guards all below */
    pthread_cond_t prepared, wanted;
    Place place;
    uint64_t done, taken; /* batches prepared, and handed out; the last one handed out is in use */
    uint64_t restarts;
    bool finished;  /* the last slot is the end or a failure: nothing follows it */
    bool preparing; /* a batch is on its way, in the thread or in the reader */
    bool stop;
};

/* ---- preparing: the thread, or a reader that is ahead of it ---- */

/* The row of an example of the global batch that begins at position `start` of the epoch. */
static uint64_t row_of(const LoaderOptions *options, const Place *place, uint64_t start, uint64_t position) {
    uint64_t index = position;
    if (options->block == 0)
        index = sampler_index(&options->view, options->order, place->epoch, start + position);
    return sampler_row(&options->view, index);
}

/* The examples of one batch; n is 0 for an empty micro-batch and at the end.  Returns how many rows are to be read: one
 * more where the batch is mixed. */
static size_t plan_batch(Loader *loader, const Place *place, LoaderBatch *batch, Mix *mix) {
    const LoaderOptions *options = &loader->options;
    *batch = (LoaderBatch){.epoch = place->epoch, .step = place->step, .unit = options->first_unit + place->unit};
    SamplerPart part = {0};
    uint64_t start = 0; /* of the global batch in the epoch */
    size_t size = 0;    /* of the global batch */
    *mix = (Mix){.kind = MIX_NONE};
    if (options->block > 0) {
        batch->end = place->unit >= options->units;
        if (!batch->end)
            part = sampler_block(options->view.count, options->block, batch->unit);
    } else {
        size = sampler_batch(options->view.count, options->batch_size, place->step);
        part = sampler_micro_batch(size, options->micro_batches, (size_t)batch->unit);
        start = place->step * options->batch_size;
        if (options->targets)
            *mix = mix_draw(&options->targets->mix, &dataset_info(options->dataset)->shape, place->epoch, place->step);
    }
    batch->first = part.first;
    batch->n = (size_t)part.count;
    for (size_t i = 0; i < batch->n; i++)
        loader->rows[i] = row_of(options, place, start, part.first + i);
    if (batch->n == 0 || mix->kind == MIX_NONE)
        return batch->n;
    loader->rows[batch->n] = row_of(options, place, start, (part.first + batch->n) % size);
    return batch->n + 1;
}

/* What the loss reads, from labels as they are in the file; and mixes. */
static void make_targets(const LoaderOptions *options, const Mix *mix, size_t rows, const Slot *slot) {
    const DatasetInfo *info = dataset_info(options->dataset);
    if (options->targets == NULL || options->without_labels)
        return;
    targets_convert(options->targets, info, options->block == 0, rows, slot->labels, slot->weights);
    if (mix->kind != MIX_NONE)
        targets_mix(options->targets, info, mix, slot->batch.n, slot->x, slot->labels, slot->weights);
}

static void prepare(Loader *loader, const Place *place, Slot *slot) {
    const LoaderOptions *options = &loader->options;
    Mix mix;
    size_t rows = plan_batch(loader, place, &slot->batch, &mix);
    slot->batch.x = slot->x;
    slot->batch.labels = slot->labels;
    slot->batch.weights = slot->weights;
    AugmentPass augment = {options->augment, place->epoch, loader->scratch};
    slot->status = dataset_read_augmented(options->dataset, options->split, loader->rows, rows, options->preprocess,
                                          options->augment ? &augment : NULL, slot->x, slot->labels);
    if (slot->status == STATUS_OK)
        make_targets(options, &mix, rows, slot);
    else
        snprintf(slot->message, sizeof slot->message, "%s", status_message());
}

static void advance(const Loader *loader, Place *place) {
    if (++place->unit < loader->options.units || loader->options.block > 0)
        return;
    place->unit = 0;
    if (++place->step < sampler_steps(loader->options.view.count, loader->options.batch_size))
        return;
    place->step = 0;
    place->epoch++;
}

/* Slots not free for writing: those prepared and not taken, and the one in use. */
static bool ring_is_full(const Loader *loader) {
    uint64_t in_use = loader->taken > 0 ? loader->taken - 1 : 0;
    return loader->done - in_use >= loader->ring;
}

/* Prepares the next batch.  With the lock held, and without it while it works. */
static void prepare_next(Loader *loader) {
    Place place = loader->place;
    Slot *slot = &loader->slot[loader->done % loader->ring];
    uint64_t restarts = loader->restarts;
    loader->preparing = true;
    pthread_mutex_unlock(&loader->lock);
    prepare(loader, &place, slot);
    advance(loader, &place);
    pthread_mutex_lock(&loader->lock);
    loader->preparing = false;
    if (restarts != loader->restarts)
        return; /* was for the old place */
    loader->place = place;
    loader->finished = slot->batch.end || slot->status != STATUS_OK;
    loader->done++;
}

static void *run(void *argument) {
    Loader *loader = argument;
    pthread_mutex_lock(&loader->lock);
    while (!loader->stop) {
        if (loader->finished || loader->preparing || ring_is_full(loader)) {
            pthread_cond_wait(&loader->wanted, &loader->lock);
            continue;
        }
        prepare_next(loader);
        pthread_cond_signal(&loader->prepared);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* ---- create and destroy ---- */

/* Examples of the largest batch: a block or batch may be larger than the data. */
static size_t most_examples(const LoaderOptions *options) {
    size_t most = options->block > 0
                      ? options->block
                      : (size_t)sampler_micro_batch(options->batch_size, options->micro_batches, 0).count;
    return most < options->view.count ? most : (size_t)options->view.count;
}

/* Rows that are read for it: mixing takes one more. */
static size_t most_rows(const LoaderOptions *options) {
    bool mixes = options->block == 0 && options->targets && mix_is_on(&options->targets->mix);
    return most_examples(options) + mixes;
}

/* Numbers of a label array per example. */
static size_t label_width(const LoaderOptions *options, size_t label) {
    const DatasetInfo *info = dataset_info(options->dataset);
    return options->targets ? targets_width(options->targets, info, label) : shape_count(&info->labels[label].shape);
}

static bool is_weighted(const LoaderOptions *options) {
    return options->targets && options->targets->weighted && !options->without_labels;
}

/* Reals of a batch, labels included; SIZE_MAX where a size_t cannot hold their bytes. */
static size_t batch_numbers(const LoaderOptions *options) {
    const DatasetInfo *info = dataset_info(options->dataset);
    size_t one = dataset_width(options->dataset, options->split) + is_weighted(options), count, bytes;
    for (size_t i = 0; i < info->label_count && !options->without_labels; i++)
        one += label_width(options, i);
    bool fits = memory_multiply(one, most_rows(options), &count) && memory_multiply(count, sizeof(Real), &bytes);
    return fits ? count : SIZE_MAX;
}

static size_t ring_of(const LoaderOptions *options) {
    size_t numbers = batch_numbers(options);
    bool decodes = dataset_info(options->dataset)->is_encoded; /* also those that will then be in memory */
    if (!options->once && !decodes && dataset_fits(options->dataset, options->split))
        return 1;
    if (numbers > LARGE_BATCH / sizeof(Real))
        return RING_LEAST;
    size_t ring = RING_BYTES / sizeof(Real) / (numbers + 1);
    return ring < RING_USUAL ? RING_USUAL : ring < RING_MOST ? ring : RING_MOST;
}

static size_t scratch_bytes(const LoaderOptions *options) {
    return options->augment ? augment_scratch_bytes(dataset_info(options->dataset)) : 0;
}

size_t loader_bytes(const LoaderOptions *options) {
    size_t bytes, scratch = scratch_bytes(options);
    bool fits = memory_multiply(batch_numbers(options), ring_of(options) * sizeof(Real), &bytes);
    return fits && scratch <= SIZE_MAX - bytes ? bytes + scratch : SIZE_MAX;
}

static Status new_slot(Loader *loader, Slot *slot) {
    size_t count;
    if (!memory_multiply(loader->most, dataset_width(loader->options.dataset, loader->options.split), &count))
        count = SIZE_MAX;
    TRY(memory_new(&slot->x, count, "examples of a batch"));
    if (loader->options.without_labels)
        return STATUS_OK;
    TRY(memory_new(&slot->labels, loader->label_count, "labels of a batch"));
    for (size_t i = 0; i < loader->label_count; i++)
        TRY(memory_new(&slot->labels[i], loader->most * label_width(&loader->options, i), "labels of a batch"));
    if (is_weighted(&loader->options))
        TRY(memory_new(&slot->weights, loader->most, "weights of a batch"));
    return STATUS_OK;
}

static Status fill(Loader *loader) {
    LoaderOptions *options = &loader->options;
    loader->label_count = dataset_info(options->dataset)->label_count;
    loader->most = most_rows(options);
    loader->ring = ring_of(options);
    loader->place = (Place){options->epoch, options->step, 0};
    if (!options->once)
        TRY(dataset_load(options->dataset, options->split));
    TRY(memory_new(&loader->rows, loader->most, "row numbers"));
    if (options->augment)
        TRY(memory_alloc(scratch_bytes(options), 1, "augmentation", &loader->scratch));
    for (size_t i = 0; i < loader->ring; i++)
        TRY(new_slot(loader, &loader->slot[i]));
    if (loader->ring == 1)
        return STATUS_OK;
    TRY(thread_start(&loader->thread, "reads data", run, loader));
    loader->running = true;
    return STATUS_OK;
}

Status loader_create(const LoaderOptions *options, Loader **out) {
    *out = NULL;
    CHECK(options->view.count > 0, "an empty view of %s", dataset_info(options->dataset)->path);
    CHECK(options->block > 0 || (options->units > 0 && options->batch_size > 0 &&
                                 options->first_unit + options->units <= options->micro_batches),
          "%llu micro-batches", (unsigned long long)options->units);
    Loader *loader;
    TRY(memory_new(&loader, 1, "loader"));
    loader->options = *options;
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->prepared, NULL);
    pthread_cond_init(&loader->wanted, NULL);
    Status status = fill(loader);
    if (status == STATUS_OK)
        *out = loader;
    else
        loader_destroy(loader);
    return status;
}

void loader_destroy(Loader *loader) {
    if (loader == NULL)
        return;
    if (loader->running) {
        pthread_mutex_lock(&loader->lock);
        loader->stop = true;
        pthread_cond_signal(&loader->wanted);
        pthread_mutex_unlock(&loader->lock);
        pthread_join(loader->thread, NULL);
    }
    for (size_t i = 0; i < loader->ring; i++) {
        Slot *slot = &loader->slot[i];
        for (size_t k = 0; slot->labels != NULL && k < loader->label_count; k++)
            memory_free(slot->labels[k]);
        memory_free(slot->labels);
        memory_free(slot->weights);
        memory_free(slot->x);
    }
    memory_free(loader->rows);
    memory_free(loader->scratch);
    pthread_mutex_destroy(&loader->lock);
    pthread_cond_destroy(&loader->prepared);
    pthread_cond_destroy(&loader->wanted);
    memory_free(loader);
}

/* ---- the reader's side ---- */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* The reader does not wait for a thread that has not begun: on a busy core that may take as long as several steps.
 * With the lock held. */
static void wait_for_batch(Loader *loader) {
    double began = now();
    while (loader->done == loader->taken && !loader->finished)
        if (loader->preparing)
            pthread_cond_wait(&loader->prepared, &loader->lock);
        else
            prepare_next(loader);
    loader->waited += now() - began;
}

Status loader_next(Loader *loader, LoaderBatch *batch) {
    pthread_mutex_lock(&loader->lock);
    if (loader->done == loader->taken && !loader->finished)
        wait_for_batch(loader);
    if (loader->taken < loader->done) /* else again the end or the failure */
        loader->taken++;
    const Slot *slot = &loader->slot[(loader->taken - 1) % loader->ring];
    if (loader->done - loader->taken <= loader->ring / 2) /* then the thread fills the ring, and sleeps again */
        pthread_cond_signal(&loader->wanted);
    pthread_mutex_unlock(&loader->lock);
    *batch = slot->batch;
    return slot->status == STATUS_OK ? STATUS_OK : status_fail(slot->status, "%s", slot->message);
}

double loader_waited(const Loader *loader) {
    return loader->waited;
}

void loader_restart(Loader *loader, uint64_t epoch, uint64_t step) {
    pthread_mutex_lock(&loader->lock);
    loader->place = (Place){epoch, step, 0};
    loader->done = loader->taken = 0;
    loader->finished = false;
    loader->restarts++;
    pthread_cond_signal(&loader->wanted);
    pthread_mutex_unlock(&loader->lock);
}
