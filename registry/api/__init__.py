"""The API under /api/v1/: it renders other rooms' answers, and stores nothing itself."""
