/* SPDX-License-Identifier: Apache-2.0
 *
 * From picture files to examples: the rule (size, fit, channels) and its execution, the same for import, training and
 * prediction. */
#ifndef DATA_PICTURES_H
#define DATA_PICTURES_H
#include "base/shape.h"
#include "data/folder.h"
#include "io/image.h"
#include <pthread.h>

/* From texts of options: size "224", "HEIGHTxWIDTH" or "" (not said); fit one of image_fits or "" (not said); channels
 * 1, 3 or 0 (not said).  STATUS_USAGE. */
Status picture_rule_parse(const char *size, const char *fit, size_t channels, PictureRule *out);

/* What `said` says goes before what `rule` says. */
void picture_rule_prefer(const PictureRule *said, PictureRule *rule);

/* Settles what was not said by the headers of up to 64 files, evenly spaced: the size of them all if it is the same and
 * not above 512, else that of `usual` (NULL, or rank 0: 224 x 224); one channel if all are grey, else three; crop.
 * STATUS_FAILED: none of them is a picture. */
Status picture_rule_settle(const Folder *folder, const Shape *usual, PictureRule *rule);

Shape picture_shape(const PictureRule *rule);

/* Buffers that one thread needs at a time. */
typedef struct PictureWork {
    struct PictureWork *next; /* of those that nobody uses */
    Image photo;
    unsigned char *bytes; /* owned; of a file */
    size_t room;
} PictureWork;

/* Buffers of all threads; {.lock = PTHREAD_MUTEX_INITIALIZER} to begin with. */
typedef struct PictureWorks {
    pthread_mutex_t lock;
    PictureWork *free;
} PictureWorks;

/* *work = buffers that nobody else uses, until they are given back.  STATUS_FAILED: no memory. */
Status picture_work_take(PictureWorks *works, PictureWork **work);
void picture_work_give(PictureWorks *works, PictureWork *work); /* accepts NULL */
void picture_works_free(PictureWorks *works);                   /* all have been given back */

/* Makes work->bytes have room for `size` bytes. */
Status picture_room(PictureWork *work, size_t size);

/* work->bytes[*size] = a file.  expected: its size when it was listed; another one is right, too, but takes longer. */
Status picture_read(const char *path, size_t expected, PictureWork *work, size_t *size);

/* x[shape of the rule] = the picture in bytes[size], which `name` stands for in messages.  The rule is settled. */
Status picture_decode(const PictureRule *rule, const void *bytes, size_t size, const char *name, PictureWork *work,
                      uint8_t *x);

#endif
