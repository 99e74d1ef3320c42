"""What is worked out from all rows of a site, kept until the site's rows next change."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.core.cache import cache
from django.db.models import OuterRef, QuerySet, Subquery

from registry.models import Exposure, Implant, Site
from registry.models.access import IMPLANTS_FROM

T = TypeVar("T")


def kept_by_site(
    name: str, sites: QuerySet[Site], work: Callable[[QuerySet[Site]], Mapping[int, T]]
) -> dict[int, T]:
    """What `work` finds in the implants and declarations of each site, by the site's key.

    name: of what is found, with everything else that it depends on, such as the day. Each site's
    is kept under its words and the hashes of its newest seals and so is never out of date; a
    change at one site lets only that site's rows be read again. One query where all are known.
    """
    newest = sites.annotate(newest_implant=_newest(Implant), newest_declared=_newest(Exposure))
    keys = {
        f"{name}-{'-'.join(map(str, found))}": found[0]
        for found in newest.order_by().values_list(
            "pk", "round_seal", *IMPLANTS_FROM.values(), "newest_implant", "newest_declared"
        )
    }
    kept: dict[str, Any] = cache.get_many(keys)
    new = {pk: key for key, pk in keys.items() if key not in kept}
    if new:
        found = work(Site.objects.filter(pk__in=list(new)))
        cache.set_many({new[pk]: value for pk, value in found.items()})
        kept |= {new[pk]: value for pk, value in found.items()}
    return {keys[key]: value for key, value in kept.items()}


def _newest(model: type[Implant | Exposure]) -> Subquery:
    """The hash of the newest seal on a site's rows."""
    of_site = model._default_manager.filter(site=OuterRef("pk")).order_by("-seal_id")
    return Subquery(of_site.values("seal__hash")[:1])
