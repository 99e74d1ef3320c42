"""Every door of the registry, held against what it stores."""
