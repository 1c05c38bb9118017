# Keeps every micro-batch in a list and adds up at the end; clips with map and reduce.
#| export
from functools import reduce


class AdvancedOptimizerFeatures:
    def __init__(self):
        self.max_grad_norm, self.clip_enabled = 1.0, False
        self.warmup_steps, self.warmup_factor, self.base_lr = 0, 0.1, 0.001
        self.accumulation_steps, self.accumulated_gradients, self.accumulation_count = 1, {}, 0
        self.use_fp16, self.loss_scale, self.dynamic_loss_scaling = False, 1.0, False
        self.world_size, self.rank = 1, 0
        self._batches = []

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        grads = list(filter(None, (p.grad for p in optimizer.parameters)))
        norm = math.hypot(*(x for g in grads for x in g.data.data.ravel().tolist()))
        if norm > max_norm:
            for g in grads:
                g.data.data[...] = g.data.data / (norm / max_norm)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        rate = base_lr if step >= warmup_steps else float(np.interp(step, [0, warmup_steps], [0, base_lr]))
        optimizer.learning_rate = rate
        return rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        self._batches.append([
            None if p.grad is None else np.array(p.grad.data.data) for p in optimizer.parameters
        ])
        if len(self._batches) % accumulation_steps:
            return False
        for p, column in zip(optimizer.parameters, zip(*self._batches)):
            there = [g for g in column if g is not None]
            p.grad = Variable(reduce(np.add, there) / accumulation_steps) if there else None
        self._batches.clear()
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        entries = [p.grad.data.data.ravel() for p in optimizer.parameters if p.grad is not None]
        if not math.isfinite(math.fsum(abs(float(x)) for e in entries for x in e)):
            optimizer.zero_grad()
            return False
        for p in optimizer.parameters:
            if p.grad is not None:
                p.grad.data = Tensor(np.divide(p.grad.data.data, loss_scale))
        return True

    def simulate_distributed_sync(self, optimizer, world_size=1):
        return None
