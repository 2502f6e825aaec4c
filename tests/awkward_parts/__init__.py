"""A user's package with three experiments that do not fit the usual mould: a GAN, two heads over two data sets,
an encoder-decoder whose tokenizer is trained on the data."""
