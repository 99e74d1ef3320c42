"""What keeps a backup from being made or restored, in words."""


class UnusableBackup(Exception):
    """Nothing was stored: the file cannot be restored here, or none can be made of this database.

    The text says why, and what helps.
    """


class DamagedSnapshots(Exception):
    """A backup was made without the snapshots that do not hold; the text names them."""
