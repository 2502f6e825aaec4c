from __future__ import annotations

from pathlib import Path

import pytest

from espalier.core.frames import own_frames, own_place


def test_the_innermost_line_of_ones_own_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "mine.py"
    file.write_text("from pathlib import Path\ndef f():\n    Path(3)\n")
    space: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), space)
    with pytest.raises(TypeError) as caught:
        space["f"]()  # type: ignore[operator]
    assert own_place(caught.value) == "mine.py:3"
    assert [frame.name for frame in own_frames(caught.value)][-1:] == ["f"]


def test_a_line_that_is_no_python_and_an_error_that_was_never_raised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SyntaxError) as caught:
        compile("x = 1\ndef f(:\n", str(tmp_path / "mine.py"), "exec")
    assert own_place(caught.value) == "mine.py:2"
    assert own_place(ValueError()) == ""
