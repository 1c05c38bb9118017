# A dataclass per run, a generator that trains, and pure functions for every verdict.
#| export
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import fmean, pstdev


@dataclass
class _Run:
    initial: float
    losses: list = field(default_factory=list)
    norms: list = field(default_factory=list)
    rates: list = field(default_factory=list)
    times: list = field(default_factory=list)

    @property
    def gained(self):
        return self.initial - self.losses[-1] if self.losses else 0.0


def _norm(parameters):
    squares = (x * x for p in parameters if p.grad is not None for x in p.grad.data.data.flat)
    return math.sqrt(math.fsum(float(s) for s in squares))


def _settles(losses, threshold):
    return next((k for k, (a, b) in enumerate(pairwise(losses), 1) if abs(b - a) < threshold), None)


def _steadiness(losses, window):
    last = losses[-window:]
    if len(last) < window or not all(map(math.isfinite, last)):
        return 0.0
    return 1.0 / (1.0 + (max(last) - min(last)) / (max(map(abs, last)) + 1e-12))


def _health(norms, limit):
    match norms:
        case []:
            return "unknown"
        case _ if any(math.isnan(n) or n > limit for n in norms):
            return "exploding"
    centre = fmean(norms)
    if centre < 1e-8:
        return "vanishing"
    return ("healthy", "unstable")[pstdev(norms) > 2 * centre]


class OptimizerConvergenceProfiler:
    def __init__(self):
        self.runs = {}
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6

    def __getattr__(self, name):
        fields = {"convergence_history": "losses", "gradient_norms": "norms",
                  "learning_rates": "rates", "step_times": "times"}
        if name not in fields:
            raise AttributeError(name)
        return {key: getattr(run, fields[name]) for key, run in self.runs.items()}

    def _train(self, optimizer, training_function, steps):
        for _ in range(steps):
            began = time.perf_counter()
            try:
                loss = training_function()
            except Exception:
                return
            yield loss, _norm(optimizer.parameters), optimizer.learning_rate, time.perf_counter() - began

    def profile_optimizer_convergence(
        self, optimizer_name, optimizer, training_function, initial_loss, max_steps=100
    ):
        run = self.runs[optimizer_name] = _Run(initial_loss)
        for loss, norm, rate, seconds in self._train(optimizer, training_function, max_steps):
            run.losses.append(loss)
            run.norms.append(norm)
            run.rates.append(rate)
            run.times.append(seconds)
            if norm > self.gradient_explosion_threshold:
                break
        steps = len(run.losses)
        return {
            "optimizer_name": optimizer_name,
            "total_steps": steps,
            "convergence_step": _settles(run.losses, self.convergence_threshold),
            "final_loss": run.losses[-1] if steps else math.inf,
            "initial_loss": initial_loss,
            "loss_reduction": run.gained,
            "convergence_rate": run.gained / (steps or 1),
            "stability_score": _steadiness(run.losses, self.stability_window),
            "average_step_time": fmean(run.times) if steps else 0.0,
            "gradient_health": _health(run.norms, self.gradient_explosion_threshold),
        }

    def compare_optimizers(self, profiles):
        def seconds(name):
            return math.fsum(self.runs[name].times)
        badness = {  # each metric as "less is better"
            "convergence_speed": lambda n, p: p["convergence_step"],
            "final_performance": lambda n, p: p["final_loss"],
            "stability": lambda n, p: -p["stability_score"],
            "efficiency": lambda n, p: -p["loss_reduction"] / seconds(n) if seconds(n) else None,
        }
        result, rankings = {}, {}
        for metric, bad in badness.items():
            found = {n: bad(n, p) for n, p in profiles.items()}
            known = sorted((v, n) for n, v in found.items() if v is not None and v == v)
            rest = [n for n in found if n not in {name for _, name in known}]
            rankings[metric] = [n for _, n in known] + rest
            result[metric] = {n: abs(v) if metric == "stability" else v for v, n in known}
        result["efficiency"] = {n: -v for n, v in result["efficiency"].items()}
        summary = []
        if profiles:
            best = min(profiles, key=lambda n: [sorted(r.index(n) for r in rankings.values())])
            titles = {"Fastest convergence": "convergence_speed", "Most stable training": "stability",
                      "Most compute-efficient": "efficiency"}
            summary = [f"Best overall optimizer: {best}"]
            summary += [f"{title}: {rankings[metric][0]}" for title, metric in titles.items()]
        return {**result, "rankings": rankings, "recommendations": {"summary": summary}}

    def analyze_learning_rate_sensitivity(
        self, optimizer_class, learning_rates, training_function, steps=50
    ):
        rows = []
        for rate in learning_rates:
            losses, norms = [], []
            try:
                losses, norms = map(list, training_function(rate, steps))
            except Exception:
                pass
            blown = not losses or _health(norms, self.gradient_explosion_threshold) == "exploding"
            rows.append((
                rate,
                losses[-1] if losses else math.inf,
                _settles(losses, self.convergence_threshold),
                _steadiness(losses, self.stability_window),
                blown,
            ))
        good = [(loss, rate) for rate, loss, _, _, blown in rows if not blown and abs(loss) < math.inf]
        span = (min(good)[1] / 10, min(good)[1] * 10) if good else None
        names = ["learning_rates", "final_losses", "convergence_steps", "stability_scores",
                 "gradient_explosions"]
        columns = [list(column) for column in zip(*rows)] or [[] for _ in names]
        return {**dict(zip(names, columns)), "optimal_range": span,
                "recommendations": [f"Look at {span}." if span else "Nothing trained."]}

    def estimate_memory_usage(self, optimizer, num_parameters):
        kept = 2 if hasattr(optimizer, "beta1") else 1 if optimizer.momentum else 0
        unit = num_parameters * 4 / 2**20
        return {"parameters_mb": unit, "gradients_mb": unit, "optimizer_state_mb": kept * unit,
                "total_mb": unit * (kept + 2), "memory_efficiency": 1 / (kept + 2),
                "overhead_ratio": kept}

    def generate_production_recommendations(self, analysis_results):
        def lines():
            yield "OPTIMIZER SELECTION GUIDE:"
            yield "start with Adam"
            if sweep := analysis_results.get("learning_rate_analysis"):
                yield "LEARNING RATE GUIDANCE:"
                yield f"look in {sweep['optimal_range']}"
            if comparison := analysis_results.get("convergence_comparison"):
                yield "CONVERGENCE OPTIMIZATION:"
                yield from comparison["recommendations"]["summary"]
            yield "SCALING CONSIDERATIONS:"
            yield "PRODUCTION DEPLOYMENT:"
            yield "MONITORING & DEBUGGING:"
        return list(lines())
