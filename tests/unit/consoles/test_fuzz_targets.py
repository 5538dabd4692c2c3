"""The fuzzer's targets hold for their seeds and some hundred inputs made of them; ``script/fuzz`` looks for more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    for seed in TARGETS[name].seeds:
        TARGETS[name].run(seed)
        for at in range(len(seed)):
            TARGETS[name].run(seed[:at])


@given(st.sampled_from(sorted(TARGETS)), st.data())
def test_inputs_near_the_seeds(name: str, data: st.DataObject) -> None:
    seed = bytearray(data.draw(st.sampled_from(TARGETS[name].seeds)))
    for at, byte in data.draw(st.lists(st.tuples(st.integers(0, len(seed) - 1), st.integers(0, 255)), max_size=6)):
        seed[at] = byte
    TARGETS[name].run(bytes(seed) + data.draw(st.binary(max_size=40)))
