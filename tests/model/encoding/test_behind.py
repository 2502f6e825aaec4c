from __future__ import annotations

import pytest
from tokenizers import Tokenizer, models, normalizers

from espalier.model.encoding.behind import Behind


def tokenizer(*, prepends: bool) -> Tokenizer:
    """Of single signs, but that a blank and what follows it are one, and two line ends are."""
    signs = ["▁", "\n", "a", "b", "▁a", "▁b", "\n\n"]
    merges = [("▁", "a"), ("▁", "b"), ("\n", "\n")]
    made = Tokenizer(models.BPE({sign: place for place, sign in enumerate(signs)}, merges))
    blanks = normalizers.Replace(" ", "▁")
    made.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), blanks]) if prepends else blanks
    return made


@pytest.mark.parametrize("prepends", [False, True])
@pytest.mark.parametrize("pieces", [["a b\n", "a"], ["a\n", " b\n", "a b"], ["a", "", "b"], ["b"]])
def test_pieces_together_are_the_whole(pieces: list[str], prepends: bool) -> None:
    made = tokenizer(prepends=prepends)
    found = Behind(made)(pieces, [place == 0 for place in range(len(pieces))])
    assert [token for ids in found for token in ids] == made.encode("".join(pieces)).ids
    assert len(found) == len(pieces)


def test_several_texts_begin_each_on_their_own() -> None:
    made = tokenizer(prepends=True)
    assert [list(ids) for ids in Behind(made)(["a\n", "b", "a"], [True, False, True])] == [
        made.encode("a\n").ids, made.encode("\nb").ids[2:], made.encode("a").ids
    ]  # fmt: skip


def test_what_becomes_one_with_the_line_before_it_stands_alone() -> None:
    made = tokenizer(prepends=True)
    assert list(Behind(made)(["a", "\nb"], [True, False])[1]) == made.encode("\nb").ids
