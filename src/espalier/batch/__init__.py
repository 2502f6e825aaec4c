"""Encoded rows -> batches of tensors: the same ones whatever the ranks, the accumulation and the kills in between.

Which rows make up a batch (``order``), the batch itself (``gather``), one after the other with a position to go back
to (``loader``), and all of it as Lightning wants it (``batches``). Needs torch; the rooms that read rows do not. May
import ``core``. Whoever trains, evaluates or predicts imports it; so may a data option that makes batches of its own.
"""
