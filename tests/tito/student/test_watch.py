import itertools
import threading

from tinytorch.tito.student.watch import Saves


def test_a_save_before_anybody_watches_is_not_missed(tmp_path):
    notebook = tmp_path / "homework.ipynb"
    notebook.write_text("{}")
    saves = Saves(notebook)
    (tmp_path / "draft").write_text("{ }")
    (tmp_path / "draft").replace(notebook)  # as Jupyter saves
    seen = iter(saves)
    next(seen)
    timer = threading.Timer(0.3, lambda: notebook.write_text("{  }"))
    timer.start()
    next(seen)  # and each of the later ones
    timer.join()
    assert len(list(itertools.islice(tmp_path.iterdir(), 3))) == 1
