#!/usr/bin/env bash
# prodigyopt 1.1.2 and dadaptation 3.2 (PyPI) with torch 2.13.0: betas that a parameter group has of its
# own are ignored, unless it is the first group, whose betas are then those of all (prodigyopt/prodigy.py
# and dadaptation/dadapt_adam.py, `step`: `group = self.param_groups[0]`). The group shows its betas, and
# its weight decay is its own; a rate of its own is refused, with an error that says so. One would have
# guessed that what `param_groups` holds acts, as in PyTorch's Adam, or is refused as the rate is: the
# order of two groups decides how both are trained.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    prodigyopt==1.1.2 dadaptation==3.2 torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
from importlib.metadata import version

import torch
from dadaptation import DAdaptAdam
from prodigyopt import Prodigy

FAST, SLOW = (0.5, 0.9), (0.9, 0.999)


def trained(rule, first, second):
    """Two weights after 50 steps, each in a group with betas of its own."""
    weights = [torch.nn.Parameter(torch.full((2,), start)) for start in (1.0, 2.0)]
    groups = [{"params": [w], "betas": betas} for w, betas in zip(weights, (first, second))]
    optimizer = rule(groups, lr=1.0)
    for step in range(50):
        for weight in weights:
            weight.grad = weight.detach() + (-1.0) ** step
        optimizer.step()
    return torch.stack([weight.detach() for weight in weights])


print("prodigyopt", version("prodigyopt"), "dadaptation", version("dadaptation"), "torch", torch.__version__)
for rule in (Prodigy, DAdaptAdam, torch.optim.Adam):
    both_slow = trained(rule, SLOW, SLOW)
    matters = [not torch.equal(both_slow, trained(rule, *betas)) for betas in ((FAST, SLOW), (SLOW, FAST))]
    print(f"{rule.__name__}: betas of the first group act {matters[0]}, of the second {matters[1]}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: only the first group's betas act, unlike Adam.
grep -qx "Prodigy: betas of the first group act True, of the second False" <<<"$said"
grep -qx "DAdaptAdam: betas of the first group act True, of the second False" <<<"$said"
grep -qx "Adam: betas of the first group act True, of the second True" <<<"$said"
