"""Who asks what, of which data: viewers, questions, specs, snapshots, keys."""
