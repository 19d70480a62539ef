"""Peers that cannot be timed: one sentence each."""

import sys

import pytest

from tf_mwn.benchmark.peer import Peer, PeerCase
from tf_mwn.benchmark.plan import StepError


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (f'{sys.executable} -c "import sys; sys.exit(3)"', "ended with code 3"),
        (f"{sys.executable} -c \"input(); print('fast')\"", "received 'fast'"),
        (f'{sys.executable} -c "input(); print(-1)"', "received '-1'"),
    ],
)
def test_a_peer_that_cannot_be_timed(command, message):
    with pytest.raises(StepError, match=message):
        Peer(PeerCase(command)).trace()


@pytest.mark.parametrize("command", ["", "no-such-command-42", "unclosed 'quote"])
def test_what_is_no_command_is_refused_before_anything_is_measured(command):
    with pytest.raises(ValueError, match="^peer: expected a command, received "):
        PeerCase(command)
