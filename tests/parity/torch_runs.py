"""The same runs in PyTorch. As a script: `python -m tests.parity.torch_runs` stores them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.optim import lr_scheduler

from tests.parity.cases import (
    BASE,
    CASES,
    CLIP_MAXIMA,
    DROP,
    SCHEDULE_STEPS,
    Case,
    clip_gradients,
    slower,
)

STORED = Path(__file__).with_name("trajectories.npz")
#: What PyTorch calls our options; beta1 and beta2 are one option there.
NAMES = {"learning_rate": "lr", "epsilon": "eps", "steps": "ns_steps"}
#: Our classes in PyTorch, and what one has to tell them to be ours.
OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {}),
    "Adam": (torch.optim.Adam, {}),
    "RMSprop": (torch.optim.RMSprop, {}),
    "NesterovSGD": (torch.optim.SGD, {"nesterov": True}),
    "AdamW": (torch.optim.AdamW, {}),
    "Muon": (torch.optim.Muon, {}),
}
SCHEDULES = {
    "lambda": lambda optimizer: lr_scheduler.LambdaLR(optimizer, slower),
    "cosine": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 20, eta_min=0.1 * BASE),
    "linear": lambda optimizer: lr_scheduler.LinearLR(optimizer, 1 / 5, total_iters=4),
    "one-cycle": lambda optimizer: lr_scheduler.OneCycleLR(optimizer, BASE, SCHEDULE_STEPS),
}


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def _options(options: dict[str, Any]) -> dict[str, Any]:
    theirs = {NAMES.get(name, name): value for name, value in options.items()}
    if "beta1" in theirs or "beta2" in theirs:
        theirs["betas"] = (theirs.pop("beta1", 0.9), theirs.pop("beta2", 0.999))
    return theirs


def _optimizer(case: Case, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    kind, fixed = OPTIMIZERS[case.optimizer]
    groups: list[dict[str, Any]] = [{"params": parameters}]
    if case.first_group:
        first = {"params": parameters[:1], **_options(case.first_group)}
        groups = [first, {"params": parameters[1:]}]
    return kind(groups, **fixed, **_options(case.settings))


def trajectory(case: Case, dtype: str) -> list[np.ndarray]:
    """Return each parameter after every step: one array of shape (steps, ...) a parameter."""
    parameters = [_tensor(array).requires_grad_() for array in case.start(dtype)]
    optimizer = _optimizer(case, parameters)
    seen: list[list[np.ndarray]] = [[] for _ in parameters]
    for step, gradients in enumerate(case.gradients(dtype)):
        if step == DROP:
            for group in optimizer.param_groups:
                group["lr"] *= 0.1
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else _tensor(gradient)
        optimizer.step()
        for history, parameter in zip(seen, parameters, strict=True):
            history.append(parameter.detach().numpy().copy())
    return [np.stack(history) for history in seen]


def clipped(maximum: float, dtype: str) -> tuple[float, list[np.ndarray]]:
    """Return the norm before clipping and the gradients after it."""
    parameters = [torch.zeros_like(_tensor(array)) for array in clip_gradients(dtype)]
    for parameter, gradient in zip(parameters, clip_gradients(dtype), strict=True):
        parameter.grad = _tensor(gradient)
    norm = torch.nn.utils.clip_grad_norm_(parameters, maximum)
    return float(norm), [p.grad.numpy().copy() for p in parameters if p.grad is not None]


def rates(name: str) -> np.ndarray:
    """Return the rate of each step of the optimizer under a schedule."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE, momentum=0.9)
    schedule = SCHEDULES[name](optimizer)
    found = []
    for _ in range(SCHEDULE_STEPS):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return np.array(found)


def main() -> None:
    """Store every run in float64 beside this script, with the version that made it."""
    arrays: dict[str, np.ndarray] = {"torch-version": np.array(torch.__version__)}
    for case in CASES:
        for number, history in enumerate(trajectory(case, "float64")):
            arrays[f"{case.name}/{number}"] = history
    for maximum in CLIP_MAXIMA:
        norm, gradients = clipped(maximum, "float64")
        arrays[f"clip-{maximum}/norm"] = np.array(norm)
        for number, gradient in enumerate(gradients):
            arrays[f"clip-{maximum}/{number}"] = gradient
    for name in SCHEDULES:
        arrays[f"schedule-{name}"] = rates(name)
    np.savez_compressed(STORED, **arrays)


if __name__ == "__main__":
    main()
