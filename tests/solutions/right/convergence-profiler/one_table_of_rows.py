# Keeps one list of rows per run and derives every record from it; does not record the exploding step.
#| export
class OptimizerConvergenceProfiler:
    convergence_threshold, stability_window, gradient_explosion_threshold = 1e-6, 10, 1e6

    def __init__(self):
        self._rows = {}
        self._exploded = set()

    def _column(self, k):
        return {name: [row[k] for row in rows] for name, rows in self._rows.items()}
    convergence_history = property(lambda self: self._column(0))
    gradient_norms = property(lambda self: self._column(1))
    learning_rates = property(lambda self: self._column(2))
    step_times = property(lambda self: self._column(3))

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        if not isinstance(optimizer, (SGD, Adam)):
            raise TypeError("optimizer must be SGD or Adam")
        rows = []
        self._rows[optimizer_name] = rows
        self._exploded.discard(optimizer_name)
        while len(rows) < max_steps:
            rate = optimizer.learning_rate
            tick = time.monotonic()
            try:
                loss = training_function()
            except Exception:
                break
            tock = time.monotonic()
            norm = 0.0
            for p in optimizer.parameters:
                if p.grad is not None:
                    norm = math.hypot(norm, *np.ravel(p.grad.data.data).tolist())
            if not norm <= self.gradient_explosion_threshold:
                self._exploded.add(optimizer_name)
                break
            rows.append((loss, norm, rate, tock - tick))
        return self._profile(optimizer_name, initial_loss)

    def _profile(self, name, initial_loss):
        rows = self._rows[name]
        losses, norms = [r[0] for r in rows], [r[1] for r in rows]
        final = losses[-1] if losses else float("inf")
        reduction = initial_loss - final if losses else 0.0
        return dict(
            optimizer_name=name, total_steps=len(rows), convergence_step=self._settled(losses),
            final_loss=final, initial_loss=initial_loss, loss_reduction=reduction,
            convergence_rate=reduction / max(len(rows), 1), stability_score=self._steady(losses),
            average_step_time=sum(r[3] for r in rows) / max(len(rows), 1),
            gradient_health=self._health(name, norms), rows=rows, seen={name},
        )

    def _settled(self, losses):
        pairs = zip(losses, losses[1:])
        hits = [i for i, (a, b) in enumerate(pairs, start=1)
                if abs(a - b) < self.convergence_threshold]
        return hits[0] if hits else None

    def _steady(self, losses):
        if len(losses) < self.stability_window:
            return 0.0
        last = losses[-self.stability_window:]
        centre = sum(last) / len(last)
        spread = max(last) - min(last)
        return math.exp(-spread / (abs(centre) + 1e-8))

    def _health(self, name, norms):
        if name in self._exploded:
            return "exploding"
        if not norms:
            return "unknown"
        mean = sum(norms) / len(norms)
        if mean < 1e-8:
            return "vanishing"
        deviation = math.sqrt(sum((n - mean) ** 2 for n in norms) / len(norms))
        return "unstable" if deviation > 2 * mean else "healthy"

    def compare_optimizers(self, profiles):
        worst = float("inf")
        table = {
            "convergence_speed": {n: worst if p["convergence_step"] is None
                                  else p["convergence_step"] for n, p in profiles.items()},
            "final_performance": {n: p["final_loss"] for n, p in profiles.items()},
            "stability": {n: p["stability_score"] for n, p in profiles.items()},
            "efficiency": {},
        }
        for n, p in profiles.items():
            seconds = sum(self.step_times[n])
            table["efficiency"][n] = p["loss_reduction"] / seconds if seconds else -worst
        def order(metric, up):
            column = table[metric]
            return sorted(column, key=lambda n: (column[n] != column[n],
                                                 -column[n] if up else column[n]))
        rankings = {m: order(m, m in ("stability", "efficiency")) for m in table}
        lines = []
        if profiles:
            mean_place = {n: np.mean([r.index(n) for r in rankings.values()]) for n in profiles}
            lines = ["- Best overall optimizer: " + min(mean_place, key=mean_place.get),
                     "- Fastest convergence: " + rankings["convergence_speed"][0],
                     "- Most stable training: " + rankings["stability"][0],
                     "- Most compute-efficient: " + rankings["efficiency"][0]]
        return {**table, "rankings": rankings, "recommendations": {"summary": lines}}

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        columns = defaultdict(list)
        best = (float("inf"), None)
        for lr in learning_rates:
            try:
                losses, norms = training_function(lr=lr, steps=steps)
            except Exception:
                losses, norms = None, None
            final = losses[-1] if losses else float("inf")
            bad = not losses or not all(n <= self.gradient_explosion_threshold for n in norms)
            columns["final_losses"].append(final)
            columns["gradient_explosions"].append(bad)
            columns["convergence_steps"].append(self._settled(losses or []))
            columns["stability_scores"].append(self._steady(losses or []))
            if not bad and math.isfinite(final):
                best = min(best, (final, lr))
        low_high = None if best[1] is None else [best[1] / 10, best[1] * 10]
        return {"learning_rates": list(learning_rates), **columns, "optimal_range": low_high,
                "recommendations": [f"best: {best[1]}"]}

    def estimate_memory_usage(self, optimizer, num_parameters):
        n = {"Adam": 2}.get(type(optimizer).__name__, int(bool(getattr(optimizer, "momentum", 0))))
        mb = 4 * num_parameters / 1048576
        return dict(parameters_mb=mb, gradients_mb=mb, optimizer_state_mb=n * mb,
                    total_mb=(2 + n) * mb, memory_efficiency=1 / (2 + n), overhead_ratio=n)

    def generate_production_recommendations(self, analysis_results):
        out = ["OPTIMIZER SELECTION GUIDE:", " Adam first, momentum later"]
        sweep = analysis_results.get("learning_rate_analysis")
        if sweep:
            out.append("LEARNING RATE GUIDANCE: " + str(sweep["optimal_range"]))
        comparison = analysis_results.get("convergence_comparison")
        if comparison:
            out += ["CONVERGENCE OPTIMIZATION:"] + comparison["recommendations"]["summary"]
        return out + ["SCALING CONSIDERATIONS:", " more ranks, larger batches",
                      "PRODUCTION DEPLOYMENT:", " checkpoints", "MONITORING & DEBUGGING:", " logs"]
