/* SPDX-License-Identifier: Apache-2.0
 *
 * Between look.c, which opens and shows maps, and look_cam.c, which shows where a network looks. */
#ifndef TRAIN_LOOK_INTERNAL_H
#define TRAIN_LOOK_INTERNAL_H
#include "data/sheet.h"
#include "train/look.h"

enum { LOOK_SIDE = 256 }; /* pixels of a picture */

/* Name or number of a class. */
const char *look__class(const Look *look, size_t class, char text[SHEET_CAPTION]);

/* The example with its label. */
PictureCell look__cell(const Look *look);

/* --layer, else the maps of the first convolution; -1: there is none. */
Status look__choose_maps(const Look *look, int *node);

#endif
