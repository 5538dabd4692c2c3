"""The consoles of a simulated host: vncproxy, termproxy and the WebSocket behind them, by the rules that were
observed on PVE 9.2 (and the few rows in which 7 and 8 differ)."""

from pharmq_sim.console.service import Consoles

__all__ = ["Consoles"]
