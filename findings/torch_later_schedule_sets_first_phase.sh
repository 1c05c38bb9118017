#!/usr/bin/env bash
# torch 2.13.0 (PyPI), SequentialLR: a first phase at a constant rate of 0.1, then OneCycleLR up to 0.1.
# The first phase runs at 0.004: the second scheduler, whose turn comes later, has overwritten the
# optimizer's rates when it was constructed, and SequentialLR takes what it finds for the base of the
# first one. With CosineAnnealingLR as the second scheduler the first phase has its rate
# (torch/optim/lr_scheduler.py, `OneCycleLR.__init__`, `SequentialLR.__init__`). One would have guessed
# that schedulers in a sequence do not touch each other's phases.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, OneCycleLR, SequentialLR


def rates(second):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1, momentum=0.9)
    phases = [ConstantLR(optimizer, factor=1.0, total_iters=3), second(optimizer)]
    scheduler = SequentialLR(optimizer, phases, milestones=[3])
    found = []
    for _ in range(6):
        found.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        scheduler.step()
    return found


print("torch", torch.__version__.split("+")[0])
print("before a cosine:", rates(lambda optimizer: CosineAnnealingLR(optimizer, 10)))
print("before one cycle:", rates(lambda optimizer: OneCycleLR(optimizer, 0.1, total_steps=10)))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: the first three rates are 0.1 before a cosine and 0.004 before one cycle.
grep -q "before a cosine: \[0.1, 0.1, 0.1, " <<<"$said"
grep -q "before one cycle: \[0.004, 0.004, 0.004, " <<<"$said"
