#!/usr/bin/env bash
# torch 2.13.0 (PyPI), CosineAnnealingLR: a run planned for 10 epochs is resumed after 5 with a
# scheduler for 20. Loading its state sets `T_max` back to 10, without a word, and after epoch 10 the
# cosine rises again: the rate ends at its top, where the run was meant to settle. All options of a
# scheduler lie in its state, and its constructor's arguments are lost (torch/optim/lr_scheduler.py,
# `LRScheduler.load_state_dict`: `self.__dict__.update`). One would have guessed that the state is the
# position, and the length what one has just asked for.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch
from torch.optim.lr_scheduler import CosineAnnealingLR


def begin(epochs):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    return optimizer, CosineAnnealingLR(optimizer, T_max=epochs)


print("torch", torch.__version__.split("+")[0])
optimizer, scheduler = begin(10)
for _ in range(5):
    optimizer.step()
    scheduler.step()
states = optimizer.state_dict(), scheduler.state_dict()
optimizer, scheduler = begin(20)
optimizer.load_state_dict(states[0])
scheduler.load_state_dict(states[1])
rates = {}
for epoch in range(5, 20):
    optimizer.step()
    scheduler.step()
    rates[epoch + 1] = round(optimizer.param_groups[0]["lr"], 3)
print(f"T_max {scheduler.T_max}, rates after epochs 10, 15 and 20:", [rates[n] for n in (10, 15, 20)])
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: "T_max 10, rates after epochs 10, 15 and 20: [0.0, 0.5, 1.0]".
grep -qF "T_max 10, rates after epochs 10, 15 and 20: [0.0, 0.5, 1.0]" <<<"$said"
