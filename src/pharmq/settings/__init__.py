"""Settings that may change at run time."""

from pharmq.settings.model import KIND_RULES, KindRule, RuntimeSettings
from pharmq.settings.service import SettingsService

__all__ = ["KIND_RULES", "KindRule", "RuntimeSettings", "SettingsService"]
