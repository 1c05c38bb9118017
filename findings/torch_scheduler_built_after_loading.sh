#!/usr/bin/env bash
# torch 2.13.0 (PyPI), LinearLR (also ConstantLR, and both inside SequentialLR and ChainedScheduler): a
# run is resumed in the order optimizer, its state, scheduler, its state. From then on the rate is a
# tenth of what it was, to the end: the constructor multiplies the rate just loaded by `start_factor`,
# and the scheduler, which works by factors from step to step, never notices. In the order optimizer,
# scheduler, both states, all is well. LambdaLR and OneCycleLR are wrong for one step, StepLR and
# CosineAnnealingLR not at all (torch/optim/lr_scheduler.py, `LRScheduler._initial_step`,
# `LinearLR.get_lr`). One would have guessed that `load_state_dict` of a scheduler brings back the rate
# that it has saved: `_last_lr` is in it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import copy

import torch
from torch.optim.lr_scheduler import LinearLR


def fresh():
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)


def warm_up(optimizer):
    return LinearLR(optimizer, start_factor=0.1, total_iters=3)


def next_rates(optimizer, scheduler):
    rates = []
    for _ in range(3):
        rates.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        scheduler.step()
    return rates


print("torch", torch.__version__.split("+")[0])
optimizer = fresh()
scheduler = warm_up(optimizer)
next_rates(optimizer, scheduler)
states = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
print("not stopped:", next_rates(optimizer, scheduler))

optimizer = fresh()
scheduler = warm_up(optimizer)
optimizer.load_state_dict(states[0])
scheduler.load_state_dict(states[1])
print("scheduler built first:", next_rates(optimizer, scheduler))

optimizer = fresh()
optimizer.load_state_dict(states[0])
scheduler = warm_up(optimizer)
scheduler.load_state_dict(states[1])
print("scheduler built after loading:", next_rates(optimizer, scheduler))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: [0.1, 0.1, 0.1] not stopped and with the scheduler built first, [0.01, 0.01, 0.01] after loading.
grep -qF "not stopped: [0.1, 0.1, 0.1]" <<<"$said"
grep -qF "scheduler built first: [0.1, 0.1, 0.1]" <<<"$said"
grep -qF "scheduler built after loading: [0.01, 0.01, 0.01]" <<<"$said"
