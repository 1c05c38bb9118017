# Half finished: everything after the profile is still to do.
# expect-loss: test-convergence-profiler
# expect-loss: test-ml-systems-integration
#| export
class OptimizerConvergenceProfiler:
    def __init__(self):
        self.convergence_history = defaultdict(list)
        self.gradient_norms = defaultdict(list)
        self.learning_rates = defaultdict(list)
        self.step_times = defaultdict(list)
        self.memory_usage = defaultdict(list)
        self.convergence_rates = {}
        self.stability_scores = {}
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6
        self.optimizer_rankings = {}
        self.hyperparameter_suggestions = {}

    def profile_optimizer_convergence(self, optimizer_name: str, optimizer: Union[SGD, Adam],
                                      training_function, initial_loss: float,
                                      max_steps: int = 100) -> Dict[str, Any]:
        import time
        losses, grad_norms, lr_values, step_durations = [], [], [], []
        convergence_step = None
        for step in range(max_steps):
            start = time.time()
            try:
                current_loss = training_function()
            except Exception as e:
                print(f"Training step {step} failed: {e}")
                break
            squares = [np.sum(np.square(np.asarray(p.grad.data.data, dtype=np.float64)))
                       for p in optimizer.parameters if p.grad is not None]
            norm = float(np.sqrt(sum(squares))) if squares else 0.0
            if losses and convergence_step is None \
                    and abs(current_loss - losses[-1]) < self.convergence_threshold:
                convergence_step = step
            losses.append(current_loss)
            grad_norms.append(norm)
            lr_values.append(optimizer.learning_rate)
            step_durations.append(time.time() - start)
            if norm > self.gradient_explosion_threshold:
                print(f"Gradient explosion detected at step {step}")
                break
        self.convergence_history[optimizer_name] = losses
        self.gradient_norms[optimizer_name] = grad_norms
        self.learning_rates[optimizer_name] = lr_values
        self.step_times[optimizer_name] = step_durations
        return self._analyze_convergence_profile(optimizer_name, losses, grad_norms,
                                                 step_durations, convergence_step)

    def _stability(self, losses):
        recent = losses[-self.stability_window:]
        return float(1.0 / (1.0 + np.std(recent) / (abs(np.mean(recent)) + 1e-8)))

    def compare_optimizers(self, profiles: Dict[str, Dict]) -> Dict[str, Any]:
        raise NotImplementedError

    def analyze_learning_rate_sensitivity(self, optimizer_class, learning_rates: List[float],
                                          training_function, steps: int = 50) -> Dict[str, Any]:
        raise NotImplementedError

    def estimate_memory_usage(self, optimizer: Union[SGD, Adam], num_parameters: int) -> Dict[str, float]:
        raise NotImplementedError

    def generate_production_recommendations(self, analysis_results: Dict[str, Any]) -> List[str]:
        raise NotImplementedError

    def _analyze_convergence_profile(self, optimizer_name, losses, grad_norms, step_durations,
                                     convergence_step) -> Dict[str, Any]:
        analysis = {'optimizer_name': optimizer_name, 'total_steps': len(losses),
                    'convergence_step': convergence_step,
                    'final_loss': losses[-1] if losses else float('inf'),
                    'initial_loss': losses[0] if losses else float('inf'),
                    'loss_reduction': 0.0, 'convergence_rate': 0.0, 'stability_score': 0.0,
                    'average_step_time': 0.0, 'gradient_health': 'unknown'}
        if losses:
            analysis['loss_reduction'] = losses[0] - losses[-1]
            if len(losses) > 1:
                analysis['convergence_rate'] = analysis['loss_reduction'] / len(losses)
            if len(losses) >= self.stability_window:
                analysis['stability_score'] = self._stability(losses)
        if step_durations:
            analysis['average_step_time'] = float(np.mean(step_durations))
        if grad_norms:
            mean = np.mean(grad_norms)
            if not np.all(np.isfinite(grad_norms)) or max(grad_norms) > self.gradient_explosion_threshold:
                analysis['gradient_health'] = 'exploding'
            elif mean < 1e-8:
                analysis['gradient_health'] = 'vanishing'
            elif np.std(grad_norms) / (mean + 1e-8) > 2.0:
                analysis['gradient_health'] = 'unstable'
            else:
                analysis['gradient_health'] = 'healthy'
        return analysis
