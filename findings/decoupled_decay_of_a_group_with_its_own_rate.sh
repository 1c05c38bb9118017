#!/usr/bin/env bash
# lion-pytorch 0.2.5, adam-atan2-pytorch 0.4.1 and torch-optimi 0.3.3 (PyPI): with decay that is decoupled
# from the rate, a group with its own rate has another decay. All three divide by the rate that was given to
# the constructor, not by the group's (lion_pytorch/lion_pytorch.py, `_init_lr`; adam_atan2_pytorch/
# adam_atan2.py, `__init__`; optimi/optimizer.py, `max_lr`, which a group may set itself). Ten times the rate is
# ten times the decay; and where all groups bring their rate and the constructor is left at its default, a
# decay of 0.01 sets every weight of a group with rate 0.01 to 0 in Lion's first step. One would have guessed
# what the word says (optimi: "the optimal weight decay is no longer tied to the learning rate"): one decay for
# all groups.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6 lion-pytorch==0.2.5 adam-atan2-pytorch==0.4.1 torch-optimi==0.3.3 packaging==26.3
cat >"$folder/run.py" <<'PY'
import warnings
from importlib.metadata import version

import torch
from adam_atan2_pytorch import AdamAtan2
from lion_pytorch import Lion
from optimi import AdamW

warnings.simplefilter("ignore")  # optimi's advice to take a smaller decay


def kept(kind, *rates, **options):
    """What is left of a weight of 1 in groups with these rates after a step without gradient."""
    weights = [torch.nn.Parameter(torch.ones(1)) for _ in rates]
    groups = [{"params": [weight]} if rate is None else {"params": [weight], "lr": rate}
              for weight, rate in zip(weights, rates)]  # fmt: skip
    optimizer = kind(groups, weight_decay=0.01, **options)
    for weight in weights:
        weight.grad = torch.zeros(1)
    optimizer.step()
    return [round(weight.item(), 4) for weight in weights]


print("torch", torch.__version__.split("+")[0])
for package, kind, option in (
    ("lion-pytorch", Lion, "decoupled_weight_decay"),
    ("adam-atan2-pytorch", AdamAtan2, "decoupled_wd"),
    ("torch-optimi", AdamW, "decouple_lr"),
):
    print(package, version(package), kept(kind, None, 1e-3, lr=1e-4, **{option: True}))
print("all groups bring their rate:", kept(Lion, 1e-4, 1e-2, decoupled_weight_decay=True))
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 0.99 and 0.9 with each of the three; 0.99 and 0.0 in the last line.
grep -qFx "lion-pytorch 0.2.5 [0.99, 0.9]" <<<"$said"
grep -qFx "adam-atan2-pytorch 0.4.1 [0.99, 0.9]" <<<"$said"
grep -qFx "torch-optimi 0.3.3 [0.99, 0.9]" <<<"$said"
grep -qFx "all groups bring their rate: [0.99, 0.0]" <<<"$said"
