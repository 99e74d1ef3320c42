"""What every code list offers, shown on small lists and on severity, whose values are numbers."""

import copy

import pytest

from registry.vocabulary import (
    BIT_SETS,
    CODELISTS,
    NOT_RECORDED,
    Code,
    Drug,
    PumpModel,
    Seriousness,
    Severity,
    Sex,
)


class Fruit(Code):
    APPLE = "apple", "Apple", "A pome."
    PEAR = "pear", "Pear", "A longer pome."
    PLUM = "plum", "Plum", "A drupe."


def test_code_is_its_value_wherever_a_string_is_wanted():
    assert Fruit.PEAR == "pear"
    assert f"{Fruit.PEAR}" == "pear"
    assert Fruit("pear") is Fruit.PEAR


def test_code_carries_its_label_and_definition():
    assert Fruit.PLUM.label == "Plum"
    assert Fruit.PLUM.definition == "A drupe."
    assert Fruit.PLUM.verified is True


def test_choices_pair_plain_values_with_labels_in_order():
    assert Fruit.choices() == [("apple", "Apple"), ("pear", "Pear"), ("plum", "Plum")]
    assert {type(value) for value, _ in Fruit.choices()} == {str}


def test_codes_are_plain_values_in_order():
    assert Fruit.codes() == ("apple", "pear", "plum")
    assert {type(value) for value in Fruit.codes()} == {str}


def test_severity_has_the_same_interface_with_numbers():
    assert Severity.choices() == [
        (1, "Mild"),
        (2, "Moderate"),
        (3, "Severe"),
        (4, "Life-threatening"),
        (5, "Death"),
    ]
    assert Severity.codes() == (1, 2, 3, 4, 5)
    assert {type(value) for value in Severity.codes()} == {int}
    assert Severity.MILD.bit == 0


def test_severity_compares_as_a_grade():
    assert Severity.LIFE_THREATENING > Severity.SEVERE
    assert Severity(5) is Severity.DEATH


def test_bit_is_the_position_in_declaration_order():
    assert [fruit.bit for fruit in Fruit] == [0, 1, 2]


def test_pack_sets_one_bit_for_each_answer():
    assert Fruit.pack([Fruit.PLUM, Fruit.APPLE]) == 0b101


def test_pack_of_no_answer_is_zero():
    assert Fruit.pack([]) == 0


def test_pack_counts_a_repeated_answer_once():
    assert Fruit.pack([Fruit.PEAR, Fruit.PEAR]) == 0b10


def test_unpack_gives_back_answers_in_declaration_order():
    assert Fruit.unpack(0b101) == (Fruit.APPLE, Fruit.PLUM)


def test_unpack_gives_back_what_pack_held_for_a_full_list():
    assert Drug.unpack(Drug.pack(Drug)) == tuple(Drug)


@pytest.mark.parametrize("bits", [0b1000, -1], ids=["a bit too many", "negative"])
def test_unpack_refuses_bits_without_a_code(bits):
    with pytest.raises(ValueError, match="Fruit has 3 codes"):
        Fruit.unpack(bits)


def test_code_survives_a_copy_as_itself():
    assert copy.deepcopy(Drug.BACLOFEN) is Drug.BACLOFEN
    assert copy.copy(PumpModel.ISOMED) is PumpModel.ISOMED


def test_unverified_entries_say_so_in_their_label():
    assert not PumpModel.SIROMEDES.verified
    assert PumpModel.SIROMEDES.label == "Tricumed Siromedes (unverified)"
    assert ("tricumed-ip-series", "Tricumed IP series (unverified)") in PumpModel.choices()


def test_only_the_recalled_entries_are_unverified():
    unverified = {
        f"{name}: {member.value}"
        for name, codelist in CODELISTS.items()
        for member in codelist
        if not member.verified
    }

    assert unverified == {"pump-model: siromedes", "pump-model: tricumed-ip-series"}


def test_not_recorded_is_a_code_of_no_list():
    assert NOT_RECORDED == "not-recorded"
    assert not [name for name, codelist in CODELISTS.items() if NOT_RECORDED in codelist.codes()]


def test_bit_sets_fit_a_signed_64_bit_column():
    assert set(BIT_SETS) >= {Seriousness, Drug}
    assert max(len(codelist) for codelist in BIT_SETS) <= 63


def test_code_is_found_by_its_value_and_by_nothing_else():
    assert Sex.of("female") is Sex.FEMALE
    with pytest.raises(ValueError, match="Sex has no such code"):
        Sex.of("Female")
