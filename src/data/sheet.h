/* SPDX-License-Identifier: Apache-2.0
 *
 * Sheets of examples as PNG pictures: small images side by side, magnified by a whole number.
 *
 *     TRY(sheet_create(&info->shape, rows, columns, &sheet));
 *     sheet_place(sheet, row, column, x);
 *     status = sheet_write(sheet, "sheet.png");
 *     sheet_destroy(sheet); */
#ifndef DATA_SHEET_H
#define DATA_SHEET_H
#include "data/augment.h"
#include "io/picture.h"

typedef struct Sheet Sheet;

/* A white sheet for rows x columns examples of `shape` [height, width, channels].  STATUS_USAGE: no images, or more
 * than 2^31 bytes. */
Status sheet_create(const Shape *shape, size_t rows, size_t columns, Sheet **out);
void sheet_destroy(Sheet *sheet); /* accepts NULL */

/* rgb[height][width][3] = x[shape], 0 black to 1 white, the rest cut off: three channels and more as red, green, blue,
 * one and two as grey. */
void sheet_pixels(const Shape *shape, const Real *x, uint8_t *rgb);

/* Draws x[shape] so. */
void sheet_place(Sheet *sheet, size_t row, size_t column, const Real *x);

/* io/png.h. */
Status sheet_write(const Sheet *sheet, const char *path);

/* Writes a sheet of `count` examples (0: what fits a screen) of the dataset's first split, evenly spaced.  With
 * `augment` (checked): a row for each, the original and what it becomes in epochs 0, 1, ...  Without (NULL): originals
 * in a square. */
Status sheet_of_dataset(Dataset *dataset, const Augment *augment, size_t count, const char *path);

/* The same with words (io/picture.h): the class under each example, the epoch under what it becomes, a title; numbers
 * that are no bytes from their smallest, black, to their largest, white.  STATUS_FAILED: also when built without
 * cairo. */
Status sheet_of_labels(Dataset *dataset, const Augment *augment, size_t count, const char *path);

/* rgb[height][width][3] = an example of a split as people see it: numbers from 0 to info->value_max, others from the
 * example's smallest (black) to its largest (white).  STATUS_USAGE: it is no image. */
Status sheet_example(Dataset *dataset, DatasetSplit split, uint64_t row, uint8_t *rgb);

/* What a network says of the picture in a cell, under it: "97% cat", and where that is wrong (PICTURE_RED) "is dog";
 * `text` holds it.  PICTURE_BLACK: nobody knows. */
enum { SHEET_CAPTION = 128 };
void sheet_say(double probability, const char *said, PictureColour verdict, const char *truth,
               char text[2][SHEET_CAPTION], PictureCell *cell);

#endif
