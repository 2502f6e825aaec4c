"""Encodings: raw rows -> numbers. Some learn from the training split (a vocabulary), some come with their weights.

One file is one encoding (``conf/model/encoding/<name>.yaml``); see ``core.parts.Encoding`` for what it promises.
"""
