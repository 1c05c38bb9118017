# Keeps the micro-batches, reads buffers and count from them, and averages without doing anything.
#| export
class AdvancedOptimizerFeatures:
    max_grad_norm, clip_enabled, warmup_steps, warmup_factor, base_lr = 1.0, False, 0, 0.1, 0.001
    accumulation_steps, use_fp16, loss_scale, dynamic_loss_scaling, world_size, rank = 1, False, 1.0, False, 1, 0

    def __init__(self):
        self._batches = []

    @property
    def accumulated_gradients(self): return {i: sum(b[i] for b in self._batches if i in b) for b in self._batches for i in b}

    @property
    def accumulation_count(self): return len(self._batches)

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        norm = 0.0
        for p in optimizer.parameters:
            if p.grad is not None:
                norm = math.hypot(norm, *p.grad.data.data.ravel().tolist())
        if norm > max_norm:
            for p in optimizer.parameters:
                if p.grad is not None: p.grad = multiply(p.grad, max_norm / norm)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        if step >= warmup_steps: rate = base_lr
        else: rate = float(np.interp(step, [0, warmup_steps], [0, base_lr]))
        setattr(optimizer, "learning_rate", rate)
        return rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        self._batches.append({i: Tensor(p.grad.data) for i, p in enumerate(optimizer.parameters) if p.grad is not None})
        if len(self._batches) % accumulation_steps: return False
        for i, p in enumerate(optimizer.parameters):
            parts = [b[i] for b in self._batches if i in b]
            if not parts: p.grad = None; continue
            p.grad = Variable(sum(parts[1:], parts[0]) / accumulation_steps)
        self._batches.clear()
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        have = [p for p in optimizer.parameters if p.grad is not None]
        if any(np.isnan(p.grad.data.data).any() or np.isinf(p.grad.data.data).any() for p in have):
            for p in optimizer.parameters: p.zero_grad()
            return np.bool_(False)
        for p in have: p.grad = divide(p.grad, loss_scale)
        return np.bool_(True)

    def simulate_distributed_sync(self, optimizer, world_size=1):
        pass
