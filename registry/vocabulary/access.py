"""Lists of access: a member's role at a site, what a token may do, and decisions on agreements."""

from registry.vocabulary.code import Code


class MembershipRole(Code):
    """What a member does at one site."""

    REPORTER = "reporter", "Reporter", "Enters and submits events."
    LEAD = "lead", "Lead", "Reports, withdraws, declares exposure, and sees who the members are."


class TokenScope(Code):
    """What a token may be used for, within what its user may do."""

    READ_STATISTICS = "read-statistics", "Read statistics", "Ask for statistics."
    WRITE_EVENTS = "write-events", "Write events", "Enter and change rows of own sites."
    READ_ROWS = "read-rows", "Read rows", "Read rows of own sites."


class AgreementDecision(Code):
    """What became of a request for an agreement; blank while nobody has decided."""

    FIRST_GRANT = "first-grant", "Granted once", "Waits for a second data manager."
    GRANTED = "granted", "Granted", "Holds to its last day."
    DECLINED = "declined", "Declined", "Turned down, with a reason."
    WITHDRAWN = "withdrawn", "Withdrawn", "Taken back by the researcher before it was granted."
    ENDED = "ended", "Ended early", "Ended by a data manager before its last day, with a reason."
