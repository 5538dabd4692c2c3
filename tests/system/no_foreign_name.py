"""A check for schemathesis (SCHEMATHESIS_HOOKS): no answer carries a word of the file that PHARMQ_FOREIGN names."""

import os
from pathlib import Path
from typing import Any

import schemathesis

FOREIGN = tuple(word for word in Path(os.environ["PHARMQ_FOREIGN"]).read_text().split("\n") if word)


@schemathesis.check
def no_foreign_name(_ctx: Any, response: Any, case: Any) -> None:
    text = response.content.decode(errors="replace")
    found = [word for word in FOREIGN if word in text]
    if not found:
        return
    sent = str(case.as_curl_command())
    for word in found:
        if word not in sent:
            raise AssertionError(f"the answer names {word!r}, which this caller may not see")
