"""One file that holds the registry, and a registry made of it again."""
