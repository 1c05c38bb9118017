# Three mixins share the work; records are defaultdicts; tables are built with NumPy's argsort.
#| export
class _Recording:
    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        for record in self._records:
            record[optimizer_name] = []
        alive, step = True, 0
        while alive and step < max_steps:
            alive = self._try_step(optimizer_name, optimizer, training_function)
            step += 1
        losses = np.array(self.convergence_history[optimizer_name], dtype=float)
        times = self.step_times[optimizer_name]
        last = losses[-1].item() if losses.size else float("inf")
        gain = initial_loss - last if losses.size else 0.0
        self.profiles[optimizer_name] = dict(
            optimizer_name=optimizer_name,
            total_steps=losses.size,
            convergence_step=self._first_still(losses),
            final_loss=last,
            initial_loss=initial_loss,
            loss_reduction=gain,
            convergence_rate=gain / losses.size if losses.size else 0.0,
            stability_score=self._calm(losses),
            average_step_time=float(np.mean(times)) if times else 0.0,
            gradient_health=self._diagnosis(np.array(self.gradient_norms[optimizer_name])),
        )
        return dict(self.profiles[optimizer_name])

    def _try_step(self, name, optimizer, training_function):
        start = time.time()
        try:
            loss = float(training_function())
        except Exception:
            return False
        self.step_times[name].append(max(time.time() - start, 0.0))
        self.convergence_history[name].append(loss)
        self.learning_rates[name].append(float(optimizer.learning_rate))
        grads = [p.grad.data.data.astype(np.float64).ravel() for p in optimizer.parameters if p.grad]
        norm = float(np.sqrt(np.sum(np.concatenate([[0.0], *grads]) ** 2)))
        self.gradient_norms[name].append(norm)
        return not norm > 1e6

    def _first_still(self, losses):
        still = np.flatnonzero(np.abs(np.diff(losses)) < self.convergence_threshold)
        return int(still[0]) + 1 if still.size else None

    def _calm(self, losses):
        window = losses[-self.stability_window:]
        if window.size < self.stability_window:
            return 0.0
        score = 1 - np.tanh(np.std(window) / (abs(np.mean(window)) + 1e-8))
        return float(np.nan_to_num(score))

    def _diagnosis(self, norms):
        if norms.size == 0:
            return "unknown"
        if not np.all(norms <= self.gradient_explosion_threshold):
            return "exploding"
        if norms.mean() < 1e-8:
            return "vanishing"
        return "unstable" if norms.std() / norms.mean() > 2 else "healthy"


class _Comparing:
    def compare_optimizers(self, profiles):
        names = np.array(list(profiles), dtype=object)
        rows = list(profiles.values())
        spent = [p["average_step_time"] * p["total_steps"] for p in rows]
        columns = {
            "convergence_speed": [np.inf if p["convergence_step"] is None else p["convergence_step"]
                                  for p in rows],
            "final_performance": [p["final_loss"] for p in rows],
            "stability": [p["stability_score"] for p in rows],
            "efficiency": [p["loss_reduction"] / s if s > 0 else np.nan for p, s in zip(rows, spent)],
        }
        result, rankings, points = {}, {}, defaultdict(int)
        for metric, column in columns.items():
            values = np.array(column, dtype=float)
            result[metric] = dict(zip(names, values.tolist()))
            order = np.argsort(-values if metric in ("stability", "efficiency") else values,
                               kind="stable")
            rankings[metric] = names[order].tolist()
            for place, name in enumerate(rankings[metric]):
                points[name] += len(names) - place
        summary = []
        if len(names):
            winners = [max(points, key=points.get), rankings["convergence_speed"][0],
                       rankings["stability"][0], rankings["efficiency"][0]]
            heads = ["Best overall optimizer", "Fastest convergence", "Most stable training",
                     "Most compute-efficient"]
            summary = [f"* {head}: {winner}" for head, winner in zip(heads, winners)]
        return {**result, "rankings": rankings, "recommendations": {"summary": summary}}

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        outcome = defaultdict(list, learning_rates=list(learning_rates))
        for lr in learning_rates:
            try:
                result = training_function(lr, steps) or ([], [])
            except Exception:
                result = ([], [])
            losses, norms = (np.asarray(part, dtype=float) for part in result)
            outcome["final_losses"].append(losses[-1].item() if losses.size else float("inf"))
            outcome["convergence_steps"].append(self._first_still(losses))
            outcome["stability_scores"].append(self._calm(losses))
            sound = losses.size > 0 and bool(np.all(norms <= self.gradient_explosion_threshold))
            outcome["gradient_explosions"].append(not sound)
        final = np.where(outcome["gradient_explosions"], np.inf, outcome["final_losses"])
        final = np.where(np.isfinite(final), final, np.inf)
        best = learning_rates[int(np.argmin(final))] if np.isfinite(final).any() else None
        outcome["optimal_range"] = None if best is None else (best / 10, best * 10)
        outcome["recommendations"] = ["no rate worked" if best is None else f"{best} worked best"]
        return dict(outcome)


class _Advising:
    def estimate_memory_usage(self, optimizer, num_parameters):
        state = 2 if isinstance(optimizer, Adam) else int(optimizer.momentum > 0)
        parts = np.array([1, 1, state]) * num_parameters * 4 / 2**20
        keys = ("parameters_mb", "gradients_mb", "optimizer_state_mb")
        return {**dict(zip(keys, parts.tolist())), "total_mb": float(parts.sum()),
                "memory_efficiency": 1 / (2 + state), "overhead_ratio": float(state)}

    def generate_production_recommendations(self, analysis_results):
        sections = {"OPTIMIZER SELECTION GUIDE:": ["Adam to begin with."]}
        rates = analysis_results.get("learning_rate_analysis") or {}
        if rates:
            sections["LEARNING RATE GUIDANCE:"] = [str(x) for x in rates.get("optimal_range") or ()]
        comparison = analysis_results.get("convergence_comparison") or {}
        if comparison:
            sections["CONVERGENCE OPTIMIZATION:"] = comparison["recommendations"]["summary"]
        for heading in ("SCALING CONSIDERATIONS:", "PRODUCTION DEPLOYMENT:", "MONITORING & DEBUGGING:"):
            sections[heading] = []
        return [line for heading, below in sections.items() for line in (heading, *below)]


class OptimizerConvergenceProfiler(_Recording, _Comparing, _Advising):
    def __init__(self):
        self._records = [defaultdict(list) for _ in range(4)]
        self.convergence_history, self.gradient_norms = self._records[:2]
        self.learning_rates, self.step_times = self._records[2:]
        self.profiles = {}
        self.convergence_threshold, self.stability_window = 1e-6, 10
        self.gradient_explosion_threshold = 1e6
