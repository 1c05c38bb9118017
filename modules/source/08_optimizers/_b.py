# %% [markdown]
# ## 6 The convergence profiler
#
# A loss that does not fall looks the same for many reasons: the rate is too small, the gradient has
# vanished, the steps overshoot and come back, a schedule has cut the rate too early. The final loss
# tells none of these apart, and neither does a second run with another optimizer.
#
# The idea: call the training step, and after each call write down four numbers, namely the loss,
# the norm of the gradient, the rate and the seconds it took. Everything else (how fast, how steady,
# how healthy, how expensive) is computed from these four lists when the run is over. A profiler
# only watches: it moves no parameter, no gradient and no rate.

# %% [markdown]
# ### 6.1 What is recorded
#
# `training_function()` does one step and returns its loss. After each call we record the loss, the
# optimizer's rate, the duration in seconds, and the **global gradient norm** over all parameters
# $p$ that have a gradient:
#
# $$\lVert g \rVert = \sqrt{\sum_p \sum_i g_{p,i}^2}$$
#
# One root over everything: not a sum of norms, not a mean, not the largest entry. The profiler can
# see a gradient only if the step leaves it in place, so a step clears gradients at its beginning,
# as ours do.
#
# A run ends after `max_steps` calls, or earlier: a step that raises ends it (what was recorded
# before stays), and so does a gradient norm above $10^6$. Whether the exploding step itself is in
# the record is left to you; it must be seen in the verdict on the gradients, below.

# %% [markdown]
# ### 6.2 What is computed from the record
#
# Steps are counted from 0, and $L_k$ is the loss of step $k$.
#
# **Convergence step**: the first $k \ge 1$ with $|L_k - L_{k-1}| < 10^{-6}$, or None. The absolute
# value matters: a rising loss has not converged. Step 0 has no step before it.
#
# **Stability**, from the mean $\mu$ and the standard deviation $\sigma$ of the last 10 losses:
#
# $$s = \frac{1}{1 + \sigma / (|\mu| + 10^{-8})}$$
#
# It lies in $[0, 1]$ and is 0.0 before there are 10 losses. Any other score of the last 10 losses
# with these properties, and higher for steadier runs, is as good.
#
# **Gradient health**, the first line that applies:
#
# | verdict | when |
# |---|---|
# | `"unknown"` | no step was recorded |
# | `"exploding"` | a norm was above $10^6$, infinite or NaN |
# | `"vanishing"` | the mean norm is below $10^{-8}$ |
# | `"unstable"` | standard deviation / mean of the norms is above 2 |
# | `"healthy"` | otherwise |

# %% [markdown]
# ### 6.3 Comparing runs
#
# Four numbers compare two runs: the convergence step (lower is better), the final loss (lower), the
# stability (higher), and the **efficiency**, which is the loss reduction per second (higher):
#
# $$e = \frac{L_\text{initial} - L_\text{final}}{\text{seconds of all steps}}$$
#
# Rankings need care at the edges. A run that never converged ranks behind those that did; NaN
# compares false with everything, so a careless sort can put it first, and it belongs behind all
# numbers; a run that failed in its first step has nothing to compare and must not crash anything.
#
# The best overall is the run with the best places in all four rankings together. How you weigh the
# places is up to you: a run that leads all four must win.

# %% [markdown]
# ### 6.4 How sensitive is it to the rate?
#
# Of all hyperparameters the rate matters most, so we sweep it on a logarithmic grid. Each rate
# trains from the same start: `training_function(lr, steps)` returns two lists, losses and gradient
# norms. A rate at which the training raises, or returns nothing, counts as loss infinity and as an
# explosion, and the sweep goes on.
#
# The best rate has the lowest *finite* final loss among the runs that did not explode, and
#
# $$\text{optimal range} = \left(\tfrac{1}{10}\,\eta_\text{best},\; 10\,\eta_\text{best}\right)$$
#
# is where a finer search should look; it is None where no run qualifies.

# %% [markdown]
# ### 6.5 How much memory?
#
# Every parameter is a float32 of 4 bytes, and so is its gradient and each number the optimizer
# keeps for it. We write MB for $2^{20}$ bytes and count model state only: activations depend on the
# batch.
#
# | optimizer | parameters + gradients + state, bytes each | sum | against SGD |
# |---|---|---|---|
# | SGD | 4 + 4 + 0 | 8 | 1 |
# | SGD with momentum | 4 + 4 + 4 | 12 | 1.5 |
# | Adam | 4 + 4 + 8 | 16 | 2 |
#
# So Adam's state is twice the size of the parameters, and its total is 1.33 times that of momentum.
# "Adam needs three times the memory of SGD" holds only if gradients are left out of the count.

# %% [markdown]
# ### 6.6 From measurements to advice
#
# Numbers end in decisions, so the last method turns whatever analyses it is given into lines of
# text under headings. Two headings always stand: `OPTIMIZER SELECTION GUIDE:` and `PRODUCTION
# DEPLOYMENT:`. `LEARNING RATE GUIDANCE:` (with both ends of the range) comes with a sweep,
# `CONVERGENCE OPTIMIZATION:` (with the lines of the summary) with a comparison; `SCALING
# CONSIDERATIONS:` and `MONITORING & DEBUGGING:` complete the list.
#
# Now write the class. Only the public methods are checked, by what they record and return; the
# helpers whose names begin with an underscore are a suggestion, one rule of 6.2 or 6.3 each. Keep
# every record on the object (`self`), so that two profilers know nothing of each other.

# %% nbgrader={"grade": false, "grade_id": "convergence-profiler", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class OptimizerConvergenceProfiler:
    """Watch training runs, compare them, and turn the comparison into advice.

    Attributes
    ----------
    convergence_history, gradient_norms, learning_rates, step_times : dict of str to list of float
        By optimizer name, one number per recorded step: loss, global gradient norm, rate, seconds.
    memory_usage, convergence_rates, stability_scores : dict of str to float
        By optimizer name: MB of model state, and two entries of the profile.
    optimizer_rankings : dict of str to list of str
        The rankings of the last comparison.
    hyperparameter_suggestions : dict of str to dict
        By optimizer class: the range of rates found by the last sweep.
    convergence_threshold : float
        1e-6; a loss that changes by less has converged.
    stability_window : int
        10; the number of last losses that stability looks at.
    gradient_explosion_threshold : float
        1e6; a gradient norm above it is an explosion.
    """

    def __init__(self) -> None:
        """Start with empty records, which belong to this object alone."""
        # TODO: set every attribute listed above.
        ### BEGIN SOLUTION
        self.convergence_history: dict[str, list[float]] = {}
        self.gradient_norms: dict[str, list[float]] = {}
        self.learning_rates: dict[str, list[float]] = {}
        self.step_times: dict[str, list[float]] = {}
        self.memory_usage: dict[str, float] = {}
        self.convergence_rates: dict[str, float] = {}
        self.stability_scores: dict[str, float] = {}
        self.optimizer_rankings: dict[str, list[str]] = {}
        self.hyperparameter_suggestions: dict[str, dict] = {}
        self.convergence_threshold = 1e-6
        self.stability_window = 10
        self.gradient_explosion_threshold = 1e6
        ### END SOLUTION

    def profile_optimizer_convergence(
        self, optimizer_name: str, optimizer: "SGD | Adam", training_function: Any,
        initial_loss: float, max_steps: int = 100,
    ) -> dict[str, Any]:
        """Train for some steps, record each, and sum the run up.

        Parameters
        ----------
        optimizer_name : str
            The name of the run in all records.
        optimizer : SGD or Adam
            Whose `parameters` and `learning_rate` are watched; nothing of it is changed.
        training_function : callable
            Called without arguments: does one step, leaves its gradients, returns its loss.
        initial_loss : float
            The loss before the first step.
        max_steps : int
            The largest number of calls. A call that raises ends the run, and what was recorded
            stays; so does a gradient norm over `gradient_explosion_threshold`.

        Returns
        -------
        dict
            ``optimizer_name``; ``total_steps`` recorded; ``convergence_step``: the first step,
            counted from 0, whose loss differs from the one of the step before by less than
            `convergence_threshold` in absolute value, or None; ``final_loss``: the last recorded;
            ``initial_loss``: as given; ``loss_reduction``: initial minus final loss;
            ``convergence_rate``: loss reduction / total steps; ``stability_score``, from 0 to 1;
            ``average_step_time`` in seconds; ``gradient_health``: "unknown", "exploding",
            "vanishing", "unstable" or "healthy". Further keys are welcome.

        Notes
        -----
        Without a recorded step the final loss is infinite, the health unknown, and the other
        numbers are 0.0.
        """
        # TODO: record every step in the four lists, then return the profile of the run.
        # Hint: what should the four lists hold when step 7 raises?
        ### BEGIN SOLUTION
        losses = self.convergence_history[optimizer_name] = []
        norms = self.gradient_norms[optimizer_name] = []
        rates = self.learning_rates[optimizer_name] = []
        times = self.step_times[optimizer_name] = []
        stopped_by = None
        for step in range(max_steps):
            start = time.perf_counter()
            try:
                loss = float(training_function())
            except Exception as error:  # whatever a step raises ends this run, not the comparison
                stopped_by = f"step {step} raised {error!r}"
                break
            times.append(time.perf_counter() - start)
            losses.append(loss)
            norms.append(self._gradient_norm(optimizer.parameters))
            rates.append(float(optimizer.learning_rate))
            if norms[-1] > self.gradient_explosion_threshold:
                stopped_by = f"the gradient norm was {norms[-1]:.3g} at step {step}"
                break
        size = sum(parameter.data.data.size for parameter in optimizer.parameters)
        self.memory_usage[optimizer_name] = self.estimate_memory_usage(optimizer, size)["total_mb"]
        return {**self._profile(optimizer_name, float(initial_loss)), "stopped_by": stopped_by}
        ### END SOLUTION

    def compare_optimizers(self, profiles: dict[str, dict]) -> dict[str, Any]:
        """Rank runs that this object has profiled.

        Parameters
        ----------
        profiles : dict of str to dict
            By optimizer name, what `profile_optimizer_convergence` returned; may be empty, and a
            run may have no step.

        Returns
        -------
        dict
            ``convergence_speed`` (convergence step), ``final_performance`` (final loss),
            ``stability``, ``efficiency`` (loss reduction per second): each a dict from name to
            value, where a run without such a value may be missing or hold a stand-in.
            ``rankings``: for each of these four keys the names, best first: low speed values and
            losses, high stability and efficiency. A run that did not converge ranks behind those
            that did, and NaN behind all numbers.
            ``recommendations``: a dict whose ``"summary"`` is a list of lines that begin, after
            any symbol you like, with "Best overall optimizer: NAME", "Fastest convergence: NAME",
            "Most stable training: NAME", "Most compute-efficient: NAME"; the last three name the
            first of a ranking. A run that leads all four rankings is the best overall.
        """
        # TODO: fill the four tables, rank each of them, and name the winners.
        # Hint: what does sorted do with NaN? What would you have it do?
        ### BEGIN SOLUTION
        speed, loss, stability, efficiency = {}, {}, {}, {}
        for name, profile in profiles.items():
            step = profile["convergence_step"]
            seconds = profile["average_step_time"] * profile["total_steps"]
            speed[name] = math.inf if step is None else step
            loss[name] = profile["final_loss"]
            stability[name] = profile["stability_score"]
            efficiency[name] = profile["loss_reduction"] / seconds if seconds else math.nan
        by_loss = self._ranked(list(profiles), loss)  # decides where another table has a tie
        self.optimizer_rankings = {
            "convergence_speed": self._ranked(by_loss, speed),
            "final_performance": by_loss,
            "stability": self._ranked(by_loss, stability, highest_first=True),
            "efficiency": self._ranked(by_loss, efficiency, highest_first=True),
        }
        return {
            "convergence_speed": speed,
            "final_performance": loss,
            "stability": stability,
            "efficiency": efficiency,
            "rankings": self.optimizer_rankings,
            "recommendations": {"summary": self._summary(self.optimizer_rankings, speed)},
        }
        ### END SOLUTION

    def analyze_learning_rate_sensitivity(
        self, optimizer_class: Any, learning_rates: list[float], training_function: Any,
        steps: int = 50,
    ) -> dict[str, Any]:
        """Train once at each rate, and find the range that is worth a finer search.

        Parameters
        ----------
        optimizer_class : type
            SGD or Adam: names the result; the training function makes the optimizer.
        learning_rates : list of float
            The rates to try.
        training_function : callable
            ``training_function(lr, steps)`` trains from a fresh start and returns two lists, the
            losses and the gradient norms. It may raise, or return None or two empty lists.
        steps : int
            Passed on to the training function.

        Returns
        -------
        dict
            Lists with one entry per rate, in the order given: ``learning_rates``;
            ``final_losses``; ``convergence_steps`` (as in a profile; any value for a run that did
            not converge); ``stability_scores`` (as in a profile); ``gradient_explosions`` (True
            where a norm was over the threshold, or was NaN). A run that raised or returned nothing
            has the final loss inf, the stability 0.0, and counts as an explosion.
            ``optimal_range``: (best / 10, best * 10), where the best rate has the lowest finite
            final loss without an explosion, or None where there is none.
            ``recommendations``: a list of lines about the result.
        """
        # TODO: train at every rate, keep the lists aligned, and derive the range.
        # Hint: the lowest final loss of all may belong to a run that cannot be trusted.
        ### BEGIN SOLUTION
        runs = [self._run_at(rate, steps, training_function) for rate in learning_rates]
        final_losses = [losses[-1] if losses else math.inf for losses, _ in runs]
        limit = self.gradient_explosion_threshold
        explosions = [
            not losses or any(not norm <= limit for norm in norms) for losses, norms in runs
        ]
        trusted = [
            (loss, rate)
            for loss, rate, exploded in zip(final_losses, learning_rates, explosions, strict=True)
            if math.isfinite(loss) and not exploded
        ]
        best = min(trusted)[1] if trusted else None
        optimal_range = (best / 10, best * 10) if trusted else None
        name = getattr(optimizer_class, "__name__", str(optimizer_class))
        self.hyperparameter_suggestions[name] = {"learning_rate_range": optimal_range}
        return {
            "learning_rates": list(learning_rates),
            "final_losses": final_losses,
            "convergence_steps": [self._convergence_step(losses) for losses, _ in runs],
            "stability_scores": [self._stability(losses) for losses, _ in runs],
            "gradient_explosions": explosions,
            "optimal_range": optimal_range,
            "recommendations": self._rate_advice(best, learning_rates, explosions),
        }
        ### END SOLUTION

    def estimate_memory_usage(
        self, optimizer: "SGD | Adam", num_parameters: int
    ) -> dict[str, float]:
        """Estimate the model state of a training in float32, with MB for 2**20 bytes.

        Parameters
        ----------
        optimizer : SGD or Adam
            Its kind decides the state: nothing for SGD, one number per parameter with momentum,
            two for Adam.
        num_parameters : int
            The number of parameters; 0 is a valid number.

        Returns
        -------
        dict
            ``parameters_mb``, ``gradients_mb``, ``optimizer_state_mb``, ``total_mb`` (their sum),
            ``memory_efficiency`` (parameters / total), ``overhead_ratio`` (state / parameters).
        """
        # TODO: count the bytes of parameters, gradients and state.
        # Hint: do the two ratios depend on the number of parameters at all?
        ### BEGIN SOLUTION
        parameters = num_parameters * 4 / 2**20
        if isinstance(optimizer, Adam):
            copies = 2
        else:
            copies = 1 if optimizer.momentum > 0 else 0
        return {
            "parameters_mb": parameters,
            "gradients_mb": parameters,
            "optimizer_state_mb": copies * parameters,
            "total_mb": (2 + copies) * parameters,
            "memory_efficiency": 1 / (2 + copies),
            "overhead_ratio": float(copies),
        }
        ### END SOLUTION

    def generate_production_recommendations(self, analysis_results: dict[str, Any]) -> list[str]:
        """Turn analyses into advice.

        Parameters
        ----------
        analysis_results : dict
            Any of ``"learning_rate_analysis"`` (what `analyze_learning_rate_sensitivity` returned),
            ``"convergence_comparison"`` (what `compare_optimizers` returned), ``"memory_analysis"``
            (by name, what `estimate_memory_usage` returned); none of them is needed.

        Returns
        -------
        list of str
            Always with the headings "OPTIMIZER SELECTION GUIDE:" and "PRODUCTION DEPLOYMENT:";
            with a learning-rate analysis also "LEARNING RATE GUIDANCE:" and both ends of the
            optimal range; with a comparison also "CONVERGENCE OPTIMIZATION:" and the lines of its
            summary; "SCALING CONSIDERATIONS:" and "MONITORING & DEBUGGING:" complete it.
        """
        # TODO: return the headings and, below them, what the analyses say.
        ### BEGIN SOLUTION
        rates = analysis_results.get("learning_rate_analysis")
        comparison = analysis_results.get("convergence_comparison")
        lines = [
            "OPTIMIZER SELECTION GUIDE:",
            "  Adam: a good first choice, forgiving about the rate; 16 bytes per parameter.",
            "  SGD with momentum: 12 bytes per parameter; often as good or better once tuned.",
        ]
        if rates:
            lines.append("LEARNING RATE GUIDANCE:")
            if rates["optimal_range"]:
                lines.append("  Search from {:.3g} to {:.3g}.".format(*rates["optimal_range"]))
            lines += [f"  {line}" for line in rates["recommendations"]]
        if comparison:
            lines.append("CONVERGENCE OPTIMIZATION:")
            lines += [f"  {line}" for line in comparison["recommendations"]["summary"]]
        lines += ["SCALING CONSIDERATIONS:", "  A larger batch needs the rate tuned again."]
        for name, memory in analysis_results.get("memory_analysis", {}).items():
            state, total = memory["optimizer_state_mb"], memory["total_mb"]
            lines.append(f"  {name}: {total:.3g} MB of model state, {state:.3g} MB for itself.")
        return lines + [
            "PRODUCTION DEPLOYMENT:",
            "  Save the optimizer's state and the schedule's counter with the parameters.",
            "  Warm up, clip the global norm, and skip steps with infinite or NaN gradients.",
            "MONITORING & DEBUGGING:",
            "  Log loss, gradient norm and rate at every step; compare with the runs before.",
        ]
        ### END SOLUTION

    def _gradient_norm(self, parameters: list[Variable]) -> float:
        """Return the root of the sum of squares over all gradients there are."""
        # TODO: return the global norm as a float; parameters without a gradient add nothing.
        # Hint: the square of 1e20 does not fit into float32.
        ### BEGIN SOLUTION
        gradients = [p.grad.data.data for p in parameters if p.grad is not None]
        return math.sqrt(sum(float(np.sum(np.square(g, dtype=np.float64))) for g in gradients))
        ### END SOLUTION

    def _convergence_step(self, losses: list[float]) -> int | None:
        """Return the first step whose loss is that of the step before, within the threshold."""
        # TODO: return the step, counted from 0, or None.
        ### BEGIN SOLUTION
        for step in range(1, len(losses)):
            if abs(losses[step] - losses[step - 1]) < self.convergence_threshold:
                return step
        return None
        ### END SOLUTION

    def _stability(self, losses: list[float]) -> float:
        """Return how steady the last losses are: 0.0 before the window is full, at most 1.0."""
        # TODO: return the score of the last window.
        ### BEGIN SOLUTION
        recent = np.asarray(losses[-self.stability_window :], dtype=np.float64)
        if len(recent) < self.stability_window or not np.all(np.isfinite(recent)):
            return 0.0
        return float(1 / (1 + recent.std() / (abs(recent.mean()) + 1e-8)))
        ### END SOLUTION

    def _gradient_health(self, norms: list[float]) -> str:
        """Return the verdict on a run's gradient norms, by the table in 6.2."""
        # TODO: return one of the five verdicts.
        ### BEGIN SOLUTION
        if not norms:
            return "unknown"
        if not np.all(np.isfinite(norms)) or max(norms) > self.gradient_explosion_threshold:
            return "exploding"
        mean, spread = np.mean(norms), np.std(norms)
        if mean < 1e-8:
            return "vanishing"
        return "unstable" if spread / mean > 2 else "healthy"
        ### END SOLUTION

    def _profile(self, name: str, initial_loss: float) -> dict[str, Any]:
        """Return the profile of a recorded run."""
        # TODO: return the ten entries that profile_optimizer_convergence promises.
        ### BEGIN SOLUTION
        losses, times = self.convergence_history[name], self.step_times[name]
        steps = len(losses)
        reduction = initial_loss - losses[-1] if losses else 0.0
        self.convergence_rates[name] = reduction / steps if losses else 0.0
        self.stability_scores[name] = self._stability(losses)
        return {
            "optimizer_name": name,
            "total_steps": steps,
            "convergence_step": self._convergence_step(losses),
            "final_loss": losses[-1] if losses else math.inf,
            "initial_loss": initial_loss,
            "loss_reduction": reduction,
            "convergence_rate": self.convergence_rates[name],
            "stability_score": self.stability_scores[name],
            "average_step_time": sum(times) / steps if losses else 0.0,
            "gradient_health": self._gradient_health(self.gradient_norms[name]),
        }
        ### END SOLUTION

    def _ranked(
        self, names: list[str], values: dict[str, float], highest_first: bool = False
    ) -> list[str]:
        """Return the names by their values, best first, with NaN behind all numbers."""
        # TODO: return the sorted names.
        ### BEGIN SOLUTION
        sign = -1 if highest_first else 1
        return sorted(names, key=lambda name: (math.isnan(values[name]), sign * values[name]))
        ### END SOLUTION

    def _summary(self, rankings: dict[str, list[str]], speed: dict[str, float]) -> list[str]:
        """Return the four lines that name the winners, or none where there was no run."""
        # TODO: return the summary's lines.
        # Hint: add up a run's places; which sum is best?
        ### BEGIN SOLUTION
        if not speed:
            return []
        places = {name: sum(r.index(name) for r in rankings.values()) for name in speed}
        first = {metric: ranking[0] for metric, ranking in rankings.items()}
        fastest = first["convergence_speed"]
        note = " (within its steps no run converged)" if math.isinf(speed[fastest]) else ""
        return [
            f"Best overall optimizer: {min(places, key=places.__getitem__)}",
            f"Fastest convergence: {fastest}{note}",
            f"Most stable training: {first['stability']}",
            f"Most compute-efficient: {first['efficiency']}",
        ]
        ### END SOLUTION

    def _run_at(self, rate: float, steps: int, training_function: Any) -> tuple[list, list]:
        """Return the losses and norms of one run of a sweep; two empty lists if it failed."""
        # TODO: return two lists, whatever the training function does.
        ### BEGIN SOLUTION
        try:
            losses, norms = training_function(rate, steps)
            return [float(loss) for loss in losses], [float(norm) for norm in norms]
        except Exception:  # whatever it raises: a failed rate is a result, and the sweep goes on
            return [], []
        ### END SOLUTION

    def _rate_advice(
        self, best: float | None, rates: list[float], explosions: list[bool]
    ) -> list[str]:
        """Return lines about the best rate of a sweep and the rates that failed."""
        # TODO: return at least one line.
        ### BEGIN SOLUTION
        if best is None:
            return ["No rate trained without an explosion: try lower ones."]
        lines = [f"The best rate of the sweep is {best:.3g}."]
        if len(rates) > 1 and best in (min(rates), max(rates)):
            lines.append("It lies at the edge of the sweep: extend the sweep on that side.")
        failed = [rate for rate, exploded in zip(rates, explosions, strict=True) if exploded]
        if failed:
            lines.append(f"Training failed or exploded at {', '.join(f'{r:.3g}' for r in failed)}.")
        return lines
        ### END SOLUTION


# %% [markdown]
# ### 6.7 The profiler at work
#
# Three optimizers train the same network, 64-32-10 on the digits, from the same start. All 1,797
# images are in every step, so that the curves show the optimizer and not the luck of the batches.
# Note the order inside `train_step`: it clears the gradients first, so that they are still there
# when the profiler looks.

# %%
from tinytorch import datasets


def digits_network(data):
    """Make a fresh 64-32-10 network; return its parameters and a function from rows to the loss."""
    images, labels = data
    rng = np.random.default_rng(0)
    hidden = Variable((rng.normal(size=(64, 32)) * np.sqrt(2 / 64)).astype(np.float32))
    output = Variable((rng.normal(size=(32, 10)) * np.sqrt(2 / 32)).astype(np.float32))
    biases = [Variable(np.zeros(32, np.float32)), Variable(np.zeros(10, np.float32))]

    def loss_on(rows):
        activations = relu(Variable(images[rows], requires_grad=False) @ hidden + biases[0])
        return softmax_cross_entropy(activations @ output + biases[1], labels[rows])

    return [hidden, output, *biases], loss_on


# %%
def start_digits_run(data, make_optimizer):
    """Return an optimizer on a fresh network, and a function that trains it for one step."""
    parameters, loss_on = digits_network(data)
    optimizer = make_optimizer(parameters)

    def train_step():
        optimizer.zero_grad()
        loss = loss_on(slice(None))
        loss.backward()
        optimizer.step()
        return loss.item()

    return optimizer, train_step


# %% [markdown]
# The first loss is that of a network that knows nothing, about $\ln 10 \approx 2.3$.

# %%
if __name__ == "__main__":
    all_digits = datasets.load_digits()
    candidates = {
        "SGD": lambda parameters: SGD(parameters, learning_rate=0.1),
        "momentum": lambda parameters: SGD(parameters, learning_rate=0.1, momentum=0.9),
        "Adam": lambda parameters: Adam(parameters, learning_rate=0.01),
    }
    profiler, profiles = OptimizerConvergenceProfiler(), {}
    for name, make_optimizer in candidates.items():
        optimizer, train_step = start_digits_run(all_digits, make_optimizer)
        profiles[name] = profiler.profile_optimizer_convergence(
            name, optimizer, train_step, initial_loss=np.log(10), max_steps=150
        )

# %% [markdown]
# The two recorded curves, side by side. The norm of the gradient is a second witness. For plain SGD
# it hardly falls in the first 60 steps: the run is slow, not done. With momentum it swings up and
# down between steps 20 and 60, as the weights overshoot and come back, where the loss shows
# nothing.

# %%
if __name__ == "__main__":
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for name in candidates:
        left.semilogy(profiler.convergence_history[name], label=name)
        right.semilogy(profiler.gradient_norms[name], label=name)
    left.set(title="Loss", xlabel="step")
    right.set(title="Global gradient norm", xlabel="step")
    left.legend()
    plt.show()

# %% [markdown]
# The same runs in numbers. None of them "converged": with a threshold of $10^{-6}$ per step that
# takes far longer than 150 steps here, and a good classifier does not need it.

# %%
if __name__ == "__main__":
    print(f"{'':10}{'final loss':>12}{'stability':>11}{'ms/step':>9}  gradients")
    for name, profile in profiles.items():
        print(
            f"{name:10}{profile['final_loss']:12.4f}{profile['stability_score']:11.3f}"
            f"{1000 * profile['average_step_time']:9.2f}  {profile['gradient_health']}"
        )
    print(*profiler.compare_optimizers(profiles)["recommendations"]["summary"], sep="\n")

# %% [markdown]
# Now the sweep. The training function profiles a short run at the given rate, and hands over what
# the profiler recorded.

# %%
def sweep_digits(data, optimizer_class, rates, steps=40):
    """Analyze a logarithmic grid of rates on the digits."""

    def train(rate, steps):
        probe = OptimizerConvergenceProfiler()
        optimizer, train_step = start_digits_run(data, lambda p: optimizer_class(p, rate))
        probe.profile_optimizer_convergence("run", optimizer, train_step, np.log(10), steps)
        return probe.convergence_history["run"], probe.gradient_norms["run"]

    return OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        optimizer_class, rates, train, steps
    )


# %%
if __name__ == "__main__":
    rates = [float(rate) for rate in np.logspace(-4, 1, 11)]
    for kind in (SGD, Adam):
        found = sweep_digits(all_digits, kind, rates)
        (line,) = plt.loglog(rates, found["final_losses"], "o-", label=kind.__name__)
        plt.axvspan(*found["optimal_range"], alpha=0.12, color=line.get_color())
    plt.axhline(np.log(10), color="gray", linestyle=":", label="knows nothing")
    plt.xlabel("learning rate")
    plt.ylabel("loss after 40 steps")
    plt.legend()
    plt.show()

# %% [markdown]
# Both curves fall to a bottom, and rise steeply where the steps become too long. The bottoms lie at
# different rates: a rate means nothing without its optimizer. The shaded ranges, a factor of 10 on
# either side of the best rate, include rates that fail: they are where to search, not what to
# trust. A sweep of short runs also favours high rates; for a longer training choose somewhat below.
#
# And the memory, for this network and for one with 7 billion parameters:

# %%
if __name__ == "__main__":
    kinds = {"SGD": SGD([]), "momentum": SGD([], momentum=0.9), "Adam": Adam([])}
    for size in (2_410, 7_000_000_000):
        for name, optimizer in kinds.items():
            memory = profiler.estimate_memory_usage(optimizer, size)
            print(f"{size:13,}  {name:9}{memory['total_mb']:14,.3f} MB", end="")
            print(f"  state/parameters {memory['overhead_ratio']:.0f}")

# %% [markdown]
# ### 6.8 Checks
#
# The next cell drives your profiler with scripted runs, whose losses and gradients are given, so
# that each rule is seen alone. Parts marked "-" are advice and carry no points.

# %% nbgrader={"grade": true, "grade_id": "test-convergence-profiler", "locked": true, "points": 30, "schema_version": 3, "solution": false, "task": false}
import re
from time import sleep as pause

from tinytorch.checks import AnyValue, Between, Checks, GreaterThan, OneOf, snapshot

profiler_checks = Checks("test-convergence-profiler", points=30)
INF, NAN = float("inf"), float("nan")


class WatchedOptimizer(globals().get("SGD", object)):
    """Parameters and a rate, and no more: these checks do not need your `step`."""

    def __init__(self, parameters, learning_rate=0.1):
        self.parameters, self.learning_rate, self.momentum = list(parameters), learning_rate, 0.0

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None


def play_script(profiler, name, losses, gradients=None, seconds=0.0, initial_loss=None):
    """Profile a run whose losses are given (text: raise that); return profile, number of calls."""
    w = Variable([0.0, 0.0])
    calls = []

    def training_function():
        calls.append(len(calls))
        w.grad = Variable(gradients[calls[-1]] if gradients else [0.3, 0.4])
        if seconds:
            pause(seconds)
        if isinstance(losses[calls[-1]], str):
            raise RuntimeError(losses[calls[-1]])
        return losses[calls[-1]]

    if initial_loss is None:
        initial_loss = 1.0 if isinstance(losses[0], str) else losses[0]
    profile = profiler.profile_optimizer_convergence(
        name, WatchedOptimizer([w]), training_function, initial_loss, max_steps=len(losses)
    )
    return profile, len(calls)


def compare_scripts(runs, seconds=None):
    """Profile scripted runs by name with one profiler, and compare them."""
    profiler = OptimizerConvergenceProfiler()
    profiles = {}
    for name, losses in runs.items():
        pace = seconds[name] if seconds else 0.0
        profiles[name], _ = play_script(profiler, name, losses, seconds=pace)
    return profiler.compare_optimizers(profiles)


def winner_after(comparison, heading):
    """Return the name after a heading in the summary, or None."""
    for line in comparison["recommendations"]["summary"]:
        _, found, rest = line.partition(heading)
        if found:
            return (rest.split() or [""])[0].rstrip(".,;:")
    return None


def convergence_step_of(losses):
    """Return the convergence step of a run with these losses."""
    return play_script(OptimizerConvergenceProfiler(), "run", losses)[0]["convergence_step"]


def health_of(profiler, gradients):
    """Return the verdict on a run with these gradients."""
    return play_script(profiler, "run", [1.0] * len(gradients), gradients)[0]["gradient_health"]


def sweep_scripts(rates, losses, norms, steps=12):
    """Analyze rates whose runs are given: two lists, None for nothing, or text to raise."""
    asked = []

    def training_function(lr, steps):
        asked.append(steps)
        run = rates.index(lr)
        if isinstance(losses[run], str):
            raise RuntimeError(losses[run])
        return None if losses[run] is None else (losses[run], norms[run])

    result = OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        WatchedOptimizer, list(rates), training_function, steps=steps
    )
    keys = ["learning_rates", "final_losses", "convergence_steps", "stability_scores"]
    keys += ["gradient_explosions", "optimal_range", "recommendations"]
    return {**{key: result[key] for key in keys}, "steps asked for": asked}


def numbers_of(lines):
    """Return all numbers that occur in lines of text."""
    return [float(n) for n in re.findall(r"\d+\.?\d*(?:[eE][+-]?\d+)?", " ".join(lines))]


@profiler_checks.part(
    points=2,
    given={"losses": [4.0, 3.0, 2.5, 9.0], "rates": [0.2, 0.1, 0.05, 0.01]},
    expect={
        "losses": [4.0, 3.0, 2.5],
        "rates": OneOf([0.2, 0.1, 0.05], [0.4, 0.2, 0.1]),  # read after or before the call
        "durations": [Between(0.0, 3.0), Between(0.0, 3.0), Between(0.0, 3.0)],
        "total_steps": 3,
        "calls": 3,
        "calls by default": 100,
    },
    hint="Which numbers change from one call to the next, and when do you read them?",
)
def records_every_step(losses, rates):
    """Up to max_steps calls; each adds its loss, rate and duration to the record."""
    calls = []
    w = Variable([1.0])
    w.grad = Variable([0.5])
    optimizer = WatchedOptimizer([w], learning_rate=0.4)

    def training_function():
        calls.append(0)
        optimizer.learning_rate = rates[(len(calls) - 1) % len(rates)]
        return losses[(len(calls) - 1) % len(losses)]

    profiler = OptimizerConvergenceProfiler()
    run = profiler.profile_optimizer_convergence
    profile = run("run", optimizer, training_function, losses[0], max_steps=3)
    first_calls = len(calls)
    run("long", optimizer, training_function, losses[0])
    return {
        "losses": profiler.convergence_history["run"],
        "rates": profiler.learning_rates["run"],
        "durations": profiler.step_times["run"],
        "total_steps": profile["total_steps"],
        "calls": first_calls,
        "calls by default": len(calls) - first_calls,
    }


@profiler_checks.part(
    points=2,
    given={"gradients": [[3.0, 0.0], [[0.0], [4.0]], 12.0, None]},
    expect={"gradient_norms": [13.0, 13.0]},
    hint="3, 4 and 12 are the only entries that are not zero. What is the length of (3, 4, 12)?",
)
def norm_is_global(gradients):
    """Gradient norms take one root of the sum of squares over all parameters."""
    parameters = [Variable(np.zeros(np.shape(g), dtype=np.float32)) for g in gradients[:-1]]
    parameters.append(Variable([1.0]))
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = None if gradient is None else Variable(gradient)
    profiler = OptimizerConvergenceProfiler()
    profiler.profile_optimizer_convergence(
        "run", WatchedOptimizer(parameters), lambda: 1.0, 1.0, max_steps=2
    )
    return {"gradient_norms": profiler.gradient_norms["run"]}


@profiler_checks.part(
    points=1,
    given={"losses": [3.0, 2.0, "no step today", 1.0]},
    expect={
        "losses": [3.0, 2.0],
        "records": [2, 2, 2],
        "total_steps": 2,
        "final_loss": 2.0,
        "calls": 3,
    },
    hint="What has your record got when the third call raises, and who catches the exception?",
)
def failing_step_ends_the_run(losses):
    """Failing steps end the run, and what was recorded stays."""
    profiler = OptimizerConvergenceProfiler()
    profile, calls = play_script(profiler, "run", losses)
    records = (profiler.gradient_norms, profiler.learning_rates, profiler.step_times)
    return {
        "losses": profiler.convergence_history["run"],
        "records": [len(record["run"]) for record in records],
        "total_steps": profile["total_steps"],
        "final_loss": profile["final_loss"],
        "calls": calls,
    }


@profiler_checks.part(
    points=1,
    given={"gradients": [[1.0, 0.0], [9e5, 0.0], [2e6, 0.0], [1.0, 0.0], [1.0, 0.0]]},
    expect={"calls": 3},
    hint="Of the norms 1, 9e5, 2e6 only the last is over the threshold of 1e6.",
)
def explosion_ends_the_run(gradients):
    """Gradient norms over 1e6 end the run."""
    _, calls = play_script(OptimizerConvergenceProfiler(), "run", [1.0] * len(gradients), gradients)
    return {"calls": calls}


@profiler_checks.part(
    points=1,
    given={"runs": [[1.0, 2.0, 3.0, 4.0], [2.0, 3.0, 2.0, 3.0], [1.0, 2.0, 2.0000005]]},
    expect={"convergence_step": [None, None, 2]},
    hint="A loss that rises from 1 to 2 differs by 1. What is the sign of your difference?",
)
def rising_loss_has_not_converged(runs):
    """Rising or falling, a loss has converged only when it changes by under 1e-6."""
    return {"convergence_step": [convergence_step_of(losses) for losses in runs]}


@profiler_checks.part(
    points=2,
    given={
        "runs": [
            [4.0, 2.0, 1.0, 1.0, 0.5, 0.5],
            [0.0, -5.0, -8.0],
            [1.0, 0.9999995, 0.5],
            [1.0, 0.999997, 0.5],
        ]
    },
    expect={"convergence_step": [3, None, 1, None]},
    hint="Steps count from 0. Is there a loss to compare the first one with?",
)
def convergence_step_is_the_first(runs):
    """Convergence is the first step, from 0, that changes the loss by under 1e-6; never 0."""
    return {"convergence_step": [convergence_step_of(losses) for losses in runs]}


@profiler_checks.part(
    points=1,
    given={"losses": [0.5, 0.4, 0.5, 0.6, 0.5, 0.4, 0.5, 0.6, 0.5, 0.4]},
    expect={"after 9 steps": 0.0, "after 10 steps": GreaterThan(0.0)},
    hint="How many losses does a window of 10 need?",
)
def stability_needs_a_window(losses):
    """stability_score is 0.0 until there are 10 losses."""
    profiler = OptimizerConvergenceProfiler()
    return {
        "after 9 steps": play_script(profiler, "short", losses[:9])[0]["stability_score"],
        "after 10 steps": play_script(profiler, "full", losses)[0]["stability_score"],
    }


@profiler_checks.part(
    points=2,
    given={
        "flat": [0.5] * 10,
        "mild": [0.4, 0.6] * 5,
        "wild": [0.1, 0.9] * 5,
        "zero": [0.0] * 10,
        "around zero": [-1.0, 1.0] * 5,
    },
    expect={
        "scores": [Between(0.0, 1.0)] * 5,
        "flat above mild": GreaterThan(0.01),
        "mild above wild": GreaterThan(0.01),
        "mild, with and without a wild past": 0.0,
    },
    hint="Which losses are in the window, and what happens to a ratio when its divisor is 0?",
)
def stability_orders_runs(**runs):
    """stability_score lies in [0, 1], is higher for steadier runs, sees the last 10 losses."""
    profiler = OptimizerConvergenceProfiler()
    score = {name: play_script(profiler, name, r)[0]["stability_score"] for name, r in runs.items()}
    later = play_script(profiler, "later", runs["wild"] + runs["mild"])[0]["stability_score"]
    return {
        "scores": list(score.values()),
        "flat above mild": score["flat"] - score["mild"],
        "mild above wild": score["mild"] - score["wild"],
        "mild, with and without a wild past": later - score["mild"],
    }


@profiler_checks.part(
    points=1,
    given={"worst": [2e6, INF, NAN]},
    expect={"gradient_health": ["exploding", "exploding", "exploding"]},
    hint="Is NaN above the threshold? Is it below?",
)
def exploding_gradients(worst):
    """Health is "exploding" with a norm above 1e6, infinite or NaN."""
    runs = [[[1.0, 0.0], [1.0, 0.0], [norm, 0.0]] for norm in worst]
    profiler = OptimizerConvergenceProfiler()
    return {"gradient_health": [health_of(profiler, gradients) for gradients in runs]}


@profiler_checks.part(
    points=2,
    given={
        "runs": {
            "vanishing": [[1e-10, 0.0]] * 4,
            "zero": [[0.0, 0.0]] * 4,
            "one large step in twenty": [[1e-3, 0.0]] * 19 + [[10.0, 0.0]],
            "one larger step in three": [[1.0, 0.0], [1.0, 0.0], [5.0, 0.0]],
            "steady": [[0.3, 0.4]] * 4,
        }
    },
    expect={
        "gradient_health": {
            "vanishing": "vanishing",
            "zero": "vanishing",
            "one large step in twenty": "unstable",
            "one larger step in three": "healthy",
            "steady": "healthy",
        },
        "without a step": "unknown",
    },
    hint="Work out mean and standard deviation of the norms by hand; which line of 6.2 applies?",
)
def other_healths(runs):
    """Health is unknown, vanishing, unstable or healthy by the table in 6.2."""
    profiler = OptimizerConvergenceProfiler()
    return {
        "gradient_health": {name: health_of(profiler, run) for name, run in runs.items()},
        "without a step": play_script(profiler, "none", ["no step today"])[0]["gradient_health"],
    }


@profiler_checks.part(
    points=1,
    given={"losses": [4.0, 3.0, 2.5, 2.0], "seconds": 0.004},
    expect={
        "optimizer_name": "run",
        "total_steps": 4,
        "convergence_step": AnyValue(),
        "final_loss": 2.0,
        "initial_loss": 4.0,
        "loss_reduction": 2.0,
        "convergence_rate": GreaterThan(0.0),
        "stability_score": AnyValue(),
        "average_step_time": Between(0.003, 1.0),
        "gradient_health": AnyValue(),
    },
    hint="Compare the keys of your profile with the docstring, one by one.",
)
def profile_has_ten_entries(losses, seconds):
    """Profiles hold ten entries; the average step time is in seconds."""
    profile, _ = play_script(OptimizerConvergenceProfiler(), "run", losses, seconds=seconds)
    keys = ["optimizer_name", "total_steps", "convergence_step", "final_loss", "initial_loss"]
    keys += ["loss_reduction", "convergence_rate", "stability_score", "average_step_time"]
    return {key: profile[key] for key in [*keys, "gradient_health"]}


@profiler_checks.part(
    points=1,
    given={"weights": [1.0, 2.0], "gradient": [0.3, 0.4], "rate": 0.1},
    expect={
        "weights": [1.0, 2.0],
        "gradient": [0.3, 0.4],
        "rate": 0.1,
        "runs another profiler knows": [],
    },
    hint="The training function does the step. Where is your record kept: on self?",
)
def only_watches(weights, gradient, rate):
    """Profiling changes no parameter, gradient or rate; each profiler has its own record."""
    w = Variable(weights)
    w.grad = Variable(gradient)
    optimizer = WatchedOptimizer([w], learning_rate=rate)
    first, second = OptimizerConvergenceProfiler(), OptimizerConvergenceProfiler()
    first.profile_optimizer_convergence("run", optimizer, lambda: 1.0, 1.0, max_steps=3)
    return {
        "weights": snapshot(w),
        "gradient": snapshot(w.grad),
        "rate": optimizer.learning_rate,
        "runs another profiler knows": list(second.convergence_history),
    }


@profiler_checks.part(
    points=2,
    given={
        "runs": {
            "calm": [3.0, 2.99, 2.98, 2.97, 2.96, 2.95, 2.95, 2.94, 2.93, 2.92, 2.91, 2.9],
            "deep": [1e9, 1e3, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.05],
            "early": [1e4, 1.0, 1.0, 1.2, 0.8, 1.2, 0.8, 1.2, 0.8, 1.2, 0.8, 1.0],
        }
    },
    expect={
        "convergence_speed": ["early", "calm", "deep"],
        "final_performance": ["deep", "early", "calm"],
        "stability": ["calm", "early", "deep"],
        "efficiency": ["deep", "early", "calm"],
        "keys": [True] * 6,
    },
    hint="In which of the four is a high value good?",
)
def rankings_are_best_first(runs):
    """Four rankings, best first: low step and loss, high stability and efficiency."""
    result = compare_scripts(runs)
    keys = "convergence_speed final_performance stability efficiency rankings recommendations"
    return {**result["rankings"], "keys": [key in result for key in keys.split()]}


@profiler_checks.part(
    points=1,
    given={
        "runs": {"slow": [100.0] * 9 + [0.0], "quick": [100.0] * 9 + [10.0]},
        "seconds": {"slow": 0.006, "quick": 0.0},
    },
    expect={"efficiency": ["quick", "slow"]},
    hint="One run gains 100 in about 60 ms, the other 90 in less than one.",
)
def efficiency_is_per_second(runs, seconds):
    """Efficiency is the loss reduction per second."""
    return {"efficiency": compare_scripts(runs, seconds)["rankings"]["efficiency"]}


@profiler_checks.part(
    points=2,
    given={
        "unconverged": {"never": [5.0, 4.0, 3.0, 2.0, 1.0, 0.5], "late": [9.0, 8.0, 7.0, 6.0, 6.0]},
        "not a number": {"lost": [3.0, 2.0] + [NAN] * 10, "found": [9.5, 9.2] + [9.0] * 10},
    },
    expect={
        "convergence_speed": ["late", "never"],
        "final_performance": ["found", "lost"],
        "efficiency": ["found", "lost"],
    },
    hint="What is None < 3, and what is NaN < 3? Decide where these belong before you sort.",
)
def nothing_ranks_before_something(**runs):
    """Unconverged runs rank behind those that converged, and NaN behind numbers."""
    numbers = compare_scripts(runs["not a number"])["rankings"]
    return {
        "convergence_speed": compare_scripts(runs["unconverged"])["rankings"]["convergence_speed"],
        "final_performance": numbers["final_performance"],
        "efficiency": numbers["efficiency"],
    }


@profiler_checks.part(
    points=1,
    given={"runs": {"dead": ["no step today"], "alive": [2.0] + [1.0] * 11}},
    expect={"best final loss": "alive", "without any run": [True, True]},
    hint="What does each of your tables hold for a run whose lists are empty?",
)
def comparison_never_crashes(runs):
    """Empty runs, or no run at all, can be compared."""
    result, nothing = compare_scripts(runs), compare_scripts({})
    return {
        "best final loss": result["rankings"]["final_performance"][0],
        "without any run": ["rankings" in nothing, "recommendations" in nothing],
    }


WINNER_TAKES_ALL = {
    "second": [90.0, 50.0] + [2.0, 1.8] * 4 + [1.5, 1.5],
    "first": [1e9, 0.1] + [0.1] * 10,
    "third": [9.0, 8.5] + [7.0, 3.0] * 5,
}


@profiler_checks.part(
    points=1,
    given={"runs": WINNER_TAKES_ALL},
    expect={"best overall": "first"},
    hint="If good places earn points, do you want the most or the fewest?",
)
def best_overall_leads(runs):
    """Best overall, in the summary, is the run that leads all four rankings."""
    return {"best overall": winner_after(compare_scripts(runs), "Best overall optimizer:")}


@profiler_checks.part(
    points=1,
    given={"runs": WINNER_TAKES_ALL},
    expect={"fastest": "first", "most stable": "first", "most efficient": "first"},
    hint="Each of these lines names the first of one ranking. Is the wording exact?",
)
def summary_names_winners(runs):
    """Summary lines name the fastest, most stable and most compute-efficient run."""
    result = compare_scripts(runs)
    return {
        "fastest": winner_after(result, "Fastest convergence:"),
        "most stable": winner_after(result, "Most stable training:"),
        "most efficient": winner_after(result, "Most compute-efficient:"),
    }


@profiler_checks.part(
    points=1,
    given={
        "rates": [0.1, 0.2, 0.3],
        "losses": [[4.0, 2.0, 1.0, 1.0, 1.0], [9.0, 5.0], [3.0] * 12],
        "norms": [[1.0] * 5, [1.0, 2e6], [1.0] * 12],
    },
    expect={
        "learning_rates": [0.1, 0.2, 0.3],
        "final_losses": [1.0, 5.0, 3.0],
        "convergence_steps": [3, AnyValue(), 1],
        "stability_scores": [0.0, 0.0, AnyValue()],
        "gradient_explosions": [False, True, False],
        "recommendations": AnyValue(),
        "steps asked for": [12, 12, 12],
    },
    hint="The third entry of each list must belong to the third rate.",
)
def one_entry_per_rate(rates, losses, norms):
    """Every list of a sweep holds one entry per rate, in the order given."""
    return sweep_scripts(rates, losses, norms)


@profiler_checks.part(
    points=1,
    given={
        "rates": [0.1, 0.2, 0.3, 0.4],
        "losses": ["diverged", None, [], [2.0, 0.5]],
        "norms": [None, None, [], [1.0, 1.0]],
    },
    expect={
        "final_losses": [INF, INF, INF, 0.5],
        "gradient_explosions": [True, True, True, False],
        "convergence_steps": [AnyValue()] * 4,
        "stability_scores": [0.0] * 4,
    },
    hint="A failed run is a result as well: what goes into each list for it?",
)
def failed_rates_count(rates, losses, norms):
    """Failed rates, that raise or return nothing, count as loss inf and as explosions."""
    return sweep_scripts(rates, losses, norms)


@profiler_checks.part(
    points=1,
    given={
        "rates": [0.001, 0.01, 0.1, 1.0, 10.0],
        "losses": [[2.0, 0.9], [2.0, 0.3], [2.0, 0.1], [2.0, NAN], [2.0, INF]],
        "norms": [[1.0, 1.0], [1.0, 1.0], [1.0, 2e6], [1.0, 1.0], [1.0, 1.0]],
    },
    expect={"optimal_range": [0.001, 0.1], "where all explode": None},
    hint="0.1 ends lowest, but look at its gradients. Which rates can be trusted at all?",
)
def best_rate_is_sound(rates, losses, norms):
    """optimal_range is best / 10 to best * 10, the best being finite and without explosion."""
    return {
        "optimal_range": sweep_scripts(rates, losses, norms)["optimal_range"],
        "where all explode": sweep_scripts(rates[2:], losses[2:], norms[2:])["optimal_range"],
    }


@profiler_checks.part(
    points=1,
    given={"num_parameters": 2**20},
    expect={
        "SGD": {
            "parameters_mb": 4.0,
            "gradients_mb": 4.0,
            "optimizer_state_mb": 0.0,
            "total_mb": 8.0,
            "memory_efficiency": 0.5,
            "overhead_ratio": 0.0,
        },
        "momentum": {"optimizer_state_mb": 4.0, "total_mb": 12.0, "memory_efficiency": 1 / 3},
        "Adam": {"optimizer_state_mb": 8.0, "total_mb": 16.0, "overhead_ratio": 2.0},
    },
    hint="A float32 has 4 bytes, and 2**20 bytes are one MB here. How many numbers are kept?",
)
def memory_of_three_optimizers(num_parameters):
    """Model state in MB of 2**20 bytes: 8, 12 and 16 bytes per parameter."""
    w = Variable([0.0])
    estimate = OptimizerConvergenceProfiler().estimate_memory_usage
    return {
        "SGD": estimate(SGD([w], learning_rate=0.1), num_parameters),
        "momentum": estimate(SGD([w], learning_rate=0.1, momentum=0.9), num_parameters),
        "Adam": estimate(Adam([w], learning_rate=0.1), num_parameters),
    }


@profiler_checks.part(
    points=1,
    given={
        "analyses": {
            "learning_rate_analysis": {
                "learning_rates": [0.02, 0.2],
                "final_losses": [0.5, 0.9],
                "convergence_steps": [50, 50],
                "stability_scores": [0.9, 0.8],
                "gradient_explosions": [False, False],
                "optimal_range": (0.002, 0.2),
                "recommendations": [],
            },
            "convergence_comparison": {
                "convergence_speed": {"Adam": 12},
                "final_performance": {"Adam": 0.5},
                "stability": {"Adam": 0.9},
                "efficiency": {"Adam": 3.0},
                "rankings": {"convergence_speed": ["Adam"], "stability": ["Adam"]},
                "recommendations": {"summary": ["Best overall optimizer: Adam"]},
            },
        }
    },
    expect={
        "headings": [True, True, True],
        "range": [True, True],
        "summary": True,
        "headings without an analysis": [True, True],
    },
    hint="Which headings does the docstring ask for, and do the given range and summary appear?",
)
def recommendations_use_the_analyses(analyses):
    """Recommendations: the headings, the range and the summary that were given."""
    advise = OptimizerConvergenceProfiler().generate_production_recommendations
    lines, bare = advise(analyses), "\n".join(advise({}))
    text, found = "\n".join(lines), numbers_of(lines)
    low, high = analyses["learning_rate_analysis"]["optimal_range"]
    always = ["OPTIMIZER SELECTION GUIDE:", "PRODUCTION DEPLOYMENT:"]
    return {
        "headings": [heading in text for heading in [*always, "LEARNING RATE GUIDANCE:"]],
        "range": [any(abs(n - end) < 0.01 * end for n in found) for end in (low, high)],
        "summary": analyses["convergence_comparison"]["recommendations"]["summary"][0] in text,
        "headings without an analysis": [heading in bare for heading in always],
    }


@profiler_checks.part(
    points=0,
    given={"losses": [4.0, 3.0, 2.5, 2.0], "initial_loss": 10.0},
    expect={"initial_loss": 10.0, "loss_reduction": 8.0, "convergence_rate": 2.0},
    hint="The caller measured 10 before the first step. Where does your reduction start from?",
)
def initial_loss_is_the_given_one(losses, initial_loss):
    """Advice: the reduction counts from initial_loss as given, its rate is per step."""
    profiler = OptimizerConvergenceProfiler()
    profile, _ = play_script(profiler, "run", losses, initial_loss=initial_loss)
    return {key: profile[key] for key in ("initial_loss", "loss_reduction", "convergence_rate")}


@profiler_checks.part(
    points=0,
    given={
        "rates": [0.1, 0.2],
        "losses": [[2.0, 0.1], [2.0, 0.5]],
        "norms": [[1.0, NAN], [1.0, 1.0]],
    },
    expect={"gradient_explosions": [True, False], "optimal_range": [0.02, 2.0]},
    hint="The max() of a list with NaN depends on the order. How do you test that all is sound?",
)
def nan_norm_is_an_explosion(rates, losses, norms):
    """Advice: in a sweep, a NaN gradient norm counts as an explosion too."""
    return sweep_scripts(rates, losses, norms)


@profiler_checks.part(
    points=0,
    given={"num_parameters": 0},
    expect={"SGD": 0.0, "Adam": 0.0},
    hint="0/0 is not needed: the two ratios are the same for every number of parameters.",
)
def no_parameters_need_no_memory(num_parameters):
    """Advice: the memory of 0 parameters is 0, not a crash."""
    estimate = OptimizerConvergenceProfiler().estimate_memory_usage
    w = Variable([0.0])
    return {
        "SGD": estimate(SGD([w]), num_parameters)["total_mb"],
        "Adam": estimate(Adam([w]), num_parameters)["total_mb"],
    }


@profiler_checks.part(
    points=0,
    given={
        "analyses": {
            "convergence_comparison": {
                "rankings": {},
                "recommendations": {"summary": ["Best overall optimizer: Adam"]},
            },
            "memory_analysis": {
                "Adam": {
                    "parameters_mb": 4.0,
                    "gradients_mb": 4.0,
                    "optimizer_state_mb": 8.0,
                    "total_mb": 16.0,
                    "memory_efficiency": 0.25,
                    "overhead_ratio": 2.0,
                }
            },
        }
    },
    expect={"headings": [True, True, True]},
    hint="Three more headings complete the list in 6.6.",
)
def recommendations_are_complete(analyses):
    """Advice: headings for convergence, scaling and monitoring complete the recommendations."""
    text = "\n".join(
        OptimizerConvergenceProfiler().generate_production_recommendations(analyses)
    )
    headings = [
        "CONVERGENCE OPTIMIZATION:", "SCALING CONSIDERATIONS:", "MONITORING & DEBUGGING:"
    ]
    return {"headings": [heading in text for heading in headings]}


def test_unit_convergence_profiler():
    """Profiler: record, verdicts, comparison, sweep, memory, recommendations."""
    profiler_checks.run()


if __name__ == "__main__":
    profiler_checks.show()

# %% [markdown]
# **To think about.** A run with the rate $10^{-9}$ "converges" at step 1 by our definition. What
# does the convergence step really measure, and which second condition would you ask for before you
# call a run converged? Which of the four rankings would the change affect?

# %% [markdown]
# ## 7 Production features
#
# The update rule is the heart of an optimizer, but a training that runs for weeks needs more around
# it. One bad batch can throw the parameters far away; the first steps are the most dangerous ones;
# the batch that trains best may not fit into memory; 16-bit gradients underflow; and many machines
# must agree on one gradient.
#
# Five small tools answer these five problems. Four of them change the gradient *between*
# `backward()` and `step()`, one changes the rate; none touches a parameter. Because each does one
# thing, they can be chained, and the order is part of the recipe:
#
# unscale (7.4) → average (7.3, 7.5) → clip (7.1) → set the rate (7.2) → `step()`

# %% [markdown]
# ### 7.1 Clipping by the global norm
#
# Take all gradients of all parameters as one long vector $g$. If it is longer than allowed, shorten
# it, and keep its direction:
#
# $$g \leftarrow g \cdot \frac{c}{\lVert g \rVert} \quad\text{only where}\quad \lVert g \rVert > c$$
#
# with $c$ = `max_norm` and the norm of 6.1. One factor for all parameters: clipping each parameter
# by its own norm, or each entry by its value, would turn the direction. The method returns the norm
# *before* clipping, which is what we want in a log; without any gradient it returns 0.0. A gradient
# whose norm is at most $c$ stays as it is. (PyTorch's `clip_grad_norm_` divides by $\lVert g \rVert
# + 10^{-6}$ instead, which is as good.)

# %% [markdown]
# ### 7.2 Linear warm-up
#
# In the first steps everything is unsettled: the weights are random, and Adam's $v$ rests on a
# handful of gradients, so its first updates have the size of the full rate in every coordinate.
# Warm-up starts small and rises linearly. For step $s$ (counted from 0) and $S$ = `warmup_steps`:
#
# $$\eta(s) = \begin{cases} \eta_\text{base} \cdot s / S & s < S \\ \eta_\text{base} & s \ge S \end{cases}$$
#
# So the rate is 0 at step 0 and exactly $\eta_\text{base}$ from step $S$ on; with $S = 0$ there is
# no warm-up. The method *sets* `optimizer.learning_rate` and returns the same number. It is a pure
# function of its arguments: no state, so steps may be asked for in any order, as after a restart
# from a checkpoint.

# %% [markdown]
# ### 7.3 Gradient accumulation
#
# A batch that does not fit into memory can be cut into $k$ micro-batches of equal size, because the
# gradient of a mean is the mean of the gradients:
#
# $$g = \frac{1}{k} \sum_{j=1}^{k} g^{(j)}$$
#
# Each call adds a **copy** of every gradient to a buffer of the object and returns False; call
# number $k$ = `accumulation_steps` puts sum / $k$ into each `grad`, empties the buffers and returns
# True: time for a step. A parameter without a gradient in one micro-batch adds nothing there, so we
# still divide by $k$; and its mean is put back even if the *last* micro-batch left it with None.
#
# Micro-batches of different sizes must be weighted by their sizes; this method assumes equal ones.

# %% [markdown]
# ### 7.4 Mixed precision and loss scaling
#
# float16 is half the traffic, but its smallest positive number is $2^{-24} \approx 6 \cdot 10^{-8}$
# and its largest 65504. Small gradients become 0. The remedy: multiply the loss by a scale $S$
# before `backward()`. By the chain rule all gradients grow by $S$, out of the range where they
# vanish; before the update they are divided by $S$ again, in float32:
#
# $$\nabla (S \cdot L) = S \cdot \nabla L, \qquad g \leftarrow \frac{g}{S} \quad\text{for any } S > 0$$
#
# Too large a scale overflows to infinity, and infinity minus infinity is NaN. So the method looks
# first: if any entry of any gradient is infinite or NaN, **every** `grad` becomes None and it
# returns False, which means: skip this step. Otherwise it unscales and returns True.
#
# PyTorch's `GradScaler` starts with $S = 65536$, doubles it after 2,000 clean steps, and halves it
# whenever it skips one.

# %% [markdown]
# ### 7.5 Averaging over machines
#
# In data-parallel training each of $N$ = `world_size` ranks holds the same parameters and sees its
# own part of the batch. An **all-reduce** gives all ranks the same average
#
# $$g \leftarrow \frac{1}{N} \sum_{r=1}^{N} g_r$$
#
# and then all of them take the same step. Here we only have one process, so we simulate the view of
# one rank whose peers hold the very same gradient. The mean of $N$ equal gradients is that
# gradient: dividing once too often, or forgetting to divide, shows at once. (Averaging, not
# summing, is what PyTorch's DistributedDataParallel does too.)
#
# Now write the class. The attributes are settings that a training loop may read; the methods take
# what they need as arguments. Only accumulation keeps anything from one call to the next.

# %% nbgrader={"grade": false, "grade_id": "advanced-optimizer-features", "locked": false, "schema_version": 3, "solution": true, "task": false}
#| export
class AdvancedOptimizerFeatures:
    """What stands between `backward()` and `step()` in production.

    Every method takes an optimizer and works on the `grad` of its `parameters`, or on its rate. A
    parameter whose `grad` is None is passed over, and no method changes a parameter.

    Attributes
    ----------
    max_grad_norm, clip_enabled : float, bool
        Settings of clipping: 1.0 and False.
    warmup_steps, warmup_factor, base_lr : int, float, float
        Settings of warm-up: 0, 0.1 and 0.001.
    accumulation_steps : int
        Micro-batches per step: 1.
    accumulated_gradients, accumulation_count : dict, int
        Sums of gradients, and the number of micro-batches in them: {} and 0.
    use_fp16, loss_scale, dynamic_loss_scaling : bool, float, bool
        Settings of mixed precision: False, 1.0 and False.
    world_size, rank : int
        The number of processes and which of them this is: 1 and 0.
    """

    def __init__(self) -> None:
        """Start with these settings and empty buffers, which belong to this object alone."""
        # TODO: set every attribute listed above.
        ### BEGIN SOLUTION
        self.max_grad_norm = 1.0
        self.clip_enabled = False
        self.warmup_steps = 0
        self.warmup_factor = 0.1
        self.base_lr = 0.001
        self.accumulation_steps = 1
        self.accumulated_gradients: dict[int, np.ndarray] = {}
        self.accumulation_count = 0
        self.use_fp16 = False
        self.loss_scale = 1.0
        self.dynamic_loss_scaling = False
        self.world_size = 1
        self.rank = 0
        ### END SOLUTION

    def apply_gradient_clipping(self, optimizer: "SGD | Adam", max_norm: float = 1.0) -> float:
        """Shorten the gradient to a largest length, and keep its direction.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients are clipped together, by one norm over all parameters.
        max_norm : float
            Where the norm is above this, every gradient is multiplied by max_norm / norm; otherwise
            the gradients stay as they are.

        Returns
        -------
        float
            The norm before clipping; 0.0 if there is no gradient.
        """
        # TODO: clip all gradients by their common norm, and return that norm.
        # Hint: how many numbers must you know before you may change the first gradient?
        ### BEGIN SOLUTION
        gradients = self._gradients(optimizer)
        squares = [float(np.sum(np.square(g.data.data, dtype=np.float64))) for g in gradients]
        norm = math.sqrt(sum(squares))
        if norm > max_norm:
            for gradient in gradients:
                gradient.data = Tensor(gradient.data.data * (max_norm / norm))
        return norm
        ### END SOLUTION

    def apply_warmup_schedule(
        self, optimizer: "SGD | Adam", step: int, warmup_steps: int, base_lr: float
    ) -> float:
        """Set the rate of a linear warm-up.

        Parameters
        ----------
        optimizer : SGD or Adam
            Gets the rate as its `learning_rate`.
        step : int
            The step, counted from 0. The rate depends on the arguments alone, not on earlier calls.
        warmup_steps : int
            The first step with the full rate; 0 for no warm-up.
        base_lr : float
            The full rate.

        Returns
        -------
        float
            The rate: base_lr * step / warmup_steps before `warmup_steps`, then base_lr.
        """
        # TODO: set the rate of this step on the optimizer, and return it.
        # Hint: which steps must not divide by warmup_steps?
        ### BEGIN SOLUTION
        rate = base_lr * step / warmup_steps if step < warmup_steps else base_lr
        optimizer.learning_rate = rate
        return rate
        ### END SOLUTION

    def accumulate_gradients(self, optimizer: "SGD | Adam", accumulation_steps: int) -> bool:
        """Collect the gradient of one micro-batch; after the last, put the mean in place.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients, of one micro-batch, are added to this object's buffers as copies: what
            happens to them afterwards does not matter.
        accumulation_steps : int
            The number of micro-batches per step.

        Returns
        -------
        bool
            True on every call number `accumulation_steps`: then each parameter that had a gradient
            in any of these micro-batches holds sum / accumulation_steps as its `grad`, and
            counting and adding start again. Otherwise False.
        """
        # TODO: add up copies of the gradients; on the last micro-batch leave their mean, and reset.
        # Hint: what is in the buffer if somebody changes the gradient array after your call?
        ### BEGIN SOLUTION
        for index, parameter in enumerate(optimizer.parameters):
            if parameter.grad is not None:
                total = self.accumulated_gradients.get(index, 0.0)
                self.accumulated_gradients[index] = total + parameter.grad.data.data
        self.accumulation_count += 1
        if self.accumulation_count < accumulation_steps:
            return False
        for index, total in self.accumulated_gradients.items():
            optimizer.parameters[index].grad = Variable(total / accumulation_steps)
        self.accumulated_gradients, self.accumulation_count = {}, 0
        return True
        ### END SOLUTION

    def simulate_mixed_precision(self, optimizer: "SGD | Adam", loss_scale: float = 1.0) -> bool:
        """Undo the loss scale, or call the step off.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients are those of loss_scale times the loss.
        loss_scale : float
            Any positive number, also below 1.

        Returns
        -------
        bool
            False if any gradient holds an infinite or NaN entry: then every parameter's `grad` is
            None, and the caller skips the step. Otherwise True, with every gradient divided by
            `loss_scale`.
        """
        # TODO: look for entries that are not finite, then clear or unscale all gradients.
        # Hint: may you change any gradient before you have seen the last one?
        ### BEGIN SOLUTION
        gradients = self._gradients(optimizer)
        if not all(np.isfinite(gradient.data.data).all() for gradient in gradients):
            for parameter in optimizer.parameters:
                parameter.grad = None
            return False
        for gradient in gradients:
            gradient.data = Tensor(gradient.data.data / loss_scale)
        return True
        ### END SOLUTION

    def simulate_distributed_sync(self, optimizer: "SGD | Adam", world_size: int = 1) -> None:
        """Average the gradients over ranks that all hold the same ones.

        Parameters
        ----------
        optimizer : SGD or Adam
            Whose gradients become the mean over all ranks. The peers hold equal gradients, so the
            mean equals what was there (within 1e-6).
        world_size : int
            The number of ranks, this one included.
        """
        # TODO: leave the mean over all ranks in every gradient.
        # Hint: the sum of world_size equal gradients is easy to know; is it the mean?
        ### BEGIN SOLUTION
        for gradient in self._gradients(optimizer):
            total = gradient.data.data * world_size  # what the all-reduce of equal parts adds up to
            gradient.data = Tensor(total / world_size)
        ### END SOLUTION

    def _gradients(self, optimizer: "SGD | Adam") -> list[Variable]:
        """Return the gradients there are."""
        # TODO: return the gradients of all parameters that have one.
        ### BEGIN SOLUTION
        return [p.grad for p in optimizer.parameters if p.grad is not None]
        ### END SOLUTION

# %% [markdown]
# ### 7.6 The features at work
#
# First clipping. We train on small batches, and every fortieth batch is damaged: its pixels are 100
# times too large, as after a bug in the input pipeline. Without clipping, each of them throws away
# most of what had been learned; with it, they cost one step.

# %%
def train_on_damaged_batches(data, max_norm, steps=200):
    """Return losses and gradient norms of a training in which every 40th batch is damaged."""
    images, labels = data
    rng = np.random.default_rng(1)
    w = Variable((rng.normal(size=(64, 10)) * 0.1).astype(np.float32))
    optimizer, features = SGD([w], learning_rate=0.5), AdvancedOptimizerFeatures()
    losses, norms = [], []
    for step in range(1, steps + 1):
        rows = rng.integers(len(images), size=64)
        pixels = images[rows] * (100 if step % 40 == 0 else 1)
        optimizer.zero_grad()
        loss = softmax_cross_entropy(Variable(pixels, requires_grad=False) @ w, labels[rows])
        loss.backward()
        norms.append(features.apply_gradient_clipping(optimizer, max_norm))
        optimizer.step()
        losses.append(loss.item())
    return losses, norms


# %%
if __name__ == "__main__":
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6))
    for max_norm, label in ((np.inf, "no clipping"), (1.0, "clipped to 1")):
        losses, norms = train_on_damaged_batches(all_digits, max_norm)
        left.semilogy(losses, label=label)
        right.semilogy(norms, ".", label=label)
    left.set(title="Loss", xlabel="step")
    right.set(title="Gradient norm before clipping", xlabel="step")
    left.legend()
    plt.show()

# %% [markdown]
# Next accumulation. Four micro-batches of 64 give the gradient of the batch of 256, up to rounding.
# With a ragged last micro-batch the plain mean is wrong: its few images weigh too much.

# %%
def gradient_of(data, rows):
    """Return the gradient of a linear classifier's loss on some images."""
    w = Variable(np.full((64, 10), 0.01, np.float32))
    images, labels = data
    logits = Variable(images[rows], requires_grad=False) @ w
    softmax_cross_entropy(logits, labels[rows]).backward()
    return w.grad.data.data


# %%
if __name__ == "__main__":
    for name, cuts in {"equal": [0, 64, 128, 192, 256], "ragged": [0, 80, 160, 240, 256]}.items():
        w, features = Variable(np.zeros((64, 10), np.float32)), AdvancedOptimizerFeatures()
        for first, last in zip(cuts[:-1], cuts[1:], strict=True):
            w.grad = Variable(gradient_of(all_digits, range(first, last)))
            ready = features.accumulate_gradients(SGD([w]), accumulation_steps=4)
        error = np.abs(w.grad.data.data - gradient_of(all_digits, range(256))).max()
        print(f"{name:7} sizes {np.diff(cuts)}: ready {ready}, largest error {error:.1e}")

# %% [markdown]
# Then float16. Three facts in numbers: what is too small, what is too large, and why the master
# copy of the parameters stays in float32. In the last line an update of 0.0001 is less than half
# the distance from 1.0 to its neighbour in float16, so it is rounded away, a thousand times.

# %%
if __name__ == "__main__":
    print("too small:", np.float16(2.9e-8), "  with scale 1024:", np.float16(2.9e-8 * 1024))
    with np.errstate(over="ignore"):
        print("too large:", np.float16(65520.0), "instead of 65520; the largest is 65504")
    for dtype in (np.float16, np.float32):
        weight = dtype(1.0)
        for _ in range(1000):
            weight = weight - dtype(1e-4)
        print(f"1 - 1000 * 0.0001 in {dtype.__name__}: {weight:.5f}")

# %% [markdown]
# How real is this? The histogram shows the gradients of the trained network of 6.7. Left of the
# dashed line float16 knows only 0. Multiplying by the loss scale moves the whole histogram to the
# right.

# %%
if __name__ == "__main__":
    optimizer, train_step = start_digits_run(all_digits, candidates["Adam"])
    for _ in range(300):
        train_step()
    gradients = np.concatenate([p.grad.data.data.ravel() for p in optimizer.parameters])
    nonzero = np.abs(gradients[gradients != 0]).astype(np.float64)
    for scale, label in ((1, "as they are"), (2**10, "times 1024")):
        lost = np.mean(nonzero * scale < 2.0**-25)
        plt.hist(np.log2(nonzero * scale), bins=80, alpha=0.6, label=f"{label}: {lost:.1%} lost")
    plt.axvline(-25, color="black", linestyle="--")
    plt.xlabel("log2 |gradient|")
    plt.legend()
    plt.show()

# %% [markdown]
# ### 7.7 Checks

# %% nbgrader={"grade": true, "grade_id": "test-advanced-features", "locked": true, "points": 25, "schema_version": 3, "solution": false, "task": false}
from tinytorch.checks import AnyValue, Checks, OneOf, snapshot

features_checks = Checks("test-advanced-features", points=25)
INF, NAN = float("inf"), float("nan")


class HeldOptimizer(globals().get("SGD", object)):
    """Parameters of ones with given gradients, and a rate: these checks do not need your `step`."""

    def __init__(self, gradients, learning_rate=0.1):
        shapes = [() if gradient is None else np.shape(gradient) for gradient in gradients]
        self.parameters = [Variable(np.ones(shape, dtype=np.float32)) for shape in shapes]
        self.learning_rate, self.momentum = learning_rate, 0.0
        self.hold(gradients)

    def hold(self, gradients):
        """Set the gradients, None for none."""
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = None if gradient is None else Variable(gradient)

    def zero_grad(self):
        """Forget all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    def seen(self):
        """Return copies of all gradients."""
        return [snapshot(parameter.grad) for parameter in self.parameters]

    def weights(self):
        """Return the mean of each parameter, which was 1."""
        return [float(np.mean(snapshot(parameter))) for parameter in self.parameters]


def accumulate(features, optimizer, micro_batches, steps):
    """Feed micro-batches; return what each call said, and the gradients after the last."""
    answers = []
    for gradients in micro_batches:
        optimizer.hold(gradients)
        answers.append(features.accumulate_gradients(optimizer, steps))
    return answers, optimizer.seen()


@features_checks.part(
    points=3,
    given={"gradients": [[3.0, 0.0], [[0.0], [4.0]], 12.0, None], "max_norm": 6.5},
    expect={
        "norm": 13.0,
        "gradients": [[1.5, 0.0], [[0.0], [2.0]], 6.0, None],
        "weights": [1.0, 1.0, 1.0, 1.0],
    },
    hint="The gradients 3, 4 and 12 make one vector. How long is it, and how long may it be?",
)
def clips_by_the_global_norm(gradients, max_norm):
    """Clipping: one norm over all parameters, one factor; returns the norm from before."""
    optimizer = HeldOptimizer(gradients)
    norm = AdvancedOptimizerFeatures().apply_gradient_clipping(optimizer, max_norm)
    return {"norm": norm, "gradients": optimizer.seen(), "weights": optimizer.weights()}


@features_checks.part(
    points=2,
    given={"short": [[0.3, 0.0], [0.0, 0.4]], "long": [[1.8, 0.0]]},
    expect={"short": [[0.3, 0.0], [0.0, 0.4]], "long": [[1.0, 0.0]]},
    hint="A gradient may not become longer by clipping. What is max_norm if nobody says?",
)
def clips_only_above_the_limit(short, long):
    """Clipping leaves a short gradient as it is; max_norm is 1.0 by default."""
    features = AdvancedOptimizerFeatures()
    below, above = HeldOptimizer(short), HeldOptimizer(long)
    features.apply_gradient_clipping(below)
    features.apply_gradient_clipping(above)
    return {"short": below.seen(), "long": above.seen()}


@features_checks.part(
    points=1,
    given={"gradients": [None, None]},
    expect={"norm": 0.0, "gradients": [None, None]},
    hint="What is the length of a vector without entries?",
)
def clips_nothing(gradients):
    """Clipping without any gradient returns 0.0."""
    optimizer = HeldOptimizer(gradients)
    norm = AdvancedOptimizerFeatures().apply_gradient_clipping(optimizer, 1.0)
    return {"norm": norm, "gradients": optimizer.seen()}


@features_checks.part(
    points=2,
    given={"steps": [0, 1, 2, 3, 4, 5, 100], "warmup_steps": 4, "base_lr": 0.2},
    expect={"returned": [0.0, 0.05, 0.1, 0.15, 0.2, 0.2, 0.2]},
    hint="At which step is the fraction step / warmup_steps 0, and at which is it 1?",
)
def warms_up_linearly(steps, warmup_steps, base_lr):
    """Warm-up: 0 at step 0, linear, base_lr from warmup_steps on."""
    optimizer, features = HeldOptimizer([None]), AdvancedOptimizerFeatures()
    warm_up = features.apply_warmup_schedule
    return {"returned": [warm_up(optimizer, step, warmup_steps, base_lr) for step in steps]}


@features_checks.part(
    points=2,
    given={"steps": [0, 2, 4, 9], "warmup_steps": 4, "base_lr": 0.2},
    expect={"learning_rate": [0.0, 0.1, 0.2, 0.2]},
    hint="Who uses the rate: your caller, or the optimizer?",
)
def warm_up_sets_the_rate(steps, warmup_steps, base_lr):
    """Warm-up sets the optimizer's learning_rate."""
    optimizer, features = HeldOptimizer([None], learning_rate=7.0), AdvancedOptimizerFeatures()
    rates = []
    for step in steps:
        features.apply_warmup_schedule(optimizer, step, warmup_steps, base_lr)
        rates.append(optimizer.learning_rate)
    return {"learning_rate": rates}


@features_checks.part(
    points=1,
    given={"asked": [[8, 10, 1.0], [2, 10, 1.0], [3, 6, 0.4], [2, 10, 1.0], [0, 0, 0.3]]},
    expect={"returned": [0.8, 0.2, 0.2, 0.2, 0.3]},
    hint="Does the answer for step 2 change after you have been asked for step 8?",
)
def warm_up_has_no_memory(asked):
    """Warm-up depends on its arguments alone; 0 warm-up steps mean base_lr at once."""
    optimizer, features = HeldOptimizer([None]), AdvancedOptimizerFeatures()
    return {"returned": [features.apply_warmup_schedule(optimizer, *now) for now in asked]}


@features_checks.part(
    points=2,
    given={"calls": 6, "steps": 3},
    expect={
        "returned": [False, False, True, False, False, True],
        "with one micro-batch": [True, True],
    },
    hint="Count the calls. What is the count after it has reached accumulation_steps?",
)
def says_when_to_step(calls, steps):
    """Accumulation returns True on every call number accumulation_steps, otherwise False."""
    optimizer = HeldOptimizer([[1.0]])
    many, _ = accumulate(AdvancedOptimizerFeatures(), optimizer, [[[1.0]]] * calls, steps)
    single, _ = accumulate(AdvancedOptimizerFeatures(), optimizer, [[[1.0]]] * 2, 1)
    return {"returned": many, "with one micro-batch": single}


@features_checks.part(
    points=2,
    given={
        "micro_batches": [
            [[3.0, 0.0], [[1.0]], 5.0],
            [[0.0, 6.0], None, 1.0],
            [[6.0, 3.0], [[5.0]], 0.0],
        ]
    },
    expect={"mean": [[3.0, 3.0], [[2.0]], 2.0], "weights": [1.0, 1.0, 1.0]},
    hint="A micro-batch without a gradient for a parameter counts as well: with 0.",
)
def leaves_the_mean(micro_batches):
    """Accumulation leaves the sum divided by accumulation_steps, whatever was missing."""
    optimizer = HeldOptimizer(micro_batches[0])
    features = AdvancedOptimizerFeatures()
    _, mean = accumulate(features, optimizer, micro_batches, len(micro_batches))
    return {"mean": mean, "weights": optimizer.weights()}


@features_checks.part(
    points=2,
    given={"first": [[2.0, 4.0], [4.0, 8.0]], "second": [[20.0, 0.0], [0.0, 10.0]]},
    expect={
        # The mean, or the sum: which of them is right is the part before.
        "first step": OneOf([3.0, 6.0], [6.0, 12.0]),
        "second step": OneOf([10.0, 5.0], [20.0, 10.0]),
    },
    hint="Is your buffer an array of its own, and what is in it when the second round begins?",
)
def keeps_copies_and_resets(first, second):
    """Accumulation keeps copies of the gradients, and starts afresh after each mean."""
    optimizer, features = HeldOptimizer([[0.0, 0.0]]), AdvancedOptimizerFeatures()
    means = []
    for micro_batches in (first, second):
        array = np.zeros(2, dtype=np.float32)
        for gradient in micro_batches:
            optimizer.hold([gradient])
            array = optimizer.parameters[0].grad.data.data
            ready = features.accumulate_gradients(optimizer, len(micro_batches))
            if not ready:
                array[...] = 99.0  # as when an array is used again for the next micro-batch
        means.append(optimizer.seen()[0])
    return {"first step": means[0], "second step": means[1]}


@features_checks.part(
    points=2,
    given={"micro_batches": [[[3.0], [1.0]], [[6.0], [1.0]], [None, [1.0]]]},
    expect={"gradient": OneOf([3.0], [9.0], [4.5])},  # any total: the mean is another part
    hint="Which parameters get a gradient at the end: those that have one now, or had one before?",
)
def restores_missing_gradients(micro_batches):
    """Accumulation also reaches a parameter that the last micro-batch left without gradient."""
    optimizer = HeldOptimizer(micro_batches[0])
    features = AdvancedOptimizerFeatures()
    _, mean = accumulate(features, optimizer, micro_batches, len(micro_batches))
    return {"gradient": mean[0]}


@features_checks.part(
    points=2,
    given={"gradients": [[2.0, 4.0], [[8.0]], 1.0, None], "scales": [1.0, 4.0, 0.5, 1024.0]},
    expect={
        "returned": [True, True, True, True],
        "scale 1": [[2.0, 4.0], [[8.0]], 1.0, None],
        "scale 4": [[0.5, 1.0], [[2.0]], 0.25, None],
        "scale 0.5": [[4.0, 8.0], [[16.0]], 2.0, None],
        "scale 1024": [[0.001953125, 0.00390625], [[0.0078125]], 0.0009765625, None],
    },
    hint="A gradient that comes times S leaves divided by S. Is S = 0.5 any different?",
)
def unscales_by_any_scale(gradients, scales):
    """Mixed precision: finite gradients are divided by the scale, and the answer is True."""
    seen, returned = {}, []
    for scale in scales:
        optimizer = HeldOptimizer(gradients)
        returned.append(AdvancedOptimizerFeatures().simulate_mixed_precision(optimizer, scale))
        seen[f"scale {scale:g}"] = optimizer.seen()
    return {"returned": returned, **seen}


@features_checks.part(
    points=2,
    given={"bad": [INF, -INF, NAN]},
    expect={
        "returned": [False, False, False],
        "gradients": [[None, None, None]] * 3,
        "weights": [1.0, 1.0, 1.0],
    },
    hint="Three kinds of numbers are not finite. Which gradients of this step are worth keeping?",
)
def skips_overflow(bad):
    """Mixed precision: with inf, -inf or NaN every grad becomes None, and the answer is False."""
    returned, seen, features = [], [], AdvancedOptimizerFeatures()
    for value in bad:
        optimizer = HeldOptimizer([[1.0, 2.0], [[3.0, value]], 4.0])
        returned.append(features.simulate_mixed_precision(optimizer, 2.0))
        seen.append(optimizer.seen())
    return {"returned": returned, "gradients": seen, "weights": optimizer.weights()}


@features_checks.part(
    points=1,
    given={"gradients": [[2.0, -4.0], [[8.0]], 0.5, None], "world_sizes": [1, 2, 3, 8]},
    expect={"gradients": [[[2.0, -4.0], [[8.0]], 0.5, None]] * 4, "weights": [1.0] * 4},
    hint="What is the mean of four equal numbers?",
)
def averages_equal_gradients(gradients, world_sizes):
    """Distributed: the mean over ranks with equal gradients is that gradient."""
    seen = []
    for world_size in world_sizes:
        optimizer = HeldOptimizer(gradients)
        AdvancedOptimizerFeatures().simulate_distributed_sync(optimizer, world_size)
        seen.append(optimizer.seen())
    return {"gradients": seen, "weights": optimizer.weights()}


@features_checks.part(
    points=1,
    given={"settings": ["max_grad_norm", "warmup_steps", "accumulation_steps"]},
    expect={"settings": [AnyValue()] * 3, "first call of another object": False},
    hint="Do two trainings share one buffer or one count? And which settings does the text name?",
)
def objects_are_independent(settings):
    """Two objects share no buffer and no count; the settings are there."""
    one, other = AdvancedOptimizerFeatures(), AdvancedOptimizerFeatures()
    optimizer = HeldOptimizer([[1.0]])
    one.accumulate_gradients(optimizer, 2)
    return {
        "settings": [getattr(one, name) for name in settings],
        "first call of another object": other.accumulate_gradients(optimizer, 2),
    }


def test_unit_advanced_optimizer_features():
    """Features: clipping, warm-up, accumulation, mixed precision, averaging."""
    features_checks.run()


if __name__ == "__main__":
    features_checks.show()

# %% [markdown]
# **To think about.** The order was: unscale, then clip. What would happen to the training if you
# clipped first, with a loss scale of 65536 and `max_norm` 1.0? And with accumulation over four
# micro-batches: is clipping each of them the same as clipping their mean?

# %% [markdown]
# ## 8 All of it together
#
# A training in production is not one idea but all of them at once: an optimizer, a schedule with
# warm-up, accumulated micro-batches, a loss scale, clipping, and somebody who watches. Each piece
# is simple; what goes wrong is usually how they meet. The order matters, and one rule holds it
# together:
#
# **whatever changes the gradient happens before `step()`, and a skipped step changes nothing**: no
# parameter, no moment, no counter of the optimizer.
#
# In this section nothing is left to implement. We put your classes into one loop, compare three
# optimizers in it, and ask the profiler for its advice.

# %% [markdown]
# One step of the loop, in the order of section 7. The loss is scaled before `backward()`; each
# micro-batch starts with cleared gradients, because `backward()` adds to what is there; the mean of
# four micro-batches is unscaled, then clipped. The first 10 steps warm up, then `StepLR` takes
# over.

# %%
def start_production_run(data, make_optimizer, loss_scale=1024.0, micro_batches=4, warmup_steps=10):
    """Return an optimizer on a fresh network, and a function that does one production step."""
    parameters, loss_on = digits_network(data)
    optimizer, features = make_optimizer(parameters), AdvancedOptimizerFeatures()
    scheduler, done, rng = StepLR(optimizer, step_size=50, gamma=0.3), [], np.random.default_rng(0)

    def train_step():
        losses, ready = [], False
        while not ready:
            optimizer.zero_grad()
            loss = loss_on(rng.integers(len(data[0]), size=64))
            (loss * loss_scale).backward()
            losses.append(loss.item())
            ready = features.accumulate_gradients(optimizer, micro_batches)
        if features.simulate_mixed_precision(optimizer, loss_scale):
            features.apply_gradient_clipping(optimizer, max_norm=0.5)
            if len(done) < warmup_steps:
                features.apply_warmup_schedule(
                    optimizer, len(done), warmup_steps, scheduler.initial_lr
                )
            else:
                scheduler.step()
            optimizer.step()
            done.append(True)
        return float(np.mean(losses))

    return optimizer, train_step


# %% [markdown]
# Three optimizers, each at a rate below the best of a short sweep, as advised in 6.7.

# %%
if __name__ == "__main__":
    candidates = {
        "SGD": lambda parameters: SGD(parameters, learning_rate=0.5),
        "momentum": lambda parameters: SGD(parameters, learning_rate=0.1, momentum=0.9),
        "Adam": lambda parameters: Adam(parameters, learning_rate=0.01),
    }
    profiler, profiles = OptimizerConvergenceProfiler(), {}
    for name, make_optimizer in candidates.items():
        optimizer, train_step = start_production_run(all_digits, make_optimizer)
        profiles[name] = profiler.profile_optimizer_convergence(
            name, optimizer, train_step, initial_loss=np.log(10), max_steps=180
        )

# %% [markdown]
# The staircase in the middle starts with a ramp (curved, since the axis is logarithmic): warm-up,
# then `StepLR`. On the right stands the norm after clipping: for the first 50 steps the limit of
# 0.5 is at work most of the time.

# %%
if __name__ == "__main__":
    figure, panels = plt.subplots(1, 3, figsize=(11, 3.4))
    records = (profiler.convergence_history, profiler.learning_rates, profiler.gradient_norms)
    titles = ("Loss", "Learning rate", "Gradient norm after clipping")
    for panel, record, title in zip(panels, records, titles, strict=True):
        for name in candidates:
            panel.plot(record[name], label=name, linewidth=1)
        panel.set(title=title, xlabel="step", yscale="log" if panel is not panels[2] else "linear")
    panels[0].legend()
    plt.show()

# %% [markdown]
# And the advice, from a comparison, a sweep and the memory of the three.

# %%
if __name__ == "__main__":
    analyses = {
        "learning_rate_analysis": sweep_digits(all_digits, Adam, [3e-4, 3e-3, 3e-2, 3e-1]),
        "convergence_comparison": profiler.compare_optimizers(profiles),
        "memory_analysis": {
            name: profiler.estimate_memory_usage(make([]), 2_410)
            for name, make in candidates.items()
        },
    }
    print(*profiler.generate_production_recommendations(analyses), sep="\n")

# %% [markdown]
# ### Checks
#
# The last graded cell needs all of your classes. It trains small problems, for which every number
# can be worked out by hand.

# %% nbgrader={"grade": true, "grade_id": "test-ml-systems-integration", "locked": true, "points": 35, "schema_version": 3, "solution": false, "task": false}
from tinytorch.checks import AnyValue, Between, Checks, Contains, GreaterThan, OneOf, snapshot

systems_checks = Checks("test-ml-systems-integration", points=35)


def parabola_steps(optimizer, w):
    """Return a function that does one step on (w - 3)^2, with your autograd and optimizer."""

    def training_function():
        optimizer.zero_grad()
        error = w - 3.0
        loss = error * error
        loss.backward()
        optimizer.step()
        return float(snapshot(loss))

    return training_function


def bowl_steps(optimizer, x, y):
    """Return a function that does one step in a bowl: 1 + x^2 / 2 + 20 y^2 / 2."""

    def training_function():
        optimizer.zero_grad()
        loss = 0.5 * (x * x) + 10.0 * (y * y) + 1.0
        loss.backward()
        optimizer.step()
        return float(snapshot(loss))

    return training_function


def line_loss(w, b, xs, ys):
    """Return the mean squared error of y = w x + b on some samples."""
    total = Variable(0.0, requires_grad=False)
    for x, y in zip(xs, ys, strict=True):
        error = w * x + b - y
        total = total + error * error
    return total * (1.0 / len(xs))


def compare_in_a_bowl(rates, steps):
    """Profile SGD, momentum and Adam in the bowl; return their comparison."""
    profiler, profiles = OptimizerConvergenceProfiler(), {}
    makers = {
        "SGD": lambda p: SGD(p, learning_rate=rates["SGD"]),
        "momentum": lambda p: SGD(p, learning_rate=rates["momentum"], momentum=0.7),
        "Adam": lambda p: Adam(p, learning_rate=rates["Adam"]),
    }
    for name, make in makers.items():
        x, y = Variable(3.0), Variable(1.0)
        optimizer = make([x, y])
        profiles[name] = profiler.profile_optimizer_convergence(
            name, optimizer, bowl_steps(optimizer, x, y), 15.5, max_steps=steps
        )
    return profiler.compare_optimizers(profiles)


def sweep_the_parabola(rates, steps):
    """Analyze rates of SGD on the parabola."""

    def training_function(lr, steps):
        w = Variable(0.0)
        optimizer = SGD([w], learning_rate=lr)
        step, losses, norms = parabola_steps(optimizer, w), [], []
        for _ in range(steps):
            losses.append(step())
            norms.append(abs(float(snapshot(w.grad))))
        return losses, norms

    return OptimizerConvergenceProfiler().analyze_learning_rate_sensitivity(
        SGD, list(rates), training_function, steps=steps
    )


@systems_checks.part(
    points=3,
    given={"rate": 0.25, "steps": 4},
    expect={
        "losses": [9.0, 2.25, 0.5625, 0.140625],
        "gradient norms": [6.0, 3.0, 1.5, 0.75],
        "w": 2.8125,
        "loss_reduction": 8.859375,
    },
    hint="Each step halves the distance to 3. Does the profiler look while the gradient is there?",
)
def profiles_a_real_training(rate, steps):
    """SGD on (w - 3)^2 is recorded as it trains, and not disturbed."""
    w = Variable(0.0)
    optimizer, profiler = SGD([w], learning_rate=rate), OptimizerConvergenceProfiler()
    profile = profiler.profile_optimizer_convergence(
        "SGD", optimizer, parabola_steps(optimizer, w), 9.0, max_steps=steps
    )
    return {
        "losses": profiler.convergence_history["SGD"],
        "gradient norms": profiler.gradient_norms["SGD"],
        "w": snapshot(w),
        "loss_reduction": profile["loss_reduction"],
    }


@systems_checks.part(
    points=3,
    given={"rate": 0.5, "step_size": 2, "gamma": 0.1, "steps": 5},
    expect={
        # Read after or before each call of the training function.
        "learning rates": OneOf([0.5, 0.5, 0.05, 0.05, 0.005], [0.5, 0.5, 0.5, 0.05, 0.05]),
        "rate at the end": 0.005,
    },
    hint="The schedule changes the rate during the run. How often does the profiler read it?",
)
def a_schedule_shows_in_the_record(rate, step_size, gamma, steps):
    """StepLR inside the training shows in the recorded rates."""
    w = Variable(0.0)
    optimizer, profiler = SGD([w], learning_rate=rate), OptimizerConvergenceProfiler()
    scheduler = StepLR(optimizer, step_size=step_size, gamma=gamma)

    def training_function():
        w.grad = Variable(1.0)
        optimizer.step()
        scheduler.step()
        return 1.0

    profiler.profile_optimizer_convergence("SGD", optimizer, training_function, 1.0, steps)
    return {
        "learning rates": profiler.learning_rates["SGD"],
        "rate at the end": scheduler.get_lr(),
    }


IN_A_BOWL = {"rates": {"SGD": 0.01, "momentum": 0.03, "Adam": 0.05}, "steps": 100}


@systems_checks.part(
    points=2,
    given=IN_A_BOWL,
    expect={
        "first to converge": "momentum",
        "final_performance": ["momentum", "Adam", "SGD"],
        "stability": ["momentum", "Adam", "SGD"],
    },
    hint="Momentum ends at the bottom, Adam near it, SGD on the slope. What do your rankings say?",
)
def three_optimizers_ranked(rates, steps):
    """SGD, momentum and Adam in a bowl rank by what they reach in 100 steps."""
    rankings = compare_in_a_bowl(rates, steps)["rankings"]
    return {
        "first to converge": rankings["convergence_speed"][0],
        "final_performance": rankings["final_performance"],
        "stability": rankings["stability"],
    }


@systems_checks.part(
    points=2,
    given=IN_A_BOWL,
    expect={"summary": Contains("Best overall optimizer: momentum")},
    hint="Momentum leads three of the four rankings here.",
)
def momentum_leads_the_comparison(rates, steps):
    """Momentum is the best overall of this comparison, and the summary says so."""
    return {"summary": compare_in_a_bowl(rates, steps)["recommendations"]["summary"]}


@systems_checks.part(
    points=3,
    given={"rates": [0.01, 0.1, 0.4, 2.0], "steps": 20},
    expect={
        "final_losses": [Between(4.1, 4.3), Between(1e-3, 3e-3), Between(0.0, 1e-6), AnyValue()],
        "gradient_explosions": [False, False, False, True],
        "optimal_range": [0.04, 4.0],
    },
    hint="The error is multiplied by 1 - 2 * rate per step: 0.98, 0.8, 0.2, -3. Which is best?",
)
def rates_swept_on_a_parabola(rates, steps):
    """SGD swept over rates on (w - 3)^2: 0.4 is best, and 2 explodes."""
    result = sweep_the_parabola(rates, steps)
    keys = ("final_losses", "gradient_explosions", "optimal_range")
    return {key: result[key] for key in keys}


@systems_checks.part(
    points=3,
    given={"num_parameters": 2410},
    expect={
        "total against SGD": [1.0, 1.5, 2.0],
        "state against Adam's": [0.0, 0.5, 1.0],
        "parts against the total": [1.0, 1.0, 1.0],
    },
    hint="8, 12 and 16 bytes per parameter: what are the ratios?",
)
def memory_compared(num_parameters):
    """Memory of the digits network: momentum takes 1.5 times, Adam twice what SGD takes."""
    w, estimate = Variable([0.0]), OptimizerConvergenceProfiler().estimate_memory_usage
    optimizers = [SGD([w]), SGD([w], momentum=0.9), Adam([w])]
    found = [estimate(optimizer, num_parameters) for optimizer in optimizers]
    parts = ("parameters_mb", "gradients_mb", "optimizer_state_mb")
    return {
        "total against SGD": [f["total_mb"] / found[0]["total_mb"] for f in found],
        "state against Adam's": [
            f["optimizer_state_mb"] / found[2]["optimizer_state_mb"] for f in found
        ],
        "parts against the total": [sum(f[part] for part in parts) / f["total_mb"] for f in found],
    }


@systems_checks.part(
    points=3,
    given={
        "bowl": {"rates": {"SGD": 0.01, "momentum": 0.03, "Adam": 0.05}, "steps": 60},
        "sweep": {"rates": [0.01, 0.1, 0.4, 2.0], "steps": 20},
    },
    expect={
        "headings": [True, True, True],
        "summary lines": GreaterThan(3),
        "summary lines in the advice": [True, True, True, True],
    },
    hint="The advice repeats what the analyses found: compare it with the summary, line by line.",
)
def advice_from_real_analyses(bowl, sweep):
    """Recommendations from a real comparison and a real sweep hold their results."""
    comparison = compare_in_a_bowl(**bowl)
    analyses = {
        "learning_rate_analysis": sweep_the_parabola(**sweep),
        "convergence_comparison": comparison,
    }
    lines = OptimizerConvergenceProfiler().generate_production_recommendations(analyses)
    text = "\n".join(lines)
    summary = comparison["recommendations"]["summary"]
    wanted = ("OPTIMIZER SELECTION GUIDE:", "LEARNING RATE GUIDANCE:", "PRODUCTION DEPLOYMENT:")
    return {
        "headings": [heading in text for heading in wanted],
        "summary lines": len(summary),
        "summary lines in the advice": [line in text for line in summary[:4]],
    }


@systems_checks.part(
    points=4,
    given={"steps": 6, "warmup_steps": 4, "base_lr": 0.4},
    expect={
        "SGD": [0.0, -0.1, -0.3, -0.6, -1.0, -1.4],
        "Adam": [0.0, -0.1, -0.3, -0.6, -1.0, -1.4],
    },
    hint="With a gradient of 1 each step is as long as the rate. Which rate does step() use?",
)
def warm_up_shortens_the_first_steps(steps, warmup_steps, base_lr):
    """Warm-up changes what the next step does, with SGD and with Adam."""
    features, paths = AdvancedOptimizerFeatures(), {}
    for name, kind in {"SGD": SGD, "Adam": Adam}.items():
        w = Variable(0.0)
        optimizer, paths[name] = kind([w], learning_rate=base_lr), []
        for step in range(steps):
            features.apply_warmup_schedule(optimizer, step, warmup_steps, base_lr)
            w.grad = Variable(1.0)
            optimizer.step()
            paths[name].append(snapshot(w))
    return paths


@systems_checks.part(
    points=3,
    given={
        "xs": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "ys": [3.0, 5.0, 7.0, 9.0, 11.0, 13.0],
        "cuts": [2, 3, 6],
        "rate": 0.02,
        "steps": 3,
    },
    expect={"w and b": [[2.0161161, 0.4825058]] * 3, "optimizer steps": [3, 3, 3]},
    hint="One step with the mean of the micro-batches equals one step with the whole batch.",
)
def micro_batches_make_one_batch(xs, ys, cuts, rate, steps):
    """Batches of 6, cut into 2, 3 or 6 micro-batches, train like the whole batch."""
    ends, counts = [], []
    for cut in cuts:
        w, b, features = Variable(0.0), Variable(0.0), AdvancedOptimizerFeatures()
        optimizer, size = SGD([w, b], learning_rate=rate), len(xs) // cut
        counts.append(0)
        for micro_batch in range(cut * steps):
            rows = slice(micro_batch % cut * size, micro_batch % cut * size + size)
            optimizer.zero_grad()
            line_loss(w, b, xs[rows], ys[rows]).backward()
            if features.accumulate_gradients(optimizer, cut):
                optimizer.step()
                counts[-1] += 1
        ends.append([float(snapshot(w)), float(snapshot(b))])
    return {"w and b": ends, "optimizer steps": counts}


@systems_checks.part(
    points=3,
    given={"scales": [1.0, 1024.0, 65536.0], "rate": 0.25, "steps": 3},
    expect={"w": [[1.5, 2.25, 2.625]] * 3},
    hint="Scaling and unscaling cancel. Where are the gradients divided, and by what?",
)
def loss_scale_cancels(scales, rate, steps):
    """Scaled losses, unscaled before the step, train as if nothing had happened."""
    paths = []
    for scale in scales:
        w, features = Variable(0.0), AdvancedOptimizerFeatures()
        optimizer = SGD([w], learning_rate=rate)
        paths.append([])
        for _ in range(steps):
            optimizer.zero_grad()
            error = w - 3.0
            (error * error * scale).backward()
            features.simulate_mixed_precision(optimizer, scale)
            optimizer.step()
            paths[-1].append(float(snapshot(w)))
    return {"w": paths}


@systems_checks.part(
    points=3,
    given={"gradients": [1.0, float("inf"), float("nan"), 1.0]},
    expect={
        "momentum": [-0.1, -0.1, -0.1, -0.29],
        "Adam": [-0.1, -0.1, -0.1, -0.2],
        "Adam's t": 2,
    },
    hint="After False there is no step. What would a single inf do to a running average?",
)
def overflow_leaves_no_trace(gradients):
    """Skipped steps leave the parameters and the optimizer's state as they were."""
    makers = {
        "momentum": lambda p: SGD(p, learning_rate=0.1, momentum=0.9),
        "Adam": lambda p: Adam(p, learning_rate=0.1),
    }
    paths, features = {}, AdvancedOptimizerFeatures()
    for name, make in makers.items():
        w = Variable(0.0)
        optimizer, paths[name] = make([w]), []
        for gradient in gradients:
            w.grad = Variable(gradient)
            if features.simulate_mixed_precision(optimizer, 1.0):
                optimizer.step()
            paths[name].append(float(snapshot(w)))
    return {**paths, "Adam's t": optimizer.t}


@systems_checks.part(
    points=3,
    given={
        "xs": [1.0, 2.0, 3.0, 4.0],
        "ys": [3.0, 5.0, 7.0, 9.0],
        "loss_scale": 256.0,
        "max_norm": 1.0,
        "warmup_steps": 2,
        "base_lr": 0.1,
        "steps": 4,
    },
    expect={
        "w and b": [[0.0, 0.0], [0.047297297, 0.016216216], [0.14189009, 0.048653903],
                    [0.23647902, 0.081102856]],
        "norms": [37.0, 37.0, 36.164974, 34.494924],
    },
    hint="Accumulate, unscale, average, clip, set the rate, step: is one of them left out?",
)
def the_whole_recipe(xs, ys, loss_scale, max_norm, warmup_steps, base_lr, steps):
    """Accumulation, loss scale, averaging, clipping and warm-up work together in one loop."""
    w, b, features = Variable(0.0), Variable(0.0), AdvancedOptimizerFeatures()
    optimizer, path, norms = SGD([w, b], learning_rate=base_lr), [], []
    for step in range(steps):
        for rows in (slice(0, 2), slice(2, 4)):
            optimizer.zero_grad()
            (line_loss(w, b, xs[rows], ys[rows]) * loss_scale).backward()
            features.accumulate_gradients(optimizer, 2)
        if features.simulate_mixed_precision(optimizer, loss_scale):
            features.simulate_distributed_sync(optimizer, 4)
            norms.append(features.apply_gradient_clipping(optimizer, max_norm))
            features.apply_warmup_schedule(optimizer, step, warmup_steps, base_lr)
            optimizer.step()
        path.append([float(snapshot(w)), float(snapshot(b))])
    return {"w and b": path, "norms": norms}


def test_comprehensive_ml_systems_integration():
    """Optimizers, schedule, profiler and production features in one training."""
    systems_checks.run()


if __name__ == "__main__":
    systems_checks.show()

# %% [markdown]
# **To think about.** In `start_production_run` a skipped step does not advance the schedule. In a
# run where the loss scale is still too large, the first five steps may all be skipped. What would
# happen if warm-up advanced all the same? Which counters of a training should count calls, and
# which should count steps that were really taken?

# %% [markdown]
# ## Optimizers in production: questions to think about
#
# These are not graded. Take one of each group, and discuss it with somebody.
#
# **System design**
#
# - Adam keeps two numbers per parameter. Which of your models would not fit if it did, and what
#   would you change first: the optimizer, the precision of its state, or the number of machines?
# - Where should the state live: beside the parameters, in host memory, on disk? What does `step()`
#   have to wait for in each case?
# - Should a schedule be an object that changes the optimizer, as `StepLR` does, or a function from
#   the step to the rate, as warm-up is here? Which of them survives a restart more easily?
#
# **Workflows**
#
# - A colleague reports that "Adam beats SGD by two points". Which five numbers do you ask for?
# - You may do twelve runs. How do you divide them between rates, optimizers and random seeds?
# - What would you look at first if the loss is fine but the gradient norm has grown tenfold in a
#   day?

# %% [markdown]
# **Framework design**
#
# - Our `step()` skips parameters whose gradient is None; PyTorch does too. A framework could take
#   None for zero instead. What would then happen to a frozen layer under momentum?
# - Why do frameworks give parameter groups rates of their own? How would you add groups to your SGD
#   without breaking code that reads `optimizer.learning_rate`?
# - Our accumulation is keyed by position in the list of parameters. What could go wrong with keys
#   that are `id(parameter)`, and what if somebody adds a parameter in the middle of a run?
#
# **Performance and scale**
#
# - A step of Adam does about a dozen arithmetic operations per parameter, yet it is bound by memory
#   traffic. How many arrays does your version read and write per step, and how many would do?
# - A model of 100 tensors with 10 numbers each: where does the time of a step go, and what would
#   one flat buffer change?
# - With eight machines, which part of the optimizer's work is done eight times over? That is what
#   sharding the state (ZeRO) saves.

# %% [markdown]
# ## Three written questions
#
# Answer each in 150 to 300 words of your own, in the cell below it. Use numbers, and what you have
# measured in this notebook. Each answer is worth 10 points.

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-1-optimizer-memory", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 1: memory of the state, and checkpoints (10 points)
#
# You train a model with 7 billion float32 parameters with Adam, on machines that fail now and then.
#
# - How much memory do parameters, gradients and state take, and how much would plain SGD and SGD
#   with momentum take?
# - What belongs into a checkpoint, if training is to go on after a failure exactly as it would
#   have, and how large is it?
# - What happens in the first steps after a restart from the parameters alone?
# - How often would you write a checkpoint, and what could you do to need less memory?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, the numbers.** Parameters 28 GB, gradients 28 GB, Adam's state 56 GB, together 112
#   GB (7e9 times 16 bytes; 104 in units of 2^30 bytes). SGD 56 GB, momentum 84 GB; Adam is twice
#   SGD and 1.33 times momentum. One point each for parameters and gradients, for the state, for the
#   comparison. Activations come on top. "Three times SGD" is wrong.
# - **3 points, the checkpoint.** Parameters, m, v and t (one point); the counter of the schedule or
#   its rate, the loss scale, random states, the position in the data (one point); gradients are not
#   needed between two steps, so it is 84 GB (one point).
# - **2 points, the restart.** With m = v = 0 and t = 0 the averages are those of the first few
#   gradients, and Adam's first update has the size of the full rate in every coordinate, whatever
#   the gradient (one point); so the loss jumps, or warm-up is needed again; SGD with momentum only
#   has to build up its velocity anew (one point for a consequence).
# - **2 points, the trade-off.** An interval from numbers: time to write against the work lost, for
#   instance sqrt(2 * write time * time between failures), or writing in the background, in a new
#   file that is renamed when complete (one point). One true way to need less: state sharded over N
#   machines (the first stage of ZeRO: 8 + 8/N bytes in float32, 4 + 12/N in mixed precision), state
#   in 8 bits, factored second moments, momentum instead of Adam (one point). Weights and gradients
#   in fp16 with master, m and v in fp32 are 16 bytes as well: not a saving of model state.
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-1-optimizer-memory", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# Each float32 number takes 4 bytes, so the parameters take 28 GB and the gradients another 28 GB.
# Adam keeps m and v, 56 GB more: 112 GB before a single activation. Plain SGD would need 56 GB and
# momentum 84 GB, so Adam costs twice as much as SGD and a third more than momentum.
#
# A checkpoint must hold everything that the next step depends on: the parameters, m, v and the
# counter t, but also the schedule's counter, the loss scale, the states of the random generators
# and the position in the data. Gradients are recomputed and need not be saved between steps. That
# makes 84 GB.
#
# If we load the parameters alone, m and v start at zero and t at 0. After bias correction the first
# update is about the full rate in every coordinate, however small its gradient is: a well-trained
# model gets a random-looking kick, and the loss jumps. It recovers, but the run is no longer the
# one we had. A short warm-up softens this.
#
# At 2 GB/s writing takes 42 s. If a failure comes every six hours, an interval of sqrt(2 * 42 s *
# 21,600 s), about 22 minutes, balances writing against lost work. I would copy to host memory
# first, write in the background to a new file, and rename it only when it is complete, so that a
# crash while writing never destroys the last good one.
#
# To need less memory I would shard m and v over the N machines, which leaves 8 + 8/N bytes per
# parameter on each, or keep m and v in 8 bits.
# ### END SOLUTION

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-2-distributed-optimization", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 2: distributed optimization and schedules (10 points)
#
# A training runs on one machine with batches of 64, SGD with momentum, a warm-up of 500 steps and
# `StepLR` with a step size of 3,000 steps. You move it to 16 machines, each with batches of 64.
#
# - What do the machines exchange in each step, what must be equal on all of them afterwards, and
#   what changes if one of them has a smaller batch?
# - What happens to the rate, to the warm-up and to the schedule?
# - Where do clipping and the skipping of overflowed steps belong?
# - When do more machines stop to help?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, the exchange.** An all-reduce of the gradients; the mean over 16 ranks is the
#   gradient of one batch of 1,024 (one point). Parameters and state start equal, take the same
#   step, and so stay equal; only gradients travel, about 2 * 15/16 times their size per rank in a
#   ring (one point for either). Parts of different size must be weighted by their size, the plain
#   mean is biased towards the images of the small one (one point).
# - **3 points, rate and schedule.** A batch 16 times as large allows a larger rate: linear scaling
#   for SGD as a starting point to be tuned, not a law; (often the square root for Adam) (one
#   point). A larger rate needs warm-up, which is there and may be made longer (one point). An epoch
#   has a sixteenth of the steps, so what was counted in steps must be counted in samples or epochs:
#   3,000 steps become about 188 (one point).
# - **2 points, the order.** Clip after the all-reduce, by the norm of the mean gradient, so that
#   all ranks use the same factor; clipping each rank before gives another direction (one point).
#   All ranks must skip together, or they drift apart: inf and NaN spread through the sum, or the
#   flag is exchanged as well (one point).
# - **2 points, the limit.** Noise falls with the root of the batch; beyond a critical batch size
#   twice the machines save hardly any steps (one point). Communication does not shrink with more
#   machines while the computation per machine does, if the global batch is kept; stragglers set the
#   pace; or generalization may suffer at the same number of epochs (one point for a true one).
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-2-distributed-optimization", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# In every step an all-reduce replaces each machine's gradient by the mean over all 16. Because the
# parts are equally large, this is the gradient of one batch of 1,024 images. Parameters and
# momentum are not sent: they start equal and take the same step, so they stay equal. In a ring each
# machine sends about 2 * 15/16 of the gradient's size. If one machine has only 16 images, the plain
# mean gives each of them four times the weight of the others, so each gradient must be weighted by
# the size of its batch.
#
# The gradient of 1,024 images is less noisy, so it bears a larger rate. For SGD I would start from
# the linear rule, 16 times the rate, and tune around it; it is a heuristic. Such a rate is
# dangerous in the first steps, so the warm-up stays, and I would make it longer if the loss spikes.
# An epoch now has a sixteenth of the steps. The schedule counts steps, so 3,000 must become about
# 188, or better: it should count samples.
#
# Clipping comes after the all-reduce: the norm of the mean is the same everywhere, so all machines
# apply the same factor. An overflow on one machine makes the sum infinite or NaN on all of them, so
# a check after the all-reduce lets all of them skip together. If one skipped alone, its parameters
# would differ from then on.
#
# More machines help until the gradient is accurate enough. Beyond that critical batch size,
# doubling the batch hardly saves steps, while each step still waits for the slowest machine and the
# network.
# ### END SOLUTION

# %% [markdown] nbgrader={"grade": false, "grade_id": "prompt-3-production-integration", "locked": true, "schema_version": 3, "solution": false, "task": false}
# ### Question 3: monitoring and tuning in production (10 points)
#
# A model is trained anew every week on fresh data, without anybody watching. Last week the loss
# became NaN at step 12,000 and the run went on for two days. You own the training now.
#
# - What do you record at each step, and which of the profiler's verdicts raise an alarm?
# - What should the training do by itself, and when must it stop and call somebody?
# - How do you choose the rate for next week's run, and how would you notice that it no longer fits?
# - How do you make sure that a newly trained model is not worse than the one in use?
#
# ### BEGIN MARK SCHEME
# Rubric, 3 + 3 + 2 + 2 points:
#
# - **3 points, signals.** Loss, global gradient norm before clipping, rate, step time; useful as
#   well: share of clipped and of skipped steps, loss scale, validation loss (one point for three of
#   them). NaN or inf must be tested for explicitly, because NaN compares false with every threshold
#   (one point). Alarms relative to a running median or to earlier runs, not to one fixed number, or
#   with a reasoned fixed one as in the profiler (one point).
# - **3 points, responses.** Clip, and skip a step with inf or NaN gradients without touching the
#   state (one point); stop after several skips in a row, or when a parameter or the loss itself is
#   NaN (one point); go back to a checkpoint from before, perhaps with a lower rate or past the bad
#   batch, and tell somebody; a NaN in the parameters or in Adam's m and v never leaves by itself
#   (one point).
# - **2 points, the rate.** A sweep on a logarithmic grid of short runs, the best finite one without
#   explosion, better somewhat below the edge (one point). Signs that it no longer fits: more
#   clipped steps, larger norms or slower loss than in earlier weeks at the same step; data or batch
#   size have changed (one point).
# - **2 points, release.** Compare on held-out data that both models have not seen, including recent
#   data, with several seeds or a known spread (one point); a gate with a threshold, gradual
#   roll-out, and the old model kept for the way back (one point).
# ### END MARK SCHEME

# %% [markdown] nbgrader={"grade": true, "grade_id": "question-3-production-integration", "locked": false, "points": 10, "schema_version": 3, "solution": true, "task": false}
# ### BEGIN SOLUTION
# At each step I record the loss, the gradient norm before clipping, the rate, the step time, and
# whether the step was clipped or skipped. "exploding" is an alarm at once; "vanishing" and
# "unstable" are alarms if they last. Whether a number is finite is tested first, because NaN is
# neither above nor below any threshold; that is how last week's run survived. Norms are compared
# with a running median and with last week's curve at the same step: ten times as much is worth a
# message.
#
# By itself the training clips, and skips a step whose gradients are not finite, leaving parameters
# and state alone. After ten skips in a row, or if the loss or a parameter is NaN, it stops, goes
# back to the last good checkpoint, tries once more with half the rate past the batch in question,
# and then calls somebody. Going on is no option: NaN in Adam's m or v stays there for ever.
#
# The rate comes from a sweep: short runs on a logarithmic grid, the best finite loss among those
# without explosion, and then somewhat below it, because the edge of divergence is near. I repeat a
# small sweep when data or batch size change. More clipped steps, or a loss that falls behind
# earlier weeks at the same step, tell me that the rate no longer fits.
#
# The new model must match the old one on held-out data from the latest week, within the spread of
# several seeds. Only then it serves a small share of the traffic, later all of it, while the old
# one stays ready for the way back.
# ### END SOLUTION

# %% [markdown]
# ## Summary
#
# - An optimizer is a rule of one or two lines, and its state. Gradient descent follows the
#   gradient; momentum adds up a decaying sum of gradients; Adam divides a running mean by the root
#   of a running mean of squares, both corrected for their start at zero.
# - The rate is the parameter that matters most. Schedules change it on purpose, warm-up protects
#   the first steps, and a sweep on a logarithmic grid finds the range.
# - What cannot be seen cannot be tuned: loss, gradient norm, rate and time per step tell most
#   failures apart, if NaN and runs that failed are treated as results.
# - Between `backward()` and `step()` stand a few small tools, and their order is part of the
#   recipe: unscale, average, clip, set the rate, step. A skipped step leaves no trace.
# - Memory is 8, 12 or 16 bytes per parameter, before activations.

# %% [markdown]
# ## Next steps
#
# Put your optimizers into your own package, and test them there:
#
# ```
# tito export 08_optimizers
# tito test 08_optimizers
# ```
#
# The first writes your seven solution cells to `tinytorch/core/optimizers.py`; the second runs the
# tests of this module against it. From then on any program can say
#
# ```python
# from tinytorch.core.optimizers import SGD, Adam, StepLR
# ```
#
# Then go on by yourself: give each parameter group its own rate; decouple weight decay from the
# gradient and you have AdamW; write the update in place and see how much of the time was
# allocation.
