/* SPDX-License-Identifier: MIT */
/*
 * tests/host/fake/ext4_model.h - a file system of lists and buffers, to compare.
 *
 * model_step() does one random operation on the volume and on the model and
 * checks that they agree about its outcome; model_compare() looks at all of
 * both.
 */
#ifndef TESTS_HOST_FAKE_EXT4_MODEL_H
#define TESTS_HOST_FAKE_EXT4_MODEL_H

#include <tests/host/fake/ext4_rig.h>

struct model;

struct model *model_new(struct rig *r, bool extents);
void model_free(struct model *m);
void model_step(struct model *m);
void model_compare(struct model *m);
/* Lets go of the files that are held open: before an unmount. */
void model_close_all(struct model *m);

#endif /* TESTS_HOST_FAKE_EXT4_MODEL_H */
