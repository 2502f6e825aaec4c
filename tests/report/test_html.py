from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from espalier.config.compose import compose
from espalier.config.saved import summary, write
from espalier.core.outcome import Outcome
from espalier.report.html import write_report
from report.run_files import TEXTS, outcome_of, write_metrics, write_predictions


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, directory: Path, outcome: Outcome) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.source = write_report(directory, outcome).read_text(encoding="utf-8")
        self.feed(self.source)
        self.text = re.sub(r"\s+", " ", "".join(self.texts))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_holds_everything_of_a_finished_run(run_directory: Path, outcome: Outcome) -> None:
    text = Page(run_directory, outcome).text
    for heading in (
        "Metrics",
        "Cost",
        "Learning curves",
        "Confusion",
        "Classes",
        "Calibration",
        "Worst errors",
        "Data",
    ):
        assert heading in text
    for said in (
        "0.912",
        "0.884 – 0.918",
        "2 min 41 s",
        "163 texts/s, 2,710 tokens/s",
        "22.7 M, of which 0.34 M trained (1.5%)",
    ):
        assert said in text
    assert f"espalier train --rerun {run_directory}" in text
    assert "2 empty" in text and "6,918" in text and "9f2c9f2c" in text and "3581bc4" in text
    assert "chosen by validation/accuracy (highest)" in text


def test_it_is_one_file_that_fetches_nothing_and_runs_nothing(run_directory: Path, outcome: Outcome) -> None:
    page = Page(run_directory, outcome)
    assert not {"script", "link", "img", "iframe", "object", "base", "form"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name in ("src", "href", "action") or name.startswith("on")]
    assert "url(" not in page.source and "@import" not in page.source
    assert "default-src 'none'" in page.source


def test_texts_and_labels_of_strangers_are_text(run_directory: Path, outcome: Outcome) -> None:
    text = Page(run_directory, outcome_of(name="<script>1</script>", error="")).text
    for stranger in (*TEXTS[:6], "<script>alert(1)</script>", "<script>1</script>", "</pre><script>alert(1)</script>"):
        assert stranger.replace("  ", " ") in text


def test_a_failed_run_shows_its_error_and_how_to_go_on(tmp_path: Path) -> None:
    write_metrics(tmp_path)
    text = Page(
        tmp_path, outcome_of(status="failed", metrics={}, intervals={}, error="RuntimeError: no memory <b>")
    ).text
    assert "It failed at step 120" in text and "RuntimeError: no memory <b>" in text
    assert f"espalier train --resume {tmp_path}" in text
    assert "Learning curves" in text and "Metrics" not in text and "Confusion" not in text


def test_a_run_that_left_nothing_has_a_page(tmp_path: Path) -> None:
    bare = Outcome("interrupted", "x", 0, "2026-11-30T14:02:11", 1, "heron", error="stopped by SIGTERM")
    text = Page(tmp_path, bare).text
    assert "It was stopped" in text and "stopped by SIGTERM" in text and "heron" in text
    assert "Cost" not in text and "Learning curves" not in text


def test_trackers_are_told_under_one_name(run_directory: Path, outcome: Outcome) -> None:
    told = replace(outcome, tracking={"lines": ["W&B offline", "send it: wandb sync"]})
    page = write_report(run_directory, told).read_text()
    assert page.count("<dt>tracking</dt>") == 1 and "W&amp;B offline<br>send it: wandb sync" in page


def test_a_task_without_classes(tmp_path: Path) -> None:
    write_metrics(tmp_path, steps=3, epochs=1)
    gan = outcome_of(metrics={"test/fid": 33.5}, intervals={}, objective="validation/fid", direction="min", data={})
    text = Page(tmp_path, gan).text
    assert "33.5" in text and "samples/s" in text and "Confusion" not in text


@pytest.mark.parametrize("lost", ["NaN", "Infinity"])
def test_a_loss_that_is_no_number_is_said(tmp_path: Path, lost: str) -> None:
    write_metrics(tmp_path, steps=120, lost=lost)
    assert "40 values not a finite number, the first at step 81" in Page(tmp_path, outcome_of()).text


def test_images_have_errors_without_texts_and_labels_may_be_missing(tmp_path: Path) -> None:
    write_predictions(tmp_path, classes=10, texts=())
    text = Page(tmp_path, outcome_of(data={"unit": "images", "labels": {"a": ["x"], "b": ["y"]}})).text
    assert "Worst errors" in text and re.search(r"sure of \d ?it is \d · row \d+", text)


def test_a_run_of_one_epoch_with_many_classes(tmp_path: Path) -> None:
    write_metrics(tmp_path, epochs=1)
    write_predictions(tmp_path, classes=77, rows=800)
    labels = [f"intent_{n}" for n in range(77)]
    page = Page(tmp_path, outcome_of(data={**outcome_of().data, "labels": labels}))
    assert "best 0.900" in page.text and "intent_76" in page.text


def test_a_baseline_stands_beside_the_metrics(run_directory: Path, outcome: Outcome) -> None:
    baseline = {"name": "bag of words", "metrics": {"test/accuracy": 0.7654}, "intervals": {}}
    assert "bag of words" not in Page(run_directory, outcome).text
    page = Page(run_directory, outcome_of(summary={**outcome.summary, "baseline": baseline}))
    text, table = page.text, page.source.partition("<h2>Metrics</h2>")[2].partition("</table>")[0]
    assert "validation</th>" in table and "if-room" not in table and 'class="wide"' in table  # it scrolls on a phone
    assert "bag of words" in text and "0.765" in text and "Bag of words: the baseline, on the same test rows." in text


def test_what_was_set_and_by_whom(tmp_path: Path, outcome: Outcome) -> None:
    experiment = compose(["optimizer.lr=3e-4", "seed=5"])
    write(experiment, tmp_path)
    page = Page(tmp_path, outcome_of(summary=summary(experiment)))
    assert "optimizer.lr0.0003command line: optimizer.lr=3e-40.001" in page.text
    assert "optimizer.lr=3e-4 seed=5" in page.text


def test_what_checking_the_data_found(run_directory: Path, outcome: Outcome) -> None:
    assert "checks" not in Page(run_directory, outcome).text
    clean = outcome_of(data={**outcome.data, "checks": {"leaked": {}, "imbalance": 1.0}})
    assert "nothing leaks between splits, nothing stands twice" in Page(run_directory, clean).text
    counts = {"train": {"read": 500, "kept": 500, "truncated": 0, "dropped": {}}}
    few = {**outcome.data, "counts": counts, "checks": {"leaked": {}, "repeated": {"train": 1}}}
    assert "nothing leaks between splits, little stands twice" in Page(run_directory, outcome_of(data=few)).text
    leaking = {"leaked": {"test": 123}, "shared": {"test": {"train": 123}}, "repeated": {}, "conflicts": 0, "empty": {}}
    text = Page(run_directory, outcome_of(data={**outcome.data, "checks": leaking})).text
    assert "123 texts of test are in train too" in text


def test_without_texts_it_may_go_elsewhere(run_directory: Path, outcome: Outcome, tmp_path: Path) -> None:
    written = write_report(run_directory, outcome, texts=False, to=tmp_path / "elsewhere.html")
    page = written.read_text(encoding="utf-8")
    assert "Worst errors" in page and "Größe" not in page and not (run_directory / "report.html").exists()
    assert "Größe" in write_report(run_directory, outcome).read_text(encoding="utf-8")


def test_rows_with_any_number_of_labels_have_a_table_of_labels(tmp_path: Path) -> None:
    (tmp_path / "predictions").mkdir()
    columns = {
        "row": [0, 1],
        "target": [[1, 0], [1, 1]],
        "prediction": [[1, 0], [0, 1]],
        "scores": [[0.9, 0.1], [0.2, 0.8]],
    }
    pq.write_table(pa.table(columns), tmp_path / "predictions" / "test.parquet")
    text = Page(tmp_path, outcome_of(data={"labels": ["wet", "cold"]})).text
    assert "1 of 2 test rows not right in every label (50%)" in text and re.search("wet 1.000 0.500 0.6672", text)
    assert "Confusion" not in text and "Calibration" not in text


def test_writing_again_replaces_the_page(run_directory: Path, outcome: Outcome) -> None:
    first = write_report(run_directory, outcome).read_text()
    assert write_report(run_directory, outcome).read_text() == first
    assert [file.name for file in run_directory.glob("*report*")] == ["report.html"]


BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)


@pytest.mark.e2e
@pytest.mark.skipif(BROWSER is None, reason="no chromium is installed")
@pytest.mark.parametrize("width", [400, 1400])
def test_a_browser_shows_it_without_a_complaint_or_a_sideways_scroll(tmp_path: Path, width: int) -> None:
    run = tmp_path / "run"
    run.mkdir()
    write_metrics(run)
    write_predictions(run, classes=18)
    labels = ["a_label_of_some_length_that_nobody_would_break_by_hand", *(f"取消订单 {n}" for n in range(17))]
    write_report(run, outcome_of(data={**outcome_of().data, "labels": labels}))
    title, complaints = browse(run / "report.html", tmp_path, width)
    assert complaints == []
    assert title == f"{width} {width}"


def browse(report: Path, folder: Path, width: int) -> tuple[str, list[str]]:
    """Widths of the window and of what it holds, as a page that frames the report measures them; console messages."""
    # A headless browser's own window is at least 500 wide; a frame may be as narrow as it likes.
    measure = "d = f.contentDocument.documentElement; document.title = d.clientWidth + ' ' + d.scrollWidth"
    frame = f"<iframe id=f src='{report.as_uri()}' style='border:0;width:{width}px;height:900px' onload=\"{measure}\">"
    (folder / "frame.html").write_text(f"<!doctype html><title></title>{frame}</iframe>", encoding="utf-8")
    command = [
        str(BROWSER),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ]
    command += ["--allow-file-access-from-files", f"--user-data-dir={folder / 'profile'}", "--window-size=1500,1000"]
    command += ["--enable-logging=stderr", "--dump-dom", (folder / "frame.html").as_uri()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    title = re.search("<title>(.*?)</title>", result.stdout)
    assert title, result.stderr
    return title[1], [line for line in result.stderr.splitlines() if "CONSOLE" in line]


def test_without_texts_an_error_is_named_and_not_quoted(tmp_path: Path) -> None:
    outcome = Outcome("failed", "n", 0, "", 1, "h", error="ValueError: could not convert 'my own text'")
    page = write_report(tmp_path, outcome, texts=False).read_text()
    assert "ValueError" in page and "my own text" not in page
    assert "my own text" in write_report(tmp_path, outcome).read_text()
