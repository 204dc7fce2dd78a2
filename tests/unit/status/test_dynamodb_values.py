from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3torrent.status.dynamodb_values import from_attributes, from_value, to_value

leaves = st.booleans() | st.integers() | st.text()
plain = st.recursive(
    leaves, lambda inner: st.dictionaries(st.text(min_size=1), inner, max_size=4), max_leaves=8
)


@given(plain)
def test_what_goes_in_comes_out_with_its_type(value: Any) -> None:
    back = from_value(to_value(value))
    assert (back, type(back)) == (value, type(value))


def test_a_bool_is_not_a_number() -> None:
    assert (to_value(True), to_value(1), to_value("1")) == ({"BOOL": True}, {"N": "1"}, {"S": "1"})


def test_none_in_a_mapping_is_left_out() -> None:
    assert to_value({"a": None, "b": 1}) == {"M": {"b": {"N": "1"}}}


@pytest.mark.parametrize("value", [None, 1.5, b"x", ["x"]], ids=repr)
def test_a_type_that_no_item_holds_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        to_value(value)


def test_types_of_other_programs_can_be_read() -> None:
    foreign = {
        "r": {"N": "1.5"},
        "e": {"N": "1E+2"},
        "l": {"L": [{"S": "x"}]},
        "n": {"NULL": True},
        "b": {"B": b"x"},
    }
    assert from_attributes(foreign) == {"r": 1.5, "e": 100.0, "l": ["x"], "n": None, "b": b"x"}
