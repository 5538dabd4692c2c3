"""Settings that may change at run time."""

from pharmq.settings.model import RuntimeSettings
from pharmq.settings.service import SettingsService

__all__ = ["RuntimeSettings", "SettingsService"]
