"""What people ask for, in one word."""

from musrecd.recommend.asking import Rules, Weights

PRESETS: dict[str, tuple[Weights, Rules]] = {
    # To listen on: nothing but how it sounds.
    "listen": (Weights(), Rules()),
    # For the next track of a set: it has to mix, which the rules see to, and of what mixes the nearest comes first.
    "mix": (
        Weights(sound=0.6, labels=0.3, tempo=0.05, key=0.05),
        Rules(tempo=0.06, key="compatible", genres="any"),
    ),
    # For a producer who looks for material: the same instruments, voice and moods; tempo and key can be changed.
    "produce": (Weights(sound=0.4, labels=0.4, tempo=0.1, key=0.1), Rules()),
}
