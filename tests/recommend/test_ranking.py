"""The ranking: what the documentation says, of all rows, though it looks at few."""

from itertools import islice

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from musrecd.errors import MusrecError
from musrecd.recommend.asking import Choice, Entry, Rules, Weights
from musrecd.recommend.order import best_first
from musrecd.recommend.presets import PRESETS
from musrecd.recommend.ranking import answer
from tests.recommend.reference import NAMES, Collection, Reference, is_close_call, made

PART = st.sampled_from([0.0, 0.3, 1.0])
RULES = st.builds(
    Rules,
    tempo=st.sampled_from([None, 0.02, 0.06, 0.12]),
    key=st.sampled_from([None, "compatible", "same", "energy"]),
    labels=st.sampled_from([(), (("guitar",),), (("female",), ("Piano", "Calm")), (("Male Vocals",),)]),
    not_labels=st.sampled_from([(), ("Instrumental",), ("Calm", "Piano")]),
    genres=st.sampled_from([(), "any", "same", (("Rock",),), (("hip hop", "Jazz"), ("polka",))]),
    years=st.sampled_from([(None, None), (None, 1985), (1980, 1990)]),
    length_s=st.sampled_from([(None, None), (None, 400.0), (100.0, 500.0)]),
)
CHOICES = st.builds(
    Choice,
    number=st.integers(0, 30),
    min_sound=st.sampled_from([-1.0, -0.2, 0.3]),
    weights=st.builds(Weights, sound=PART, labels=PART, tempo=PART, key=PART),
    max_per_artist=st.sampled_from([None, 1, 3]),
    max_per_album=st.sampled_from([None, 2]),
    not_same_artist=st.booleans(),
    no_duplicates=st.booleans(),
    diverse=st.sampled_from([0.0, 0.0, 0.3, 1.0]),
    fresh=st.booleans(),
    strict=st.booleans(),
)
SEEDS = st.lists(st.tuples(st.integers(0, 89), st.sampled_from([1.0, 1.0, 2.5, -1.0])), max_size=3)
RULE_BITS = {"tempo": 1, "key": 2, "no key": 2, "labels": 4, "genre": 8}


def bits_of(breaks):
    return sum(RULE_BITS["no key" if words == "no key" else words.split()[0]] for words in breaks)


def ask(collection, rows, rules=None, choice=None, **more):
    seeds = [collection.seed(row) for row in rows]
    return answer(
        seeds, collection.vectors, collection.features, collection, rules or Rules(), choice or Choice(), **more
    )


@settings(max_examples=100, deadline=None)
@given(st.integers(2, 90), st.integers(0, 2**32 - 1), st.integers(0, 89), SEEDS, RULES, CHOICES)
def test_the_results_are_those_of_looking_at_every_row(n, state, first, others, rules, choice):
    collection = made(n, state)
    weights = {first % n: 1.0} | {row % n: weight for row, weight in others if row % n != first % n}
    seeds = [collection.seed(row, weight) for row, weight in weights.items()]
    suggested = {row: row % 5 for row in range(0, n, 2)}
    reference = Reference(collection, seeds, rules, choice)
    expected = reference.results(suggested)
    everything = reference.collection.listed
    assume(not is_close_call(sorted(reference.score(row, suggested) for row in range(len(everything)))))
    found = answer(
        seeds, collection.vectors, collection.features, collection, rules, choice, suggested=suggested
    ).results
    assert [(result.row, bits_of(result.breaks)) for result in found] == [(row, bits) for row, bits, _ in expected]
    np.testing.assert_allclose([result.score for result in found], [score for _, _, score in expected], atol=1e-4)
    assert all(result.entry == everything[result.row] for result in found)


@given(st.integers(0, 3000), st.integers(0, 1000), st.sampled_from([0.0, 0.01, 1.0]), st.integers(1, 50))
@settings(deadline=None)
def test_exact_scores_come_in_order_however_far_below_the_ceiling(n, state, slack, n_taken):
    rng = np.random.default_rng(state)

    class Scorer:
        ceiling = np.round(rng.random(n), 2).astype(np.float32)
        scores = (ceiling - np.round(slack * rng.random(n), 2)).astype(np.float32)

        def exact(self, rows):
            return self.scores[rows]

    scorer = Scorer()
    is_candidate = rng.random(n) < 0.7
    candidates = np.flatnonzero(is_candidate)
    order = candidates[np.lexsort((candidates, -scorer.scores[candidates]))]
    expected = [(row, float(scorer.scores[row])) for row in order.tolist()]
    assert list(best_first(scorer, is_candidate)) == expected
    assert list(islice(best_first(scorer, is_candidate), n_taken)) == expected[:n_taken]


def test_names_of_few_rows_are_looked_up():
    collection = made(3_000, 1)
    assert len(ask(collection, [5]).results) == 10
    assert collection.asked.total() <= 64
    assert max(collection.asked.values()) == 1


def test_no_row_is_looked_up_twice_when_rules_are_relaxed():
    collection = made(400, 2)
    given_ = ask(collection, [5], Rules(tempo=0.06, key="same", genres=(("Polka",),)), Choice(number=60))
    assert any(result.breaks for result in given_.results)
    assert max(collection.asked.values()) == 1


def test_satisfying_tracks_come_first_and_the_note_counts_them():
    collection = made(300, 3)
    row = int(np.flatnonzero(~np.isnan(collection.features.bpm))[0])
    given_ = ask(collection, [row], Rules(tempo=0.02, key="same"), Choice(number=80))
    n_fit = sum(not result.breaks for result in given_.results)
    assert 1 < n_fit < len(given_.results)
    assert not any(result.breaks for result in given_.results[:n_fit])
    assert given_.notes == (f"only {n_fit} tracks fit all; the others break the rules named beside them",)
    scores = [result.score for result in given_.results]
    assert scores == sorted(scores[:n_fit], reverse=True) + sorted(scores[n_fit:], reverse=True)
    strict = ask(collection, [row], Rules(tempo=0.02, key="same"), Choice(number=80, strict=True))
    assert [result.row for result in strict.results] == [result.row for result in given_.results[:n_fit]]
    assert strict.notes == (f"only {n_fit} tracks fit all",)


def test_a_rule_that_the_seed_knows_nothing_for_is_told():
    collection = made(100, 4)
    seed = collection.seed(1)._replace(bpm=None, key="C")
    args = (collection.vectors, collection.features, collection, Rules(tempo=0.06))
    given_ = answer([seed], *args, Choice())
    assert len(given_.results) == 10
    assert given_.notes[0] == "no tempo is known of what was asked about: the rule of tempo cannot be applied"
    assert answer([seed], *args, Choice(strict=True)).results == ()


def genre_heard(rock: list[float], jazz: list[float]) -> Collection:
    """Make a library whose tracks differ in nothing but the probabilities of two genres; nobody set any."""
    collection = made(len(rock), 4)
    probabilities = np.zeros_like(collection.features.probabilities)
    for name, heard in (("Rock", rock), ("Jazz", jazz)):
        probabilities[:, NAMES[name]] = np.rint(np.array(heard) * 255)
    listed = [Entry(f"artist {row}", f"title {row}") for row in range(len(rock))]
    return Collection(collection.vectors, collection.features._replace(probabilities=probabilities), listed)


@pytest.mark.parametrize("genres", ["any", "same"])
def test_where_no_genre_is_certain_the_most_probable_counts(genres):
    # The seed, Rock by a guess like it, Jazz by a guess, certain Jazz that is a little Rock, certain Rock, nothing.
    collection = genre_heard([0.3, 0.45, 0.3, 0.4, 0.9, 0.05], [0.2, 0.2, 0.4, 0.8, 0.0, 0.02])
    given_ = ask(collection, [0], Rules(genres=genres), Choice(number=9))
    assert {result.row for result in given_.results if not result.breaks} == {1, 4}
    assert {result.breaks for result in given_.results[2:]} == {("genre",)}
    assert given_.notes[0] == "no genre is certain for what was asked about; the most probable counts: Rock"
    assert ask(collection, [0], Rules(genres=genres), Choice(number=9, strict=True)).results == ()


def test_where_a_genre_is_certain_nothing_is_guessed():
    collection = genre_heard([0.9, 0.45, 0.5, 0.4], [0.2, 0.2, 0.4, 0.8])
    given_ = ask(collection, [0], Rules(genres="any"), Choice(number=9))
    assert {result.row for result in given_.results if not result.breaks} == {2}
    assert not any("probable" in note for note in given_.notes)


def test_what_is_hardly_probable_is_no_guess():
    collection = genre_heard([0.09, 0.4, 0.6], [0.0, 0.2, 0.0])
    given_ = ask(collection, [0], Rules(genres="any"), Choice(number=9))
    assert not any(result.breaks for result in given_.results)
    assert given_.notes[0] == "no genre is known of what was asked about: the rule of genre cannot be applied"


def test_only_what_is_in_the_pool_is_answered():
    collection = made(100, 5)
    rows = list(range(0, 100, 3))
    mask = np.isin(np.arange(100), rows)
    by_rows = ask(collection, [1], choice=Choice(number=50), pool=[*rows, 100, -1]).results
    assert by_rows == ask(collection, [1], choice=Choice(number=50), pool=mask).results
    assert by_rows
    assert {result.row for result in by_rows} <= set(rows)
    assert ask(collection, [1], pool=[]).results == ()


def test_a_file_outside_is_no_result_of_itself():
    """Its row is not known, but the same sound lies in the library."""
    collection = made(100, 6)
    seed = collection.seed(7)._replace(row=None)
    given_ = answer([seed], collection.vectors, collection.features, collection, Rules(), Choice(number=99))
    assert given_.results
    assert 7 not in {result.row for result in given_.results}


def test_rows_that_came_while_asking_are_left_out():
    collection = made(50, 7)
    longer = np.concatenate([collection.vectors, collection.vectors])
    whole = Collection(longer, collection.features, collection.listed * 2)
    assert ask(whole, [3]).results == ask(collection, [3]).results


def test_what_results_should_be_unlike_pushes_them_away():
    collection = made(400, 8)
    like, unlike = (
        collection.seed(1),
        collection.seed(int(np.argsort(-collection.vectors @ collection.vectors[1])[5]), -1),
    )
    args = (collection.vectors, collection.features, collection, Rules(), Choice())
    closeness = [
        np.mean([collection.vectors[result.row] @ unlike.embedding for result in answer(seeds, *args).results])
        for seeds in ([like], [like, unlike])
    ]
    assert closeness[1] < closeness[0] - 0.1


def test_only_unlike_is_no_question():
    with pytest.raises(MusrecError, match="should be like"):
        answer([made(5, 9).seed(1, -1)], *(lambda c: (c.vectors, c.features, c))(made(5, 9)), Rules(), Choice())


def test_an_unknown_label_is_told_with_the_nearest():
    with pytest.raises(MusrecError, match=r"'gitar' is no label; did you mean Guitar"):
        ask(made(5, 10), [1], Rules(labels=(("gitar",),)))


def test_what_was_suggested_before_comes_later():
    collection = made(300, 11)
    first = ask(collection, [2]).results
    again = ask(collection, [2], choice=Choice(fresh=True), suggested={first[0].row: 50}).results
    assert again[0].row == first[1].row
    assert ask(collection, [2], suggested={first[0].row: 50}).results == first


def test_variety_makes_results_less_alike():
    collection = made(500, 12)

    def alike(diverse):
        rows = [result.row for result in ask(collection, [3], choice=Choice(diverse=diverse)).results]
        return float((collection.vectors[rows] @ collection.vectors[rows].T).mean())

    assert alike(0.0) > alike(0.5) > alike(1.0)


def test_a_crowd_of_one_artist_does_not_empty_the_window_of_variety():
    collection = made(400, 13)
    by_one = Entry("Ann", "", "", (), None)
    collection.listed = [by_one] * 400
    collection.listed[int(np.argmin(collection.vectors @ collection.vectors[0]))] = Entry("Bob")
    given_ = ask(collection, [0], choice=Choice(diverse=0.5, max_per_artist=2)).results
    assert sorted(result.entry.artist for result in given_) == ["Ann", "Ann", "Bob"]


@pytest.mark.parametrize("name", PRESETS)
def test_presets_answer(name):
    weights, rules = PRESETS[name]
    collection = made(200, 14)
    found = ask(collection, [int(np.nanargmax(collection.features.bpm))], rules, Choice(weights=weights)).results
    assert len(found) == 10
    assert all(result.score <= 1 for result in found)


def test_an_empty_library_has_no_answers():
    collection = made(3, 15)
    empty = made(0, 15)
    assert answer([collection.seed(0)], empty.vectors, empty.features, empty, Rules(), Choice()).results == ()


def test_results_are_plain_values():
    """So that they can be written as JSON."""
    collection = made(50, 16)
    result = ask(collection, [1], Rules(tempo=0.06, key="same")).results[0]
    assert (type(result.row), type(result.score), type(result.parts.sound)) == (int, float, float)
    assert all(type(value) in (float, type(None)) for value in (result.parts.tempo, result.parts.key))
