# A dataclass of settings, and module-level functions that work on lists of gradients.
#| export
from dataclasses import dataclass, field


def _with_gradient(optimizer):
    return (p for p in optimizer.parameters if p.grad is not None)


def _map_gradients(optimizer, function):
    for p in _with_gradient(optimizer):
        p.grad = Variable(np.asarray(function(p.grad.data.data), dtype=p.grad.data.dtype))


@dataclass
class AdvancedOptimizerFeatures:
    max_grad_norm: float = 1.0
    clip_enabled: bool = False
    warmup_steps: int = 0
    warmup_factor: float = 0.1
    base_lr: float = 0.001
    accumulation_steps: int = 1
    accumulated_gradients: dict = field(default_factory=dict)
    accumulation_count: int = 0
    use_fp16: bool = False
    loss_scale: float = 1.0
    dynamic_loss_scaling: bool = False
    world_size: int = 1
    rank: int = 0

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        norms = [
            np.linalg.norm(p.grad.data.data.astype(float).ravel()) for p in _with_gradient(optimizer)
        ]
        norm = float(np.linalg.norm(norms)) if norms else 0.0
        if norm > max_norm:
            with np.errstate(invalid="ignore"):
                _map_gradients(optimizer, lambda g: g * (max_norm / norm))
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        rate = optimizer.learning_rate = (
            base_lr if step >= warmup_steps else base_lr / warmup_steps * step
        )
        return rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        sums = self.accumulated_gradients
        for p in _with_gradient(optimizer):
            sums[p] = p.grad.data + (sums[p] if p in sums else 0.0)
        self.accumulation_count += 1
        if self.accumulation_count < accumulation_steps:
            return False
        for p, total in sums.items():
            p.grad = Variable(total / accumulation_steps)
        self.accumulated_gradients, self.accumulation_count = {}, 0
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        for p in _with_gradient(optimizer):
            if not np.isfinite(p.grad.data.data).all():
                for other in optimizer.parameters:
                    other.grad = None
                return False
        _map_gradients(optimizer, lambda g: g / loss_scale)
        return True

    def simulate_distributed_sync(self, optimizer, world_size=1):
        _map_gradients(optimizer, lambda g: np.mean([g] * world_size, axis=0, dtype=np.float64))
