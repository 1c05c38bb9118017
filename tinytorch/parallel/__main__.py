"""``python -m tinytorch.parallel``: train the digits network on several processes, or measure."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tinytorch.parallel.cost import SIZES, CostModel, measure_all_reduce, measure_state
from tinytorch.parallel.errors import ParallelError
from tinytorch.parallel.launch import environment, how_it_ended, mpi_command
from tinytorch.parallel.ranks import PATIENCE, Ranks

_DESCRIPTION = """\
Train the digits network on several processes, or measure what that costs.

  python -m tinytorch.parallel train --ranks 2            start 2 processes here
  mpiexec -n 8 python -m tinytorch.parallel train         join 8 that mpiexec started
  srun -n 64 python -m tinytorch.parallel train           or a cluster's scheduler
"""


def main(arguments: list[str]) -> int:
    """Run the command line; return 0 (done), 1 (the work failed) or 2 (wrong use)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if getattr(options, "resume", False) and options.checkpoint is None:
        parser.error("--resume needs --checkpoint FILE")
    try:
        if options.ranks is not None:
            return _start(options, arguments)
        with Ranks.world(options.patience) as ranks:
            (_train if options.command == "train" else _measure)(ranks, options)
    except ParallelError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--ranks", type=_positive, metavar="N", help="start N processes here")
    shared.add_argument(
        "--patience", type=float, default=PATIENCE, metavar="SECONDS",
        help="end all when one keeps the others waiting longer (60; 0: never)",
    )  # fmt: skip
    parser = argparse.ArgumentParser(
        "python -m tinytorch.parallel",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    train = commands.add_parser("train", parents=[shared], help="train the digits network")
    train.add_argument("--optimizer", choices=("adam", "sgd"), default="adam")
    train.add_argument("--rate", type=float, default=0.01, help="learning rate (0.01)")
    train.add_argument("--batch", type=_positive, default=32, help="of all ranks together (32)")
    train.add_argument("--epochs", type=_positive, default=5)
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--sharded", action="store_true", help="shard the state (ZeRO stage 1)")
    train.add_argument("--checkpoint", type=Path, metavar="FILE", help="an .npz file to write")
    train.add_argument(
        "--every", type=_positive, default=20, metavar="STEPS", help="how often (20)"
    )
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint")
    train.add_argument(
        "--die", type=_rank_and_step, metavar="RANK:STEP", help="kill a rank, to see what happens"
    )
    commands.add_parser("measure", parents=[shared], help="messages, cost model, sharded memory")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return int(text)


def _rank_and_step(text: str) -> tuple[int, int]:
    rank, colon, step = text.partition(":")
    if not (colon and rank.isdigit() and step.isdigit()):
        raise argparse.ArgumentTypeError(f"must look like 1:30 (rank 1, step 30), got {text!r}")
    return int(rank), int(step)


def _start(options: argparse.Namespace, arguments: list[str]) -> int:
    """Run the same command, without --ranks, in each of several processes."""
    place = next(i for i, text in enumerate(arguments) if text.startswith("--ranks"))
    end = place + (1 if "=" in arguments[place] else 2)
    rest = arguments[:place] + arguments[end:]
    command = mpi_command(["-m", "tinytorch.parallel", *rest], options.ranks)
    code = subprocess.run(command, env=environment(options.ranks), check=False).returncode
    if code == 0:
        return 0
    message = f"the run of {options.ranks} processes failed: {how_it_ended(code)}."
    if getattr(options, "checkpoint", None) and options.checkpoint.exists():
        message += f" {options.checkpoint} holds its last checkpoint; go on with --resume."
    raise ParallelError(message)


def _train(ranks: Ranks, options: argparse.Namespace) -> None:
    try:
        from tinytorch.parallel.digits import Settings, train
    except ModuleNotFoundError as error:
        if error.name != "tinytorch.core.optimizers":
            raise
        raise ParallelError(
            "there is no tinytorch.core.optimizers yet; make it with 'tito export 08_optimizers'"
        ) from error
    settings = Settings(
        optimizer=options.optimizer,
        learning_rate=options.rate,
        batch_size=options.batch,
        epochs=options.epochs,
        seed=options.seed,
        sharded=options.sharded,
        die=options.die,
    )
    checkpoint = None
    if options.checkpoint is not None:
        from tinytorch.parallel.checkpoint import Checkpoint

        checkpoint = Checkpoint(options.checkpoint, options.every, options.resume)
    outcome = train(ranks, settings, checkpoint)
    if ranks.rank == 0:
        trained = len(outcome.losses)
        print(f"{ranks.size} ranks, {trained} steps in {outcome.seconds:.2f} s", end="")
        print(f" ({1000 * outcome.seconds / max(trained, 1):.2f} ms a step)")
        if trained:
            print(f"loss of the last batch {outcome.losses[-1]:.6f}", end=", ")
        print(f"test accuracy {outcome.accuracy:.3f}, weights {outcome.digest()}")
        print("replicas equal after every step:", "yes" if outcome.agreed else "NO")
    if not outcome.agreed:
        raise ParallelError("the replicas differ")


def _measure(ranks: Ranks, options: argparse.Namespace) -> None:
    from tinytorch.core.fused import FusedAdam

    times = measure_all_reduce(ranks)
    memory = [measure_state(ranks, FusedAdam, 1_000_000, sharded) for sharded in (False, True)]
    if ranks.rank:
        return
    if ranks.size > 1:
        nbytes = [4 * size for size in SIZES]
        model = CostModel.fit(ranks.size, nbytes, times)
        print(f"all-reduce of {ranks.size} ranks: {1e6 * model.latency:.1f} us,", end=" ")
        print(f"{model.bandwidth / 1e9:.2f} GB/s out of each rank")
        print(f"{'bytes':>10}{'measured us':>14}{'model us':>12}")
        for count, seconds in zip(nbytes, times, strict=True):
            print(f"{count:10,}{1e6 * seconds:14.1f}{1e6 * model.seconds(count):12.1f}")
    print(f"Adam's state, bytes a weight and rank: {memory[0]:.2f} (8 expected)", end=", ")
    print(f"sharded {memory[1]:.2f} ({8 / ranks.size:.2f} expected)")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
