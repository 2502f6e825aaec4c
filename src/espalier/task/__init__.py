"""What is learned: LightningModules with a loss, metrics, an objective and its direction.

One file is one task (``conf/task/<name>.yaml``); each is abstract (``AbstractTask``) or final. May import ``state`` and
``core``; no sibling. A task gets a learner (batch -> features), the facts of the data, and a factory of optimizers,
which it asks once for each set of parameters that learns on its own:

    class Gan(AbstractTask):
        automatic_optimization = False

        def configure_optimizers(self):
            parts = ("generator", "discriminator")
            return [self.optimizer_factory(getattr(self.learner, part), part) for part in parts]
"""
