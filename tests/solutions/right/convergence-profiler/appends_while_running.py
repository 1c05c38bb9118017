# Appends to defaultdicts while the run goes on; initial loss from the record; long if-chains.
#| export
class OptimizerConvergenceProfiler:
    def __init__(self):
        for name in ("convergence_history", "gradient_norms", "learning_rates", "step_times"):
            setattr(self, name, defaultdict(list))
        self.runs = 0

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        self.runs += 1
        for record in (self.convergence_history, self.gradient_norms, self.learning_rates,
                       self.step_times):
            record[optimizer_name] = []
        health_bad, converged, previous = False, None, None
        for step in range(max_steps):
            t0 = time.time()
            try:
                loss = training_function()
            except BaseException as e:
                if isinstance(e, KeyboardInterrupt):
                    raise
                print("stopped:", e)
                break
            self.step_times[optimizer_name].append(time.time() - t0)
            total = 0.0
            for p in optimizer.parameters:
                if p.grad is None:
                    continue
                total += float((p.grad.data.data.astype(np.float64) ** 2).sum())
            norm = total ** 0.5
            self.convergence_history[optimizer_name].append(loss)
            self.gradient_norms[optimizer_name].append(norm)
            self.learning_rates[optimizer_name].append(optimizer.learning_rate)
            if previous is not None and converged is None and abs(previous - loss) < 1e-6:
                converged = step
            previous = loss
            if math.isnan(norm) or norm > 1e6:
                health_bad = True
                if norm > 1e6:
                    break
        losses = self.convergence_history[optimizer_name]
        norms = self.gradient_norms[optimizer_name]
        profile = {"optimizer_name": optimizer_name, "total_steps": len(losses),
                   "convergence_step": converged, "final_loss": None, "initial_loss": initial_loss,
                   "loss_reduction": 0, "convergence_rate": 0, "stability_score": 0.0,
                   "average_step_time": 0, "gradient_health": "unknown"}
        if not losses:
            return profile
        profile["final_loss"] = losses[-1]
        profile["loss_reduction"] = losses[0] - losses[-1]
        profile["convergence_rate"] = (losses[0] - losses[-1]) / max(1, len(losses) - 1)
        profile["stability_score"] = self.steadiness(losses)
        profile["average_step_time"] = float(np.mean(self.step_times[optimizer_name]))
        if health_bad:
            profile["gradient_health"] = "exploding"
        elif np.mean(norms) < 1e-8:
            profile["gradient_health"] = "vanishing"
        elif np.std(norms) > 2 * np.mean(norms):
            profile["gradient_health"] = "unstable"
        else:
            profile["gradient_health"] = "healthy"
        return profile

    @staticmethod
    def steadiness(losses):
        if len(losses) < 10:
            return 0.0
        tail = np.array(losses[-10:])
        return float(np.clip(1 - np.tanh(tail.std() / (abs(tail.mean()) + 1e-8)), 0, 1))

    def compare_optimizers(self, profiles):
        result = {k: {} for k in ("convergence_speed", "final_performance", "stability",
                                  "efficiency", "rankings", "recommendations")}
        for name, p in profiles.items():
            result["convergence_speed"][name] = p["convergence_step"]
            if p["total_steps"] == 0:
                continue
            result["final_performance"][name] = p["final_loss"]
            result["stability"][name] = p["stability_score"]
            spent = sum(self.step_times[name])
            result["efficiency"][name] = p["loss_reduction"] / max(spent, 1e-12)
        def good_first(values, reverse):
            known = [n for n in values if values[n] is not None and not math.isnan(values[n])]
            rest = [n for n in values if n not in known]
            return sorted(known, key=values.get, reverse=reverse) + rest
        for metric, reverse in [("convergence_speed", False), ("final_performance", False),
                                ("stability", True), ("efficiency", True)]:
            result["rankings"][metric] = good_first(result[metric], reverse)
        points = defaultdict(int)
        for ranking in result["rankings"].values():
            for place, name in enumerate(ranking):
                points[name] -= place
            for name in set(profiles) - set(ranking):
                points[name] -= len(profiles)
        lines = []
        if points:
            lines.append(f"* Best overall optimizer: {max(points, key=lambda n: points[n])}.")
        for text, metric in [("Fastest convergence", "convergence_speed"),
                             ("Most stable training", "stability"),
                             ("Most compute-efficient", "efficiency")]:
            if result["rankings"][metric]:
                lines.append(f"* {text}: {result['rankings'][metric][0]} (first of its ranking)")
        result["recommendations"] = {"summary": lines, "details": {"runs": self.runs}}
        return result

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        rows = []
        for lr in learning_rates:
            row = [lr, float("inf"), None, 0.0, True]
            try:
                outcome = training_function(lr, steps)
                if outcome is not None and len(outcome[0]) > 0:
                    losses, norms = outcome
                    changes = [abs(b - a) < 1e-6 for a, b in zip(losses[:-1], losses[1:])]
                    row[1] = losses[-1]
                    row[2] = changes.index(True) + 1 if True in changes else float("inf")
                    row[3] = self.steadiness(losses)
                    row[4] = any(n > 1e6 or n != n for n in norms)
            except Exception:
                pass
            rows.append(row)
        ok = [r for r in rows if not r[4] and np.isfinite(r[1])]
        ok.sort(key=lambda r: r[1])
        keys = ["learning_rates", "final_losses", "convergence_steps", "stability_scores",
                "gradient_explosions"]
        result = {key: [r[i] for r in rows] for i, key in enumerate(keys)}
        result["optimal_range"] = (ok[0][0] / 10.0, ok[0][0] * 10.0) if ok else None
        result["recommendations"] = "see optimal_range"
        return result

    def estimate_memory_usage(self, optimizer, num_parameters):
        bytes_each = 4
        p = g = num_parameters * bytes_each / 1024 / 1024
        s = 0.0
        if isinstance(optimizer, Adam):
            s = p + p
        elif optimizer.momentum:
            s = p
        t = p + g + s
        return {"parameters_mb": p, "gradients_mb": g, "optimizer_state_mb": s, "total_mb": t,
                "memory_efficiency": p / t if t else 0.0, "overhead_ratio": s / p if p else 0.0,
                "note": "float32"}

    def generate_production_recommendations(self, analysis_results):
        text = "OPTIMIZER SELECTION GUIDE:\n- it depends\n"
        lr = analysis_results.get("learning_rate_analysis", None)
        if lr is not None:
            text += "LEARNING RATE GUIDANCE:\n"
            if lr["optimal_range"]:
                a, b = lr["optimal_range"]
                text += f"- between {a:g} and {b:g}\n"
        comparison = analysis_results.get("convergence_comparison")
        if comparison:
            text += "CONVERGENCE OPTIMIZATION:\n"
            for line in comparison["recommendations"]["summary"]:
                text += line + "\n"
        memory = analysis_results.get("memory_analysis")
        text += "SCALING CONSIDERATIONS:\n" + (f"- {memory}\n" if memory else "")
        text += "PRODUCTION DEPLOYMENT:\n- save everything\nMONITORING & DEBUGGING:\n- watch\n"
        return text.strip().split("\n")
