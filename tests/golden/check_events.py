#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads TensorBoard's files of a run as TensorBoard does and compares the scalars with metrics.csv.

check_events.py RUN STEPS: batch_loss is expected every STEPS steps.  Needs the package tensorboard.
"""
import csv
import logging
import math
import sys

logging.disable(logging.WARNING)  # "tensorflow is not installed"
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator  # noqa: E402


def read(folder):
    events = EventAccumulator(folder, size_guidance={"scalars": 0, "histograms": 0, "images": 0})
    events.Reload()
    return events


def close(a, b):
    return math.isclose(a, b, rel_tol=1e-6)


def main():
    run, every = sys.argv[1], int(sys.argv[2])
    with open(run + "/metrics.csv") as file:
        rows = list(csv.DictReader(file))
    epochs = [int(row["epoch"]) for row in rows]
    parts = {"": read(run + "/tensorboard/train"), "val_": read(run + "/tensorboard/validation")}
    compared = 0
    for column in rows[0]:
        if column in ("epoch", "step"):
            continue
        part = "val_" if column.startswith("val_") else ""
        tag = "epoch_" + ("learning_rate" if column == "lr" else column[len(part):])
        wanted = [(int(r["epoch"]), float(r[column])) for r in rows if r[column] != ""]
        found = [(e.step, e.value) for e in parts[part].Scalars(tag)] if wanted else []
        assert [s for s, _ in found] == [s for s, _ in wanted], (tag, found, wanted)
        assert all(close(a, b) for (_, a), (_, b) in zip(found, wanted)), (tag, found, wanted)
        compared += len(found)
    train, last = parts[""], int(rows[-1]["step"])
    tags = train.Tags()
    steps = [e.step for e in train.Scalars("batch_loss")]
    assert steps == list(range(every, last + 1, every)), steps
    for tag in tags["histograms"]:
        values = train.Histograms(tag)
        assert [v.step for v in values] == epochs, (tag, epochs)
        for v in (v.histogram_value for v in values):
            assert sum(v.bucket) == v.num > 0 and v.bucket_limit[-1] == v.max >= v.min
    kinds = {tag.split("/")[0] for tag in tags["histograms"]}
    assert kinds == {"weights", "gradients"}, kinds
    assert sorted(tags["images"]) == ["filters", "inputs"], tags["images"]
    for tag in tags["images"]:
        assert [v.step for v in train.Images(tag)] == epochs, tag
        assert all(v.encoded_image_string[1:4] == b"PNG" and v.width > 8 for v in train.Images(tag))
    nodes = train.Graph().node
    names = {node.name for node in nodes}
    assert len(names) == len(nodes) > 5 and all(name in names for node in nodes for name in node.input)
    print(f"{compared} scalars, {len(tags['histograms'])} histograms, {len(nodes)} nodes")


main()
