"""Rates, curves, funnels, signals and trends: arithmetic on arrays, without web or database."""
