#!/usr/bin/env bash
# torch 2.13.0 (PyPI), Adam: one that loads the state of an AdamW, to compare the two forms of decay
# from a common start, is AdamW afterwards, in all but its name: the form of the decay is an option of
# the group since the two share their code, and comes with the state. The other way round AdamW stays
# what it is, since it sets the option after loading (torch/optim/adamw.py, `__setstate__`;
# torch/optim/adam.py, `decoupled_weight_decay`). One would have guessed that the class says what the
# rule is: the comparison shows no difference then, and that is a wrong sentence in somebody's report.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    torch==2.13.0 numpy==2.4.6
cat >"$folder/run.py" <<'PY'
import torch
from torch.optim import Adam, AdamW


def decayed(saved_by, loaded_by):
    """One step with a zero gradient, rate 0.1 and decay 0.1, after loading fresh moments."""
    states = []
    for kind in (saved_by, loaded_by):
        weight = torch.nn.Parameter(torch.ones(1))
        optimizer = kind([weight], lr=0.1, weight_decay=0.1)
        weight.grad = torch.zeros(1)
        if states:
            optimizer.load_state_dict(states[0])
        states.append(optimizer.state_dict())
    optimizer.step()
    return round(weight.item(), 4)


print("torch", torch.__version__.split("+")[0])
for saved_by in (Adam, AdamW):
    for loaded_by in (Adam, AdamW):
        left = decayed(saved_by, loaded_by)
        print(f"{loaded_by.__name__} with the options that {saved_by.__name__} saved: {left}")
PY
said=$("$folder/venv/bin/python" "$folder/run.py")
echo "$said"
# Seen: 0.99 is AdamW's step and 0.9 Adam's (the penalty alone, brought to one rate). Adam with what AdamW
# saved makes AdamW's.
grep -qx "Adam with the options that Adam saved: 0.9" <<<"$said"
grep -qx "AdamW with the options that Adam saved: 0.99" <<<"$said"
grep -qx "Adam with the options that AdamW saved: 0.99" <<<"$said"
