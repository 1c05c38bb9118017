# The five tools, with all arithmetic done in the gradients' own arrays.
#| export
class AdvancedOptimizerFeatures:
    max_grad_norm = 1.0
    clip_enabled = False
    warmup_steps = 0
    warmup_factor = 0.1
    base_lr = 0.001
    accumulation_steps = 1
    use_fp16 = False
    loss_scale = 1.0
    dynamic_loss_scaling = False
    world_size = 1
    rank = 0

    def __init__(self):
        self.accumulated_gradients, self.accumulation_count = {}, 0

    def _arrays(self, optimizer):
        for parameter in optimizer.parameters:
            if parameter.grad is not None:
                yield parameter.grad.data.data

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        norm = math.sqrt(
            sum(float(np.sum(np.square(a, dtype=np.float64))) for a in self._arrays(optimizer))
        )
        if not norm <= max_norm and not math.isnan(norm):
            factor = float(max_norm) / (norm + 1e-6)
            for array in self._arrays(optimizer):
                array *= factor
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        rate = base_lr
        if warmup_steps:
            rate = float(np.interp(step, (0, warmup_steps), (0.0, base_lr)))
        setattr(optimizer, "learning_rate", rate)
        return rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        self.accumulation_count += 1
        for index, parameter in enumerate(optimizer.parameters):
            if parameter.grad is not None:
                shape, dtype = parameter.grad.data.shape, parameter.grad.data.dtype
                buffer = self.accumulated_gradients.setdefault(index, np.zeros(shape, dtype))
                buffer += parameter.grad.data.data
        if self.accumulation_count < accumulation_steps:
            return False
        while self.accumulated_gradients:
            index, buffer = self.accumulated_gradients.popitem()
            buffer /= accumulation_steps
            optimizer.parameters[index].grad = Variable(buffer)
        self.accumulation_count = 0
        return True

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        bad = sum(np.count_nonzero(~np.isfinite(array)) for array in self._arrays(optimizer))
        if bad:
            for parameter in optimizer.parameters:
                parameter.grad = None
        else:
            for array in self._arrays(optimizer):
                array /= float(loss_scale)
        return not bad

    def simulate_distributed_sync(self, optimizer, world_size=1):
        pass
