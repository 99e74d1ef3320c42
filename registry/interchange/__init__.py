"""Bytes to records and back: the formats that reports arrive and leave in."""
