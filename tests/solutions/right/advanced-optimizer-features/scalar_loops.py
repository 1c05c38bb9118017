# The five tools, entry by entry, in plain Python numbers.
#| export
class AdvancedOptimizerFeatures:
    def __init__(self):
        self.max_grad_norm, self.clip_enabled = 1.0, False
        self.warmup_steps, self.warmup_factor, self.base_lr = 0, 0.1, 0.001
        self.accumulation_steps = 1
        self.use_fp16, self.loss_scale, self.dynamic_loss_scaling = False, 1.0, False
        self.world_size, self.rank = 1, 0
        self._start_again()

    def _start_again(self):
        self.accumulated_gradients = {}
        self.accumulation_count = 0

    def _entries(self, optimizer):
        for parameter in optimizer.parameters:
            if parameter.grad is None:
                continue
            for position in np.ndindex(parameter.grad.data.shape):
                yield parameter.grad.data.data, position

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        numbers = [float(array[i]) for array, i in self._entries(optimizer)]
        norm = math.sqrt(math.fsum(x * x for x in numbers))
        if norm > max_norm:
            for array, i in self._entries(optimizer):
                array[i] = float(array[i]) * (max_norm / norm)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        share = 1.0
        if warmup_steps > 0:
            share = min(max(step / warmup_steps, 0.0), 1.0)
        optimizer.learning_rate = share * base_lr
        return share * base_lr

    def accumulate_gradients(self, optimizer, accumulation_steps):
        for k, parameter in enumerate(optimizer.parameters):
            if parameter.grad is None:
                continue
            numbers = parameter.grad.data.data.ravel().tolist()
            before = self.accumulated_gradients.get(k, [0.0] * len(numbers))
            self.accumulated_gradients[k] = [a + b for a, b in zip(before, numbers)]
        self.accumulation_count += 1
        if self.accumulation_count >= accumulation_steps:
            for k, numbers in self.accumulated_gradients.items():
                parameter = optimizer.parameters[k]
                mean = np.array([x / accumulation_steps for x in numbers], parameter.data.dtype)
                parameter.grad = Variable(mean.reshape(parameter.data.shape))
            self._start_again()
            return True
        return False

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        if any(not math.isfinite(array[i]) for array, i in self._entries(optimizer)):
            for parameter in optimizer.parameters:
                parameter.zero_grad()
            return False
        for array, i in self._entries(optimizer):
            array[i] = float(array[i]) / loss_scale
        return True

    def simulate_distributed_sync(self, optimizer, world_size=1):
        for array, i in self._entries(optimizer):
            received = [float(array[i])] * world_size
            array[i] = math.fsum(received) / len(received)
