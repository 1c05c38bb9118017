# Allocates a zero buffer for every parameter, so that one without any gradient gets a mean of zero.
#| export
class AdvancedOptimizerFeatures:
    def __init__(self):
        self.max_grad_norm = 1.0
        self.warmup_steps = 0
        self.accumulation_steps = 1
        self._buffers, self._received = None, 0

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        if not isinstance(optimizer, (SGD, Adam)):
            raise TypeError(f"optimizer must be SGD or Adam, got {optimizer!r}")
        squares = 0.0
        for p in optimizer.parameters:
            squares += 0.0 if p.grad is None else float(np.vdot(p.grad.data.data, p.grad.data.data))
        norm = squares ** 0.5
        factor = 1.0 if norm <= max_norm else max_norm / norm
        for p in optimizer.parameters:
            if p.grad is not None and factor < 1.0:
                p.grad = Variable((p.grad.data * factor).data)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        if warmup_steps <= 0 or step >= warmup_steps:
            optimizer.learning_rate = base_lr
        else:
            optimizer.learning_rate = step * base_lr / warmup_steps
        return float(optimizer.learning_rate)

    def accumulate_gradients(self, optimizer, accumulation_steps):
        if self._buffers is None:
            self._buffers = [np.zeros_like(p.data.data) for p in optimizer.parameters]
        for buffer, p in zip(self._buffers, optimizer.parameters):
            if p.grad is not None:
                buffer += p.grad.data.data
        self._received += 1
        if self._received < accumulation_steps:
            return False
        for buffer, p in zip(self._buffers, optimizer.parameters):
            p.grad = Variable(buffer / accumulation_steps)
        self._buffers, self._received = None, 0
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        bad = False
        for p in optimizer.parameters:
            if p.grad is not None:
                bad = bad or not math.isfinite(np.max(np.abs(p.grad.data.data)))
        for p in optimizer.parameters:
            if bad:
                p.grad = None
            elif p.grad is not None:
                p.grad.data = p.grad.data * (1.0 / loss_scale)
        return not bad

    def simulate_distributed_sync(self, optimizer, world_size=1):
        shares = []
        for p in optimizer.parameters:
            shares.append(None if p.grad is None else p.grad.data.data / world_size)
        for p, share in zip(optimizer.parameters, shares):
            if share is not None:
                p.grad.data = Tensor(sum(share for _ in range(world_size)))
