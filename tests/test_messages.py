"""What a run prints: few lines without control characters, more or fewer as asked."""

import contextlib
import gc
import itertools
import logging

import pytest

from tf_mwn import messages
from tf_mwn.monitoring.progress import ProgressBar


def printed(capsys, verbosity, epochs=10):
    """The lines of a run of ten epochs of which three are worth a line, as a file gets them.

    `epochs` is what `fit` was asked for.
    """
    messages.show(verbosity)
    bar = ProgressBar("method seed 0", epochs=10, lines=3)
    bar.set_params({"steps": 2, "epochs": epochs})
    bar.on_train_begin()
    for epoch in range(10):
        for step in range(2):
            bar.on_train_batch_begin(step)
            bar.on_train_batch_end(step)
        bar.on_epoch_end(epoch, {"loss": 0.25, "test_accuracy": 0.5, "other": 1.0})
    bar.close()
    text = capsys.readouterr().out
    assert not [c for c in text if ord(c) < 32 and c != "\n"]
    return text.splitlines()


def test_a_pipe_gets_a_line_now_and_then(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # which makes rich take a pipe for a terminal
    lines = printed(capsys, 0)
    assert [line.split()[4] for line in lines] == ["3/10", "6/10", "9/10", "10/10"]
    assert lines[0] == "method seed 0  epoch  3/10  loss 0.250  test 0.500"
    assert len({len(line) for line in lines}) == 1  # aligned


def test_a_long_run_says_early_how_long_it_will_take(capsys, monkeypatch):
    now = itertools.count(0.0, 5.0)  # asked twice in the first step, and at the end of an epoch
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    lines = printed(capsys, 0)
    # One step in 5 s and 18 to go, then three in 10 s and 16 to go, which is less than a minute.
    assert lines[1].endswith("epoch  1/10  loss 0.250  test 0.500  about 1.5 minutes left")
    assert [line.split()[4] for line in lines[2:]] == ["3/10", "6/10", "9/10", "10/10"]
    assert not any("left" in line for line in lines[2:])
    # A fit that only ends an epoch has shorter epochs, which say nothing of the others.
    assert not any("left" in line for line in printed(capsys, 0, epochs=1))


def test_times_have_a_unit_that_fits():
    texts = ["40 seconds", "90 seconds", "2.0 hours", "2.0 days"]
    assert [messages.duration(s) for s in (40, 89.6, 7200, 172_800)] == texts


def test_more_and_fewer(capsys):
    assert printed(capsys, -1) == []
    lines = printed(capsys, 1)
    assert len(lines) == 11 and "first step" in lines[0]


def test_a_long_step_is_one_line_with_its_time(capsys, monkeypatch):
    messages.show(0)
    times = iter([1.0, 3.5, 7.0, 7.1])
    monkeypatch.setattr("time.perf_counter", lambda: next(times))
    with messages.long_step("learning the mentor"):
        pass
    with messages.long_step("a short one"):
        pass
    assert capsys.readouterr().out == "learning the mentor: 2.5 s\n"


def test_showing_twice_prints_once(capsys):
    messages.show(0)
    messages.show(0)
    messages.logger.info("one")
    assert capsys.readouterr().out == "one\n"


def test_a_library_user_sees_nothing(capsys):
    messages.logger.setLevel(logging.NOTSET)
    messages.logger.handlers.clear()
    with messages.long_step("fitting"):
        pass
    assert capsys.readouterr() == ("", "")


def test_a_line_of_progress_fits_a_terminal(caplog):
    bar = ProgressBar("hypergradient_descent seed 10", epochs=200)
    with caplog.at_level("DEBUG", logger="tf_mwn"):
        bar.on_epoch_end(199, {"loss": 2.345, "meta_loss": 2.345, "test_accuracy": 1.0})
    (record,) = caplog.records
    assert len(record.getMessage()) <= 80, record.getMessage()


def test_what_is_imported_at_the_start_is_left_out_of_garbage_collections(monkeypatch):
    calls = []
    for name in ("enable", "disable", "freeze"):
        monkeypatch.setattr(gc, name, lambda name=name: calls.append(name))
    monkeypatch.setattr(gc, "get_freeze_count", lambda: calls.count("freeze"))
    with contextlib.suppress(ImportError), messages.quiet_start():
        assert calls == ["disable"]
        raise ImportError
    assert calls == ["disable", "freeze", "enable"]
    with messages.quiet_start():  # objects that are no modules may be garbage now
        pass
    assert calls == ["disable", "freeze", "enable"]


def test_who_collects_no_garbage_keeps_to_it(monkeypatch):
    monkeypatch.setattr(gc, "isenabled", lambda: False)
    monkeypatch.setattr(gc, "get_freeze_count", lambda: 0)
    monkeypatch.setattr(gc, "enable", lambda: pytest.fail("enabled"))
    with messages.quiet_start():
        pass
