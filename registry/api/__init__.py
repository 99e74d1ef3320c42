"""The API under /api/v1/: it renders what other rooms answer, and stores nothing itself."""
