# Packs all gradients into one flat float64 vector, works on it, and unpacks.
#| export
class AdvancedOptimizerFeatures:
    def __init__(self):
        self.__dict__.update(max_grad_norm=1.0, clip_enabled=False, warmup_steps=0,
                             warmup_factor=0.1, base_lr=0.001, accumulation_steps=1,
                             accumulated_gradients={}, accumulation_count=0, use_fp16=False,
                             loss_scale=1.0, dynamic_loss_scaling=False, world_size=1, rank=0)

    def _pack(self, optimizer):
        held = [p for p in optimizer.parameters if p.grad is not None]
        if not held:
            return held, np.zeros(0)
        return held, np.concatenate([np.float64(p.grad.data.data).ravel() for p in held])

    def _unpack(self, held, flat):
        at = 0
        for p in held:
            size = p.grad.data.data.size
            p.grad = Variable(flat[at:at + size].reshape(p.grad.data.data.shape))
            at += size

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        held, flat = self._pack(optimizer)
        norm = np.linalg.norm(flat)
        if norm > max_norm:
            self._unpack(held, flat / norm * max_norm)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        optimizer.learning_rate = float(np.interp(step, [0, warmup_steps], [0.0, base_lr])) \
            if warmup_steps > 0 else base_lr
        return optimizer.learning_rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        if not self.accumulated_gradients:
            for p in optimizer.parameters:
                self.accumulated_gradients[id(p)] = []
        for p in optimizer.parameters:
            if p.grad is not None:
                self.accumulated_gradients[id(p)].append(np.copy(p.grad.data.data))
        self.accumulation_count += 1
        ready = self.accumulation_count == accumulation_steps
        if ready:
            for p in optimizer.parameters:
                received = self.accumulated_gradients[id(p)]
                p.grad = Variable(np.add.reduce(received) / accumulation_steps) if received else None
            self.accumulation_count = 0
            self.accumulated_gradients = {}
        return ready

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        held, flat = self._pack(optimizer)
        if np.isfinite(flat.sum()) or np.isfinite(flat).all():
            self._unpack(held, flat / loss_scale)
            return True
        for p in optimizer.parameters:
            p.grad = None
        return False

    def simulate_distributed_sync(self, optimizer, world_size=1):
        held, flat = self._pack(optimizer)
        total = np.zeros_like(flat)
        for _ in range(world_size):
            total += flat
        self._unpack(held, total / world_size)
