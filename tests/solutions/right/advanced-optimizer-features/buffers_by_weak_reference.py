# Buffers by weak reference, one function mapped over all gradients.
#| export
from weakref import WeakKeyDictionary
_SETTINGS = dict(max_grad_norm=1.0, clip_enabled=False, warmup_steps=0, warmup_factor=0.1, base_lr=0.001, accumulation_steps=1, accumulation_count=0, use_fp16=False, loss_scale=1.0, dynamic_loss_scaling=False, world_size=1, rank=0)


class AdvancedOptimizerFeatures:
    def __init__(self):
        for key, value in _SETTINGS.items(): setattr(self, key, value)
        self.accumulated_gradients = WeakKeyDictionary()

    @staticmethod
    def _each(optimizer):
        return (p for p in optimizer.parameters if p.grad is not None)

    def _map(self, optimizer, f):
        for p in self._each(optimizer): p.grad.data.data[...] = f(p.grad.data.data)

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        flat = [np.ravel(p.grad.data.data) for p in self._each(optimizer)]
        norm = np.linalg.norm(np.concatenate(flat).astype(float)) if flat else 0.0
        factor = min(1.0, max_norm / (norm + 1e-6))
        if norm > max_norm: self._map(optimizer, lambda g: g * factor)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        optimizer.learning_rate = base_lr * min(1.0, step / max(warmup_steps, 1)) if warmup_steps else base_lr
        return optimizer.learning_rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        self.accumulation_count += 1
        for p in self._each(optimizer):
            self.accumulated_gradients[p] = self.accumulated_gradients.get(p, 0.0) + p.grad.data.data.astype(float)
        ready = self.accumulation_count >= accumulation_steps
        if ready:
            for p in list(self.accumulated_gradients):
                p.grad = Variable(self.accumulated_gradients.pop(p) / accumulation_steps, requires_grad=False)
            self.accumulation_count = 0
        return ready

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        total = math.fsum(0.0 * float(x) for p in self._each(optimizer) for x in p.grad.data.data.flat)
        if total == 0.0:
            self._map(optimizer, lambda g: g * (1.0 / loss_scale))
            return True
        optimizer.zero_grad()
        return False

    def simulate_distributed_sync(self, optimizer, world_size=1):
        self._map(optimizer, lambda g: np.mean(np.stack([g] * world_size), axis=0))
