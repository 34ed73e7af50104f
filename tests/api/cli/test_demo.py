"""`stockade demo`: the whole thing, small."""

from pathlib import Path

import pytest

from tests.api.conftest import run, store_processes


def test_the_demo_sells_without_overselling_and_leaves_only_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claim, as numbers; its report, in one file; and no process, no data, nothing else in the directory."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    report = tmp_path / "out" / "report.html"
    finished = run("demo", "--orders", 300, "--json", "--report", report)
    assert finished.code == 0, finished.err
    result = finished.json
    assert (result["offered"], result["failed"], result["oversold"]) == (300, 0, 0)
    assert result["books_balance"] is True
    assert result["audit_findings"] == []
    assert result["reserved"] + result["replayed"] + sum(result["refused"].values()) == 300
    assert result["reserved"] > 100
    assert "<svg" in report.read_text(encoding="utf-8")
    assert list((tmp_path / "temporary").iterdir()) == []
    assert store_processes(tmp_path) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "temporary"]
