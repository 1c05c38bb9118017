#!/usr/bin/env bash
# torch 2.13.0 (PyPI), LinearLR and ConstantLR: a group that is added while the warm-up runs, as one
# does when layers are unfrozen, ends far above the rate it was given, for good: 0.2174 and 1.0 for 0.1.
# These schedulers multiply whatever rate they meet by the ratio of two factors, and the new group comes
# without the small first factor that the ratios make up for. No warning. LambdaLR and OneCycleLR raise
# on the next step instead, StepLR and ExponentialLR treat the group well (torch/optim/lr_scheduler.py,
# `LinearLR.get_lr`). One would have guessed an error, or a group that is warmed up to its own rate.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch
from torch.optim.lr_scheduler import ConstantLR, LinearLR


def group():
    return {"params": [torch.nn.Parameter(torch.ones(1))], "lr": 0.1}


print("torch", torch.__version__.split("+")[0])
for kind in (LinearLR, ConstantLR):
    optimizer = torch.optim.SGD([group()])
    scheduler = kind(optimizer, 0.1, total_iters=5)
    for step in range(20):
        if step == 2:
            optimizer.add_param_group(group())
        optimizer.step()
        scheduler.step()
    rates = [round(options["lr"], 4) for options in optimizer.param_groups]
    print(f"{kind.__name__}, both groups were given 0.1:", rates)
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: [0.1, 0.2174] under LinearLR and [0.1, 1.0] under ConstantLR.
grep -qF "LinearLR, both groups were given 0.1: [0.1, 0.2174]" <<<"$said"
grep -qF "ConstantLR, both groups were given 0.1: [0.1, 1.0]" <<<"$said"
