"""Whatever a provider reports as usage: the text arrives, the charge is sane, and doubts are marked.

Through whole turns, the real SDKs and real sockets; what is sent is in `tests.support.usage_payloads`.
"""

import asyncio
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings

from tests.peers.wire import Request, Response, Wire
from tests.support.replay import Talk, talk
from tests.support.usage_payloads import (
    NO_COUNTS,
    TEXT,
    Place,
    Reading,
    gemini_stream,
    openai_stream,
    streams,
    whole,
)
from tui.core.chat import MessageStatus
from tui.core.quota import LedgerRow
from tui.core.settings import GoogleSdk
from tui.core.usage import MOST_TOKENS, Provenance
from tui.providers import connect

pytestmark = pytest.mark.peers

Readings = tuple[Reading, ...]
GOOD = Reading(whole(20, 30))


@dataclass(frozen=True)
class Format:
    """A wire format, as one of the SDKs reads it."""

    provider: str
    model: str
    sdk: str
    respond: Callable[[Readings], Response]


FORMATS = {
    "openai": Format("openai", "some-model", "", openai_stream),
    "google": Format(
        "google", "gemini-2.5-flash", GoogleSdk.GENAI, lambda readings: gemini_stream(readings, events=True)
    ),
    "google-legacy": Format(
        "google", "gemini-2.5-flash", GoogleSdk.LEGACY, lambda readings: gemini_stream(readings, events=False)
    ),
}
every_format = pytest.mark.parametrize("name", FORMATS)


class Peer:
    """One server and one session for every example: their start would take most of the time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._format = FORMATS[name]
        self._readings: Readings = ()
        self._wire = Wire(self._respond)
        self._runner = asyncio.Runner()
        self._talk: Talk

    def __enter__(self) -> "Peer":
        self._wire.__enter__()
        self._runner.run(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._talk.turns.aclose())
        self._runner.close()
        self._wire.__exit__()

    def turn(self, *readings: Reading) -> LedgerRow:
        """A turn whose provider reports these readings; the row that it was charged with."""
        self._readings = readings
        return self._runner.run(self._turn())

    def _respond(self, request: Request) -> Response:
        return self._format.respond(self._readings)

    async def _open(self) -> None:
        wire = self._format
        self._talk = await talk(connect=connect, name=wire.provider, model=wire.model)
        settings = self._talk.services.settings
        await settings.set(
            f"{wire.provider}.base_url", self._wire.openai_url if wire.sdk == "" else self._wire.url
        )
        if wire.sdk:
            await settings.set("google.sdk", wire.sdk)
        await settings.set("tier", "unlimited")
        await self._talk.accounting.set_purchased(wire.provider, 10 * MOST_TOKENS)

    async def _turn(self) -> LedgerRow:
        talked = self._talk
        before = len(talked.ledger)
        conversation = await talked.services.library.create(self._format.provider, self._format.model)
        talked.conversation = conversation
        end = await talked.reply("Count the years.")
        assert (end.reply.status, end.reply.text) == (MessageStatus.COMPLETE, "".join(TEXT))
        [row] = talked.ledger[before:]
        assert end.charged == row.tokens == row.input + row.output
        assert end.reply.usage is not None
        assert end.reply.usage.total == row.tokens
        assert_sane(row)
        talked.assert_settled()
        self._assert_figures()
        return row

    def _assert_figures(self) -> None:
        shown = self._talk.accounting.snapshot().provider(self._format.provider)
        assert shown is not None
        assert shown.used == sum(row.tokens for row in self._talk.ledger)
        assert shown.pending == 0
        assert 0 <= shown.estimated <= shown.used
        assert shown.remaining is not None
        assert shown.remaining_percent is not None
        assert math.isfinite(shown.remaining_percent)


def assert_sane(row: LedgerRow) -> None:
    """Nobody is credited, and nothing absurd is charged for a reply of three short pieces."""
    assert 0 < row.tokens < 2 * MOST_TOKENS
    assert 0 <= row.cached_input <= row.input
    assert 0 <= row.reasoning <= row.output
    assert row.output > 0
    assert row.provenance in (Provenance.REPORTED, Provenance.ESTIMATED)
    assert not (row.suspicious and row.provenance.exact)
    assert row.cost is None or row.cost >= 0


@pytest.fixture(scope="module", params=FORMATS)
def peer(request: pytest.FixtureRequest) -> Iterator[Peer]:
    with Peer(request.param) as made:
        yield made


@pytest.mark.parametrize("field", ["input", "output"])
@pytest.mark.parametrize("value", NO_COUNTS.values(), ids=NO_COUNTS)
def test_a_count_that_is_none_is_suspicious_and_estimated(peer: Peer, field: str, value: object) -> None:
    row = peer.turn(Reading({**whole(20, 30), field: value}))
    assert row.tokens < 500
    if peer.name == "openai" and value in ("12", True):
        # Where all the rest is in order, the SDK itself makes a number of it: the word of the provider.
        assert row.provenance is Provenance.REPORTED
    else:
        assert (row.suspicious, row.provenance) == (True, Provenance.ESTIMATED)


@pytest.mark.parametrize("value", [-5, math.nan, 1e30, "many", [12]], ids=repr)
@pytest.mark.parametrize("place", Place)
def test_a_good_reading_outlives_a_bad_one_before_it(peer: Peer, place: Place, value: object) -> None:
    row = peer.turn(Reading(whole(value, 5), place), Reading(whole(20, 30), Place.EMPTY))
    assert (row.input, row.output, row.suspicious, row.provenance) == (20, 30, False, Provenance.REPORTED)


@pytest.mark.parametrize("value", ["plenty", [], [1], 7, True], ids=repr)
def test_usage_of_another_shape_is_suspicious(peer: Peer, value: object) -> None:
    row = peer.turn(Reading(value))
    assert (row.suspicious, row.provenance) == (True, Provenance.ESTIMATED)


@pytest.mark.parametrize("readings", [(), (Reading(None),)], ids=["never", "null"])
def test_no_usage_is_estimated_without_suspicion(peer: Peer, readings: Readings) -> None:
    row = peer.turn(*readings)
    assert (row.suspicious, row.provenance) == (False, Provenance.ESTIMATED)


@pytest.mark.parametrize(
    "readings",
    [
        (GOOD,),
        (GOOD, GOOD, Reading(whole(20, 30), Place.EMPTY)),
        (Reading(whole(20.0, 30.0, 50.0)),),
        (Reading(whole(20, 1), Place.FIRST), Reading(whole(20, 30), Place.EMPTY)),
        (Reading(whole(20, 12), Place.TEXT), GOOD),
        (GOOD, Reading(whole(20, 12), Place.EMPTY)),
        (Reading(whole(20, 30, 7)),),
        (Reading(whole(20, 30, cached=400)),),
        (Reading(whole(20, 30, cached="x")),),
        (Reading(whole(20, 30, cached=-3)),),
    ],
    ids=[
        "once",
        "repeated",
        "whole floats",
        "before any text",
        "growing",
        "lower after higher",
        "a total below the sum",
        "more cached than sent",
        "cached a word",
        "cached below nothing",
    ],
)
def test_a_plausible_reading_is_what_is_charged(peer: Peer, readings: Readings) -> None:
    row = peer.turn(*readings)
    assert (row.input, row.output, row.suspicious) == (20, 30, False)
    assert row.provenance is Provenance.REPORTED


def test_what_only_the_total_holds_is_charged_as_reasoning(peer: Peer) -> None:
    row = peer.turn(Reading(whole(20, 30, 90)))
    assert (row.tokens, row.reasoning, row.provenance) == (90, 40, Provenance.REPORTED)


@pytest.mark.parametrize(
    "readings",
    [
        (Reading({"input": 20}, Place.FIRST), Reading({"output": 30}, Place.EMPTY)),
        (Reading({"output": 30}),),
        (Reading({"input": 20}),),
        (Reading({"total": 50}),),
        (Reading(whole(0, 0)),),
        (Reading({}),),
    ],
    ids=["split", "output alone", "input alone", "total alone", "nothing", "empty"],
)
def test_half_a_reading_never_stands_for_a_whole(peer: Peer, readings: Readings) -> None:
    row = peer.turn(*readings)
    assert row.provenance is Provenance.ESTIMATED
    assert 10 < row.tokens < 500


def test_reasoning_beyond_the_output_is_cut_to_it_or_added(peer: Peer) -> None:
    """OpenAI's reasoning is part of the output; Gemini's thoughts come beside the candidates."""
    row = peer.turn(Reading(whole(20, 30, 50, reasoning=400)))
    assert row.reasoning <= row.output
    assert (row.input, row.output) in ((20, 30), (20, 430))


@every_format
def test_any_readings_in_any_order(name: str) -> None:
    fuzz(name, examples=25)


@pytest.mark.long
@pytest.mark.timeout(3600)
@every_format
def test_any_readings_in_any_order_at_length(name: str) -> None:
    fuzz(name, examples=5_000)


def fuzz(name: str, examples: int) -> None:
    with Peer(name) as made:

        @settings(max_examples=examples, suppress_health_check=[HealthCheck.too_slow])
        @given(readings=streams)
        def check(readings: Readings) -> None:
            made.turn(*readings)

        check()
