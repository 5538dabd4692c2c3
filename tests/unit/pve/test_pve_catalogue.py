"""Every error has its sentence in every language, and its parameters fill it."""

import pytest

from pharmq.base.messages import LANGUAGES, catalogue
from pharmq.pve import errors as e

SAMPLES: list[e.PveError] = [
    *(e.Unreachable(kind, "x") for kind in ("refused", "timeout", "reset", "dns", "tls", "blocked")),
    e.CertificateChanged(frozenset({"AA"}), "BB"),
    e.PermissionDenied("x", "/vms/1", "VM.Audit"),
    e.HostFault(500, "x"),
    e.ParameterRefused("x", {"vmid": "bad"}),
    e.ProtocolError("x", "vmid"),
    *(
        kind("x")
        for kind in (
            e.CredentialRefused, e.NeedTfa, e.ClusterDown, e.AlreadyRunning, e.NotRunning, e.NoSuchGuest,
            e.Locked, e.NotSupported, e.AgentUnavailable, e.ConsoleTicketRefused, e.ConsoleSilent, e.OutcomeUnknown,
        )
    ),
]  # fmt: skip


def test_the_samples_are_the_whole_tree() -> None:
    kinds = {kind for kind in vars(e).values() if isinstance(kind, type) and issubclass(kind, e.PveError)}
    assert {type(sample) for sample in SAMPLES} == kinds - {e.PveError}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: f"{type(error).__name__}-{error.code}")
def test_each_has_a_sentence_that_its_parameters_fill(error: e.PveError, language: str) -> None:
    message = catalogue(language)[f"pve.{error.code}"]  # type: ignore[arg-type]
    for text in (message.title, message.why, message.remedy):
        text.format(**error.params)
    assert message.title
    assert message.remedy
