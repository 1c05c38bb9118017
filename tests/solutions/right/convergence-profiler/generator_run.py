# A generator yields the steps of a run, and a small record holds what it has left.
#| export
class _Run:
    def __init__(self):
        self.losses, self.norms, self.rates, self.times = [], [], [], []
        self.worst = 0.0

    def steps(self, optimizer, training_function, max_steps, norm_of):
        for _ in range(max_steps):
            clock = time.perf_counter()
            loss = float(training_function())
            clock = time.perf_counter() - clock
            norm = norm_of(optimizer.parameters)
            self.worst = float(np.maximum(self.worst, norm))
            self.losses.append(loss)
            self.norms.append(norm)
            self.rates.append(float(optimizer.learning_rate))
            self.times.append(clock)
            yield norm


class OptimizerConvergenceProfiler:
    def __init__(self):
        self._runs = {}
        self.memory_usage = {}
        self.convergence_rates = {}
        self.stability_scores = {}
        self.optimizer_rankings = {}
        self.hyperparameter_suggestions = {}
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6

    @property
    def convergence_history(self):
        return {name: run.losses for name, run in self._runs.items()}

    @property
    def gradient_norms(self):
        return {name: run.norms for name, run in self._runs.items()}

    @property
    def learning_rates(self):
        return {name: run.rates for name, run in self._runs.items()}

    @property
    def step_times(self):
        return {name: run.times for name, run in self._runs.items()}

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        run = self._runs[optimizer_name] = _Run()
        try:
            for norm in run.steps(optimizer, training_function, max_steps, self._gradient_norm):
                if not norm <= self.gradient_explosion_threshold:
                    break
        except Exception:
            pass
        return self._profile(optimizer_name, initial_loss)

    def _gradient_norm(self, parameters):
        norm = 0.0
        for p in parameters:
            if p.grad is not None:
                own = np.linalg.norm(p.grad.data.data.astype(np.float64).ravel())
                norm = float(np.hypot(norm, own))
        return norm

    def _convergence_step(self, losses):
        k = 1
        while k < len(losses):
            difference = losses[k] - losses[k - 1]
            if -self.convergence_threshold < difference < self.convergence_threshold:
                return k
            k += 1

    def _stability(self, losses):
        size = self.stability_window
        if len(losses) < size:
            return 0.0
        mean, sigma = np.mean(losses[-size:]), np.std(losses[-size:])
        score = 1.0 / (1.0 + sigma / (abs(mean) + 1e-8))
        return float(score) if score == score else 0.0

    def _gradient_health(self, run):
        if math.isnan(run.worst) or run.worst > self.gradient_explosion_threshold:
            return "exploding"
        if len(run.norms) == 0:
            return "unknown"
        mean = math.fsum(run.norms) / len(run.norms)
        if mean < 1e-8:
            return "vanishing"
        variance = math.fsum((n - mean) ** 2 for n in run.norms) / len(run.norms)
        return "healthy" if math.sqrt(variance) <= 2 * mean else "unstable"

    def _profile(self, name, initial_loss):
        run = self._runs[name]
        profile = dict.fromkeys(
            ("loss_reduction", "convergence_rate", "stability_score", "average_step_time"), 0.0
        )
        profile.update(
            optimizer_name=name,
            total_steps=len(run.losses),
            convergence_step=self._convergence_step(run.losses),
            final_loss=float("inf"),
            initial_loss=initial_loss,
            gradient_health=self._gradient_health(run),
        )
        if run.losses:
            profile["final_loss"] = run.losses[-1]
            profile["loss_reduction"] = initial_loss - run.losses[-1]
            profile["convergence_rate"] = profile["loss_reduction"] / len(run.losses)
            profile["stability_score"] = self._stability(run.losses)
            profile["average_step_time"] = float(np.mean(run.times))
        self.convergence_rates[name] = profile["convergence_rate"]
        self.stability_scores[name] = profile["stability_score"]
        return profile

    def compare_optimizers(self, profiles):
        speed, final, stability, efficiency = {}, {}, {}, {}
        for name, p in profiles.items():
            if p["convergence_step"] is not None:
                speed[name] = p["convergence_step"]
            if p["total_steps"]:
                final[name] = p["final_loss"]
                stability[name] = p["stability_score"]
                spent = p["average_step_time"] * p["total_steps"]
                efficiency[name] = p["loss_reduction"] / max(spent, 1e-12)
        def ranked(table, sign):
            def key(name):
                value = table.get(name, math.nan)
                return (value != value, 0.0 if value != value else sign * value)
            return sorted(profiles, key=key)
        rankings = {
            "convergence_speed": ranked(speed, 1),
            "final_performance": ranked(final, 1),
            "stability": ranked(stability, -1),
            "efficiency": ranked(efficiency, -1),
        }
        self.optimizer_rankings = rankings
        summary = []
        if profiles:
            points = defaultdict(int)
            for ranking in rankings.values():
                for points_left, name in enumerate(reversed(ranking)):
                    points[name] += points_left
            winners = [max(points, key=points.get)]
            winners += [rankings[k][0] for k in ("convergence_speed", "stability", "efficiency")]
            titles = [
                "Best overall optimizer", "Fastest convergence", "Most stable training",
                "Most compute-efficient",
            ]
            summary = [f"→ {title}: {winner}" for title, winner in zip(titles, winners)]
        return {
            "convergence_speed": speed, "final_performance": final, "stability": stability,
            "efficiency": efficiency, "rankings": rankings,
            "recommendations": {"summary": summary},
        }

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        losses_at, norms_at = [], []
        for rate in learning_rates:
            try:
                pair = training_function(rate, steps)
                losses, norms = ([], []) if pair is None else map(list, pair)
            except Exception:
                losses, norms = [], []
            losses_at.append(losses)
            norms_at.append(norms)
        limit = self.gradient_explosion_threshold
        exploded = [
            not losses or any(n > limit or n != n for n in norms)
            for losses, norms in zip(losses_at, norms_at)
        ]
        final = [losses[-1] if losses else math.inf for losses in losses_at]
        usable = {
            rate: loss
            for rate, loss, bad in zip(learning_rates, final, exploded)
            if not bad and -math.inf < loss < math.inf
        }
        span = None
        if usable:
            best = min(usable, key=usable.get)
            span = best / 10, best * 10
            self.hyperparameter_suggestions[optimizer_class.__name__] = {"optimal_range": span}
        return {
            "learning_rates": [*learning_rates],
            "final_losses": final,
            "convergence_steps": [self._convergence_step(x) or len(x) for x in losses_at],
            "stability_scores": [self._stability(x) for x in losses_at],
            "gradient_explosions": exploded,
            "optimal_range": span,
            "recommendations": [f"Search in {span}." if span else "Lower the rates."],
        }

    def estimate_memory_usage(self, optimizer, num_parameters):
        match optimizer:
            case Adam():
                state = 2.0
            case SGD(momentum=momentum) if momentum > 0:
                state = 1.0
            case _:
                state = 0.0
        mb = 4 * num_parameters / 1_048_576
        return {
            "parameters_mb": mb, "gradients_mb": mb, "optimizer_state_mb": state * mb,
            "total_mb": mb + mb + state * mb, "memory_efficiency": 1 / (2 + state),
            "overhead_ratio": state,
        }

    def generate_production_recommendations(self, analysis_results):
        def advice():
            yield "OPTIMIZER SELECTION GUIDE:"
            yield "Adam, unless memory is short"
            if "learning_rate_analysis" in analysis_results:
                yield "LEARNING RATE GUIDANCE:"
                yield from map(
                    "{:.3e}".format, analysis_results["learning_rate_analysis"]["optimal_range"] or ()
                )
            if "convergence_comparison" in analysis_results:
                yield "CONVERGENCE OPTIMIZATION:"
                comparison = analysis_results["convergence_comparison"]
                yield from comparison["recommendations"]["summary"]
            yield "SCALING CONSIDERATIONS:"
            yield "PRODUCTION DEPLOYMENT:"
            yield "MONITORING & DEBUGGING:"
        return list(advice())
