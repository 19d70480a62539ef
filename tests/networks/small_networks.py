"""Small networks of every kind, and the inputs of each."""

SMALL = [
    ("mlp", (5,)),
    ("small_cnn", (8, 8, 1)),
    ("lenet", (16, 16, 1)),
    ("cnn9", (28, 28, 1)),
    ("resnet8", (8, 8, 3)),
    ("wrn_10_1_0.3", (8, 8, 3)),
    ("preact_resnet18", (8, 8, 3)),
    ("gru_50", (6,)),
    ("applications/MobileNetV2", (32, 32, 3)),
    ("tests.networks.own_models:functional", (4, 4, 2)),
]
