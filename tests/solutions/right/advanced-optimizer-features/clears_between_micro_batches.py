# Clears the gradients after every micro-batch that is not the last.
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
        gradients = self._gradients(optimizer)
        squares = [float(np.sum(np.square(g.data.data, dtype=np.float64))) for g in gradients]
        norm = math.sqrt(sum(squares))
        if norm > max_norm:
            for gradient in gradients:
                gradient.data = Tensor(gradient.data.data * (max_norm / norm))
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        rate = base_lr * step / warmup_steps if step < warmup_steps else base_lr
        optimizer.learning_rate = rate
        return rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        for index, parameter in enumerate(optimizer.parameters):
            if parameter.grad is not None:
                total = self.accumulated_gradients.get(index, 0.0)
                self.accumulated_gradients[index] = total + parameter.grad.data.data
        self.accumulation_count += 1
        if self.accumulation_count < accumulation_steps:
            optimizer.zero_grad()
            return False
        for index, total in self.accumulated_gradients.items():
            optimizer.parameters[index].grad = Variable(total / accumulation_steps)
        self.accumulated_gradients, self.accumulation_count = {}, 0
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        gradients = self._gradients(optimizer)
        if not all(np.isfinite(gradient.data.data).all() for gradient in gradients):
            for parameter in optimizer.parameters:
                parameter.grad = None
            return False
        for gradient in gradients:
            gradient.data = Tensor(gradient.data.data / loss_scale)
        return True

    def simulate_distributed_sync(self, optimizer, world_size=1):
        for gradient in self._gradients(optimizer):
            total = gradient.data.data * world_size
            gradient.data = Tensor(total / world_size)

    def _gradients(self, optimizer):
        return [p.grad for p in optimizer.parameters if p.grad is not None]
