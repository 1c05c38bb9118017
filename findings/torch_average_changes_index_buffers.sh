#!/usr/bin/env bash
# torch 2.13.0 (PyPI), AveragedModel with `use_buffers=True` and an exponential average, as in its
# documentation's example: a buffer of integers that never changes does not stay as it is. 0.9 * 3 + 0.1 * 3
# is a little less than 3 in float32 and is cut off to 2 when it is stored (torch/optim/swa_utils.py,
# `ema_update`: `p_ema.copy_(...)`); of the numbers below 170, 46 lose one, and 29 with 0.9999. A table of
# indices, such as that of relative positions in a Swin transformer, points at other rows in the averaged
# model. A mask of booleans keeps what is once True. The weights are right, and nothing is said. One would
# have guessed that an average of equal numbers is that number.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch
from torch.optim.swa_utils import AveragedModel, get_ema_avg_fn, get_ema_multi_avg_fn


class Table(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.register_buffer("index", torch.arange(170))
        self.register_buffer("mask", torch.tensor([True, True]))


def averaged(**functions):
    model = Table()
    average = AveragedModel(model, use_buffers=True, **functions)
    for update in range(20):
        model.mask[1] = update < 10  # the second weight is pruned
        average.update_parameters(model)
    return average.module


print("torch", torch.__version__.split("+")[0])
for name, make in (("multi_avg_fn", get_ema_multi_avg_fn), ("avg_fn", get_ema_avg_fn)):
    for decay in (0.9, 0.9999):
        found = averaged(**{name: make(decay)})
        changed = (found.index != torch.arange(170)).sum().item()
        third, mask = found.index[3].item(), found.mask.tolist()
        print(f"{name} {decay}: 3 is {third}, {changed} of 170 changed, mask {mask}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 46 of 170 changed with 0.9, among them 3, which is 2; 29 with 0.9999; the mask True for both weights.
for name in multi_avg_fn avg_fn; do
    grep -qFx "$name 0.9: 3 is 2, 46 of 170 changed, mask [True, True]" <<<"$said"
    grep -qFx "$name 0.9999: 3 is 3, 29 of 170 changed, mask [True, True]" <<<"$said"
done
