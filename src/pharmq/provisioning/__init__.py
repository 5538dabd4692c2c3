"""From an administrator's password to a least-privilege service account of our own on each host, and its rotation."""

from pharmq.provisioning.service import ProvisioningService

__all__ = ["ProvisioningService"]
