"""Hands: sites that one person may report or correct at act as one."""

from collections.abc import Collection, Iterable, Mapping


def hands(sites: Iterable[str], together: Iterable[Collection[str]]) -> Mapping[str, int]:
    """Number the hand of each site, from 1, in the order of the hands' first sites.

    sites: every site. together: for each person the sites where he or she may report or correct.
    Hands are the connected components: sites without anybody in common are one too, where other
    sites link them.
    """
    parent = {site: site for site in sorted(sites)}

    def first(site: str) -> str:
        while parent[site] != site:
            parent[site] = parent[parent[site]]
            site = parent[site]
        return site

    for shared in together:
        roots = sorted({first(site) for site in shared if site in parent})
        for root in roots[1:]:
            parent[root] = roots[0]
    roots = sorted({first(site) for site in parent})
    numbers = {root: number for number, root in enumerate(roots, 1)}
    return {site: numbers[first(site)] for site in parent}
