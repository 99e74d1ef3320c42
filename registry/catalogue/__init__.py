"""The shipped catalogue: complications, their categories, and what was published about them."""

from registry.catalogue.reader import (
    Catalogue,
    CatalogueFault,
    CategoryEntry,
    ComplicationEntry,
    PublishedRateEntry,
    read_catalogue,
)

__all__ = [
    "Catalogue",
    "CatalogueFault",
    "CategoryEntry",
    "ComplicationEntry",
    "PublishedRateEntry",
    "read_catalogue",
]
