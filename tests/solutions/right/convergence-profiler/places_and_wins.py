# Who wins three metrics is best overall, otherwise who has the lowest sum of places.
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
        for step in range(max_steps):
            start = time.perf_counter()
            try:
                loss = float(training_function())
            except Exception:
                break
            elapsed = time.perf_counter() - start
            norm = self._gradient_norm(optimizer.parameters)
            losses.append(loss)
            norms.append(norm)
            rates.append(optimizer.learning_rate)
            times.append(elapsed)
            if norm > self.gradient_explosion_threshold:
                break
        n = len(losses)
        final = losses[-1] if n else float("inf")
        reduction = initial_loss - final if n else 0.0
        return {
            "optimizer_name": optimizer_name, "total_steps": n,
            "convergence_step": self._convergence_step(losses),
            "final_loss": final, "initial_loss": initial_loss, "loss_reduction": reduction,
            "convergence_rate": reduction / n if n else 0.0,
            "stability_score": self._stability(losses),
            "average_step_time": sum(times) / n if n else 0.0,
            "gradient_health": self._gradient_health(norms),
        }

    def _gradient_norm(self, parameters):
        return float(np.sqrt(sum(np.sum(p.grad.data.data.astype(np.float64) ** 2) for p in parameters if p.grad is not None)))

    def _convergence_step(self, losses):
        for k in range(1, len(losses)):
            if abs(losses[k] - losses[k - 1]) < self.convergence_threshold:
                return k
        return None

    def _stability(self, losses):
        if len(losses) < self.stability_window:
            return 0.0
        last = np.array(losses[-self.stability_window:])
        score = 1 / (1 + last.std() / (abs(last.mean()) + 1e-8))
        return float(score) if np.isfinite(score) else 0.0

    def _gradient_health(self, norms):
        if not norms: return "unknown"
        a = np.array(norms)
        if not np.isfinite(a).all() or a.max() > self.gradient_explosion_threshold: return "exploding"
        if a.mean() < 1e-8: return "vanishing"
        if a.std() / a.mean() > 2: return "unstable"
        return "healthy"

    def compare_optimizers(self, profiles):
        speed, final, stability, efficiency = {}, {}, {}, {}
        for name, p in profiles.items():
            speed[name] = p["convergence_step"] if p["convergence_step"] is not None else float("inf")
            final[name] = p["final_loss"]
            stability[name] = p["stability_score"]
            seconds = p["average_step_time"] * p["total_steps"]
            efficiency[name] = p["loss_reduction"] / seconds if seconds > 0 else 0.0
        rankings = {
            "convergence_speed": self._ranked(speed, 1),
            "final_performance": self._ranked(final, 1),
            "stability": self._ranked(stability, -1),
            "efficiency": self._ranked(efficiency, -1),
        }
        summary = []
        if profiles:
            places = {n: sum(r.index(n) for r in rankings.values()) for n in profiles}
            wins = {n: sum(r[0] == n for r in rankings.values()) for n in profiles}
            best = min(profiles, key=lambda n: (-wins[n] if wins[n] >= 3 else 0, places[n]))
            summary = [f"Best overall optimizer: {best}", f"Fastest convergence: {rankings['convergence_speed'][0]}", f"Most stable training: {rankings['stability'][0]}", f"Most compute-efficient: {rankings['efficiency'][0]}"]
        self.optimizer_rankings = rankings
        return {"convergence_speed": speed, "final_performance": final, "stability": stability, "efficiency": efficiency, "rankings": rankings, "recommendations": {"summary": summary}}

    def _ranked(self, values, sign):
        return sorted(values, key=lambda n: (math.isnan(values[n]), 0.0 if math.isnan(values[n]) else sign * values[n]))

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        finals, conv, stab, boom = [], [], [], []
        for lr in learning_rates:
            try:
                losses, norms = training_function(lr, steps)
            except Exception:
                losses, norms = [], []
            if len(losses) == 0:
                finals.append(float("inf")); conv.append(None); stab.append(0.0); boom.append(True)
                continue
            finals.append(float(losses[-1]))
            conv.append(self._convergence_step(losses))
            stab.append(self._stability(losses))
            boom.append(any(n > self.gradient_explosion_threshold or math.isnan(n) for n in norms))
        good = [(f, lr) for f, lr, b in zip(finals, learning_rates, boom) if math.isfinite(f) and not b]
        best = min(good)[1] if good else None
        span = (best / 10, best * 10) if good else None
        advice = [f"best rate {best}"] if good else ["no rate worked"]
        return {"learning_rates": list(learning_rates), "final_losses": finals, "convergence_steps": conv, "stability_scores": stab, "gradient_explosions": boom, "optimal_range": span, "recommendations": advice}

    def estimate_memory_usage(self, optimizer, num_parameters):
        mb = num_parameters * 4 / 2**20
        if isinstance(optimizer, Adam): factor = 2
        elif optimizer.momentum > 0: factor = 1
        else: factor = 0
        return {"parameters_mb": mb, "gradients_mb": mb, "optimizer_state_mb": factor * mb, "total_mb": (2 + factor) * mb, "memory_efficiency": 1 / (2 + factor), "overhead_ratio": float(factor)}

    def generate_production_recommendations(self, analysis_results):
        lines = ["OPTIMIZER SELECTION GUIDE:", "Adam first, SGD with momentum for vision."]
        lr = analysis_results.get("learning_rate_analysis")
        if lr:
            lines.append("LEARNING RATE GUIDANCE:")
            if lr.get("optimal_range"): lines.append("search from %g to %g" % lr["optimal_range"])
        comparison = analysis_results.get("convergence_comparison")
        if comparison:
            lines.append("CONVERGENCE OPTIMIZATION:")
            lines += comparison["recommendations"]["summary"]
        lines += ["SCALING CONSIDERATIONS:", "warm up", "PRODUCTION DEPLOYMENT:", "checkpoint", "MONITORING & DEBUGGING:", "log norms"]
        return lines
