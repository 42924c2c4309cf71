"""The list of recordings that need not be heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from musrecd.ingest.known import KnownList

IDS = st.binary(min_size=20, max_size=20)


@given(st.sets(IDS, min_size=1, max_size=30), st.lists(IDS, max_size=5))
def test_holds_what_is_in_it_and_nothing_else(tmp_path_factory, there, others):
    path = tmp_path_factory.mktemp("known") / "known"
    path.write_bytes(b"".join(sorted(there)))
    known = KnownList(path)
    assert all(each.hex() in known for each in there)
    assert [each.hex() in known for each in others] == [each in there for each in others]


def test_an_empty_list_is_refused(tmp_path):
    (tmp_path / "known").touch()
    with pytest.raises(ValueError, match="empty"):
        KnownList(tmp_path / "known")
