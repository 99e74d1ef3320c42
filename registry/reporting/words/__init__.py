"""What an answer says of itself, in words that a clinician reads."""
