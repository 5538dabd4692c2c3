from urllib.parse import unquote

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pharmq.base.errors import Conflict, Unavailable
from pharmq.consoles.model import CLOSE_CODES, REASON_LIMIT, Cause


def test_close_codes_are_distinct_and_for_applications() -> None:
    assert len(set(CLOSE_CODES.values())) == len(CLOSE_CODES)
    assert all(4400 <= code < 4600 for code in CLOSE_CODES.values())


def test_a_refusal_is_never_retried_a_moment_may_be() -> None:
    for code in ("console.credential_refused", "console.certificate_changed", "console.vm_stopped", "console.revoked"):
        assert not Cause(code).retriable
        assert isinstance(Cause(code).error(), Conflict)
    for code in ("console.host_unreachable", "console.too_late", "console.server_stopping", "console.browser_lost"):
        assert Cause(code).retriable
        assert isinstance(Cause(code).error(), Unavailable)


def test_the_longest_code_leaves_room() -> None:
    assert max(len(code) for code in CLOSE_CODES) < 60


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(CLOSE_CODES)),
    st.dictionaries(st.sampled_from(["reason", "detail", "text", "node"]), st.text(max_size=200) | st.integers()),
)
def test_a_reason_fits_its_frame_and_can_be_read_back(code: str, params: dict[str, str | int]) -> None:
    # Lone surrogates cannot come from a host: its answers are decoded UTF-8.
    params = {k: v.encode("utf-8", "ignore").decode() if isinstance(v, str) else v for k, v in params.items()}
    reason = Cause(code, params).reason
    assert len(reason.encode()) <= REASON_LIMIT
    head, _, query = reason.partition("?")
    assert head == code
    for pair in query.split("&") if query else []:
        name, _, value = pair.partition("=")
        assert str(params[name]).startswith(unquote(value))
