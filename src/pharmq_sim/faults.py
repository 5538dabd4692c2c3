"""Faults by name, set on any host at any time."""


class Faults:
    """``set("latency", ms=400)``, ``clear("latency")``, ``clear()``; ``get`` gives the parameters or None."""

    def __init__(self) -> None:
        self._active: dict[str, dict[str, float | str]] = {}

    def set(self, name: str, **params: float | str) -> None:
        self._active[name] = params

    def clear(self, name: str | None = None) -> None:
        if name is None:
            self._active.clear()
        else:
            self._active.pop(name, None)

    def get(self, name: str) -> dict[str, float | str] | None:
        return self._active.get(name)

    def __contains__(self, name: str) -> bool:
        return name in self._active

    def names(self) -> list[str]:
        return sorted(self._active)
