"""Checkpoints in a format of our own, and exact resume. May import torch, Lightning and ``core``; parts may import it.

A checkpoint is a folder: ``tensors.safetensors``, ``state.json`` and, written last, ``manifest.json`` with checksums of
both. Nothing in it can run code: reading it makes tensors and plain values, never an object by its name.

    store = Store(directory / "checkpoints")
    trainer = pl.Trainer(plugins=[FolderCheckpointIO()], callbacks=[..., ExactResume(metrics.offset, metrics.cut)])
    newest = store.newest()
    trainer.fit(task, batches, ckpt_path=newest and newest.path)

Promises: what was saved is whole or not there, whenever the process or the machine dies; a checkpoint that was damaged
later is told apart; a resumed run computes the same bits as one never stopped. Not promised: the same bits on another
machine, with another number of processes, or with another version of torch.
"""
