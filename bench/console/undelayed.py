"""``python -m pharmq_sim`` whose consoles send their first RFB byte at once, not 0.3-1.3 s after the upgrade as a
real host does (a Perl process starts there): so that what the manager adds can be seen."""

from pharmq_sim.__main__ import app
from pharmq_sim.console import Consoles

Consoles.__init__.__kwdefaults__["first_byte"] = (0.0, 0.0)
app()
