# Sorts None among the steps of runs that converged.
# expect-loss: test-convergence-profiler
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
        comparison = {'convergence_speed': {}, 'final_performance': {}, 'stability': {},
                      'efficiency': {}, 'rankings': {}, 'recommendations': {}}
        for name, profile in profiles.items():
            losses = self.convergence_history[name]
            step = profile.get('convergence_step')
            slowest = max(len(h) for h in self.convergence_history.values()) if self.convergence_history else 0
            comparison['convergence_speed'][name] = step
            if losses:
                comparison['final_performance'][name] = losses[-1]
                if len(losses) >= self.stability_window:
                    comparison['stability'][name] = self._stability(losses)
                times = self.step_times[name]
                if times:
                    comparison['efficiency'][name] = (losses[0] - losses[-1]) / (sum(times) + 1e-8)
        for metric, higher in (('convergence_speed', False), ('final_performance', False),
                               ('stability', True), ('efficiency', True)):
            values = comparison[metric]
            if values:
                names = list(values)
                order = sorted(range(len(names)), key=lambda i: values[names[i]], reverse=higher)
                comparison['rankings'][metric] = [names[int(i)] for i in order]
        summary = []
        rankings = comparison['rankings']
        if rankings:
            scores = defaultdict(float)
            for ranking in rankings.values():
                for i, name in enumerate(ranking):
                    scores[name] += len(ranking) - i
            summary.append(f"🏆 Best overall optimizer: {max(scores, key=scores.get)}")
            if 'convergence_speed' in rankings:
                summary.append(f"⚡ Fastest convergence: {rankings['convergence_speed'][0]}")
            if 'stability' in rankings:
                summary.append(f"🎯 Most stable training: {rankings['stability'][0]}")
            if 'efficiency' in rankings:
                summary.append(f"💰 Most compute-efficient: {rankings['efficiency'][0]}")
        comparison['recommendations']['summary'] = summary
        return comparison

    def analyze_learning_rate_sensitivity(self, optimizer_class, learning_rates: List[float],
                                          training_function, steps: int = 50) -> Dict[str, Any]:
        out = {'learning_rates': learning_rates, 'final_losses': [], 'convergence_steps': [],
               'stability_scores': [], 'gradient_explosions': [], 'optimal_range': None,
               'recommendations': []}
        for lr in learning_rates:
            try:
                losses, grad_norms = training_function(lr, steps)
            except Exception as e:
                print(f"Failed with lr={lr}: {e}")
                losses, grad_norms = [], []
            if losses:
                out['final_losses'].append(losses[-1])
                converged = steps
                for i in range(1, len(losses)):
                    if abs(losses[i] - losses[i - 1]) < self.convergence_threshold:
                        converged = i
                        break
                out['convergence_steps'].append(converged)
                out['stability_scores'].append(self._stability(losses) if len(losses) >= 10 else 0.0)
                out['gradient_explosions'].append(
                    bool(grad_norms) and max(grad_norms) > self.gradient_explosion_threshold)
            else:
                out['final_losses'].append(float('inf'))
                out['convergence_steps'].append(steps)
                out['stability_scores'].append(0.0)
                out['gradient_explosions'].append(True)
        valid = [i for i, (loss, bad) in enumerate(zip(out['final_losses'], out['gradient_explosions']))
                 if not bad and np.isfinite(loss)]
        if valid:
            best = learning_rates[min(valid, key=lambda i: out['final_losses'][i])]
            out['optimal_range'] = (best * 0.1, best * 10.0)
            out['recommendations'] = [f"🎯 Optimal learning rate: {best:.2e}"]
            if any(out['gradient_explosions']):
                safe = max(learning_rates[i] for i in valid)
                out['recommendations'].append(f"⚠️ Avoid learning rates above {safe:.2e}")
        else:
            out['recommendations'] = ["⚠️ No stable learning rates found - try lower values"]
        return out

    def estimate_memory_usage(self, optimizer: Union[SGD, Adam], num_parameters: int) -> Dict[str, float]:
        one = num_parameters * 4 / (1024 * 1024)
        if isinstance(optimizer, Adam):
            state = 2 * one
        elif isinstance(optimizer, SGD) and optimizer.momentum > 0:
            state = one
        else:
            state = 0.0
        total = 2 * one + state
        return {'parameters_mb': one, 'gradients_mb': one, 'optimizer_state_mb': state,
                'total_mb': total, 'memory_efficiency': one / total, 'overhead_ratio': state / one}

    def generate_production_recommendations(self, analysis_results: Dict[str, Any]) -> List[str]:
        recs = ["🔧 OPTIMIZER SELECTION GUIDE:",
                "  • SGD + Momentum: large batches; Adam: rapid prototyping"]
        opt_range = analysis_results.get('learning_rate_analysis', {}).get('optimal_range')
        if opt_range:
            recs += ["📈 LEARNING RATE GUIDANCE:", f"  • Start with: {opt_range[0]:.2e}",
                     f"  • Safe upper bound: {opt_range[1]:.2e}"]
        comparison = analysis_results.get('convergence_comparison', {})
        for rec in comparison.get('recommendations', {}).get('summary', []):
            recs.append(f"  • {rec}")
        recs += ["🚀 PRODUCTION DEPLOYMENT:", "  • Monitor gradient norms, clip, warm up"]
        return recs

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
