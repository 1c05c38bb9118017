# Does not count a micro-batch in which no parameter has a gradient.
# expect-loss: test-advanced-features
#| export
class AdvancedOptimizerFeatures:
    def __init__(self):
        self.max_grad_norm = 1.0
        self.clip_enabled = False
        self.warmup_steps = 0
        self.warmup_factor = 0.1
        self.base_lr = 0.001
        self.accumulation_steps = 1
        self.accumulated_gradients = {}
        self.accumulation_count = 0
        self.use_fp16 = False
        self.loss_scale = 1.0
        self.dynamic_loss_scaling = False
        self.world_size = 1
        self.rank = 0
    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        grads = [p.grad for p in optimizer.parameters if p.grad is not None]
        norm = math.sqrt(sum(float(np.sum(np.square(g.data.data.astype(np.float64)))) for g in grads))
        if norm > max_norm:
            for g in grads:
                g.data = Tensor(g.data.data * (max_norm / norm))
        return norm
    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        lr = base_lr * step / warmup_steps if step < warmup_steps else base_lr
        optimizer.learning_rate = lr
        return lr
    def accumulate_gradients(self, optimizer, accumulation_steps):
        for i, p in enumerate(optimizer.parameters):
            if p.grad is None:
                continue
            if i in self.accumulated_gradients:
                self.accumulated_gradients[i] = self.accumulated_gradients[i] + p.grad.data.data
            else:
                self.accumulated_gradients[i] = p.grad.data.data.copy()
        if all(p.grad is None for p in optimizer.parameters): return False
        self.accumulation_count += 1
        if self.accumulation_count < accumulation_steps:
            return False
        for i, p in enumerate(optimizer.parameters):
            if i in self.accumulated_gradients:
                p.grad = Variable(self.accumulated_gradients[i] / accumulation_steps)
        self.accumulated_gradients = {}
        self.accumulation_count = 0
        return True
    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        for p in optimizer.parameters:
            if p.grad is not None and not np.isfinite(p.grad.data.data).all():
                for q in optimizer.parameters:
                    q.grad = None
                return False
        for p in optimizer.parameters:
            if p.grad is not None:
                p.grad = Variable(p.grad.data.data / loss_scale)
        return True
    def simulate_distributed_sync(self, optimizer, world_size=1):
        for p in optimizer.parameters:
            if p.grad is not None:
                total = sum(p.grad.data.data for _ in range(world_size))
                p.grad = Variable(total / world_size)
