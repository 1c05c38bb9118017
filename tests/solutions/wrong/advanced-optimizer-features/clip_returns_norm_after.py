# Clipping returns the norm it has made, not the one it found.
# expect-loss: test-advanced-features
# expect-loss: test-ml-systems-integration
#| export
class AdvancedOptimizerFeatures:
    """What stands between `backward()` and `step()` in production."""

    def __init__(self) -> None:
        """Start with these settings and empty buffers, which belong to this object alone."""
        self.max_grad_norm = 1.0
        self.clip_enabled = False
        self.warmup_steps = 0
        self.warmup_factor = 0.1
        self.base_lr = 0.001
        self.accumulation_steps = 1
        self.accumulated_gradients: dict[int, np.ndarray] = {}
        self.accumulation_count = 0
        self.use_fp16 = False
        self.loss_scale = 1.0
        self.dynamic_loss_scaling = False
        self.world_size = 1
        self.rank = 0

    def apply_gradient_clipping(self, optimizer: "SGD | Adam", max_norm: float = 1.0) -> float:
        """Shorten the gradient to a largest length, and keep its direction."""
        gradients = self._gradients(optimizer)
        squares = [float(np.sum(np.square(g.data.data, dtype=np.float64))) for g in gradients]
        norm = math.sqrt(sum(squares))
        if norm > max_norm:
            for gradient in gradients:
                gradient.data = Tensor(gradient.data.data * (max_norm / norm))
        return min(norm, max_norm)

    def apply_warmup_schedule(
        self, optimizer: "SGD | Adam", step: int, warmup_steps: int, base_lr: float
    ) -> float:
        """Set the rate of a linear warm-up."""
        rate = base_lr * step / warmup_steps if step < warmup_steps else base_lr
        optimizer.learning_rate = rate
        return rate

    def accumulate_gradients(self, optimizer: "SGD | Adam", accumulation_steps: int) -> bool:
        """Collect the gradient of one micro-batch; after the last, put the mean in place."""
        for index, parameter in enumerate(optimizer.parameters):
            if parameter.grad is not None:
                total = self.accumulated_gradients.get(index, 0.0)
                self.accumulated_gradients[index] = total + parameter.grad.data.data
        self.accumulation_count += 1
        if self.accumulation_count < accumulation_steps:
            return False
        for index, total in self.accumulated_gradients.items():
            optimizer.parameters[index].grad = Variable(total / accumulation_steps)
        self.accumulated_gradients, self.accumulation_count = {}, 0
        return True

    def simulate_mixed_precision(self, optimizer: "SGD | Adam", loss_scale: float = 1.0) -> bool:
        """Undo the loss scale, or call the step off."""
        gradients = self._gradients(optimizer)
        if not all(np.isfinite(gradient.data.data).all() for gradient in gradients):
            for parameter in optimizer.parameters:
                parameter.grad = None
            return False
        for gradient in gradients:
            gradient.data = Tensor(gradient.data.data / loss_scale)
        return True

    def simulate_distributed_sync(self, optimizer: "SGD | Adam", world_size: int = 1) -> None:
        """Average the gradients over ranks that all hold the same ones."""
        for gradient in self._gradients(optimizer):
            total = gradient.data.data * world_size  # what the all-reduce of equal parts adds up to
            gradient.data = Tensor(total / world_size)

    def _gradients(self, optimizer: "SGD | Adam") -> list[Variable]:
        """Return the gradients there are."""
        return [p.grad for p in optimizer.parameters if p.grad is not None]
