"""``python -m pharmq``."""

from pharmq.cli import app

app(prog_name="pharmq")
