"""What is counted, what is kept of it, and how the pace follows the load."""

import gc

from tui.core.pace import Pace
from tui.ssh.environment import HeededEnvironment, heeded
from tui.ssh.limits import Counter, HourlyRate
from tui.ssh.load import LoadMeter
from tui.ssh.memory import TOO_MANY, WORTH, Collector


def test_a_counter_forgets_what_it_no_longer_counts() -> None:
    counter = Counter()
    counter.add("a")
    counter.add("a")
    counter.add("b")
    assert (counter["a"], counter["b"], counter["c"], counter.total) == (2, 1, 0, 3)
    for name in "aabbc":
        counter.remove(name)
    assert (len(counter), counter.total) == (0, 0)


def test_a_rate_is_by_name_and_by_hour() -> None:
    rate = HourlyRate(2)
    for second in (0.0, 10.0):
        assert rate.allows("one", second)
        rate.count("one", second)
    assert not rate.allows("one", 20.0)
    assert rate.allows("other", 20.0)
    assert not rate.allows("one", 3_599.0)
    assert rate.allows("one", 3_600.0)


def test_a_busy_server_draws_rarer_and_a_calm_one_as_often_as_before() -> None:
    pace = Pace()
    meter = LoadMeter(pace)
    assert (pace.flush_seconds, pace.paint_seconds) == (0.1, 0.0)
    for _ in range(3):
        meter.take(share=0.9, late=0.0)
    assert 0.25 < pace.flush_seconds < 0.5
    assert pace.paint_seconds == pace.flush_seconds
    for _ in range(100):
        meter.take(share=0.2, late=0.2)
    assert pace.flush_seconds == 4.0
    for _ in range(100):
        meter.take(share=0.2, late=0.0)
    assert (pace.flush_seconds, pace.paint_seconds) == (0.1, 0.0)


def test_only_a_few_variables_of_a_client_are_kept_and_no_controls_of_them() -> None:
    kept = HeededEnvironment()
    for number in range(10_000):
        kept[b"X%d" % number] = b"y" * 10_000
    for name in (
        b"PATH",
        b"CTROOM_HOME",
        b"CTROOM_USER",
        b"USER",
        b"OPENAI_API_KEY",
        b"TMUX",
        b"SSH_CONNECTION",
    ):
        kept[name] = b"spoofed"
    kept[b"COLORTERM"] = b"true\x1bcolor\xff" + b"z" * 100
    kept[b"NO_COLOR"] = b"1"
    assert {*kept} == {b"COLORTERM", b"NO_COLOR"}
    found = heeded(kept)
    assert found["COLORTERM"].startswith("truecolorz")
    assert len(found["COLORTERM"]) <= 64


def test_garbage_is_looked_for_when_it_is_worth_a_stall() -> None:
    live, calm = [10], [True]
    collector = Collector(lambda: live[0], lambda: calm[0])
    try:
        collector.drawn()
        assert gc.get_freeze_count() > 0
        assert not collector.look()
        for _ in range(WORTH - 1):
            collector.ended()
        assert not collector.look()
        collector.ended()
        calm[0] = False
        assert not collector.look(), "it can wait for a calm moment"
        calm[0] = True
        assert collector.look()
        assert not collector.look()
        calm[0] = False
        for _ in range(TOO_MANY * WORTH):
            collector.ended()
        assert collector.look(), "but not for ever"
        live[0] = 0
        collector.ended()
        assert collector.look(), "nobody is there to be stalled"
    finally:
        gc.unfreeze()
