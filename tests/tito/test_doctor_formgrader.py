"""The extension in which written answers are marked, as the doctor sees it."""

import json

from tito import doctor


def test_disabled_formgrader_is_reported(tmp_path, monkeypatch):
    assert doctor._formgrader().ok
    config = tmp_path / "jupyter_server_config.json"
    config.write_text(
        json.dumps({"ServerApp": {"jpserver_extensions": {doctor._FORMGRADER: False}}})
    )
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path))
    finding = doctor._formgrader()
    assert not finding.ok
    assert finding.remedy.endswith("enable --sys-prefix nbgrader.server_extensions.formgrader")
