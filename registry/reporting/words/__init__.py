"""Describes answers in words for clinicians."""
