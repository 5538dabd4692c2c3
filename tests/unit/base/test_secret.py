import json
import pickle

import msgspec
import pytest

from pharmq.base.secret import Secret


def test_a_secret_prints_blank_everywhere() -> None:
    secret = Secret("hunter2")
    for text in (repr(secret), str(secret), f"{secret}", f"{secret!r}", f"{secret:>20}", f"{[secret]}"):
        assert "hunter2" not in text
    assert secret.reveal() == "hunter2"


def test_a_secret_does_not_serialise() -> None:
    for dump in (json.dumps, pickle.dumps, msgspec.json.encode):
        with pytest.raises(TypeError):
            dump(Secret("hunter2"))


def test_secrets_compare_by_value() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
