# Norms by math.fsum over Python floats, sums as Variables.
#| export
class AdvancedOptimizerFeatures:
    def __init__(self):
        self.max_grad_norm = 1.0; self.clip_enabled = False
        self.warmup_steps = 0; self.warmup_factor = 0.1; self.base_lr = 0.001
        self.accumulation_steps = 1; self.accumulated_gradients = {}; self.accumulation_count = 0
        self.use_fp16 = False; self.loss_scale = 1.0; self.dynamic_loss_scaling = False
        self.world_size = 1; self.rank = 0

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        norm = math.sqrt(math.fsum(x * x for p in optimizer.parameters if p.grad is not None for x in p.grad.data.data.ravel().tolist()))
        if not norm > max_norm: return norm
        for p in filter(lambda q: q.grad is not None, optimizer.parameters):
            p.grad.data = p.grad.data * max_norm / norm
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        optimizer.learning_rate = rate = (base_lr, base_lr * step / (warmup_steps or 1))[step < warmup_steps]
        return rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        for p in optimizer.parameters:
            if p.grad is None: continue
            mine = Variable(p.grad.data, requires_grad=False)
            self.accumulated_gradients[id(p)] = (p, add(self.accumulated_gradients[id(p)][1], mine) if id(p) in self.accumulated_gradients else mine)
        self.accumulation_count = (self.accumulation_count + 1) % accumulation_steps
        if self.accumulation_count: return False
        while self.accumulated_gradients:
            _, (p, total) = self.accumulated_gradients.popitem()
            p.grad = Variable(divide(total, accumulation_steps))
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        grads = [p.grad for p in optimizer.parameters if p.grad is not None]
        try:
            for g in grads:
                with np.errstate(all="ignore"):
                    if not np.isfinite(np.abs(g.data.data.astype(np.float64)).sum()): raise OverflowError
        except OverflowError:
            for p in optimizer.parameters: p.grad = None
            return False
        for g in grads: g.data = g.data / loss_scale
        return True

    def simulate_distributed_sync(self, optimizer, world_size=1):
        for p in optimizer.parameters:
            if p.grad is not None:
                shares = [p.grad.data / world_size for _ in range(world_size)]
                total = shares[0]
                for s in shares[1:]: total = total + s
                p.grad = Variable(total)
