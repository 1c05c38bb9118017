# Rankings from one table of rows, verdicts by functions outside of the class.
#| export
def _first_small_change(losses, threshold):
    for k, loss in enumerate(losses):
        if k > 0 and math.fabs(loss - losses[k - 1]) < threshold:
            return k
    return None


def _steadiness(losses, window):
    if len(losses) < window:
        return 0.0
    tail = np.asarray(losses[len(losses) - window :], dtype=np.float64)
    if not np.isfinite(tail).all():
        return 0.0
    return float(np.reciprocal(1.0 + np.std(tail) / (np.abs(np.mean(tail)) + 1e-8)))


def _places(names, table, descending):
    numbers = [n for n in names if n in table and not math.isnan(table[n])]
    numbers = sorted(numbers, key=table.__getitem__, reverse=descending)
    return numbers + [n for n in names if n not in numbers]


class OptimizerConvergenceProfiler:
    def __init__(self, threshold=1e-06, window=10, explosion=1000000.0):
        self.convergence_history, self.gradient_norms = dict(), dict()
        self.learning_rates, self.step_times = dict(), dict()
        self.memory_usage, self.convergence_rates = dict(), dict()
        self.stability_scores, self.optimizer_rankings = dict(), dict()
        self.hyperparameter_suggestions = dict()
        self.convergence_threshold = threshold
        self.stability_window = window
        self.gradient_explosion_threshold = explosion

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        table = np.full((max_steps, 4), np.nan)
        taken, exploded = 0, False
        while taken < max_steps:
            try:
                start = time.perf_counter()
                loss = float(training_function())
                table[taken, 3] = time.perf_counter() - start
            except Exception:
                break
            squares = [
                float(np.sum(np.square(p.grad.data.data, dtype=np.float64)))
                for p in optimizer.parameters
                if p.grad is not None
            ]
            norm = math.sqrt(sum(squares))
            table[taken, :3] = loss, norm, optimizer.learning_rate
            taken += 1
            exploded = exploded or not norm <= self.gradient_explosion_threshold
            if norm > self.gradient_explosion_threshold:
                break
        columns = table[:taken].T.tolist()
        for record, column in zip(
            (self.convergence_history, self.gradient_norms, self.learning_rates, self.step_times),
            columns,
        ):
            record[optimizer_name] = column
        losses, norms, _, times = columns
        result = {
            "optimizer_name": optimizer_name,
            "total_steps": taken,
            "convergence_step": _first_small_change(losses, self.convergence_threshold),
            "final_loss": math.inf,
            "initial_loss": initial_loss,
            "loss_reduction": 0.0,
            "convergence_rate": 0.0,
            "stability_score": _steadiness(losses, self.stability_window),
            "average_step_time": 0.0,
            "gradient_health": "unknown",
        }
        if taken:
            result["final_loss"] = losses[-1]
            result["loss_reduction"] = initial_loss - losses[-1]
            result["convergence_rate"] = result["loss_reduction"] / taken
            result["average_step_time"] = sum(times) / taken
            mean = sum(norms) / taken
            if exploded:
                result["gradient_health"] = "exploding"
            elif mean < 1e-8:
                result["gradient_health"] = "vanishing"
            elif np.std(norms) / mean > 2:
                result["gradient_health"] = "unstable"
            else:
                result["gradient_health"] = "healthy"
        return result

    def compare_optimizers(self, profiles):
        names, tables = [*profiles], [{}, {}, {}, {}]
        for name, p in profiles.items():
            if not p["total_steps"]:
                continue
            converged = p["convergence_step"]
            tables[0][name] = 1e18 if converged is None else converged
            tables[1][name] = p["final_loss"]
            tables[2][name] = p["stability_score"]
            seconds = max(p["average_step_time"] * p["total_steps"], 1e-9)
            tables[3][name] = p["loss_reduction"] / seconds
        keys = ("convergence_speed", "final_performance", "stability", "efficiency")
        rankings = {
            key: _places(names, table, key in keys[2:]) for key, table in zip(keys, tables)
        }
        self.optimizer_rankings = rankings
        summary = []
        if names:
            grid = np.array([[rankings[key].index(name) for key in keys] for name in names])
            leads_three = (grid == 0).sum(axis=1) >= 3
            if leads_three.any():
                best = names[int(np.argmax(leads_three))]
            else:
                best = names[int(np.argmin(grid.mean(axis=1)))]
            summary = [
                "Best overall optimizer: " + best,
                "Fastest convergence: " + rankings["convergence_speed"][0],
                "Most stable training: " + rankings["stability"][0],
                "Most compute-efficient: " + rankings["efficiency"][0],
            ]
        return {
            **dict(zip(keys, tables)),
            "rankings": rankings,
            "recommendations": {"summary": summary},
        }

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        runs = []
        for rate in learning_rates:
            try:
                losses, norms = training_function(rate, steps)
                runs.append((list(losses), list(norms)) if len(losses) else None)
            except Exception:
                runs.append(None)
        final = [math.inf if run is None else float(run[0][-1]) for run in runs]
        exploded = [
            run is None
            or bool(np.any(~(np.asarray(run[1], dtype=float) <= self.gradient_explosion_threshold)))
            for run in runs
        ]
        usable = np.where(np.isfinite(final) & ~np.array(exploded, dtype=bool), final, np.inf)
        span = None
        if np.isfinite(usable).any():
            best = learning_rates[int(np.argmin(usable))]
            span = (best / 10.0, best * 10.0)
        self.hyperparameter_suggestions[optimizer_class.__name__] = {"range": span}
        return {
            "learning_rates": list(learning_rates),
            "final_losses": final,
            "convergence_steps": [
                run and _first_small_change(run[0], self.convergence_threshold) for run in runs
            ],
            "stability_scores": [
                _steadiness(run[0], self.stability_window) if run else 0.0 for run in runs
            ],
            "gradient_explosions": exploded,
            "optimal_range": span,
            "recommendations": ["the sweep is done"],
        }

    def estimate_memory_usage(self, optimizer, num_parameters):
        words = [1, 1, 2 if hasattr(optimizer, "epsilon") else 0]
        if getattr(optimizer, "momentum", 0.0):
            words[2] = 1
        parameters, gradients, state = (count * 4 * num_parameters / 2.0**20 for count in words)
        return {
            "parameters_mb": parameters,
            "gradients_mb": gradients,
            "optimizer_state_mb": state,
            "total_mb": parameters + gradients + state,
            "memory_efficiency": words[0] / sum(words),
            "overhead_ratio": words[2] / words[0],
        }

    def generate_production_recommendations(self, analysis_results):
        sweep, comparison, memory = map(
            analysis_results.get,
            ("learning_rate_analysis", "convergence_comparison", "memory_analysis"),
        )
        parts = [["OPTIMIZER SELECTION GUIDE:", "Adam for a start."]]
        if sweep is not None:
            ends = sweep["optimal_range"]
            parts.append(["LEARNING RATE GUIDANCE:", "No rate qualifies."])
            if ends is not None:
                parts[-1][1] = f"Search from {ends[0]} to {ends[1]} ."
        if comparison is not None:
            parts.append(["CONVERGENCE OPTIMIZATION:", *comparison["recommendations"]["summary"]])
        parts.append(["SCALING CONSIDERATIONS:"])
        parts[-1].extend(f"{n}: {m['total_mb']:.1f} MB" for n, m in (memory or {}).items())
        parts.append(["PRODUCTION DEPLOYMENT:", "Write checkpoints."])
        parts.append(["MONITORING & DEBUGGING:", "Look at the norms."])
        return [line for part in parts for line in part]
