from __future__ import annotations

from dataclasses import replace

from espalier.core.findings import Doubts, Findings, Lengths, Suspect
from espalier.report.data_checks import check_lines, short_lines, show_lines

FINE = Findings("texts", {"train": 1_000, "validation": 100, "test": 100})
CLASSES = {"train": {"a": 990, "b": 10}, "validation": {"a": 100, "b": 0}, "test": {"a": 90, "b": 10}}
FOUND = replace(
    FINE,
    repeated={"train": 20, "test": 1},
    leaked={"validation": 1, "test": 5},
    shared={"validation": {"train": 1}, "test": {"train": 4, "validation": 1}},
    conflicts=1,
    classes=CLASSES,
)


def test_a_run_is_told_nothing_where_all_is_well() -> None:
    assert short_lines(FINE) == []
    assert short_lines(replace(FINE, repeated={"train": 9})) == []  # less than one in a hundred
    assert short_lines(replace(FINE, classes={"train": {"a": 900, "b": 100}})) == []


def test_a_run_is_told_in_three_lines() -> None:
    assert short_lines(FOUND) == [
        "leaked     1 text of validation is in train too; 5 texts of test are in earlier splits too (4 in train, 1 in "
        "validation)",
        "repeated   20 rows of train, 1 row of test stand there already; 1 text with more than one label",
        "classes    b has 10 rows in train, a 990 (1 : 99); no row of validation is b   (espalier data check)",
    ]


def test_checking_says_what_it_looked_for() -> None:
    lines = check_lines("mine", "mine.csv", FINE, {}, None, 120)
    assert lines == [
        "mine   texts: train 1,000, validation 100, test 100   mine.csv", "",
        "leaked     no text of a split is in an earlier one", "repeated   no text twice",
    ]  # fmt: skip


def test_checking_shows_what_it_doubts_most() -> None:
    suspects = [Suspect("label", "train", row, "a  long\ntext " * 20, "bad", "good", 0.1) for row in range(30)]
    doubted = Doubts(suspects, 1_200, 0.84, "words")
    words = {"train": Lengths(20, 900, 128, 3)}
    lines = check_lines("mine", "mine.csv", replace(FOUND, empty={"test": 1}), words, doubted, 100)
    text = "\n".join(lines)
    assert "1 row of test says nothing" in text
    assert "train: 20 words at the median, 900 at most; 3 rows have more than data.max_length=128" in text
    assert "30 of 1,200 are doubted, by words" in text
    assert sum(line.startswith("train ") for line in lines) == 10
    assert all(len(line) <= 100 for line in lines if line.startswith("train "))


def test_showing() -> None:
    record = {
        "origin": "mine.csv",
        "kinds": {"image": "image", "label": "label"},
        "shape": [1, 2, 3],
        "counts": {"train": {"read": 12, "kept": 10, "dropped": {"limit": 2}}},
        "classes": {"train": {f"c{i}": i for i in range(20)}},
        "notes": ["one label occurs once"],
        "rows": {"train": [{"row": 3, "image": [0, 1, 2, 3, 4, 5], "slice:shop": "north", "label": "c1"}]},
    }
    lines = show_lines("mine", record, 120)
    assert "train     10   2 dropped (limit)" in lines
    assert "image        image, 1 x 2 x 3" in lines
    assert "slice:shop" in [line.strip() for line in lines]
    assert [line.split()[0] for line in lines if line.startswith("c1")][:2] == ["c19", "c18"]
    assert "… 8 more" in lines
    assert lines[-1] == "  row=3   image=[0, 1, 2, 3, 4, 5]   slice:shop=north   label=c1"


def test_a_long_text_hides_no_label() -> None:
    record = {
        "origin": "x", "kinds": {"text": "text", "label": "label"}, "shape": [], "counts": {}, "classes": {},
        "notes": [],
        "rows": {"train": [{"row": 3, "text": "long " * 100, "label": "c1"}]},
    }  # fmt: skip
    assert show_lines("mine", record, 80)[-1].startswith("  row=3   label=c1   text=long long")


def test_labels_that_differ_in_case_and_blanks_only_are_said_and_quoted() -> None:
    found = replace(FINE, classes={"train": {"gut": 900, "Gut ": 1, "schlecht": 99}})
    text = "\n".join(check_lines("mine", "mine.csv", found, {}, None, 120))
    assert "'gut' and 'Gut ' differ in case and blanks only" in text
    assert "'Gut ' has 1 row in train, gut 900 (1 : 900)" in text
    record = {"origin": "x", "kinds": {}, "shape": [], "counts": {}, "classes": found.classes, "notes": [], "rows": {}}
    lines = show_lines("mine", record, 80)
    assert "'gut' and 'Gut ' differ in case and blanks only" in lines
    record["classes"] = {"train": {"1": 5, "1.0": 2, "2": 9, "3.0": 4, "10": 4}}
    assert [line for line in show_lines("mine", record, 80) if "differ" in line] == [
        "'1' and '1.0' differ in how a number is written only"
    ]
    assert any(line.startswith("'Gut '") for line in lines)


def test_a_conversation_is_shown_as_what_was_said_in_turn() -> None:
    said = [{"role": "system", "content": "Be\nbrief."}, {"role": "user", "content": "Where is my parcel?"}]
    record = {
        "origin": "talks.jsonl", "kinds": {"messages": "messages", "answer": "target"}, "shape": [],
        "counts": {"train": {"kept": 1, "dropped": {}}}, "classes": {}, "notes": [],
        "rows": {"train": [{"row": 1, "messages": said, "answer": "On its  way.", "slice:shop": "es"}]},
    }  # fmt: skip
    lines = show_lines("mine", record, 100)
    assert lines[lines.index("train:") + 1 :] == [
        "  row=1   slice:shop=es", "    system: Be brief.", "    user: Where is my parcel?", "    answer: On its way.",
    ]  # fmt: skip
