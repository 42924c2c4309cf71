"""Which seconds of a recording are heard, and the compressed packets that hold them."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from av.packet import Packet

if TYPE_CHECKING:
    from av.audio.stream import AudioStream

# Generic for the type checker only: the class itself cannot be subscripted.
AudioPacket: TypeAlias = "Packet[AudioStream]"

# Decoders with memory (the bit reservoir of mp3, the overlap of AAC and Opus) need a little of what came
# before; 0.3 s is more than any of them looks back.
_PREROLL_S = 0.3
# Decoders with delay (Vorbis, WMA) owe their last packet's sound to the next one.
_POSTROLL_S = 0.1
# Time stamps that jump back by more than this begin anew: files joined end to end, chained Ogg streams.
_RESTART_S = 1.0
# A container whose claim is off by more than this is not believed.
_LENGTH_TOLERANCE = 0.1


@dataclass(frozen=True, slots=True)
class ExcerptPlan:
    """Hear at most `n_excerpts` excerpts of `excerpt_s` seconds, evenly spread over the recording.

    A recording that is no longer than all excerpts together is heard whole, as one.
    """

    excerpt_s: float = 10.0
    n_excerpts: int = 6

    @property
    def whole_s(self) -> float:
        """Seconds that are heard of a long recording; what is no longer is heard whole."""
        return self.n_excerpts * self.excerpt_s

    def starts_s(self, length_s: float) -> list[float]:
        """Where the excerpts of a recording of `length_s` seconds begin."""
        if length_s <= self.whole_s:
            return [0.0]
        part_s = length_s / self.n_excerpts
        return [part_s * (i + 0.5) - self.excerpt_s / 2 for i in range(self.n_excerpts)]

    def lasting_s(self, length_s: float) -> float:
        """How many seconds each of these excerpts lasts."""
        return self.whole_s if length_s <= self.whole_s else self.excerpt_s

    def fits(self, planned_s: float | None, length_s: float) -> bool:
        """Whether excerpts chosen for a claimed length still cover a recording of `length_s` seconds."""
        if planned_s is None:
            return False
        if max(planned_s, length_s) <= self.whole_s:
            return True
        return abs(planned_s - length_s) <= _LENGTH_TOLERANCE * length_s


@dataclass(slots=True)
class Excerpt:
    """Packets that decode to `seconds` of sound from `start_s` on, with some more before and behind."""

    start_s: float
    seconds: float
    first_packet_s: float = 0.0
    packets: list[AudioPacket] = field(default_factory=list)


class Gatherer:
    """Follows the packets of one stream: adds up the length and keeps those that the excerpts need."""

    def __init__(self, plan: ExcerptPlan, length_s: float | None) -> None:
        seconds = plan.lasting_s(length_s) if length_s else 0.0
        starts_s = plan.starts_s(length_s) if length_s else []
        self.excerpts = [Excerpt(start_s, seconds) for start_s in starts_s]
        self._needed_from_s = [start_s - _PREROLL_S for start_s in starts_s]
        self._needed_until_s = [start_s + seconds + _POSTROLL_S for start_s in starts_s]
        self.n_packets = 0
        self._base_s = 0.0
        self._begin_s = self._end_s = 0.0
        self._shift_s = 0.0
        # Between these two no excerpt needs anything.
        self._gap_from_s, self._gap_until_s = math.inf, -math.inf

    @property
    def duration_s(self) -> float:
        """Seconds from the first packet's beginning to the last one's end."""
        return self._end_s - self._begin_s

    def take(self, packet: AudioPacket) -> None:
        """Count one packet, and keep it if an excerpt needs it.

        Without a time stamp it follows the last one. A file has ten thousand packets: every step here counts.
        """
        stamp = packet.pts
        if stamp is None:
            stamp = packet.dts
        if self.n_packets == 0:
            # The same for all packets of a stream, and slow to ask for.
            self._base_s = float(packet.time_base or 0)
            self._begin_s = self._end_s = stamp * self._base_s if stamp is not None else 0.0
        self.n_packets += 1
        time_s = stamp * self._base_s + self._shift_s if stamp is not None and self._base_s else self._end_s
        if time_s < self._end_s - _RESTART_S:
            self._shift_s += self._end_s - time_s
            time_s = self._end_s
        packet_s = (packet.duration or 0) * self._base_s
        if time_s + packet_s > self._end_s:
            self._end_s = time_s + packet_s
        position_s = time_s - self._begin_s
        if position_s < self._gap_from_s or position_s + packet_s > self._gap_until_s:
            self._keep(packet, position_s, position_s + packet_s)

    def _keep(self, packet: AudioPacket, position_s: float, behind_s: float) -> None:
        """Give a packet to the excerpts that need it; if none does, remember the gap between them that it lies in."""
        # Excerpts lie in order: those that end later and begin sooner.
        first = bisect_right(self._needed_until_s, position_s)
        behind_last = bisect_left(self._needed_from_s, behind_s)
        for excerpt in self.excerpts[first:behind_last]:
            if not excerpt.packets:
                excerpt.first_packet_s = position_s
            excerpt.packets.append(packet)
        if first >= behind_last:
            self._gap_from_s = self._needed_until_s[first - 1] if first else -math.inf
            self._gap_until_s = self._needed_from_s[first] if first < len(self.excerpts) else math.inf
