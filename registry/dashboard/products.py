"""The pump and catheter models: their codes, and the addresses of their pages."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from registry.vocabulary import CODELISTS


@dataclass(frozen=True, slots=True)
class ProductKind:
    """One kind of product: the dimension of its models, and the category of its own failures."""

    code: str
    dimension: str
    title: str
    noun: str

    @property
    def models(self) -> Mapping[str, Any]:
        """The models by their codes, in the order of their list."""
        codelist = CODELISTS[self.dimension.replace("_", "-")]
        return {str(each.value): each for each in codelist}


KINDS = {
    "pump": ProductKind("pump", "pump_model", "Pump models", "pump"),
    "catheter": ProductKind("catheter", "catheter_model", "Catheter models", "catheter"),
}
"""The kinds of products by their code in addresses, which is that of their category, too."""
