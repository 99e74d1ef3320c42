"""Whatever is sent as an AdverseEvent is read or refused with its place, and never fails."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.interchange.fhir import EVENT, FhirVersion
from registry.interchange.fhir_concepts import CatalogueTerms
from registry.interchange.fhir_import import read_adverse_event
from registry.records import IdentifierFound, RowRuleBroken

WORDS = [
    *("coding", "system", "code", "display", "text", "identifier", "value", "reference", "type"),
    *("extension", "url", "valueCode", "valueInteger", "valueReference", "instance", "causality"),
    *("assessment", "entityRelatedness", "instanceReference", "itemCodeableConcept", "start"),
    *("urn:pump-registry:complications", "urn:pump-registry:codelist:relatedness", "possible"),
    *("/fhir/r5/StructureDefinition/suspect", "/fhir/r5/StructureDefinition/caused-by", "device"),
    *("/fhir/r5/StructureDefinition/severity", "/fhir/r5/StructureDefinition/alarm", "Device"),
    *("http://terminology.hl7.org/CodeSystem/adverse-event-seriousness", "serious", "2020-01"),
]
LEAVES = st.none() | st.booleans() | st.integers(-5, 5000) | st.floats() | st.sampled_from(WORDS)
ANY = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4)
    ),
    max_leaves=12,
)
ELEMENTS = [
    *("identifier", "actuality", "_actuality", "category", "event", "code", "subject", "date"),
    *("occurrenceDateTime", "occurrencePeriod", "location", "seriousness", "severity", "outcome"),
    *("suspectEntity", "contained", "extension", "modifierExtension", "mitigatingAction", "text"),
]


@pytest.mark.parametrize("version", FhirVersion)
@given(elements=st.dictionaries(st.sampled_from(ELEMENTS), ANY, max_size=6))
def test_anything_is_read_or_refused(version, elements):
    resource = {"resourceType": "AdverseEvent", **elements}

    with suppress(RowRuleBroken, IdentifierFound):
        read = read_adverse_event(
            resource, version=version, terms=CatalogueTerms(), keeps_months=False
        )
        assert set(read.report.values) <= set(EVENT)
        assert all(isinstance(text, str) for text in read.report.values.values())


@pytest.mark.parametrize("version", FhirVersion)
@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("value", [None, 7, "x", [], {}, [7], [[]], [{}], {"coding": 7}, True])
def test_every_element_of_another_type_is_read_or_refused(version, element, value):
    resource = {"resourceType": "AdverseEvent", element: value}

    with pytest.raises(RowRuleBroken) as refused:  # at least subject or actuality are missing
        read_adverse_event(resource, version=version, terms=CatalogueTerms(), keeps_months=True)

    assert all(fault.column.startswith("AdverseEvent") for fault in refused.value.faults)
