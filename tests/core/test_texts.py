from espalier.core.texts import is_whole


def test_halves_of_characters_are_told() -> None:
    assert all(map(is_whole, ["", "größe 星 🙂", "\0", "\ud7ff"]))
    assert not any(map(is_whole, ["\ud83d", "a\udcff", "\ude42\ud83d"]))
