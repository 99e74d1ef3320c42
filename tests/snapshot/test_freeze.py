import stat
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from registry.snapshot import freeze
from registry.snapshot.freeze import freeze_rows
from registry.snapshot.manifest import Manifest
from registry.vocabulary import Outcome
from tests.snapshot.rows import event, exposure, implant, rows_of, shipped_terms


def frozen(
    root: Path, *, events: Any = (), implants: Any = (), exposures: Any = (), **options: Any
) -> Manifest:
    options.setdefault("terms", shipped_terms())
    return freeze_rows(root, events=events, implants=implants, exposures=exposures, **options)


def test_id_is_the_same_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    implants = [implant("i1"), implant("i2")]
    events = [event("e1", on="i1"), event("e2", on="i2", severity=3)]

    one = frozen(tmp_path / "one", events=events, implants=implants)
    other = frozen(tmp_path / "other", events=events[::-1], implants=implants[::-1])

    assert one == other


def test_each_site_is_a_hand_of_its_own_unless_told(tmp_path: Path) -> None:
    terms = shipped_terms(A="JP", B="FR", C="FR")

    alone = frozen(tmp_path / "alone", terms=terms)
    shared = frozen(tmp_path / "shared", terms=terms, hands={"A": 1, "B": 2, "C": 1})

    assert alone.hands == {"A": 1, "B": 2, "C": 3}
    assert Manifest.read(tmp_path / "shared" / shared.snapshot_id).hands == {"A": 1, "B": 2, "C": 1}


@pytest.mark.parametrize(
    "changed",
    [
        {"events": [event("e1", on="i1", severity=4)]},
        {"implants": [implant("i1", months_followed=25)]},
        {"exposures": [exposure("x1", component_months=121)]},
        {"terms": replace(shipped_terms(), version="later")},
        {"terms": shipped_terms(A="JP", B="FR")},
        {"record_key": lambda _: (1, 2), "keys": "mark"},
        {"hands": {"A": 1, "B": 1}},
    ],
)
def test_id_changes_with_the_rows_the_terms_and_the_keys(
    tmp_path: Path, changed: dict[str, Any]
) -> None:
    rows: dict[str, Any] = {
        "events": [event("e1", on="i1", severity=3)],
        "implants": [implant("i1")],
        "exposures": [exposure("x1")],
    }

    before = frozen(tmp_path, **rows)
    after = frozen(tmp_path, **rows | changed)

    assert before.snapshot_id != after.snapshot_id


def test_blank_and_unknown_give_different_ids(tmp_path: Path) -> None:
    blank = frozen(tmp_path, events=[event("e1", outcome="")])
    unknown = frozen(tmp_path, events=[event("e1", outcome="unknown")])

    assert blank.snapshot_id != unknown.snapshot_id


def test_files_are_readable_by_the_server_alone(tmp_path: Path) -> None:
    manifest = frozen(tmp_path, implants=[implant("i1")])
    folder = tmp_path / manifest.snapshot_id

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}

    assert modes == {
        "events.parquet": 0o600,
        "implants.parquet": 0o600,
        "exposures.parquet": 0o600,
        "registry.duckdb": 0o600,
        "manifest.json": 0o600,
    }
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_freeze_leaves_nothing_else_behind(tmp_path: Path) -> None:
    manifest = frozen(tmp_path, implants=[implant("i1")])

    assert [path.name for path in tmp_path.iterdir()] == [manifest.snapshot_id]


def test_failed_freeze_leaves_nothing_behind(tmp_path: Path) -> None:
    circle = [event("e1", on="i1", caused_by="e2"), event("e2", on="i1", caused_by="e1")]

    with pytest.raises(ValueError, match="circle"):
        frozen(tmp_path, events=circle, implants=[implant("i1")])

    assert list(tmp_path.iterdir()) == []


def test_equal_snapshot_stays_as_it_was(tmp_path: Path) -> None:
    manifest = frozen(tmp_path, implants=[implant("i1")])
    database = tmp_path / manifest.snapshot_id / "registry.duckdb"
    before = database.stat().st_ino

    frozen(tmp_path, implants=[implant("i1")])

    assert database.stat().st_ino == before


def test_manifest_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path, events=[event("e1", on="i1")], implants=[implant("i1")], exposures=[exposure("x")]
    )

    read = Manifest.read(tmp_path / manifest.snapshot_id)

    assert read == manifest
    assert (read.events, read.implants, read.exposures) == (1, 1, 1)


def test_years_span_events_exposure_and_device_time(tmp_path: Path) -> None:
    # made in mid-2010 and followed for 30 months: to the end of 2012
    manifest = frozen(
        tmp_path,
        events=[event("e1", year=2008)],
        implants=[implant("i1", implant_year=2010, months_followed=30)],
        exposures=[exposure("x1", year=2011)],
    )

    assert manifest.years == (2008, 2013)


def test_empty_registry_has_no_years(tmp_path: Path) -> None:
    assert frozen(tmp_path).years is None


@pytest.mark.parametrize(("months", "year"), [(119, 2010), (120, None)])
def test_ten_years_of_follow_up_drop_the_year_of_80_to_89_and_not_the_band(
    tmp_path: Path, months: int, year: int | None
) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="i1")],
        implants=[
            implant("i1", age_band="80-89", implant_year=2010, months_followed=months),
        ],
    )

    for table in ("implants", "events"):
        row = rows_of(tmp_path, manifest, table)[0]
        assert (row["age_band"], row["implant_year"]) == ("80-plus", year), table


@pytest.mark.parametrize("entered", ["80-89", "90-plus"])
def test_ages_of_80_and_over_are_one_band_on_implants_and_on_events_without_one(
    tmp_path: Path, entered: str
) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", age_band=entered)],
        implants=[implant("i1", age_band=entered)],
    )

    for table in ("implants", "events"):
        row = rows_of(tmp_path, manifest, table)[0]
        assert (row["age_band"], row["age_group"]) == ("80-plus", "older"), table
    assert not {"80-89", "90-plus"} & set(manifest.codes["age_band"])


@pytest.mark.parametrize(
    ("entered", "group"),
    [("0-5", "child"), ("18-39", "adult"), ("65-79", "older"), ("unknown", "unknown"), ("", "")],
)
def test_age_band_under_80_is_as_entered_and_has_its_group(
    tmp_path: Path, entered: str, group: str
) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", age_band=entered)],
        implants=[implant("i1", age_band=entered)],
    )

    for table in ("implants", "events"):
        row = rows_of(tmp_path, manifest, table)[0]
        assert (row["age_band"], row["age_group"]) == (entered, group), table


def test_younger_band_keeps_its_year_however_long_it_is_followed(tmp_path: Path) -> None:
    manifest = frozen(tmp_path, implants=[implant("i1", age_band="65-79", months_followed=200)])

    row = rows_of(tmp_path, manifest, "implants")[0]
    assert (row["age_band"], row["implant_year"]) == ("65-79", 2015)


@pytest.mark.parametrize(
    ("entry", "followed", "time"), [(0, 0, (0, 1)), (0, 1, (0, 4)), (6, 20, (24, 80))]
)
def test_device_time_runs_in_quarters_from_entry_to_the_end_and_is_one_at_0(
    tmp_path: Path, entry: int, followed: int, time: tuple[int, int]
) -> None:
    manifest = frozen(
        tmp_path, implants=[implant("i1", months_to_entry=entry, months_followed=followed)]
    )

    row = rows_of(tmp_path, manifest, "implants")[0]
    assert (row["time_from"], row["time_to"]) == time


@pytest.mark.parametrize(
    ("entry", "followed", "first", "last"),
    [
        (0, 0, (2015, 1), (2015, 0)),
        (0, 5, (2015, 20), (2015, 0)),
        (0, 6, (2015, 24), (2015, 0)),
        (0, 7, (2015, 24), (2016, 4)),
        (0, 30, (2015, 24), (2017, 48)),
        (0, 31, (2015, 24), (2018, 4)),
        (5, 31, (2015, 4), (2018, 4)),
        (6, 31, (2016, 48), (2018, 4)),
        (6, 20, (2016, 48), (2017, 8)),
        (9, 9, (2016, 0), (2016, 0)),
        (6, 6, (2016, 0), (2015, 0)),  # on the boundary: holds no year
    ],
)
def test_implant_says_the_years_that_hold_its_time_and_what_the_first_and_last_hold(
    tmp_path: Path, entry: int, followed: int, first: tuple[int, int], last: tuple[int, int]
) -> None:
    # implanted in the middle of 2015
    manifest = frozen(
        tmp_path, implants=[implant("i1", months_to_entry=entry, months_followed=followed)]
    )

    row = rows_of(tmp_path, manifest, "implants")[0]
    assert row["origin"] == 4 * (12 * 2015 + 6)
    assert (row["first_year"], row["first_quarters"]) == first
    assert (row["last_year"], row["last_quarters"]) == last


@given(entry=st.integers(0, 100), followed=st.integers(0, 100))
@hypothesis_settings(max_examples=20)
def test_first_and_last_year_and_whole_years_between_make_the_device_time(
    entry: int, followed: int
) -> None:
    entry = min(entry, followed)
    with tempfile.TemporaryDirectory() as folder:
        manifest = frozen(
            Path(folder), implants=[implant("i1", months_to_entry=entry, months_followed=followed)]
        )
        row = rows_of(Path(folder), manifest, "implants")[0]

    between = max(row["last_year"] - row["first_year"] - 1, 0)
    spread = row["first_quarters"] + 48 * between + row["last_quarters"]
    assert spread == row["time_to"] - row["time_from"]


def test_implant_without_its_year_has_no_calendar(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path, implants=[implant("i1", age_band="80-89", months_to_entry=3, months_followed=120)]
    )

    row = rows_of(tmp_path, manifest, "implants")[0]
    calendar = ("origin", "first_year", "first_quarters", "last_year", "last_quarters")
    assert {name: row[name] for name in calendar} == dict.fromkeys(calendar)
    assert (row["time_from"], row["time_to"]) == (12, 480)


def test_implant_is_alone_where_the_patient_has_no_other_eligible_one_of_its_component(
    tmp_path: Path,
) -> None:
    left_out = {"exit_status": "eligibility-not-met"}
    manifest = frozen(
        tmp_path,
        implants=[
            implant("a1", patient="a", months_followed=1),
            implant("a2", patient="a", component="catheter", months_followed=2),
            implant("b1", patient="b", months_followed=3),
            implant("b2", patient="b", months_followed=4),
            implant("c1", patient="c", months_followed=5),
            implant("c2", patient="c", months_followed=6, **left_out),
            implant("d1", patient="d", months_followed=7, **left_out),
        ],
    )

    rows = rows_of(tmp_path, manifest, "implants")
    alone = {row["months_followed"] for row in rows if row["alone"]}
    assert alone == {1, 2, 5}


def test_codes_are_places_in_lists_that_the_manifest_keeps(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="i1"), event("e2", outcome="fatal")],
        implants=[implant("i1", site="B")],
        exposures=[exposure("x1")],
    )

    codes = manifest.codes
    assert codes["outcome"] == ("", *Outcome.codes())
    assert codes["site"] == ("", "A", "B")
    assert codes["country"] == ("", "DE", "JP")
    assert codes["serious"] == ("", "yes", "no")
    places = ("", "at-risk", "before-entry", "after-follow-up", "no-month", "ineligible")
    places += ("after-last-round", "declared")
    assert codes["device_time"] == codes["pump_time"] == codes["catheter_time"] == places
    assert codes["category"][1:] == tuple(each.code for each in manifest.terms.categories)
    assert codes["complication"][1:] == tuple(each.code for each in manifest.terms.complications)
    with duckdb.connect(
        str(tmp_path / manifest.snapshot_id / "registry.duckdb"), read_only=True
    ) as connection:
        stored = connection.execute("SELECT outcome FROM events ORDER BY event_no").fetchall()
    assert stored == [(0,), (codes["outcome"].index("fatal"),)]


def test_code_of_no_list_is_appended_and_changes_the_id(tmp_path: Path) -> None:
    listed = frozen(tmp_path, implants=[implant("i1", site="A")])
    manifest = frozen(tmp_path, implants=[implant("i1", site="Z"), implant("i2", site="C")])

    assert manifest.codes["site"] == ("", "A", "B", "C", "Z")
    assert rows_of(tmp_path, manifest, "implants")[0]["site"] == "Z"
    assert manifest.snapshot_id != listed.snapshot_id


@pytest.mark.parametrize(
    ("entry", "month", "place"),
    [
        (0, 0, "at-risk"),
        (0, 24, "at-risk"),
        (0, 25, "after-follow-up"),
        (6, 6, "before-entry"),
        (6, 7, "at-risk"),
        (6, 0, "before-entry"),
        (0, None, "no-month"),
    ],
)
def test_event_is_at_risk_after_entry_and_not_after_the_end(
    tmp_path: Path, entry: int, month: int | None, place: str
) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="i1", months_since_implant=month)],
        implants=[implant("i1", months_to_entry=entry)],
    )

    row = rows_of(tmp_path, manifest, "events")[0]
    assert (row["pump_time"], row["device_time"]) == (place, place)
    assert row["catheter_time"] == ("" if place == "at-risk" else place)


def test_event_without_an_implant_lies_on_no_clock_and_takes_its_complications_component(
    tmp_path: Path,
) -> None:
    manifest = frozen(
        tmp_path, events=[event("e1", complication="catheter-kink", catheter_model="ascenda")]
    )

    row = rows_of(tmp_path, manifest, "events")[0]
    assert (row["device_no"], row["patient_no"], row["device_time"]) == (None, None, "")
    assert (row["component"], row["manufacturer"]) == ("catheter", "medtronic")


def test_implant_lends_its_attributes_to_its_event(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="i1")],
        implants=[
            implant(
                "i1",
                pump_model="prometra",
                drug="morphine",
                label_status="on-label-mono",
                indication="crps",
                sex="female",
                age_band="40-64",
            )
        ],
    )

    row = rows_of(tmp_path, manifest, "events")[0]
    expected = {
        "pump_model": "prometra",
        "manufacturer": "flowonix",
        "drug": "morphine",
        "drug_class": "opioid",
        "label_status": "on-label-mono",
        "indication": "crps",
        "indication_group": "pain-noncancer",
        "sex": "female",
        "age_band": "40-64",
        "implant_year": 2015,
        "country": "JP",
        "category": "pump",
    }
    assert {name: row[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("criteria", "serious", "bits"),
    [
        ({}, "", 0),
        ({"serious_none": True}, "no", 256),
        ({"serious_death": True, "serious_hospitalisation": True}, "yes", 5),
    ],
)
def test_seriousness_tells_none_from_not_recorded(
    tmp_path: Path, criteria: dict[str, bool], serious: str, bits: int
) -> None:
    manifest = frozen(tmp_path, events=[event("e1", **criteria)])

    row = rows_of(tmp_path, manifest, "events")[0]
    assert (row["serious"], row["seriousness"]) == (serious, bits)


def replaced_system() -> list[tuple[object, ...]]:
    """A catheter of 2010 with two pumps: 2010 to mid-2015, and 2015 onwards; one patient."""
    return [
        implant(
            "c1",
            patient="p",
            component="catheter",
            catheter_model="ascenda",
            implant_year=2010,
            months_followed=96,
        ),
        implant(
            "p1",
            patient="p",
            pump_model="isomed",
            implant_year=2010,
            months_followed=60,
            exit_status="replaced-end-of-service",
        ),
        implant("p2", patient="p", pump_model="medstream", implant_year=2015, months_followed=36),
    ]


def test_implant_carries_the_model_of_the_other_component_at_its_entry(tmp_path: Path) -> None:
    manifest = frozen(tmp_path, implants=replaced_system())

    found = {
        (row["component"], row["sequence"]): (row["pump_model"], row["catheter_model"])
        for row in rows_of(tmp_path, manifest, "implants")
    }
    assert found == {
        ("catheter", 1): ("isomed", "ascenda"),
        ("pump", 1): ("isomed", "ascenda"),
        ("pump", 2): ("medstream", "ascenda"),
    }


def test_where_a_pump_lies_is_told_of_the_catheter_and_its_events_too(tmp_path: Path) -> None:
    lies = {"pump_site": "abdomen", "pump_plane": "subfascial"}
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="c1", complication="catheter-kink")],
        implants=[
            implant("c1", patient="p", component="catheter", procedure="revision"),
            implant("p1", patient="p", pump_model="synchromed-ii-40", procedure="trial", **lies),
        ],
    )

    names = ("pump_family", "pump_site", "pump_plane", "procedure")
    told = {
        table: [tuple(row[name] for name in names) for row in rows_of(tmp_path, manifest, table)]
        for table in ("implants", "events")
    }
    of_pump = ("synchromed-ii", "abdomen", "subfascial")
    assert told == {
        "implants": [(*of_pump, "revision"), (*of_pump, "trial")],
        "events": [(*of_pump, "revision")],
    }


def test_event_without_an_implant_and_declared_time_tell_the_family_of_their_model(
    tmp_path: Path,
) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", pump_model="prometra-ii-20")],
        exposures=[exposure("x1", pump_model="prometra-ii-20"), exposure("x2")],
    )

    (row,) = rows_of(tmp_path, manifest, "events")
    assert (row["pump_family"], row["pump_site"], row["procedure"]) == ("prometra-ii", "", "")
    declared = [row["pump_family"] for row in rows_of(tmp_path, manifest, "exposures")]
    assert declared == ["prometra-ii", ""]


@pytest.mark.parametrize(
    ("month", "model", "pump_month"),
    [(0, "isomed", 0), (60, "isomed", 60), (61, "medstream", 1), (96, "medstream", 36)],
)
def test_catheter_event_is_matched_to_the_pump_of_its_time_on_that_pumps_clock(
    tmp_path: Path, month: int, model: str, pump_month: int
) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="c1", complication="catheter-kink", months_since_implant=month)],
        implants=replaced_system(),
    )

    pumps = {row["device_no"]: row["pump_model"] for row in rows_of(tmp_path, manifest, "implants")}
    row = rows_of(tmp_path, manifest, "events")[0]
    assert (pumps[row["pump_no"]], row["pump_month"], row["pump_time"]) == (
        model,
        pump_month,
        "at-risk",
    )
    assert (row["catheter_month"], row["catheter_no"]) == (month, row["device_no"])


def test_event_is_matched_to_no_pump_where_the_patient_had_none_then(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="c1", complication="catheter-kink", months_since_implant=30)],
        implants=[
            implant("c1", patient="p", component="catheter", months_followed=60),
            implant("p1", patient="p", months_followed=24),
        ],
    )

    row = rows_of(tmp_path, manifest, "events")[0]
    assert (row["pump_no"], row["pump_month"], row["pump_time"]) == (None, None, "")


def test_other_patients_pump_is_never_matched(tmp_path: Path) -> None:
    manifest = frozen(
        tmp_path,
        events=[event("e1", on="c1", complication="catheter-kink")],
        implants=[implant("c1", component="catheter"), implant("p1")],
    )

    assert rows_of(tmp_path, manifest, "events")[0]["pump_no"] is None


def test_episode_is_that_of_the_event_which_started_it(tmp_path: Path) -> None:
    # e1 -> e2 -> e3 and e1 -> e4; e5 alone
    manifest = frozen(
        tmp_path,
        events=[
            event("e1"),
            event("e2", caused_by="e1"),
            event("e3", caused_by="e2"),
            event("e4", caused_by="e1"),
            event("e5"),
        ],
    )

    rows = rows_of(tmp_path, manifest, "events")
    assert [row["episode"] for row in rows] == [0, 0, 0, 0, 4]
    assert [row["cause_no"] for row in rows] == [None, 0, 1, 0, None]


@pytest.mark.parametrize("length", [2, 3, 4, 7])
@pytest.mark.parametrize("beside", [0, 40])
def test_causes_in_a_circle_are_refused(tmp_path: Path, length: int, beside: int) -> None:
    circle = [event(f"e{n}", caused_by=f"e{(n + 1) % length}") for n in range(length)]
    led_in = [event("x", caused_by="e0")]
    chain = [event(f"f{n}", caused_by=f"f{n + 1}") for n in range(beside)]

    with pytest.raises(ValueError, match="circle"):
        frozen(tmp_path, events=[*circle, *led_in, *chain])


@pytest.mark.parametrize("length", [3, 4, 5, 200])
def test_episode_of_a_long_chain_is_found(tmp_path: Path, length: int) -> None:
    first = event("e000")
    chain = [event(f"e{n:03d}", caused_by=f"e{n - 1:03d}") for n in range(1, length)]

    manifest = frozen(tmp_path, events=[first, *chain])

    assert {row["episode"] for row in rows_of(tmp_path, manifest, "events")} == {0}


def test_record_keys_stand_beside_their_device_and_patient(tmp_path: Path) -> None:
    def record_key(public_id: bytes) -> tuple[int, int]:
        return public_id[0], public_id[1]

    manifest = frozen(
        tmp_path,
        implants=[implant("i1", patient="p7"), implant("i2", patient="q8")],
        record_key=record_key,
    )

    keys = [
        tuple(row[name] for name in row if "_key_" in name)
        for row in rows_of(tmp_path, manifest, "implants")
    ]
    assert keys == [
        (ord("i"), ord("1"), ord("p"), ord("7")),
        (ord("i"), ord("2"), ord("q"), ord("8")),
    ]


def test_snapshot_without_a_key_function_has_no_keys(tmp_path: Path) -> None:
    manifest = frozen(tmp_path, implants=[implant("i1")])

    assert not [name for name in rows_of(tmp_path, manifest, "implants")[0] if "_key_" in name]


def test_source_is_let_go_once_read_before_anything_is_derived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    link_episodes = freeze.link_episodes

    def derived(connection: Any) -> None:
        happened.append("derived")
        link_episodes(connection)

    def noted(name: str, rows: Any) -> Any:
        yield from rows
        happened.append(name)

    def key(identity: bytes) -> tuple[int, int]:
        happened.append("keyed")
        return 1, 2

    monkeypatch.setattr(freeze, "link_episodes", derived)

    freeze_rows(
        tmp_path,
        events=noted("events", []),
        implants=noted("implants", [implant("i1")]),
        exposures=noted("exposures", []),
        terms=shipped_terms(),
        record_key=key,
        when_read=lambda: happened.append("let go"),
    )

    assert happened == ["implants", "events", "exposures", "keyed", "keyed", "let go", "derived"]
