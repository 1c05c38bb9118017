#!/usr/bin/env bash
# torch 2.13.0 (PyPI), ChainedScheduler: of a linear warm-up and a LambdaLR behind it nothing is left of
# the warm-up, from the first step on. LambdaLR sets the rate from its base, whatever the scheduler
# before it has made of it. With ExponentialLR in its place the product comes out. The documentation
# asks for "chainable" schedulers; OneCycleLR's says that it is none, LambdaLR's says nothing, and
# nothing warns (torch/optim/lr_scheduler.py, `ChainedScheduler.step`, `LambdaLR.get_lr`). One would
# have guessed the product of both factors.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch
from torch.optim.lr_scheduler import ChainedScheduler, ExponentialLR, LambdaLR, LinearLR


def rates(decay):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler = ChainedScheduler([LinearLR(optimizer, 0.25, total_iters=3), decay(optimizer)])
    found = []
    for _ in range(5):
        found.append(round(optimizer.param_groups[0]["lr"], 4))
        optimizer.step()
        scheduler.step()
    return found


print("torch", torch.__version__.split("+")[0])
print("with ExponentialLR:", rates(lambda optimizer: ExponentialLR(optimizer, 0.9)))
print("with LambdaLR:", rates(lambda optimizer: LambdaLR(optimizer, lambda step: 0.9**step)))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: [0.25, 0.45, 0.6075, 0.729, 0.6561], and with LambdaLR [1.0, 0.9, 0.81, 0.729, 0.6561].
grep -qF "with ExponentialLR: [0.25, 0.45, 0.6075, 0.729, 0.6561]" <<<"$said"
grep -qF "with LambdaLR: [1.0, 0.9, 0.81, 0.729, 0.6561]" <<<"$said"
