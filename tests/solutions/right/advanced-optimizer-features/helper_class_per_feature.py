# One small class per feature; the public class only passes the calls on.
#| export
class _Buffer:
    def __init__(self):
        self.sums, self.count = {}, 0

    def add(self, parameters):
        self.count += 1
        for p in parameters:
            if p.grad is not None:
                if id(p) in self.sums:
                    self.sums[id(p)] += p.grad.data.data
                else:
                    self.sums[id(p)] = np.array(p.grad.data.data, dtype=np.float64)

    def release(self, parameters, divisor):
        for p in parameters:
            if id(p) in self.sums:
                p.grad = Variable(self.sums[id(p)] / divisor)
        self.__init__()


class _Gradients:
    def __init__(self, optimizer):
        self.held = [p for p in optimizer.parameters if p.grad is not None]

    @property
    def norm(self):
        return float(np.linalg.norm([np.linalg.norm(p.grad.data.data) for p in self.held] or [0.0]))

    @property
    def finite(self):
        return all(np.isfinite(p.grad.data.data).all() for p in self.held)

    def scale(self, factor):
        for p in self.held:
            p.grad = Variable(p.grad.data.data * factor)


class AdvancedOptimizerFeatures:
    max_grad_norm = 1.0
    clip_enabled = use_fp16 = dynamic_loss_scaling = False
    warmup_steps = rank = 0
    warmup_factor, base_lr, loss_scale = 0.1, 0.001, 1.0
    accumulation_steps = world_size = 1

    def __init__(self):
        self._buffer = _Buffer()

    @property
    def accumulated_gradients(self):
        return self._buffer.sums

    @property
    def accumulation_count(self):
        return self._buffer.count

    def apply_gradient_clipping(self, optimizer, max_norm=1.0):
        gradients = _Gradients(optimizer)
        norm = gradients.norm
        gradients.scale(min(1.0, max_norm / norm) if norm else 1.0)
        return norm

    def apply_warmup_schedule(self, optimizer, step, warmup_steps, base_lr):
        done = 1.0 if warmup_steps == 0 else min(1.0, step / warmup_steps)
        optimizer.learning_rate = base_lr * done
        return optimizer.learning_rate

    def accumulate_gradients(self, optimizer, accumulation_steps):
        self._buffer.add(optimizer.parameters)
        ready = self._buffer.count >= accumulation_steps
        if ready:
            self._buffer.release(optimizer.parameters, accumulation_steps)
        return ready

    def simulate_mixed_precision(self, optimizer, loss_scale=1.0):
        gradients = _Gradients(optimizer)
        if gradients.finite:
            gradients.scale(1.0 / loss_scale)
            return True
        for p in optimizer.parameters:
            p.grad = None
        return False

    def simulate_distributed_sync(self, optimizer, world_size=1):
        for p in _Gradients(optimizer).held:
            ranks = np.stack([p.grad.data.data] * world_size)
            p.grad = Variable(ranks.mean(axis=0))
