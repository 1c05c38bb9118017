#!/usr/bin/env bash
# schedulefree 1.4.1 (PyPI) with torch 2.13.0: a group that is added after `optimizer.train()` does not
# know that it is in train mode (schedulefree/sgd_schedulefree.py and its siblings: `train_mode=False` is
# a default of each group, and `step` looks at the first group's). It trains, and the next `eval()` leaves
# it as it is: the model is evaluated and saved with the average in the old layers and with the point
# where gradients are taken in the new ones. The `train()` after that moves the new ones a step towards
# the last iterate, as if they had been averaged. Nothing is raised. `train()` once more behind
# `add_param_group` prevents both. One would have guessed that a mode is of the optimizer, since `train()`
# and `eval()` are its methods: two equal layers, one added, end up with different weights.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    schedulefree==1.4.1 torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

import torch
from schedulefree import SGDScheduleFree


def two_layers(train_again):
    """A weight of the first group and one that is added, both on the way from 0 to 1."""
    old, new = (torch.nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = SGDScheduleFree([old], lr=0.1)
    optimizer.train()
    optimizer.add_param_group({"params": [new]})
    if train_again:
        optimizer.train()
    seen = []
    for mode in (optimizer.eval, optimizer.train):
        for _ in range(5 if not seen else 0):
            for weight in (old, new):
                weight.grad = weight.detach() - 1
            optimizer.step()
        mode()
        seen.append(f"{old.item():.4f} {new.item():.4f}")
    return seen


print("schedulefree", version("schedulefree"), "torch", torch.__version__)
for train_again in (False, True):
    evaluated, trained_on = two_layers(train_again)
    print(f"train() again {train_again}: evaluated {evaluated}, trained on {trained_on}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: the added weight is another than the old one, in evaluation and in training, unless `train()`
# was called again.
grep -qx "train() again False: evaluated 0.2703 0.2864, trained on 0.2864 0.3008" <<<"$said"
grep -qx "train() again True: evaluated 0.2703 0.2703, trained on 0.2864 0.2864" <<<"$said"
