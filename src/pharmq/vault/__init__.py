"""Secrets at rest."""

from pharmq.vault.service import MasterKey, Vault, VaultError, create_key_file, find_master_key

__all__ = ["MasterKey", "Vault", "VaultError", "create_key_file", "find_master_key"]
