"""Rates, curves, funnels, signals and trends: arithmetic on sums, without web or database."""
