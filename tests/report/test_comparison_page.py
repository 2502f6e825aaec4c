from __future__ import annotations

from pathlib import Path

from espalier.report.comparison import sides_of
from espalier.report.comparison_page import write_comparison
from report.run_files import write_metrics
from report.test_comparison import accurate, run


def page_of(tmp_path: Path) -> str:
    write_metrics(tmp_path)
    runs = [
        run(directory=tmp_path, name="<script>alert(1)</script>", **accurate(0.8)),
        run(seed=1, directory=tmp_path, **accurate(0.9)),
        run(lr=0.1, directory=tmp_path, **accurate(0.7)),
    ]
    return write_comparison(sides_of(runs), tmp_path / "comparison.html").read_text(encoding="utf-8")


def test_it_shows_metrics_curves_differences_and_cost(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    for said in ("0.850", "± 0.071", "0.600 – 0.800", "−0.150", "optimizer.<wbr>lr", "0.001", "2 min 41 s"):
        assert said in page
    assert page.count('class="line series run-1"') == 2 * 3 and page.count('class="line series run-2"') == 3


def test_the_runs_scroll_in_a_box_of_their_own_and_words_stay_whole(tmp_path: Path) -> None:
    runs = page_of(tmp_path).partition("<header>")[2].partition("</header>")[0]
    assert runs.index('class="wide"') < runs.index("<table")
    assert (
        runs.count('<td class="keep"><span class="status done">') == 3
        and runs.count('<td class="soft whole path">') == 3
    )


def test_it_fetches_and_runs_nothing(tmp_path: Path) -> None:
    page = page_of(tmp_path)
    assert "<script" not in page and "url(" not in page and "default-src 'none'" in page


def test_runs_that_left_nothing_have_a_page(tmp_path: Path) -> None:
    sides = sides_of([run(metrics={}, directory=tmp_path), run(lr=0.1, metrics={}, directory=tmp_path)])
    assert "Metrics" not in write_comparison(sides, tmp_path / "c.html").read_text()
