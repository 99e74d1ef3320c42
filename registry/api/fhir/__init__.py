"""The addresses under /fhir/: a site's own events as FHIR resources, R4 and R5."""
