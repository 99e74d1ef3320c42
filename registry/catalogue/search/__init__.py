"""Search of the catalogue: words, stems, slips and synonyms in four languages, ranked."""

from registry.catalogue.search.index import (
    FITS,
    Hit,
    ImdrfName,
    Matches,
    SearchEntry,
    SearchIndex,
    index_of,
)

__all__ = ["FITS", "Hit", "ImdrfName", "Matches", "SearchEntry", "SearchIndex", "index_of"]
