"""What of an exact answer stays out of print under a data-use agreement."""

from registry.records import Release

LEAST_IN_PRINT = 5
SMALL = (
    "not for print: {rows} a number from 1 to 4. Leave it out, with what gives it away, such as a "
    "total beside all other rows, or ask for something coarser."
)


def under_agreement(release: Release) -> list[str]:
    """The answer's warnings, after one on the rows whose numbers stay out of print."""
    counts = [
        column.name
        for column in release.columns
        if column.type == "integer" and column.role == "measure" and column.unit is None
    ]
    small = sum(
        any(0 < (row[name] or 0) < LEAST_IN_PRINT for name in counts)  # type: ignore[operator]
        for row in release.rows
    )
    told = release.meta["warnings"]
    warnings = [str(each) for each in told] if isinstance(told, list | tuple) else []
    if not small:
        return warnings
    rows = "one row has" if small == 1 else f"{small} rows have"
    said = SMALL.format(rows=rows)
    return [f"{said[0].upper()}{said[1:]}", *warnings]
