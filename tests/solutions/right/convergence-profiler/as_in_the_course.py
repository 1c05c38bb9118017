# Much as the course writes it: small helpers, profiles made from the records.
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
        losses = self.convergence_history[optimizer_name] = []
        norms = self.gradient_norms[optimizer_name] = []
        rates = self.learning_rates[optimizer_name] = []
        times = self.step_times[optimizer_name] = []
        stopped_by = None
        for step in range(max_steps):
            start = time.perf_counter()
            try:
                loss = float(training_function())
            except Exception as error:
                stopped_by = f"step {step} raised {error!r}"
                break
            times.append(time.perf_counter() - start)
            losses.append(loss)
            norms.append(self._gradient_norm(optimizer.parameters))
            rates.append(float(optimizer.learning_rate))
            if norms[-1] > self.gradient_explosion_threshold:
                stopped_by = f"the gradient norm was {norms[-1]:.3g} at step {step}"
                break
        size = sum(parameter.data.data.size for parameter in optimizer.parameters)
        self.memory_usage[optimizer_name] = self.estimate_memory_usage(optimizer, size)["total_mb"]
        return {**self._profile(optimizer_name, float(initial_loss)), "stopped_by": stopped_by}

    def compare_optimizers(self, profiles):
        speed, loss, stability, efficiency = {}, {}, {}, {}
        for name, profile in profiles.items():
            step = profile["convergence_step"]
            seconds = profile["average_step_time"] * profile["total_steps"]
            speed[name] = math.inf if step is None else step
            loss[name] = profile["final_loss"]
            stability[name] = profile["stability_score"]
            efficiency[name] = profile["loss_reduction"] / seconds if seconds else math.nan
        by_loss = self._ranked(list(profiles), loss)
        self.optimizer_rankings = {
            "convergence_speed": self._ranked(by_loss, speed),
            "final_performance": by_loss,
            "stability": self._ranked(by_loss, stability, highest_first=True),
            "efficiency": self._ranked(by_loss, efficiency, highest_first=True),
        }
        return {
            "convergence_speed": speed,
            "final_performance": loss,
            "stability": stability,
            "efficiency": efficiency,
            "rankings": self.optimizer_rankings,
            "recommendations": {"summary": self._summary(self.optimizer_rankings, speed)},
        }

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        runs = [self._run_at(rate, steps, training_function) for rate in learning_rates]
        final_losses = [losses[-1] if losses else math.inf for losses, _ in runs]
        limit = self.gradient_explosion_threshold
        explosions = [
            not losses or any(not norm <= limit for norm in norms) for losses, norms in runs
        ]
        trusted = [
            (loss, rate)
            for loss, rate, exploded in zip(final_losses, learning_rates, explosions, strict=True)
            if math.isfinite(loss) and not exploded
        ]
        best = min(trusted)[1] if trusted else None
        optimal_range = (best / 10, best * 10) if trusted else None
        name = getattr(optimizer_class, "__name__", str(optimizer_class))
        self.hyperparameter_suggestions[name] = {"learning_rate_range": optimal_range}
        return {
            "learning_rates": list(learning_rates),
            "final_losses": final_losses,
            "convergence_steps": [self._convergence_step(losses) for losses, _ in runs],
            "stability_scores": [self._stability(losses) for losses, _ in runs],
            "gradient_explosions": explosions,
            "optimal_range": optimal_range,
            "recommendations": self._rate_advice(best, learning_rates, explosions),
        }

    def estimate_memory_usage(self, optimizer, num_parameters):
        parameters = num_parameters * 4 / 2**20
        if isinstance(optimizer, Adam):
            copies = 2
        else:
            copies = 1 if optimizer.momentum > 0 else 0
        return {
            "parameters_mb": parameters,
            "gradients_mb": parameters,
            "optimizer_state_mb": copies * parameters,
            "total_mb": (2 + copies) * parameters,
            "memory_efficiency": 1 / (2 + copies),
            "overhead_ratio": float(copies),
        }

    def generate_production_recommendations(self, analysis_results):
        rates = analysis_results.get("learning_rate_analysis")
        comparison = analysis_results.get("convergence_comparison")
        lines = [
            "OPTIMIZER SELECTION GUIDE:",
            "  Adam: a good first choice, forgiving about the rate; 16 bytes per parameter.",
            "  SGD with momentum: 12 bytes per parameter; often as good or better once tuned.",
        ]
        if rates:
            lines.append("LEARNING RATE GUIDANCE:")
            if rates["optimal_range"]:
                lines.append("  Search from {:.3g} to {:.3g}.".format(*rates["optimal_range"]))
            lines += [f"  {line}" for line in rates["recommendations"]]
        if comparison:
            lines.append("CONVERGENCE OPTIMIZATION:")
            lines += [f"  {line}" for line in comparison["recommendations"]["summary"]]
        lines += ["SCALING CONSIDERATIONS:", "  A larger batch needs the rate tuned again."]
        for name, memory in analysis_results.get("memory_analysis", {}).items():
            state, total = memory["optimizer_state_mb"], memory["total_mb"]
            lines.append(f"  {name}: {total:.3g} MB of model state, {state:.3g} MB for itself.")
        return lines + [
            "PRODUCTION DEPLOYMENT:",
            "  Save the optimizer's state and the schedule's counter with the parameters.",
            "  Warm up, clip the global norm, and skip steps with infinite or NaN gradients.",
            "MONITORING & DEBUGGING:",
            "  Log loss, gradient norm and rate at every step; compare with the runs before.",
        ]

    def _gradient_norm(self, parameters):
        gradients = [p.grad.data.data for p in parameters if p.grad is not None]
        return math.sqrt(sum(float(np.sum(np.square(g, dtype=np.float64))) for g in gradients))

    def _convergence_step(self, losses):
        for step in range(1, len(losses)):
            if abs(losses[step] - losses[step - 1]) < self.convergence_threshold:
                return step
        return None

    def _stability(self, losses):
        recent = np.asarray(losses[-self.stability_window :], dtype=np.float64)
        if len(recent) < self.stability_window or not np.all(np.isfinite(recent)):
            return 0.0
        return float(1 / (1 + recent.std() / (abs(recent.mean()) + 1e-8)))

    def _gradient_health(self, norms):
        if not norms:
            return "unknown"
        if not np.all(np.isfinite(norms)) or max(norms) > self.gradient_explosion_threshold:
            return "exploding"
        mean, spread = np.mean(norms), np.std(norms)
        if mean < 1e-8:
            return "vanishing"
        return "unstable" if spread / mean > 2 else "healthy"

    def _profile(self, name, initial_loss):
        losses, times = self.convergence_history[name], self.step_times[name]
        steps = len(losses)
        reduction = initial_loss - losses[-1] if losses else 0.0
        self.convergence_rates[name] = reduction / steps if losses else 0.0
        self.stability_scores[name] = self._stability(losses)
        return {
            "optimizer_name": name,
            "total_steps": steps,
            "convergence_step": self._convergence_step(losses),
            "final_loss": losses[-1] if losses else math.inf,
            "initial_loss": initial_loss,
            "loss_reduction": reduction,
            "convergence_rate": self.convergence_rates[name],
            "stability_score": self.stability_scores[name],
            "average_step_time": sum(times) / steps if losses else 0.0,
            "gradient_health": self._gradient_health(self.gradient_norms[name]),
        }

    def _ranked(self, names, values, highest_first=False):
        sign = -1 if highest_first else 1
        return sorted(names, key=lambda name: (math.isnan(values[name]), sign * values[name]))

    def _summary(self, rankings, speed):
        if not speed:
            return []
        places = {name: sum(r.index(name) for r in rankings.values()) for name in speed}
        first = {metric: ranking[0] for metric, ranking in rankings.items()}
        fastest = first["convergence_speed"]
        note = " (within its steps no run converged)" if math.isinf(speed[fastest]) else ""
        return [
            f"Best overall optimizer: {min(places, key=places.__getitem__)}",
            f"Fastest convergence: {fastest}{note}",
            f"Most stable training: {first['stability']}",
            f"Most compute-efficient: {first['efficiency']}",
        ]

    def _run_at(self, rate, steps, training_function):
        try:
            losses, norms = training_function(rate, steps)
            return [float(loss) for loss in losses], [float(norm) for norm in norms]
        except Exception:
            return [], []

    def _rate_advice(self, best, rates, explosions):
        if best is None:
            return ["No rate trained without an explosion: try lower ones."]
        lines = [f"The best rate of the sweep is {best:.3g}."]
        if len(rates) > 1 and best in (min(rates), max(rates)):
            lines.append("It lies at the edge of the sweep: extend the sweep on that side.")
        failed = [rate for rate, exploded in zip(rates, explosions, strict=True) if exploded]
        if failed:
            lines.append(f"Training failed or exploded at {', '.join(f'{r:.3g}' for r in failed)}.")
        return lines
