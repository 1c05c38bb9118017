# Rows in a table, records as properties that read it, Borda counts with squares.
#| export
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class _Row:
    loss: float
    norm: float
    rate: float
    seconds: float


_HEADINGS = "OPTIMIZER SELECTION GUIDE:|LEARNING RATE GUIDANCE:|CONVERGENCE OPTIMIZATION:|SCALING CONSIDERATIONS:|PRODUCTION DEPLOYMENT:|MONITORING & DEBUGGING:".split("|")


class OptimizerConvergenceProfiler:
    convergence_threshold, stability_window, gradient_explosion_threshold = 1e-6, 10, 1e6

    def __init__(self):
        self._runs = {}

    def _column(field):
        return property(lambda self: {name: [getattr(row, field) for row in rows] for name, rows in self._runs.items()})
    convergence_history, gradient_norms = _column("loss"), _column("norm")
    learning_rates, step_times = _column("rate"), _column("seconds")

    @staticmethod
    def _norm(optimizer):
        parts = [np.asarray(p.grad.data, dtype=np.longdouble).ravel() for p in optimizer.parameters if p.grad is not None]
        return float(np.linalg.norm(np.concatenate(parts).astype(np.float64))) if parts else 0.0

    def _steps(self, optimizer, f, n):
        for _ in range(n):
            t0 = time.perf_counter_ns()
            try: loss = f()
            except Exception: return
            seconds = (time.perf_counter_ns() - t0) / 1e9
            row = _Row(float(loss), self._norm(optimizer), float(optimizer.learning_rate), seconds)
            yield row
            if row.norm > self.gradient_explosion_threshold: return

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        rows = self._runs[optimizer_name] = list(self._steps(optimizer, training_function, max_steps))
        losses, norms = [r.loss for r in rows], [r.norm for r in rows]
        count = len(rows)
        final = losses[-1] if rows else np.inf
        drop = initial_loss - final if rows else 0.0
        health = "unknown" if not rows else "exploding" if max(0 if n <= 1e6 else 1 for n in norms) else None
        if health is None:
            mean = math.fsum(norms) / count
            deviation = math.sqrt(math.fsum((n - mean) ** 2 for n in norms) / count)
            health = "vanishing" if mean < 1e-8 else "unstable" if deviation > 2 * mean else "healthy"
        return dict(optimizer_name=optimizer_name, total_steps=count, convergence_step=self._first_flat(losses), final_loss=final, initial_loss=initial_loss,
            loss_reduction=drop, convergence_rate=drop / max(count, 1), stability_score=self._steady(losses), average_step_time=sum(r.seconds for r in rows) / max(count, 1), gradient_health=health, stopped="early" if count < max_steps else "done")

    def _first_flat(self, losses):
        return next((k for k, (a, b) in enumerate(zip(losses, losses[1:]), start=1) if -1e-6 < b - a < 1e-6), None)

    def _steady(self, losses):
        w = losses[-10:]
        if len(w) < 10 or not np.all(np.isfinite(w)): return 0.0
        return float(1.0 / (1.0 + np.std(w) / (abs(np.mean(w)) + 1e-8)))

    def compare_optimizers(self, profiles):
        big = float("inf")
        tables = {"convergence_speed": {}, "final_performance": {}, "stability": {}, "efficiency": {}}
        for n, p in profiles.items():
            tables["convergence_speed"][n] = big if p["convergence_step"] is None else p["convergence_step"]
            tables["final_performance"][n] = p["final_loss"]
            tables["stability"][n] = p["stability_score"]
            t = p["total_steps"] * p["average_step_time"]
            tables["efficiency"][n] = p["loss_reduction"] / t if t else -big
        rankings = {}
        for key, table in tables.items():
            flip = -1 if key in ("stability", "efficiency") else 1
            numbers = [n for n in table if table[n] == table[n]]
            rankings[key] = sorted(numbers, key=lambda n: flip * table[n]) + [n for n in table if n not in numbers]
        lines = []
        if profiles:
            n = len(profiles)
            borda = {name: sum((n - order.index(name)) ** 2 for order in rankings.values()) for name in profiles}
            lines = ["🏆 Best overall optimizer: " + max(borda, key=borda.get)]
            for text, key in (("Fastest convergence", "convergence_speed"), ("Most stable training", "stability"), ("Most compute-efficient", "efficiency")):
                lines.append(f"- {text}: {rankings[key][0]}")
        return {**tables, "rankings": rankings, "recommendations": {"summary": lines}}

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        result = {k: [] for k in ("learning_rates", "final_losses", "convergence_steps", "stability_scores", "gradient_explosions")}
        best = (big := float("inf")), None
        for lr in learning_rates:
            losses, norms = [], []
            try:
                answer = training_function(lr, steps)
                if answer is not None: losses, norms = answer
            except Exception: pass
            final = losses[-1] if len(losses) else big
            exploded = not len(losses) or not all(n <= 1e6 for n in norms)
            for k, v in zip(result, (lr, final, self._first_flat(losses), self._steady(losses), exploded)): result[k].append(v)
            if final < best[0] and not exploded and final > -big: best = final, lr
        result["optimal_range"] = None if best[1] is None else (best[1] / 10, best[1] * 10)
        result["recommendations"] = [f"{optimizer_class.__name__}: {best[1]}"]
        return result

    def estimate_memory_usage(self, optimizer, num_parameters):
        copies = {"Adam": 2}.get(type(optimizer).__name__, 1 if getattr(optimizer, "momentum", 0) else 0)
        one = num_parameters * 4 / 1024 ** 2
        return {"parameters_mb": one, "gradients_mb": one, "optimizer_state_mb": copies * one, "total_mb": one * (2 + copies), "memory_efficiency": 1 / (2 + copies), "overhead_ratio": copies}

    def generate_production_recommendations(self, analysis_results):
        sections = dict.fromkeys(_HEADINGS, ())
        if "learning_rate_analysis" not in analysis_results: del sections["LEARNING RATE GUIDANCE:"]
        else: sections["LEARNING RATE GUIDANCE:"] = [f"range {analysis_results['learning_rate_analysis']['optimal_range']}"]
        if "convergence_comparison" not in analysis_results: del sections["CONVERGENCE OPTIMIZATION:"]
        else: sections["CONVERGENCE OPTIMIZATION:"] = analysis_results["convergence_comparison"]["recommendations"]["summary"]
        return [line for heading, lines in sections.items() for line in (heading, *lines, "")]
