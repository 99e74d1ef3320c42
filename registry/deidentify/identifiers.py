"""Recognises keys that identify a person or a device: numbers, dates, names, serials.

A key stands for a row and nothing else. These rules judge its form alone, so that no list of
patients is needed; a key that the registry makes (`made_key`) meets none of them.
"""

import re
import secrets
import unicodedata
from calendar import monthrange
from dataclasses import dataclass
from itertools import pairwise, permutations

MEND = "use a random key, such as one that the registry makes"
"""What to do about any refused key."""


@dataclass(frozen=True, slots=True)
class KeyRule:
    """One form that identifies: its name in messages, and what it looks like in words."""

    name: str
    looks: str

    @property
    def detail(self) -> str:
        """The sentence that refuses a key: what it looks like, the rule, and the mend."""
        return f"this looks like {self.looks} (rule: {self.name}); {MEND}"


E_MAIL = KeyRule("e-mail", "an e-mail address")
DATE = KeyRule("date", "a date: a valid day, month and year in some order")
PERSONAL_NUMBER = KeyRule("personal-number", "an insurance or personal number")
LABELLED_NUMBER = KeyRule(
    "labelled-number", "a number with a label such as MRN, SSN, SN, LOT, DOB or Tel"
)
LONG_NUMBER = KeyRule(
    "long-number",
    "a record, insurance or serial number: it has six or more digits in a row",
)
TELEPHONE = KeyRule(
    "telephone", "a telephone or record number: it has seven or more digits in groups"
)
NAME = KeyRule("name", "a name: it has letters in a row that can be read as a word")

_VOWELS = "aeiouy"
_LETTERS = "bcdfghjkmnpqrstvwxz"
_MADE_LENGTH = 8
_MADE = re.compile(rf"[a-z]-[{_LETTERS}]{{{_MADE_LENGTH}}}")

_FIELD_WORDS = """
    pump pumps pumpe pumpen pomp pompe cath caths catheter catheters katheter implant implants
    implantat device devices geraet system systems patient patients patientin pat pats case cases
    fall event events ereignis report reports site sites clinic klinik klinikum centre center
    zentrum study studie trial cohort arm subject subj person part record row entry item unit
    key code ident new old own other left right test tests demo sample samples example dummy
    synthetic random pseudo pseudonym anon draft main base series replacement replaced revision
    revised refill exposure episode cause caused consequence follow visit round number nummer
    numero first second third last next again alpha beta gamma delta omega none null
"""
_FIELD = frozenset(_FIELD_WORDS.split())
_OF_FIELD_WORDS = re.compile(f"(?:{'|'.join(sorted(_FIELD, key=len, reverse=True))})+")
_WORD_AND_LETTER = re.compile(r"([a-z]+|[A-Z][a-z]+)[A-Z]")

_SHORT_NAMES_LISTED = """
    abe ada ali ami amy ana ann ava bea bas ben bob cas dan deb doe don edo eli eva eve fay gus
    guy ian ida ike ina ira ivo jan jef jim joe jon jos kai kay kim lea lee len leo les liv lou luc
    lux lya mae max meg mia mio nel nia noa noe nora ole ota ott pam pia pim ray rae rob roe ron
    roy sam sia sid sue ted tim tom tia udo ugo ulf una ute uwe val vic wim zoe abt alt arp axt
    bos cox day fox fux hay jay kok kay may mol nau orr poe pop ruf rau roy uhl ulm vos zay hui
    nga wei lin yan ito abe ono
"""
_SHORT_NAMES = frozenset(_SHORT_NAMES_LISTED.split())
_LABELS_LISTED = """
    tel tlf fax fon mob gsm handy sn snr serno serial serialno seriennr lot udi mrn mrno ssn nhs
    nhi hcn nino bsn ahv svnr svn rvnr vsnr kvnr kvno ipp nir nss dni nie nif cpf cpr rut pesel
    pid patid patnr patno fallnr fallno aktennr aktenr fnr emr ehr mpi dob geb gebdat gbdat gebdatum
    ddn dn plz zip npi imei iban insz niss curp oib egk
"""
_LABELS = frozenset(_LABELS_LISTED.split())
_MONTHS = (
    "jan(?:uar|uary|uari|vier|v)?|feb(?:ruar|ruary|ruari)?|fev(?:rier|r)?|mar(?:ch|s)?|maerz|mae?r"
    "|mrz|mrt|maart|apr(?:il)?|avr(?:il)?|mai|may|mei|june?|juni|juin|july?|juli|juil(?:let)?"
    "|aug(?:ust|ustus)?|aout|sept?(?:ember|embre)?|o[ck]t(?:ober|obre)?|nov(?:ember|embre)?"
    "|de[czk](?:ember|embre)?"
)
_SEP = r"[._\-/ ,:]"
_DATE_IN_WORDS = re.compile(
    rf"(?<![0-9])(?:[0-9]{{1,2}}{_SEP}*(?:{_MONTHS}){_SEP}*(?:[0-9]{{4}}|[0-9]{{2}})"
    rf"|(?:[0-9]{{4}}|[0-9]{{2}}){_SEP}*(?:{_MONTHS}){_SEP}*[0-9]{{1,2}}"
    rf"|(?<![a-z])(?:{_MONTHS}){_SEP}*[0-9]{{1,2}}{_SEP}+(?:[0-9]{{4}}|[0-9]{{2}})"
    rf"|(?<![a-z])(?:{_MONTHS}){_SEP}*(?:19|20)[0-9]{{2}}"
    rf"|(?:19|20)[0-9]{{2}}{_SEP}*(?:{_MONTHS})(?![a-z]))(?![0-9])"
)
_FIRST_OF_BIRTH = 1930
_GROUPS_OF_DIGITS = re.compile(r"[0-9]+(?:[^A-Za-z0-9]+[0-9]+)+")
_YEAR_AND_NUMBER = re.compile(r"(?:19[89][0-9]|20[0-9]{2})[._-][0-9]{1,4}")
_PERSONAL = re.compile(
    r"[a-z]{6}[0-9]{2}[a-z][0-9]{2}[a-z][0-9]{3}[a-z]"  # codice fiscale
    r"|(?<![a-z])[a-z]{2}[._\- ]?[0-9]{2}[._\- ][0-9]{2}[._\- ][0-9]{2}[._\- ]?[a-d](?![a-z])"  # NI
    r"|(?<![a-z0-9])ng[a-z](?:[._\- ]?[0-9]){3,}[._\- ]?[a-z]?(?![0-9a-z])"  # of SynchroMed pumps
)
_E_MAIL = re.compile(r"@|[._\-]at[._\-][a-z0-9._\-]*[._\-](?:com|org|net|edu|gov|eu|[a-z]{2})\b")
_SIX_DIGITS = re.compile(r"[0-9]{6}")
_RANDOM_UUID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_LEAST_HEX_LETTERS = 3


_PLAINLY_RANDOM = re.compile(
    rf"[a-z]-?[0-9]{{1,5}}(?:-(?:pump|cath|p|d|e))?|(?:[a-z]-)?[{_LETTERS}l]{{6,8}}(?:-[a-z])?"
)
"""Forms that meet no rule, to pass over the rules for most rows of large files."""


def made_key(prefix: str) -> str:
    """Makes a random key: no digit, no vowel, 1.7e10 possible ones after its prefix."""
    return f"{prefix}-" + "".join(secrets.choice(_LETTERS) for _ in range(_MADE_LENGTH))


def is_made(key: str) -> bool:
    """Whether a key has the form of those that the registry makes; such a form tells nothing."""
    return _MADE.fullmatch(key) is not None


def rule_against(key: str, *, site: str = "") -> KeyRule | None:
    """The first rule that a key meets, or None where it does not identify.

    site: the code of its site, which the key may begin with.
    """
    if _PLAINLY_RANDOM.fullmatch(key) is not None:
        return None
    if site and key[: len(site)].upper() == site:
        key = key[len(site) :]
    text = _without_accents(key)
    if _is_random_uuid(text):
        return None
    plain = text.lower()
    if _E_MAIL.search(plain):
        return E_MAIL
    letters = re.findall("[a-z]+", plain)
    digits = sum(character.isdigit() for character in plain)
    if digits and any(group in _LABELS for group in letters):
        return LABELLED_NUMBER
    if digits >= 3 and (_DATE_IN_WORDS.search(plain) or _holds_a_date(plain)):
        return DATE
    if digits >= 3 and _PERSONAL.search(plain):
        return PERSONAL_NUMBER
    if digits >= 6 and _SIX_DIGITS.search(plain):
        return LONG_NUMBER
    if digits >= 7 and _holds_groups_of_digits(plain):
        return TELEPHONE
    return NAME if _holds_a_name(text, plain) else None


def identifies(key: str, *, site: str = "") -> bool:
    """Whether a key meets a rule; site: the code of its site, which the key may begin with."""
    return rule_against(key, site=site) is not None


def _without_accents(text: str) -> str:
    """The text in plain letters and digits of ASCII, as far as they have such."""
    if text.isascii():
        return text
    spelt = text.replace("\N{LATIN SMALL LETTER SHARP S}", "ss").replace("ø", "o").replace("Ø", "O")
    decomposed = unicodedata.normalize("NFKD", spelt)
    return "".join(each for each in decomposed if not unicodedata.combining(each))


def _is_random_uuid(text: str) -> bool:
    """Whether a key is a UUID of version 4, which is random whatever its digits."""
    if _RANDOM_UUID.fullmatch(text) is None:
        return False
    return sum(character.isalpha() for character in text) >= _LEAST_HEX_LETTERS


def _holds_a_date(plain: str) -> bool:
    """Whether groups of digits side by side are a day, a month and a year in some order.

    Three groups, or two: day and month written together before or behind a year before 2000.
    """
    for run in _GROUPS_OF_DIGITS.findall(plain):
        groups = re.findall("[0-9]+", run)
        for two in pairwise(groups):
            if any(_is_birth_date(*order) for order in permutations(two)):
                return True
        for three in zip(groups, groups[1:], groups[2:], strict=False):
            if any(_is_date(*order) for order in permutations(three)):
                return True
    return False


def _is_birth_date(day_and_month: str, year: str) -> bool:
    """Whether four digits are a day and a month, and two or four a year from 1930 to 1999.

    From 2000 on such a pair is taken. Sites number their reports by year, `BE-19-0112`, and one
    number in seventeen is a day and a month too: refusing those would stop a series at its
    hundredth report. The form cannot tell a child's birthday from it. For years before 2000 few
    series exist, most patients were born in them, and a date is likelier than a number.
    """
    if len(day_and_month) != 4 or len(year) not in (2, 4):
        return False
    if not _FIRST_OF_BIRTH <= int(year) + (1900 if len(year) == 2 else 0) <= 1999:
        return False
    one, other = day_and_month[:2], day_and_month[2:]
    return _is_date(one, other, year) or _is_date(other, one, year)


def _is_date(day: str, month: str, year: str) -> bool:
    if len(day) > 2 or len(month) > 2 or len(year) not in (2, 4):
        return False
    if len(year) == 4 and not 1900 <= int(year) <= 2099:
        return False
    if not 1 <= int(month) <= 12:
        return False
    century = 2000 if len(year) == 2 else 0  # 29 February of '00 is a day of one century
    return 1 <= int(day) <= monthrange(int(year) + century, int(month))[1]


def _holds_groups_of_digits(plain: str) -> bool:
    """Whether seven or more digits stand in one run of groups.

    A year and a running number behind a prefix are no such run: BE-2019-0034. Whether they are a
    date of birth is judged before.
    """
    for found in _GROUPS_OF_DIGITS.finditer(plain):
        run = found.group()
        numbered = found.start() > 0 and _YEAR_AND_NUMBER.fullmatch(run) is not None
        if sum(character.isdigit() for character in run) >= 7 and not numbered:
            return True
    return False


def _holds_a_name(text: str, plain: str) -> bool:
    """Whether letters in a row can be read as a name.

    Four or more with a vowel, other than words of the field; short given names and surnames; and
    keys of nothing but short words with vowels (Li-Wu).
    """
    groups = re.findall("[A-Za-z]+", text)
    if any(_reads_as_a_word(group) for group in groups):
        return True
    lower = [group.lower() for group in groups]
    if any(group in _SHORT_NAMES for group in lower):
        return True
    return (
        len(lower) > 1
        and not any(character.isdigit() for character in plain)
        and all(
            len(group) > 1 and group not in _FIELD and any(vowel in group for vowel in _VOWELS)
            for group in lower
        )
    )


def _reads_as_a_word(group: str) -> bool:
    plain = group.lower()
    if len(plain) < 4 or not any(vowel in plain for vowel in _VOWELS):
        return False
    if _OF_FIELD_WORDS.fullmatch(plain):
        return False
    numbered = _WORD_AND_LETTER.fullmatch(group)  # pumpA, EventB
    return numbered is None or numbered[1].lower() not in _FIELD
