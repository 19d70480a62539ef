"""What the registry knows of a method."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class MethodRow:
    """One method.

    Attributes:
        name: what flags and result files call it.
        title: one line.
        paper: author, venue, year and link.
        builder: "module:name" of a class or function below `tf_mwn.methods`; called with the
            classifier, `options` and `facts`.
        needs_meta_set: whether training elements must hold meta batches.
        options: constructor arguments that settings of the same name supply.
        facts: constructor arguments that `TrainingFacts` of the same name supply.
        compile_options: settings that only the meta optimizer reads.
        stream_options: settings that only the training stream reads.
    """

    name: str
    title: str
    paper: str
    builder: str
    needs_meta_set: bool = False
    options: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    compile_options: tuple[str, ...] = ()
    stream_options: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """The method's own settings; every other method ignores them."""
        return self.options + self.compile_options + self.stream_options
