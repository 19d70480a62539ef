"""Times a training step against plain cross-entropy: `python -m launch.benchmark [--flags]`."""

from absl import app, flags

from launch.command_line import fail, parse, quiet_start
from tf_mwn.networks import check_network

_NETWORK = flags.DEFINE_string("network", "resnet32", "Classifier to time, on 32x32x3 images.")
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 100, "Training and meta batch size.", 1)
_ROUNDS = flags.DEFINE_integer("rounds", 15, "Timed steps of each case, interleaved.", 1)

# What is timed: name -> (method, options of its constructor).
_CASES = {
    "meta_weight_net": ("meta_weight_net", {}),
    "meta_weight_net, head": ("meta_weight_net", {"virtual_variables": "head"}),
}


def main(argv: list[str]) -> None:
    del argv
    try:
        check_network(_NETWORK.value)
    except ValueError as error:
        fail(error)
    with quiet_start():
        from tf_mwn.experiments.step_cost import measure
    costs = measure(_CASES, _NETWORK.value, _BATCH_SIZE.value, _ROUNDS.value)
    print(f"{_NETWORK.value}, batch {_BATCH_SIZE.value}, {_ROUNDS.value} interleaved rounds")
    for cost in costs:
        print(
            f"{cost.name:24} {cost.milliseconds:8.1f} ms  {cost.ratio:5.2f} x cross_entropy"
            f"  (first step {cost.tracing_seconds:.1f} s)"
        )


if __name__ == "__main__":
    app.run(main, flags_parser=parse)
