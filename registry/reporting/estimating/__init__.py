"""From sums to rows of exact numbers."""
