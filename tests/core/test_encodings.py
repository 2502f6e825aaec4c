from __future__ import annotations

import pytest

from espalier.core.encodings import codec_of, decoded, is_utf8
from espalier.core.errors import DataError


def test_names_that_python_knows() -> None:
    assert (codec_of("UTF8"), codec_of("latin-1"), codec_of("GB18030")) == ("utf-8-sig", "iso8859-1", "gb18030")


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "rot13", "", "\0", "hex"])
def test_what_encodes_no_text_is_refused(encoding: str) -> None:
    with pytest.raises(DataError, match=r"encoding=.* is no encoding that Python knows"):
        codec_of(encoding, "encoding")


def test_a_text_comes_without_its_byte_order_mark() -> None:
    for encoding in ("utf-8", "utf-16", "utf-16-le", "gb18030"):
        assert decoded("\ufeffgrün".encode(encoding), "a.csv", encoding) == "grün"


def test_utf_16_of_which_nobody_knows_the_byte_order() -> None:
    with pytest.raises(DataError, match=r"a\.csv  has no byte order mark.* data\.encoding=utf-16-le, or utf-16-be"):
        decoded("text".encode("utf-16-le"), "a.csv", "utf-16")


@pytest.mark.parametrize(
    ("content", "encoding", "said"),
    [
        (b"a\nb\xe9c def", "utf-8", r"byte 0xe9 at position 3 \(line 2\)"),
        ("é".encode()[:1], "utf-8", "ends in the middle of a character on line 1"),
        ("text".encode("utf-16"), "utf-8", "Set data.encoding=utf-16"),
        ("caf\u00e9".encode(), "ascii", "It is valid UTF-8: set data.encoding=utf-8."),
        (b"caf\xe9 rue", "ascii", "Set data.encoding, for instance data.encoding=cp1252"),
        (b"a", "undefined", "is not undefined: .*undefined encoding"),
    ],
)
def test_what_is_wrong_with_the_bytes_is_said(content: bytes, encoding: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        decoded(content, "a.csv", encoding)


def test_utf_8_is_known_by_what_is_no_ascii() -> None:
    assert is_utf8("año".encode()) and not is_utf8("año".encode("cp1252")) and not is_utf8(b"ano")
