"""The shipped catalogue: complications, their categories, and what was published about them."""

from registry.catalogue.reader import (
    Catalogue,
    CatalogueFault,
    CategoryEntry,
    ComplicationEntry,
    ImdrfCodeEntry,
    PublishedRateEntry,
    SynonymEntry,
    read_catalogue,
)

__all__ = [
    "Catalogue",
    "CatalogueFault",
    "CategoryEntry",
    "ComplicationEntry",
    "ImdrfCodeEntry",
    "PublishedRateEntry",
    "SynonymEntry",
    "read_catalogue",
]
