# No helpers: every public method does its whole work; an exploding step is not recorded.
#| export
class OptimizerConvergenceProfiler:
    def __init__(self):
        for name in (
            "convergence_history", "gradient_norms", "learning_rates", "step_times",
            "memory_usage", "convergence_rates", "stability_scores", "optimizer_rankings",
            "hyperparameter_suggestions",
        ):
            setattr(self, name, {})
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        rows, ended, exploded = [], "max_steps", False
        while len(rows) < max_steps:
            begin = time.perf_counter_ns()
            try:
                loss = float(training_function())
            except Exception as error:
                ended = f"step {len(rows)} raised {error!r}"
                break
            seconds = (time.perf_counter_ns() - begin) / 1e9
            pieces = [p.grad.data.data.ravel() for p in optimizer.parameters if p.grad is not None]
            vector = np.concatenate([np.zeros(0), *pieces]).astype(np.float64)
            norm = float(np.sqrt(np.dot(vector, vector)))
            if math.isnan(norm) or norm > self.gradient_explosion_threshold:
                exploded = True
            if norm > self.gradient_explosion_threshold:
                ended = f"the gradient exploded at step {len(rows)}"
                break
            rows.append((loss, norm, float(optimizer.learning_rate), seconds))
        losses, norms, rates, times = map(list, zip(*rows)) if rows else ([], [], [], [])
        self.convergence_history[optimizer_name] = losses
        self.gradient_norms[optimizer_name] = norms
        self.learning_rates[optimizer_name] = rates
        self.step_times[optimizer_name] = times
        small = np.abs(np.diff(losses)) < self.convergence_threshold
        tail = np.array(losses[-self.stability_window :])
        stability = 0.0
        if len(losses) >= self.stability_window and np.isfinite(tail).all():
            stability = float(1 / (1 + np.std(tail) / (abs(np.mean(tail)) + 1e-8)))
        if exploded:
            health = "exploding"
        elif not norms:
            health = "unknown"
        elif np.mean(norms) < 1e-8:
            health = "vanishing"
        else:
            health = "unstable" if np.std(norms) > 2 * np.mean(norms) else "healthy"
        profile = {
            "optimizer_name": optimizer_name,
            "total_steps": len(rows),
            "convergence_step": int(np.argmax(small)) + 1 if small.any() else None,
            "final_loss": losses[-1] if rows else math.inf,
            "initial_loss": initial_loss,
            "loss_reduction": initial_loss - losses[-1] if rows else 0.0,
            "convergence_rate": (initial_loss - losses[-1]) / len(rows) if rows else 0.0,
            "stability_score": stability,
            "average_step_time": sum(times) / len(times) if rows else 0.0,
            "gradient_health": health,
            "ended": ended,
        }
        self.convergence_rates[optimizer_name] = profile["convergence_rate"]
        self.stability_scores[optimizer_name] = stability
        return profile

    def compare_optimizers(self, profiles):
        tables = {
            "convergence_speed": {n: p["convergence_step"] for n, p in profiles.items()},
            "final_performance": {n: p["final_loss"] for n, p in profiles.items()},
            "stability": {n: p["stability_score"] for n, p in profiles.items()},
            "efficiency": {},
        }
        for name, p in profiles.items():
            seconds = p["average_step_time"] * p["total_steps"]
            if seconds > 0:
                tables["efficiency"][name] = p["loss_reduction"] / seconds
        rankings = {}
        for key, table in tables.items():
            numbers, missing = [], []
            for name in profiles:
                value = table.get(name)
                (missing if value is None or value != value else numbers).append(name)
            numbers.sort(key=table.get, reverse=key in ("stability", "efficiency"))
            rankings[key] = numbers + missing
        self.optimizer_rankings = rankings
        summary = []
        if profiles:
            best = min(profiles, key=lambda n: sum(r.index(n) for r in rankings.values()))
            summary = [
                f"🏆 Best overall optimizer: {best}",
                f"⚡ Fastest convergence: {rankings['convergence_speed'][0]}",
                f"🎯 Most stable training: {rankings['stability'][0]}",
                f"💰 Most compute-efficient: {rankings['efficiency'][0]}",
            ]
        return {**tables, "rankings": rankings, "recommendations": {"summary": summary}}

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        rows = []
        for rate in learning_rates:
            try:
                losses, norms = training_function(rate, steps)
                last = float(losses[-1])
            except Exception:
                rows.append((rate, math.inf, None, 0.0, True))
                continue
            small = np.abs(np.diff(losses)) < self.convergence_threshold
            tail = np.array(losses[-self.stability_window :], dtype=float)
            stability = 0.0
            if len(losses) >= self.stability_window and np.isfinite(tail).all():
                stability = float(1 / (1 + np.std(tail) / (abs(np.mean(tail)) + 1e-8)))
            norms = np.array(norms, dtype=float)
            exploded = not bool(np.all(norms <= self.gradient_explosion_threshold))
            first = int(np.argmax(small)) + 1 if small.any() else None
            rows.append((rate, last, first, stability, exploded))
        good = [(row[1], row[0]) for row in rows if not row[4] and math.isfinite(row[1])]
        found = None
        if good:
            best = min(good)[1]
            found = (best / 10, best * 10)
        self.hyperparameter_suggestions[optimizer_class.__name__] = {"range": found}
        keys = (
            "learning_rates", "final_losses", "convergence_steps", "stability_scores",
            "gradient_explosions",
        )
        result = {key: [row[i] for row in rows] for i, key in enumerate(keys)}
        result["optimal_range"] = found
        result["recommendations"] = [
            f"search {found[0]:g} to {found[1]:g}" if found else "no rate was good"
        ]
        return result

    def estimate_memory_usage(self, optimizer, num_parameters):
        if isinstance(optimizer, Adam):
            numbers = 2
        else:
            numbers = int(bool(getattr(optimizer, "momentum", 0)))
        mb = num_parameters * 4 / (1024 * 1024)
        usage = dict(parameters_mb=mb, gradients_mb=mb, optimizer_state_mb=numbers * mb)
        usage["total_mb"] = sum(usage.values())
        usage["memory_efficiency"] = 1.0 / (numbers + 2)
        usage["overhead_ratio"] = numbers * 1.0
        self.memory_usage[type(optimizer).__name__] = usage["total_mb"]
        return usage

    def generate_production_recommendations(self, analysis_results):
        text = ["OPTIMIZER SELECTION GUIDE:", "- start with Adam"]
        if "learning_rate_analysis" in analysis_results:
            found = analysis_results["learning_rate_analysis"]["optimal_range"]
            text.append("LEARNING RATE GUIDANCE:")
            text.append("- between {!r} and {!r}".format(*found) if found else "- no rate was good")
        if "convergence_comparison" in analysis_results:
            text.append("CONVERGENCE OPTIMIZATION:")
            text += analysis_results["convergence_comparison"]["recommendations"]["summary"]
        text += ["SCALING CONSIDERATIONS:", "- Adam: 16 bytes a weight"]
        text += ["PRODUCTION DEPLOYMENT:", "- write checkpoints"]
        text += ["MONITORING & DEBUGGING:", "- watch the gradient norm"]
        return text
