# Every rule as the text states it, with a helper each; the base of the edits in wrong/.
#| export
class OptimizerConvergenceProfiler:
    def __init__(self):
        self.convergence_history = {}
        self.gradient_norms = {}
        self.learning_rates = {}
        self.step_times = {}
        self.memory_usage = {}
        self.convergence_rates = {}
        self.stability_scores = {}
        self.optimizer_rankings = {}
        self.hyperparameter_suggestions = {}
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        losses, norms, rates, times = [], [], [], []
        self.convergence_history[optimizer_name] = losses
        self.gradient_norms[optimizer_name] = norms
        self.learning_rates[optimizer_name] = rates
        self.step_times[optimizer_name] = times
        for _ in range(max_steps):
            started = time.perf_counter()
            try:
                loss = float(training_function())
            except Exception:
                break
            seconds = time.perf_counter() - started
            norm = self._gradient_norm(optimizer.parameters)
            losses.append(loss)
            norms.append(norm)
            rates.append(float(optimizer.learning_rate))
            times.append(seconds)
            if norm > self.gradient_explosion_threshold:
                break
        profile = self._profile(optimizer_name, initial_loss)
        self.convergence_rates[optimizer_name] = profile["convergence_rate"]
        self.stability_scores[optimizer_name] = profile["stability_score"]
        size = sum(p.data.size for p in optimizer.parameters)
        self.memory_usage[optimizer_name] = self.estimate_memory_usage(optimizer, size)["total_mb"]
        return profile

    def compare_optimizers(self, profiles):
        names = list(profiles)
        speed, final, stability, efficiency = {}, {}, {}, {}
        for name, profile in profiles.items():
            step = profile["convergence_step"]
            speed[name] = float("inf") if step is None else float(step)
            final[name] = profile["final_loss"]
            stability[name] = profile["stability_score"]
            seconds = profile["average_step_time"] * profile["total_steps"]
            efficiency[name] = profile["loss_reduction"] / seconds if seconds > 0 else float("nan")
        rankings = {
            "convergence_speed": self._ranked(names, speed),
            "final_performance": self._ranked(names, final),
            "stability": self._ranked(names, stability, highest_first=True),
            "efficiency": self._ranked(names, efficiency, highest_first=True),
        }
        self.optimizer_rankings = rankings
        return {
            "convergence_speed": speed,
            "final_performance": final,
            "stability": stability,
            "efficiency": efficiency,
            "rankings": rankings,
            "recommendations": {"summary": self._summary(rankings, speed)},
        }

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        final_losses, convergence_steps, stability_scores, explosions = [], [], [], []
        for rate in learning_rates:
            losses, norms = self._run_at(rate, steps, training_function)
            if len(losses) == 0:
                final_losses.append(float("inf"))
                convergence_steps.append(None)
                stability_scores.append(0.0)
                explosions.append(True)
                continue
            final_losses.append(float(losses[-1]))
            convergence_steps.append(self._convergence_step(losses))
            stability_scores.append(self._stability(losses))
            explosions.append(any(self._is_explosion(n) for n in norms))
        best, lowest = None, float("inf")
        for rate, loss, exploded in zip(learning_rates, final_losses, explosions):
            if not exploded and math.isfinite(loss) and loss < lowest:
                best, lowest = rate, loss
        optimal_range = None if best is None else (best / 10, best * 10)
        self.hyperparameter_suggestions[optimizer_class.__name__] = {"optimal_range": optimal_range}
        return {
            "learning_rates": list(learning_rates),
            "final_losses": final_losses,
            "convergence_steps": convergence_steps,
            "stability_scores": stability_scores,
            "gradient_explosions": explosions,
            "optimal_range": optimal_range,
            "recommendations": self._rate_advice(best, learning_rates, explosions),
        }

    def estimate_memory_usage(self, optimizer, num_parameters):
        if hasattr(optimizer, "beta2"):
            kept = 2
        elif getattr(optimizer, "momentum", 0.0) > 0:
            kept = 1
        else:
            kept = 0
        unit = 4 * num_parameters / 2**20
        return {
            "parameters_mb": unit,
            "gradients_mb": unit,
            "optimizer_state_mb": kept * unit,
            "total_mb": (2 + kept) * unit,
            "memory_efficiency": 1 / (2 + kept),
            "overhead_ratio": float(kept),
        }

    def generate_production_recommendations(self, analysis_results):
        sweep = analysis_results.get("learning_rate_analysis")
        comparison = analysis_results.get("convergence_comparison")
        memory = analysis_results.get("memory_analysis")
        lines = ["OPTIMIZER SELECTION GUIDE:"]
        lines.append("  Adam to begin with; SGD with momentum where memory is short")
        if sweep is not None:
            lines.append("LEARNING RATE GUIDANCE:")
            if sweep["optimal_range"] is None:
                lines.append("  no rate of the sweep can be trusted; try lower ones")
            else:
                low, high = sweep["optimal_range"]
                lines.append(f"  search between {low:.4g} and {high:.4g}")
        if comparison is not None:
            lines.append("CONVERGENCE OPTIMIZATION:")
            lines.extend(comparison["recommendations"]["summary"])
        lines.append("SCALING CONSIDERATIONS:")
        lines.append("  8 bytes a weight for SGD, 12 with momentum, 16 for Adam")
        for name, usage in (memory or {}).items():
            lines.append(f"  {name}: {usage['total_mb']:.4g} MB of model state")
        lines.append("PRODUCTION DEPLOYMENT:")
        lines.append("  checkpoint parameters, state and schedule together")
        lines.append("MONITORING & DEBUGGING:")
        lines.append("  record loss, gradient norm, rate and seconds of each step")
        return lines

    def _is_explosion(self, norm):
        return math.isnan(norm) or norm > self.gradient_explosion_threshold

    def _gradient_norm(self, parameters):
        total = 0.0
        for parameter in parameters:
            if parameter.grad is None:
                continue
            gradient = parameter.grad.data.data.astype(np.float64)
            total += float(np.sum(gradient * gradient))
        return math.sqrt(total)

    def _convergence_step(self, losses):
        for k in range(1, len(losses)):
            if abs(losses[k] - losses[k - 1]) < self.convergence_threshold:
                return k
        return None

    def _stability(self, losses):
        if len(losses) < self.stability_window:
            return 0.0
        window = np.array(losses[-self.stability_window :], dtype=np.float64)
        if not np.all(np.isfinite(window)):
            return 0.0
        spread = float(window.std())
        return 1.0 / (1.0 + spread / (abs(float(window.mean())) + 1e-8))

    def _gradient_health(self, norms):
        if any(self._is_explosion(n) for n in norms):
            return "exploding"
        if not norms:
            return "unknown"
        average = float(np.mean(norms))
        if average < 1e-8:
            return "vanishing"
        if float(np.std(norms)) / average > 2.0:
            return "unstable"
        return "healthy"

    def _profile(self, name, initial_loss):
        losses = self.convergence_history[name]
        times = self.step_times[name]
        total = len(losses)
        final = losses[-1] if total else float("inf")
        reduction = initial_loss - final if total else 0.0
        return {
            "optimizer_name": name,
            "total_steps": total,
            "convergence_step": self._convergence_step(losses),
            "final_loss": final,
            "initial_loss": initial_loss,
            "loss_reduction": reduction,
            "convergence_rate": reduction / total if total else 0.0,
            "stability_score": self._stability(losses),
            "average_step_time": float(np.mean(times)) if total else 0.0,
            "gradient_health": self._gradient_health(self.gradient_norms[name]),
        }

    def _ranked(self, names, values, highest_first=False):
        def key(name):
            value = values[name]
            if math.isnan(value):
                return (1, 0.0)
            return (0, -value if highest_first else value)
        return sorted(names, key=key)

    def _summary(self, rankings, speed):
        if not rankings["convergence_speed"]:
            return []
        places = {}
        for ranking in rankings.values():
            for place, name in enumerate(ranking):
                places[name] = places.get(name, 0) + place
        best = min(places, key=places.get)
        return [
            f"Best overall optimizer: {best}",
            f"Fastest convergence: {rankings['convergence_speed'][0]}",
            f"Most stable training: {rankings['stability'][0]}",
            f"Most compute-efficient: {rankings['efficiency'][0]}",
        ]

    def _run_at(self, rate, steps, training_function):
        try:
            losses, norms = training_function(rate, steps)
            return list(losses), list(norms)
        except Exception:
            return [], []

    def _rate_advice(self, best, rates, explosions):
        lines = []
        if best is None:
            lines.append("No rate can be trusted; try lower ones.")
        else:
            lines.append(f"Best rate of the sweep: {best:.4g}.")
        for rate, exploded in zip(rates, explosions):
            if exploded:
                lines.append(f"The rate {rate:.4g} failed.")
        return lines
