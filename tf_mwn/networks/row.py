"""One row of the table of networks."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class NetworkRow:
    """One network, or a family of them.

    Attributes:
        name: what `--network` calls it; of a family, its form with the parameters in <>.
        title: one line.
        builder: dotted path, below this package, of (input_shape, num_classes, **options) -> model.
        options: arguments of the builder.
        own_weights: whether the builder takes `weights` itself.
        batch_norm: whether it may contain batch norm.
        takes_tokens: whether its inputs are numbers of tokens, which are not standardised.
        synchronised: whether batch norm takes its statistics from the batches of all devices.
    """

    name: str
    title: str
    builder: str
    options: dict = dataclasses.field(default_factory=dict)
    own_weights: bool = False
    batch_norm: bool = True
    takes_tokens: bool = False
    synchronised: bool = False
