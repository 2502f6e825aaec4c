"""How little of a backbone learns: ``Module -> Module``. The head belongs to the task and always learns.

One file is one adapter (``conf/adapter/<name>.yaml``). May import ``state`` and ``core``; no sibling.

    def bitfit(backbone: nn.Module, facts: DataFacts, /) -> nn.Module:
        for name, parameter in backbone.named_parameters():
            parameter.requires_grad_(name.endswith("bias"))
        return backbone.train()

An adapter also sets the mode, training or evaluation, in which its modules stay while training: Lightning keeps it.
"""
