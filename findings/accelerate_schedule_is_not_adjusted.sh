#!/usr/bin/env bash
# accelerate 1.15.0 (PyPI), gradient accumulation: `adjust_scheduler=True`, the default, does nothing. "Should
# be `True` if the used scheduler was not adjusted for gradient accumulation"; "scheduler lengths should not
# be changed accordingly, Accelerate will always step the scheduler to account for it". But the schedule steps
# once per update, and one whose length counts batches gets a quarter of its way with four batches to an
# update: a decay ends at three quarters of the rate, a long warm-up is all there is. True is dropped on the
# way as the default and read as False for want of it (accelerate/state.py, GradientState.adjust_scheduler);
# True would only raise `_step_count`, which PyTorch's decays do not read (accelerate/scheduler.py). One would
# have guessed what the sentences say: that the rate ends where the schedule ends.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 accelerate==1.15.0
cat >"$folder/run.py" <<'PY'
import accelerate
import torch
from accelerate.utils import GradientAccumulationPlugin

BATCHES, ACCUMULATED = 80, 4


def last_rate(length, adjust):
    """The rate of the last update of one epoch under a linear decay from 1 to 0.01."""
    plugin = GradientAccumulationPlugin(num_steps=ACCUMULATED, adjust_scheduler=adjust)
    accelerator = accelerate.Accelerator(cpu=True, gradient_accumulation_plugin=plugin)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, total_iters=length)
    data = torch.utils.data.DataLoader(torch.ones(BATCHES, 1))
    model, optimizer, data, schedule = accelerator.prepare(model, optimizer, data, schedule)
    for batch in data:
        with accelerator.accumulate(model):
            accelerator.backward(model(batch).mean())
            rate = optimizer.param_groups[0]["lr"]
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
    return rate


print("accelerate", accelerate.__version__, "torch", torch.__version__.split("+")[0])
for adjust in (True, False):
    rates = [last_rate(length, adjust) for length in (BATCHES, BATCHES // ACCUMULATED)]
    print(f"adjust_scheduler={adjust}, length in batches: {rates[0]:.2f}, in updates: {rates[1]:.2f}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 0.76 and 0.06 with both; with True, one would have guessed the same end for a length in batches.
grep -qFx "adjust_scheduler=True, length in batches: 0.76, in updates: 0.06" <<<"$said"
grep -qFx "adjust_scheduler=False, length in batches: 0.76, in updates: 0.06" <<<"$said"
