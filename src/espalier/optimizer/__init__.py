"""Optimizers: thin functions round torch's, so that each setting's type and range stands in a signature.

One file is one optimizer (``conf/optimizer/<name>.yaml``). May import ``state`` and ``core``; no sibling.
``parts`` holds other values for one of a task's several optimizers; it is read where the optimizers are built.
"""
