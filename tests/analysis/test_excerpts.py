"""Which seconds are heard, and that the packets which hold them are kept."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.analysis.excerpts import ExcerptPlan, Gatherer

PLANS = st.builds(ExcerptPlan, excerpt_s=st.floats(0.5, 60), n_excerpts=st.integers(1, 20))
LENGTHS = st.floats(0.05, 100_000)
SLACK = 1e-6


@dataclass(frozen=True)
class FakePacket:
    """As much of a packet as a gatherer looks at."""

    pts: int | None
    duration: int | None
    time_base: Fraction | None = Fraction(1, 1000)
    dts: int | None = None
    size: int = 100


def packets(seconds: float, *, packet_ms: int = 26, first_ms: int = 0) -> list[FakePacket]:
    n = max(1, round(seconds * 1000 / packet_ms))
    return [FakePacket(first_ms + i * packet_ms, packet_ms) for i in range(n)]


@given(PLANS, LENGTHS)
def test_excerpts_lie_within_the_recording_in_order_and_apart(plan, length_s):
    starts = plan.starts_s(length_s)
    seconds = plan.lasting_s(length_s)
    if length_s <= plan.whole_s:
        return
    assert len(starts) == plan.n_excerpts
    assert starts[0] >= -SLACK
    assert starts[-1] + plan.excerpt_s <= length_s + SLACK
    assert all(b - a >= plan.excerpt_s - SLACK for a, b in pairwise(starts))
    assert seconds == plan.excerpt_s


@given(PLANS, LENGTHS)
def test_excerpts_are_spread_evenly_with_as_much_before_as_behind(plan, length_s):
    starts = plan.starts_s(length_s)
    if len(starts) < 2:
        return
    gaps = [b - a for a, b in pairwise(starts)]
    assert max(gaps) - min(gaps) < 1e-6 * length_s
    assert starts[0] == pytest.approx(length_s - (starts[-1] + plan.excerpt_s), abs=1e-6 * length_s)


@given(PLANS, st.floats(0, 1))
def test_short_recordings_are_heard_whole(plan, share):
    length_s = share * plan.whole_s
    assert plan.starts_s(length_s) == [0.0]
    assert plan.lasting_s(length_s) >= length_s


@given(PLANS, LENGTHS)
def test_a_plan_fits_the_length_it_was_made_for(plan, length_s):
    assert plan.fits(length_s, length_s)
    assert not plan.fits(None, length_s)


@given(PLANS, st.floats(1.5, 100))
def test_a_plan_for_another_length_is_thrown_away(plan, factor):
    length_s = 1.1 * plan.whole_s
    assert not plan.fits(factor * length_s, length_s)
    assert not plan.fits(length_s / factor, length_s)


def test_two_lengths_that_are_both_heard_whole_are_alike():
    plan = ExcerptPlan(excerpt_s=10.0, n_excerpts=6)
    assert plan.fits(1.0, 59.0)
    assert not plan.fits(1.0, 61.0)


@given(
    st.builds(ExcerptPlan, excerpt_s=st.floats(0.5, 5), n_excerpts=st.integers(1, 6)),
    st.floats(0.1, 90),
    st.integers(5, 200),
    st.integers(-5_000, 5_000_000),
)
def test_every_second_that_is_wanted_is_in_the_packets_kept(plan, seconds, packet_ms, first_ms):
    """Whatever the first time stamp is; and no packet is kept from far away."""
    stream = packets(seconds, packet_ms=packet_ms, first_ms=first_ms)
    length_s = len(stream) * packet_ms / 1000
    gatherer = Gatherer(plan, length_s)
    for packet in stream:
        gatherer.take(packet)
    assert gatherer.n_packets == len(stream)
    assert gatherer.duration_s == pytest.approx(length_s)
    for excerpt in gatherer.excerpts:
        first = (excerpt.packets[0].pts - first_ms) / 1000
        last = (excerpt.packets[-1].pts - first_ms + packet_ms) / 1000
        assert excerpt.first_packet_s == pytest.approx(first)
        assert first <= max(0.0, excerpt.start_s - 0.3) + SLACK
        assert last >= min(excerpt.start_s + excerpt.seconds, length_s) - SLACK
        assert last - first <= excerpt.seconds + 0.4 + 2 * packet_ms / 1000 + SLACK
        assert [p.pts for p in excerpt.packets] == list(
            range(excerpt.packets[0].pts, excerpt.packets[-1].pts + 1, packet_ms)
        )


@given(
    PLANS,
    st.floats(1, 400),
    st.lists(st.tuples(st.integers(-900, 900), st.integers(0, 3000)), min_size=1, max_size=120),
)
def test_all_packets_that_touch_what_is_needed_are_kept_in_whatever_order_they_come(plan, length_s, steps):
    """As a reference that asks every excerpt about every packet."""
    gatherer = Gatherer(plan, length_s)
    time_ms, expected = 0, [[] for _ in gatherer.excerpts]
    for jump_ms, packet_ms in steps:
        packet = FakePacket(time_ms + jump_ms, packet_ms)
        time_ms = max(time_ms, time_ms + jump_ms + packet_ms)
        gatherer.take(packet)
        begin_s = (packet.pts - steps[0][0]) / 1000
        for kept, excerpt in zip(expected, gatherer.excerpts, strict=True):
            needed_until_s = excerpt.start_s + excerpt.seconds + 0.1
            if begin_s < needed_until_s - SLACK and begin_s + packet_ms / 1000 > excerpt.start_s - 0.3 + SLACK:
                kept.append(packet)
    for kept, excerpt in zip(expected, gatherer.excerpts, strict=True):
        assert all(packet in excerpt.packets for packet in kept)


def test_nothing_is_kept_while_the_length_is_not_known():
    for unknown in (None, 0.0):
        gatherer = Gatherer(ExcerptPlan(), unknown)
        for packet in packets(5.0):
            gatherer.take(packet)
        assert gatherer.excerpts == []
        assert gatherer.duration_s == pytest.approx(5.0, abs=0.03)


def test_packets_without_time_stamps_follow_one_another():
    gatherer = Gatherer(ExcerptPlan(), 2.0)
    for _ in range(20):
        gatherer.take(FakePacket(None, 100))
    assert gatherer.duration_s == pytest.approx(2.0)
    assert len(gatherer.excerpts[0].packets) == 20


def test_decoding_time_stands_in_for_a_missing_time_stamp():
    gatherer = Gatherer(ExcerptPlan(), 2.0)
    for i in range(20):
        gatherer.take(FakePacket(None, None, dts=100 * i))
    assert gatherer.duration_s == pytest.approx(1.9)


def test_time_stamps_that_begin_again_are_counted_on():
    """Chained streams: each begins at nought, together they last longer."""
    gatherer = Gatherer(ExcerptPlan(excerpt_s=1.0, n_excerpts=3), 9.0)
    for _ in range(3):
        for packet in packets(3.0, packet_ms=20):
            gatherer.take(packet)
    assert gatherer.duration_s == pytest.approx(9.0)
    # A second of sound, 0.3 s before it and 0.1 s behind it.
    assert all(len(excerpt.packets) in {70, 71} for excerpt in gatherer.excerpts)


def test_packets_slightly_out_of_order_do_not_lengthen_a_recording():
    gatherer = Gatherer(ExcerptPlan(), 2.0)
    for i in (0, 2, 1, 3, 5, 4, 6, 7):
        gatherer.take(FakePacket(100 * i, 100))
    assert gatherer.duration_s == pytest.approx(0.8)
