# Stability by exp(-spread), the best overall by first places, and indented advice.
#| export
class OptimizerConvergenceProfiler:
    convergence_threshold = 1e-6
    stability_window = 10
    gradient_explosion_threshold = 1e6

    def __init__(self):
        self.convergence_history = defaultdict(list)
        self.gradient_norms = defaultdict(list)
        self.learning_rates = defaultdict(list)
        self.step_times = defaultdict(list)
        self.memory_usage, self.convergence_rates, self.stability_scores = {}, {}, {}
        self.optimizer_rankings, self.hyperparameter_suggestions = {}, {}

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        for record in (
            self.convergence_history, self.gradient_norms, self.learning_rates, self.step_times
        ):
            record[optimizer_name] = []
        try:
            for _ in range(max_steps):
                before = time.monotonic()
                loss = float(training_function())
                after = time.monotonic()
                norm = self._gradient_norm(optimizer.parameters)
                self.convergence_history[optimizer_name].append(loss)
                self.gradient_norms[optimizer_name].append(norm)
                self.learning_rates[optimizer_name].append(float(optimizer.learning_rate))
                self.step_times[optimizer_name].append(after - before)
                if norm > self.gradient_explosion_threshold:
                    raise OverflowError("the gradient exploded")
        except Exception as error:
            reason = str(error)
        else:
            reason = "all steps were taken"
        losses = self.convergence_history[optimizer_name]
        norms = self.gradient_norms[optimizer_name]
        count = len(losses)
        final = losses[-1] if count else np.inf
        reduction = (initial_loss - final) if count else 0.0
        self.convergence_rates[optimizer_name] = reduction / max(count, 1)
        self.stability_scores[optimizer_name] = self._stability(losses)
        return {
            "optimizer_name": optimizer_name,
            "total_steps": count,
            "convergence_step": self._convergence_step(losses),
            "final_loss": final,
            "initial_loss": initial_loss,
            "loss_reduction": reduction,
            "convergence_rate": self.convergence_rates[optimizer_name],
            "stability_score": self.stability_scores[optimizer_name],
            "average_step_time": sum(self.step_times[optimizer_name]) / max(count, 1),
            "gradient_health": self._gradient_health(norms),
            "reason": reason,
        }

    def _gradient_norm(self, parameters):
        entries = []
        for p in parameters:
            if p.grad is not None:
                entries += p.grad.data.data.ravel().tolist()
        return math.hypot(*entries)

    def _convergence_step(self, losses):
        pairs = zip(losses, losses[1:])
        near = (k for k, (a, b) in enumerate(pairs, 1) if abs(b - a) < self.convergence_threshold)
        return next(near, None)

    def _stability(self, losses):
        last = losses[-10:]
        if len(last) < 10 or not all(map(math.isfinite, last)):
            return 0.0
        mean = sum(last) / 10
        spread = math.sqrt(sum((x - mean) * (x - mean) for x in last) / 9)
        return math.exp(-spread / (abs(mean) + 1e-8))

    def _gradient_health(self, norms):
        if not norms:
            return "unknown"
        if not all(norm <= self.gradient_explosion_threshold for norm in norms):
            return "exploding"
        mean, deviation = np.mean(norms), np.std(norms)
        if mean < 1e-8:
            return "vanishing"
        return "unstable" if deviation / mean > 2 else "healthy"

    def compare_optimizers(self, profiles):
        def speed_of(p):
            return math.inf if p["convergence_step"] is None else p["convergence_step"]
        def efficiency_of(p):
            seconds = p["average_step_time"] * p["total_steps"]
            return p["loss_reduction"] / seconds if seconds else -math.inf
        columns = {
            "convergence_speed": (speed_of, 1),
            "final_performance": (lambda p: p["final_loss"], 1),
            "stability": (lambda p: p["stability_score"], -1),
            "efficiency": (efficiency_of, -1),
        }
        result, rankings = {}, {}
        for key, (value_of, sign) in columns.items():
            result[key] = {name: value_of(p) for name, p in profiles.items()}
            order = np.argsort([sign * v for v in result[key].values()], kind="stable")
            rankings[key] = [list(profiles)[i] for i in order]
        self.optimizer_rankings = result["rankings"] = rankings
        lines = []
        if profiles:
            firsts = [ranking[0] for ranking in rankings.values()]
            best = max(firsts, key=firsts.count)
            titles = ("Fastest convergence", "Most stable training", "Most compute-efficient")
            winners = (firsts[0], firsts[2], firsts[3])
            lines.append(f"* Best overall optimizer: {best}")
            lines += [f"* {title}: {name}" for title, name in zip(titles, winners)]
        result["recommendations"] = {"summary": lines}
        return result

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        out = {
            "learning_rates": [], "final_losses": [], "convergence_steps": [],
            "stability_scores": [], "gradient_explosions": [],
        }
        for rate in learning_rates:
            try:
                losses, norms = training_function(rate, steps) or ([], [])
            except Exception:
                losses, norms = [], []
            failed = len(losses) == 0
            out["learning_rates"].append(rate)
            out["final_losses"].append(math.inf if failed else losses[-1])
            out["convergence_steps"].append(self._convergence_step(losses))
            out["stability_scores"].append(self._stability(losses))
            out["gradient_explosions"].append(
                failed or self._gradient_health(list(norms)) == "exploding"
            )
        masked = [
            loss if math.isfinite(loss) and not exploded else math.inf
            for loss, exploded in zip(out["final_losses"], out["gradient_explosions"])
        ]
        out["optimal_range"] = None
        if min(masked, default=math.inf) < math.inf:
            best = learning_rates[masked.index(min(masked))]
            out["optimal_range"] = (0.1 * best, 10 * best)
        out["recommendations"] = [f"optimal range: {out['optimal_range']}"]
        self.hyperparameter_suggestions[optimizer_class.__name__] = dict(out)
        return out

    def estimate_memory_usage(self, optimizer, num_parameters):
        kind = "Adam" if hasattr(optimizer, "beta1") else "SGD"
        per_weight = {"Adam": 8, "SGD": 4 if getattr(optimizer, "momentum", 0) else 0}[kind]
        scale = num_parameters / 2**20
        return {
            "parameters_mb": 4 * scale,
            "gradients_mb": 4 * scale,
            "optimizer_state_mb": per_weight * scale,
            "total_mb": (8 + per_weight) * scale,
            "memory_efficiency": 4 / (8 + per_weight),
            "overhead_ratio": per_weight / 4,
        }

    def generate_production_recommendations(self, analysis_results):
        sections = {"OPTIMIZER SELECTION GUIDE:": ["Adam first, SGD with momentum second"]}
        if analysis_results.get("learning_rate_analysis"):
            found = analysis_results["learning_rate_analysis"]["optimal_range"]
            sections["LEARNING RATE GUIDANCE:"] = (
                [f"from {found[0]:.3e}", f"to {found[1]:.3e}"] if found else ["none was found"]
            )
        if analysis_results.get("convergence_comparison"):
            summary = analysis_results["convergence_comparison"]["recommendations"]["summary"]
            sections["CONVERGENCE OPTIMIZATION:"] = summary
        sections["SCALING CONSIDERATIONS:"] = ["count the bytes before the run"]
        sections["PRODUCTION DEPLOYMENT:"] = ["keep checkpoints"]
        sections["MONITORING & DEBUGGING:"] = ["look at the norms"]
        lines = []
        for heading, entries in sections.items():
            lines += [heading, *(f"  {entry}" for entry in entries), ""]
        return lines
