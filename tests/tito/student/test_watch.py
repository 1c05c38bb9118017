import itertools
import queue
import threading

from tito.student.watch import saves

#: Until a save must have been noticed.
DEADLINE = 10.0


def test_notices_save_before_first_look(tmp_path):
    notebook = tmp_path / "homework.ipynb"
    notebook.write_text("{}")
    later = saves(notebook)
    next(later)
    (tmp_path / "draft").write_text("{ }")
    (tmp_path / "draft").replace(notebook)  # as Jupyter saves
    seen: queue.Queue[object] = queue.Queue()

    def watch() -> None:
        for save in itertools.islice(later, 2):
            seen.put(save)

    threading.Thread(target=watch, daemon=True).start()
    seen.get(timeout=DEADLINE)
    notebook.write_text("{  }")
    seen.get(timeout=DEADLINE)  # and each of the later ones
    assert len(list(tmp_path.iterdir())) == 1
