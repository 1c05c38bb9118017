"""The same runs in PyTorch. As a script: `python -m tests.parity.torch_runs` stores them."""

from pathlib import Path

import numpy as np
import torch

from tests.parity.cases import CASES, CLIP_MAXIMA, Case, clip_gradients

STORED = Path(__file__).with_name("trajectories.npz")


def _tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def _optimizer(case: Case, parameters: list[torch.Tensor]) -> torch.optim.Optimizer:
    settings = case.settings
    if case.optimizer == "SGD":
        momentum = settings.get("momentum", 0.0)
        return torch.optim.SGD(parameters, lr=settings["learning_rate"], momentum=momentum)
    betas = (settings.get("beta1", 0.9), settings.get("beta2", 0.999))
    eps = settings.get("epsilon", 1e-8)
    return torch.optim.Adam(parameters, lr=settings["learning_rate"], betas=betas, eps=eps)


def trajectory(case: Case, dtype: str) -> list[np.ndarray]:
    """Return each parameter after every step: one array of shape (steps, ...) a parameter."""
    parameters = [_tensor(array).requires_grad_() for array in case.start(dtype)]
    optimizer = _optimizer(case, parameters)
    seen: list[list[np.ndarray]] = [[] for _ in parameters]
    for step, gradients in enumerate(case.gradients(dtype)):
        for group in optimizer.param_groups:
            group["lr"] = case.rate(step)
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
    np.savez_compressed(STORED, **arrays)


if __name__ == "__main__":
    main()
