"""Pages for researchers and the public: the catalogue, the rates, and signing in."""
