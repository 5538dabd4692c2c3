"""Bodies that no browser sends."""

from pathlib import Path

import pytest

from house_rig import ORIGIN, whole_house


@pytest.mark.parametrize("body", [b'{"lang":"\xff"}', b'{"\xee":1}', b'"\xee', b"\xff"])
async def test_what_is_not_utf8_is_refused_and_no_failure_of_ours(tmp_path: Path, body: bytes) -> None:
    async with whole_house(tmp_path) as house:
        person = await house.signed_in("kim", [])
        headers = {"X-CSRF-Token": person.csrf, "Origin": ORIGIN, "Content-Type": "application/json"}
        async with house.client(person.cookie) as http:
            answer = await http.put("/api/me", content=body, headers=headers)
        assert answer.status_code == 400
        assert answer.json()["code"] == "request.invalid"
