from espalier.task.lexical import similarities


def test_texts_with_words_in_common_are_alike() -> None:
    found = similarities(["my card has not arrived", "pin"], ["card arrival", "change pin", "exchange rate"], [])
    assert found.shape == (2, 3)
    assert found[0].argmax() == 0 and found[1].argmax() == 1 and found[0, 2] == 0
