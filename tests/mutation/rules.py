"""Code of the reference that the contract leaves free: no mutant is made there.

A rule stands for a sentence of the contract, or for the absence of one. What is not covered by a
rule here must be killed by a graded cell or listed in `equivalent.toml`.
"""

from __future__ import annotations

import ast

#: Records and settings that "a student's class may keep its own way"; tests may not ask for them.
OWN_WAY = {
    "memory_usage",
    "convergence_rates",
    "stability_scores",
    "optimizer_rankings",
    "hyperparameter_suggestions",
    "max_grad_norm",
    "clip_enabled",
    "warmup_steps",
    "warmup_factor",
    "base_lr",
    "accumulation_steps",
    "use_fp16",
    "loss_scale",
    "dynamic_loss_scaling",
    "world_size",
    "rank",
}
WRITTEN_ONLY = {"memory_usage", "hyperparameter_suggestions"}
#: The wording of advice beyond its headings, and why a run ended: no test may read these.
FREE_FUNCTIONS = {"OptimizerConvergenceProfiler._rate_advice"}
FREE_NAMES = {"stopped_by", "note"}


def free(node: ast.AST, function: str) -> bool:
    """Whether a node, and all that is in it, may be written in any way.

    Parameters
    ----------
    node : ast.AST
        A node of the reference.
    function : str
        The qualified name of the function around it; "" outside.
    """
    return (
        _documents(node)
        or _checks_arguments(node)
        or _names_what_is_free(node)
        or _is_free_text(node)
        or function in FREE_FUNCTIONS
    )


def _documents(node: ast.AST) -> bool:
    """Docstrings."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _checks_arguments(node: ast.AST) -> bool:
    """Statements that do nothing but raise ValueError: the text asks for no such check."""
    if isinstance(node, ast.If):
        return not node.orelse and all(isinstance(inner, ast.Raise) for inner in node.body)
    return isinstance(node, ast.For) and all(_checks_arguments(inner) for inner in node.body)


def _names_what_is_free(node: ast.AST) -> bool:
    """Assignments to records of one's own, and the extra key of a profile."""
    if isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return all(_is_own(target) for target in targets)
    return isinstance(node, (ast.Constant, ast.Name)) and (
        getattr(node, "value", None) in FREE_NAMES or getattr(node, "id", None) in FREE_NAMES
    )


def _is_own(target: ast.AST) -> bool:
    if isinstance(target, ast.Name):
        return target.id in FREE_NAMES
    if isinstance(target, ast.Subscript):  # an entry of a record that nothing reads again
        return getattr(target.value, "attr", None) in WRITTEN_ONLY
    return isinstance(target, ast.Attribute) and target.attr in OWN_WAY


def _is_free_text(node: ast.AST) -> bool:
    """Text that is printed, formatted, or stands indented below a heading."""
    if isinstance(node, ast.FormattedValue):
        return node.format_spec is not None
    if isinstance(node, ast.Call):
        return getattr(node.func, "id", None) == "print"
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and (node.value.startswith("  ") or node.value in (".", ", "))
    )
