"""Names of networks: the nearest is suggested for a wrong one."""

import pytest

from tf_mwn import networks

UNKNOWN = [
    ("resnet30", r"expected resnet<6n\+2>, received 'resnet30'; did you mean 'resnet32'"),
    ("resnet2", "did you mean 'resnet8'"),
    ("resnet_32", "did you mean 'resnet32'"),
    ("wrn_27_10", "did you mean 'wrn_28_10'"),
    ("wrn-28-10", "did you mean 'wrn_28_10'"),
    ("wrn_28_0", "did you mean 'wrn_28_1'"),
    ("wrn_28_10_1.5", "did you mean 'wrn_28_10_0.3'"),
    ("gru_0", "did you mean 'gru_2'"),
    ("preact_resnet50", "did you mean 'preact_resnet34'"),
    ("applications/resnet50", "did you mean 'applications/ResNet50'"),
    ("applications/", "expected applications/<Name>, received 'applications/'"),
    ("small_cn", "did you mean 'small_cnn'"),
    ("", "network: expected one of .*, received ''"),
    ("my model:build", "network: expected one of"),
]


@pytest.mark.parametrize("name, message", UNKNOWN)
def test_wrong_names_are_refused_with_the_nearest(name, message):
    for refuse in (networks.check_network, lambda n: networks.build(n, (32, 32, 3), 10)):
        with pytest.raises(ValueError, match=message) as caught:
            refuse(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [*networks.NETWORKS, "resnet110", "wrn_40_2", "a.b:c"])
def test_right_names_are_accepted(name):
    networks.check_network(name)
