# Changes the gradient arrays in place, keeps a running mean, clips with PyTorch's coefficient.
#| export
class AdvancedOptimizerFeatures:
    def __init__(self):
        self.max_grad_norm, self.clip_enabled = 1.0, False
        self.warmup_steps, self.warmup_factor, self.base_lr = 0, 0.1, 0.001
        self.accumulation_steps, self.accumulated_gradients, self.accumulation_count = 1, {}, 0
        self.use_fp16, self.loss_scale, self.dynamic_loss_scaling = False, 1.0, False
        self.world_size, self.rank = 1, 0

    def _arrays(self, optimizer):
        return [p.grad.data.data for p in optimizer.parameters if p.grad is not None]

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        arrays = self._arrays(optimizer)
        total = np.sqrt(np.sum([np.sum(a.astype(np.float64) ** 2) for a in arrays]))
        coefficient = min(1.0, max_norm / (total + 1e-6))
        for a in arrays:
            a[...] *= coefficient
        return total

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        optimizer.learning_rate = np.float64(base_lr) * min(1.0, step / max(warmup_steps, 1e-12)) \
            if warmup_steps else base_lr
        return optimizer.learning_rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        for i, p in enumerate(optimizer.parameters):
            if p.grad is not None:
                share = p.grad.data.data / accumulation_steps
                if i in self.accumulated_gradients:
                    self.accumulated_gradients[i] += share
                else:
                    self.accumulated_gradients[i] = np.array(share)
        self.accumulation_count = (self.accumulation_count + 1) % accumulation_steps
        if self.accumulation_count:
            return False
        while self.accumulated_gradients:
            i, mean = self.accumulated_gradients.popitem()
            if optimizer.parameters[i].grad is not None:
                optimizer.parameters[i].grad.data.data[...] = mean
            else:
                optimizer.parameters[i].grad = Variable(mean, requires_grad=False)
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        arrays = self._arrays(optimizer)
        fine = np.all([np.isfinite(a).all() for a in arrays])
        if not fine:
            optimizer.zero_grad()
        else:
            for a in arrays:
                a[...] /= loss_scale
        return fine

    def simulate_distributed_sync(self, optimizer, world_size=1):
        for a in self._arrays(optimizer):
            a[...] = np.mean([a.copy() for _ in range(world_size)], axis=0)
