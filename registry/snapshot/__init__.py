"""Frozen snapshots of the registry and the statements that read them."""
