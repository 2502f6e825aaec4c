"""Optimizers: thin functions round torch's, so that each setting's type and range stands in a signature.

One file is one optimizer (``conf/optimizer/<name>.yaml``). May import ``state`` and ``core``; no sibling.
What all of them have (``common.Common``) is read before they are called: they get groups of parameters, each with the
rate and the weight decay that it is to have (``build.groups``). One that lacks those keys gets a list of parameters.

    def lion(groups: ParamsT, /, *, lr: Annotated[float, Gt(0)], **_common: Unpack[Common]) -> Optimizer: ...
"""
