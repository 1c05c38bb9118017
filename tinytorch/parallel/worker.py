"""What :func:`tinytorch.parallel.launch` runs in each process: ``python -m`` this, FOLDER."""

from __future__ import annotations

import pickle
import sys
import traceback
from pathlib import Path

import cloudpickle

from tinytorch.parallel.ranks import Ranks


def main(folder: Path) -> None:
    """Call the function in ``task.pickle`` with the ranks; leave what it returns, or its error."""
    with Ranks.world() as ranks:
        try:
            function, arguments = pickle.loads((folder / "task.pickle").read_bytes())
            result = cloudpickle.dumps(function(ranks, *arguments))
        except BaseException as error:
            reason = "".join(traceback.format_exception_only(error)).strip()
            (folder / f"failed-{ranks.rank}.txt").write_text(
                f"rank {ranks.rank} of {ranks.size} failed: {reason}"
            )
            if isinstance(error, NotImplementedError):
                (folder / "unfinished.txt").write_text(str(error))
            raise
        (folder / f"result-{ranks.rank}.pickle").write_bytes(result)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
