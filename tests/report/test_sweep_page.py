from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from espalier.core.errors import UserError
from espalier.core.record import trial_directory
from espalier.report.sweep_page import write_sweep_report
from report.sweep_files import Made, grid, searched, with_second
from report.test_html import BROWSER

STRANGE = ("</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"quoted\" & 'quoted'", "客服 größe")


class Page(HTMLParser):
    """What a reader sees of a page: text outside scripts and styles; its tags and their attributes."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.source = file.read_text(encoding="utf-8")
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.parts: list[str] = []
        self.inside = ""
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", "".join(self.parts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.parts.append(data)

    @property
    def figures(self) -> dict[str, Any]:
        found = re.search(r'id="figures">(.*?)</script>', self.source, re.DOTALL)
        assert found
        content: dict[str, Any] = json.loads(found[1])
        return content


def test_the_page_holds_everything_of_a_finished_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(write_sweep_report(grid(tmp_path, monkeypatch)))
    for heading in ("Best", "Learning curves", "Search", "Settings", "Quality and cost", "Machine time",
                    "Do early values tell the final ones?", "What did not come to its end", "All trials"):  # fmt: skip
        assert heading in page.text
    assert "espalier train data=sst2 adapter=lora optimizer.lr=0.0003 adapter.r=8 seed=0" in page.text
    assert "espalier train -m data=sst2 adapter=lora,probe,full" in page.text
    assert "test accuracy 0.875 ± 0.004, 3 seeds" in page.text and "trials 3, 4, 5, seeds 0, 1, 2" in page.text
    assert "RuntimeError: loss is NaN <b>" in page.text and "step 75 loss NaN" in page.text
    assert "hunter2" not in page.source
    assert page.tags.count("tr") > 28
    drawn = {place for name, place in page.attributes if name == "data-figure"}
    assert drawn == set(page.figures) and len(drawn) >= 9


def test_it_is_one_file_that_fetches_nothing_and_runs_its_own_scripts_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = Page(write_sweep_report(grid(tmp_path, monkeypatch)))
    assert not {"link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "action") or name.startswith("on")]
    policy = next(v for _, v in page.attributes if v and "default-src" in v)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-")
    scripts = re.findall(r"<script>(.*?)</script>", page.source, re.DOTALL)
    said = re.findall(r"'sha256-(.*?)'", policy)
    assert [base64.b64encode(hashlib.sha256(one.encode()).digest()).decode() for one in scripts] == said


def test_words_of_strangers_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i, strange in enumerate(STRANGE):
        made.run(made.plan({"data.name": strange, "x": i}), [0.5 + 0.1 * i, 0.6])
    made.run(made.plan({"data.name": "x", "x": 9}), [], ends="failed", why=STRANGE[0], log=STRANGE[1])
    page = Page(write_sweep_report(made.finish(words=[f"data.name={STRANGE[0]}"])))
    assert page.tags.count("script") == 3 and "img" not in page.tags
    for strange in STRANGE:
        assert strange in page.text
    assert "客服 größe" in json.dumps(page.figures, ensure_ascii=False)
    with (tmp_path / "trials.csv").open(encoding="utf-8", newline="") as file:
        assert [row["data.name"] for row in csv.DictReader(file)][:4] == list(STRANGE)
    assert "<script" not in (tmp_path / "report.md").read_text(encoding="utf-8").replace("    espalier", "")


def test_a_sweep_of_which_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.plan({"x": 1})
    page = Page(write_sweep_report(made.finish("running")))
    assert "No trial is done yet" in page.text and "1 waiting" in page.text and "killed" in page.text
    assert "espalier sweep resume" in page.text and page.figures == {}
    assert "Plotly" not in page.source.partition("<script>")[2].partition("</script>")[0][:2000]


def test_a_sweep_without_any_record(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text("sweep: {}")
    assert "No trial is done yet" in Page(write_sweep_report(tmp_path)).text


def test_one_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": 1}), [0.5, 0.6])
    page = Page(write_sweep_report(made.finish()))
    assert set(page.figures) == {"curves-0", "slots-0"} and "x=1" in page.text


def test_failed_ones_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i in range(5):
        made.run(made.plan({"x": i}), [], ends="failed", why="OSError: disk full", log=f"log of {i}")
    page = Page(write_sweep_report(made.finish()))
    assert "No trial is done yet" in page.text and "5OSError: disk full" in page.text
    assert "log of 2" in page.text and "log of 3" not in page.text  # three of a kind are enough
    assert set(page.figures) == {"slots-0"} and "espalier sweep retry --failed" in page.text


def test_without_texts_it_has_no_logs_and_names_errors_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    made.run(made.plan({"x": 1}), [], ends="failed", why="ValueError: not 'my own text'", log="printed: my own text")
    directory = made.finish()
    own, elsewhere = write_sweep_report(directory), tmp_path / "elsewhere"
    elsewhere.mkdir()
    page = write_sweep_report(directory, elsewhere / "report.html", texts=False)
    assert own.read_text().count("my own text") >= 2
    assert all("my own text" not in file.read_text() for file in elsewhere.iterdir())
    assert "ValueError" in page.read_text()


def test_several_objectives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Page(write_sweep_report(with_second(tmp_path, monkeypatch))).text
    assert (
        "best peak memory bytes 776 MB" in text
        and "No other is better in every objective: trials 5, 4, 3, 2, 1, 0" in text
    )


def test_a_moved_sweep_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.move(grid(tmp_path / "before", monkeypatch), tmp_path / "after")
    (trial_directory(tmp_path / "after", 3) / "report.html").write_text("of the trial")
    inside = Page(write_sweep_report(tmp_path / "after"))
    assert ("href", "trials/003/report.html") in inside.attributes and str(tmp_path / "before") not in inside.source
    outside = write_sweep_report(tmp_path / "after", tmp_path / "mine.html")
    assert outside == tmp_path / "mine.html" and (tmp_path / "mine.md").exists() and (tmp_path / "mine.csv").exists()
    assert ("href", "after/trials/003/report.html") in Page(outside).attributes


def test_a_rule_that_cuts_too_early_is_warned_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(tmp_path, monkeypatch)
    for i in range(8):
        made.run(made.plan({"x": i}), [0.7 - 0.01 * i, 0.8 + 0.02 * i], rungs=[1])
    text = Page(write_sweep_report(made.finish(pruning="asha"))).text
    assert "After 1 validation the order of the trials says little of their final order" in text and "-1.00" in text


def test_the_same_sweep_makes_the_same_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_sweep_report(grid(tmp_path, monkeypatch)).read_bytes()
    assert write_sweep_report(tmp_path).read_bytes() == first


def test_what_is_no_sweep_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError):
        write_sweep_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.e2e
@pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")
def test_in_a_browser_figures_are_drawn_and_the_table_sorts_and_filters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = write_sweep_report(searched(tmp_path / "sweep", monkeypatch))
    source = report.read_text(encoding="utf-8")
    # The policy lets no further script run: this one stands in the page's own, at its end.
    probe = """
    const heads = [...document.querySelectorAll("#trials thead th")];
    const column = heads.findIndex((one) => one.textContent === "accuracy");
    const buttons = document.querySelectorAll("#trials thead button");
    buttons[column].click();
    const sorted = [...document.querySelectorAll("#trials tbody tr")].map((row) => row.cells[column].dataset.value);
    const filter = document.getElementById("filter");
    filter.value = "failed"; filter.dispatchEvent(new Event("input"));
    const left = [...document.querySelectorAll("#trials tbody tr")].filter((row) => !row.hidden).length;
    for (const one of document.querySelectorAll("[data-figure]")) one.scrollIntoView();
    dispatchEvent(new Event("beforeprint"));
    setTimeout(() => { document.title = JSON.stringify({ sorted, left,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      drawn: document.querySelectorAll("[data-figure] .main-svg").length > 0
        && [...document.querySelectorAll("[data-figure]")].every((one) => one.querySelector(".main-svg")) }); }, 500);
    </script>"""
    own = source[source.rindex("<script>") + len("<script>") : source.rindex("</script>")]
    probed = own + probe.removesuffix("</script>")
    named = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (own, probed)]
    (tmp_path / "probed.html").write_text(source.replace(own, probed).replace(*named), encoding="utf-8")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
               f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,1000", "--enable-logging=stderr",
               "--virtual-time-budget=20000", "--dump-dom", (tmp_path / "probed.html").as_uri()]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert [line for line in result.stderr.splitlines() if "CONSOLE" in line] == []
    title = re.search("<title>(.*?)</title>", result.stdout)
    assert title
    found = json.loads(title[1].replace("&quot;", '"'))
    values = [float(one) for one in found["sorted"] if one]
    assert values == sorted(values, reverse=True) and len(values) == 17 and set(found["sorted"][17:]) == {""}
    assert (found["left"], found["wide"], found["drawn"]) == (2, 0, True)
