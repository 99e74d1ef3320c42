"""Questions to try pages with, by the label of their measure."""

from registry.vocabulary import Measure

OF_RATES = "unit=pump-months&per=100&level=0.99&counting=events&ordering=-rate&labels=code"
EXACT = {
    "Counts": "counting=episodes&group_by=severity,year&ordering=-n",
    "Rates": f"{OF_RATES}&group_by=category,year&year_min=2015",
    "Proportions": "counting=devices&level=0.90&group_by=outcome&window=0-12",
    "Survival": "ci=plain&level=0.90&group_by=drug&ordering=-estimate",
    "Cumulative incidence": "level=0.90&group_by=implant_year",
    "Burden": "level=0.90&group_by=drug&ordering=-estimate",
    "Comparison": "adjust=age_band,window&cluster=patient&reference=male&unit=pump-months&per=100"
    "&level=0.99&counting=events&group_by=sex&ordering=-ratio",
    "Funnel": "standardise=age_band,sex&unit=pump-months&per=100&counting=events&ordering=-ratio",
    "Trend": "unit=catheter-months&per=100&level=0.99&ordering=-year&counting=episodes",
    "Signals": "level=0.99&counting=devices&group_by=drug,category&ordering=-ic_lower",
    "Cascades": "group_by=category&ordering=-share&effect=pump",
    "Coverage": "unit=refills&group_by=site,category&ordering=-counted&period=2015-2019",
}
"""A question of each measure with every option that it takes."""

PROTECTED = {
    "Counts": "counting=devices&group_by=severity&ordering=-n",
    "Rates": "unit=procedures&per=100&level=0.99&category=infection&group_by=year",
    "Proportions": "level=0.90&group_by=outcome&labels=label",
    "Survival": "level=0.90&group_by=drug",
    "Cumulative incidence": "level=0.90&group_by=drug",
    "Comparison": "per=100&level=0.99&category=infection&group_by=sex&reference=male",
    "Funnel": "per=100&level=0.99",
    "Trend": "unit=procedures&per=100&level=0.99&category=infection",
    "Signals": "level=0.99&group_by=drug,category",
    "Cascades": "group_by=category",
}
CODES = {measure.label: measure.value for measure in Measure}
