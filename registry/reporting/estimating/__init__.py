"""From sums to rows of true numbers."""
