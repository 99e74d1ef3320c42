"""An attacker on what the registry publishes, who knows everything that is public.

He holds the catalogue, the vocabularies, this code and the law of the noise, and has a
researcher's token; he has no row and no key. `truth` is what he is after, and only judges him.
"""
