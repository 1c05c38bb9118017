# The object has none of the settings that the text names.
# expect-loss: test-advanced-features
#| export
class AdvancedOptimizerFeatures:
    """Gradient clipping, warmup, accumulation, mixed precision, synchronization."""

    def __init__(self):
        self.warmup_steps = 0
        self.base_lr = 0.001
        self.accumulated_gradients = {}
        self.accumulation_count = 0
        self.loss_scale = 1.0
        self.world_size = 1

    def apply_gradient_clipping(self, optimizer: Union[SGD, Adam], max_norm: float = 1.0) -> float:
        total_norm = 0.0
        for param in optimizer.parameters:
            if param.grad is not None:
                total_norm += np.linalg.norm(np.ravel(param.grad.data.data)) ** 2
        total_norm = float(total_norm ** 0.5)
        if total_norm > max_norm:
            clip_factor = max_norm / total_norm
            for param in optimizer.parameters:
                if param.grad is not None:
                    param.grad.data = Tensor(param.grad.data.data * clip_factor)
        return total_norm

    def apply_warmup_schedule(self, optimizer: Union[SGD, Adam], step: int, warmup_steps: int,
                              base_lr: float) -> float:
        if step < warmup_steps and warmup_steps > 0:
            current_lr = base_lr * (step / warmup_steps)
        else:
            current_lr = base_lr
        optimizer.learning_rate = current_lr
        return current_lr

    def _reset(self):
        self.accumulation_count = 0
        self.accumulated_gradients.clear()

    def accumulate_gradients(self, optimizer: Union[SGD, Adam], accumulation_steps: int) -> bool:
        store = self.accumulated_gradients
        for index, param in enumerate(optimizer.parameters):
            if param.grad is None:
                continue
            new = np.array(param.grad.data.data, dtype=float, copy=True)
            store[index] = store[index] + new if index in store else new
        self.accumulation_count += 1
        if self.accumulation_count != accumulation_steps:
            return False
        for index, total in store.items():
            param = optimizer.parameters[index]
            if param.grad is None:
                param.grad = Variable(total / accumulation_steps)
            else:
                param.grad.data = Tensor(total / accumulation_steps)
        self._reset()
        return True

    def simulate_mixed_precision(self, optimizer: Union[SGD, Adam], loss_scale: float = 1.0) -> bool:
        has_overflow = False
        for param in optimizer.parameters:
            if param.grad is not None:
                grad_data = param.grad.data.data
                if np.any(np.isinf(grad_data)) or np.any(np.isnan(grad_data)):
                    has_overflow = True
                    break
        if has_overflow:
            for param in optimizer.parameters:
                param.grad = None
            return False
        for param in optimizer.parameters:
            if param.grad is not None:
                param.grad.data = Tensor(param.grad.data.data / loss_scale)
        return True

    def simulate_distributed_sync(self, optimizer: Union[SGD, Adam], world_size: int = 1) -> None:
        if world_size <= 1:
            return
        for param in optimizer.parameters:
            if param.grad is not None:
                grad_data = param.grad.data.data
                noise = np.random.normal(0, 1e-10, np.shape(grad_data))
                param.grad.data = Tensor(grad_data + noise)
