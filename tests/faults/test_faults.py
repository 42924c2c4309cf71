"""The quick scenarios, small: that they run, and that the daemon survives them."""

import pytest

from tests.faults.__main__ import load_scenarios
from tests.faults.place import Place
from tests.faults.scenario import SCENARIOS, Scenario

load_scenarios()


@pytest.mark.parametrize("scenario", [each for each in SCENARIOS.values() if each.quick], ids=lambda each: each.name)
def test_the_daemon_survives(scenario: Scenario, tmp_path_factory, tiny_weights, monkeypatch):
    if scenario.cannot_run:
        pytest.skip(scenario.cannot_run)
    # Set anew by the place; put back afterwards. Names of sockets may have a hundred characters only.
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    scenario.run(Place(tmp_path_factory.mktemp("f"), weights=tiny_weights, big=False))
